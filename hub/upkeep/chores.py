"""Whose turn it is: regular work is done by one process of the installation at a time."""

from typing import Any

from hub.clock import SECOND
from hub.sql import Sql
from hub.values import dumps, loads


def take(sql: Sql, name: str, *, every_s: float, owner: str, now: int) -> bool:
    """Inside a job: take the turn when the last one began `every_s` ago or never, whether or not it was finished."""
    return (
        sql.run(
            "INSERT INTO chore (name, owner, begun_at, result) VALUES (?, ?, ?, '{}') ON CONFLICT (name) DO UPDATE"
            " SET owner = excluded.owner, begun_at = excluded.begun_at WHERE chore.begun_at <= ?",
            (name, owner, now, now - int(every_s * SECOND)),
        )
        == 1
    )


def is_due(sql: Sql, name: str, *, every_s: float, now: int) -> bool:
    """Whether `take` has a chance; a read, so that nobody takes the write lock for nothing."""
    return sql.one("SELECT 1 FROM chore WHERE name = ? AND begun_at > ?", (name, now - int(every_s * SECOND))) is None


def finish(sql: Sql, name: str, *, now: int, result: dict[str, Any]) -> None:
    """Inside a job: note when the turn ended and what it came to."""
    sql.run("UPDATE chore SET done_at = ?, result = ? WHERE name = ?", (now, dumps(result), name))


def last(sql: Sql, name: str) -> tuple[int | None, dict[str, Any]]:
    """When the last finished turn ended (µs, None for never), and what it came to."""
    row = sql.one("SELECT done_at, result FROM chore WHERE name = ?", (name,))
    return (None, {}) if row is None else (row[0], loads(row[1]))


def touch(sql: Sql, name: str, *, now: int) -> None:
    """Inside a job: keep the turn while it lasts long."""
    sql.run("UPDATE chore SET begun_at = ? WHERE name = ?", (now, name))
