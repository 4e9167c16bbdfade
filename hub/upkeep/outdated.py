"""What is older than it is kept: found by reading, deleted by small jobs that look once more.

Nothing that is still under way is touched: a message that waits, a run that is not over, a request of such a run.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from hub.clock import SECOND
from hub.delivery.claiming import CHAT_PACE_KEPT_S
from hub.delivery.outbox import FINAL
from hub.endpoints.records import EVENT_KEY_DAYS
from hub.notices.models import EVERYBODY
from hub.sql import Sql, marks

BATCH = 500
"""Rows that one transaction deletes; a message with its attempts and a run with its steps stay together."""
BYTES = 4 << 20
"""Bodies that one transaction deletes; one more is let in, so that the largest goes too."""
DAY = 86_400 * SECOND
_OVER = "status IN ('completed', 'partial', 'failed', 'cancelled', 'expired') AND COALESCE(ended_at, created_at) < ?"


@dataclass(frozen=True)
class Found:
    """Keys of rows to delete, where to go on looking, and whether there may be more behind."""

    keys: list[str]
    cursor: int | str
    more: bool


class Deletion(Protocol):
    """A job of the writer."""

    def __call__(self, sql: Sql, keys: list[str]) -> int:
        """Delete what these keys name, if it is still outdated."""


@dataclass(frozen=True)
class Outdated:
    """One kind of rows. `find` reads behind a cursor, at first `start`; `delete`, inside a job, gives the number of
    rows that went, those that hang on them included."""

    name: str
    start: int | str
    find: Callable[[Sql, int | str], Found]
    delete: "Deletion"


def everything(days: Mapping[int, int], everybody_days: int, *, now: int) -> Iterator[Outdated]:
    """All kinds, in the order in which one sets the next free. `days`: how long each portal keeps its rows."""
    for portal_id, kept in days.items():
        cutoff = now - kept * DAY
        for state in FINAL:
            yield _messages(portal_id, state, cutoff)
        yield _runs(portal_id, cutoff)
        yield _requests(portal_id, cutoff)
        yield _plain("notice", "portal_id = ? AND closed_at < ?", (portal_id, cutoff))
        yield _plain("bitrix24_robot_run", "portal_id = ? AND run_id IS NULL AND created_at < ?", (portal_id, cutoff))
        yield _plain("bitrix24_sms", "portal_id = ? AND created_at < ?", (portal_id, cutoff))
        yield _plain("bitrix24_card_message", "portal_id = ? AND created_at < ?", (portal_id, cutoff))
        yield _plain("bitrix24_call", "portal_id = ? AND done_at < ?", (portal_id, cutoff))
    yield _plain("notice", "portal_id = ? AND closed_at < ?", (EVERYBODY, now - everybody_days * DAY))
    yield _plain("bitrix24_write", "until < ?", (now,))
    yield _plain("event_key", "created_at < ?", (now - EVENT_KEY_DAYS * DAY,))
    yield _plain("chat_pace", "tat < ?", (now - CHAT_PACE_KEPT_S * SECOND,))


def _messages(portal_id: int, state: str, cutoff: int) -> Outdated:
    def find(sql: Sql, cursor: int | str) -> Found:
        rows = sql.all(
            "SELECT seq, id, attempts, created_at, COALESCE(ended_at, due_at) FROM message"
            " WHERE portal_id = ? AND state = ? AND seq > ? ORDER BY seq LIMIT ?",
            (portal_id, state, cursor, BATCH),
        )
        keys: list[str] = []
        room = BATCH
        for seq, message_id, attempts, created_at, ended_at in rows:
            if created_at >= cutoff:  # in the order of making: behind this one none is old enough
                return Found(keys, cursor, more=False)
            room -= 1 + attempts
            if room < 0 and keys:
                return Found(keys, cursor, more=True)
            if ended_at < cutoff:
                keys.append(message_id)
            cursor = seq
        return Found(keys, cursor, more=len(rows) == BATCH)

    def delete(sql: Sql, keys: list[str]) -> int:
        rows = sql.all(
            f"DELETE FROM message WHERE id IN ({marks(len(keys))}) AND state = ? RETURNING id",  # noqa: S608
            (*keys, state),
        )
        return len(rows) + _of(sql, "attempt", "message_id", [message_id for (message_id,) in rows])

    return Outdated("messages", 0, find, delete)


def _runs(portal_id: int, cutoff: int) -> Outdated:
    def find(sql: Sql, cursor: int | str) -> Found:
        rows = sql.all(
            f"SELECT id, created_at, {_OVER} AND NOT EXISTS (SELECT 1 FROM message WHERE run_id = run.id),"  # noqa: S608
            " (SELECT count(*) FROM step WHERE run_id = run.id) FROM run"
            " WHERE portal_id = ? AND id > ? ORDER BY id LIMIT ?",
            (cutoff, portal_id, cursor, BATCH // 2),
        )
        keys: list[str] = []
        room = BATCH
        for run_id, created_at, over, steps in rows:
            if created_at >= cutoff:
                return Found(keys, cursor, more=False)
            room -= 1 + steps
            if room < 0 and keys:
                return Found(keys, cursor, more=True)
            if over:
                keys.append(run_id)
            cursor = run_id
        return Found(keys, cursor, more=len(rows) == BATCH // 2)

    def delete(sql: Sql, keys: list[str]) -> int:
        rows = sql.all(
            f"DELETE FROM run WHERE id IN ({marks(len(keys))}) AND {_OVER} RETURNING id",  # noqa: S608
            (*keys, cutoff),
        )
        gone = [run_id for (run_id,) in rows]
        hanging = ("step", "bitrix24_run", "bitrix24_robot_run")
        return len(rows) + sum(_of(sql, table, "run_id", gone) for table in hanging)

    return Outdated("runs", "", find, delete)


def _requests(portal_id: int, cutoff: int) -> Outdated:
    def find(sql: Sql, cursor: int | str) -> Found:
        rows = sql.all(
            "SELECT id, received_at, size, EXISTS (SELECT 1 FROM run WHERE request_id = request.id) FROM request"
            " WHERE portal_id = ? AND id > ? ORDER BY id LIMIT ?",
            (portal_id, cursor, BATCH),
        )
        keys: list[str] = []
        room = BYTES
        for request_id, received_at, size, used in rows:
            if received_at >= cutoff:
                return Found(keys, cursor, more=False)
            if room < 0:
                return Found(keys, cursor, more=True)
            if not used:
                keys.append(request_id)
                room -= size
            cursor = request_id
        return Found(keys, cursor, more=len(rows) == BATCH)

    def delete(sql: Sql, keys: list[str]) -> int:
        return sql.run(
            f"DELETE FROM request WHERE id IN ({marks(len(keys))})"  # noqa: S608
            " AND NOT EXISTS (SELECT 1 FROM run WHERE request_id = request.id)",
            keys,
        )

    return Outdated("requests", "", find, delete)


def _plain(table: str, condition: str, values: tuple[int, ...]) -> Outdated:
    """Rows on which nothing hangs. They have no key of one column in common, so the database's own is used."""

    def find(sql: Sql, cursor: int | str) -> Found:
        row = sql.one(f"SELECT 1 FROM {table} WHERE {condition} LIMIT 1", values)  # noqa: S608
        return Found([] if row is None else [table], cursor, more=row is not None)

    def delete(sql: Sql, keys: list[str]) -> int:
        place = "ctid" if sql.dialect == "postgresql" else "rowid"
        chosen = f"SELECT {place} FROM {table} WHERE {condition} LIMIT ?"  # noqa: S608
        return sql.run(
            f"DELETE FROM {table} WHERE {place} IN ({chosen}) AND {condition}",  # noqa: S608
            (*values, BATCH, *values),
        )

    return Outdated(f"{table}s", 0, find, delete)


def _of(sql: Sql, table: str, column: str, keys: list[str]) -> int:
    return sql.run(f"DELETE FROM {table} WHERE {column} IN ({marks(len(keys))})", keys) if keys else 0  # noqa: S608
