"""The rows of changes that wait and of cards as they were: claimed by one process at a time, in plain SQL.

Everything here runs inside a job of the writer, but for `snapshots`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.clock import SECOND, now_us
from hub.sql import Dialect, Sql, marks
from hub.values import Value, as_text, dumps, loads

MOST = 50
"""Cards of one claim: as many as one hit reads."""
AGAIN_S = 1.0
PATIENCE = 5
"""How often a card that changes while it is looked at is put back before it is taken as it was read."""
_SEEN = "SELECT seen FROM bitrix24_change WHERE portal_id = ? AND entity = ? AND entity_id = ? AND owner = ?"
_HOLD: Mapping[Dialect, str] = {"sqlite": _SEEN, "postgresql": _SEEN + " FOR UPDATE"}


@dataclass(frozen=True)
class Change:
    """A card to be looked at; `event` and `user_id` are those of its latest event, `first_at` µs."""

    portal_id: int
    entity: str
    entity_id: int
    created: bool
    recovered: bool
    first_at: int
    seen: int
    event: str
    user_id: int
    attempts: int

    @property
    def key(self) -> tuple[int, str, int]:
        """Its key."""
        return self.portal_id, self.entity, self.entity_id


def due_groups(sql: Sql, *, now: int, limit: int) -> list[tuple[int, str]]:
    """Portals and kinds of cards of which some are due, the longest waiting first. A portal that cannot be called
    keeps its changes."""
    rows = sql.all(
        "SELECT c.portal_id, c.entity FROM bitrix24_change c JOIN portal p ON p.id = c.portal_id"
        " WHERE c.owner IS NULL AND c.due_at <= ? AND p.state = 'active'"
        " GROUP BY c.portal_id, c.entity ORDER BY min(c.due_at) LIMIT ?",
        (now, limit),
    )
    return [(int(portal_id), str(entity)) for portal_id, entity in rows]


def claim(sql: Sql, portal_id: int, entity: str, *, owner: str, now: int) -> list[Change]:
    """Take up to fifty due cards of a kind."""
    rows = sql.all(
        "UPDATE bitrix24_change SET owner = ? WHERE portal_id = ? AND entity = ? AND owner IS NULL AND entity_id IN"
        " (SELECT entity_id FROM bitrix24_change WHERE portal_id = ? AND entity = ? AND owner IS NULL AND due_at <= ?"
        " ORDER BY first_at LIMIT ? /*skip locked*/) RETURNING portal_id, entity, entity_id, created, recovered,"
        " first_at, seen, last, attempts",
        (owner, portal_id, entity, portal_id, entity, now, MOST),
    )
    return sorted(map(_change, rows), key=lambda change: (change.first_at, change.entity_id))


def free_dead(sql: Sql, dead: Sequence[str]) -> int:
    """Give back what these processes had taken."""
    return sql.run(
        f"UPDATE bitrix24_change SET owner = NULL WHERE owner IN ({marks(len(dead))})",  # noqa: S608
        tuple(dead),
    )


def hold(sql: Sql, change: Change, *, owner: str) -> str:
    """`held` when a change is still this process's and is as it was read. `lost` when it is not ours any more; `again`
    when something happened to the card meanwhile: then it is put back, a few times at most."""
    row = sql.one(_HOLD[sql.dialect], (*change.key, owner))
    if row is None:
        return "lost"
    if int(row[0]) != change.seen and change.attempts < PATIENCE:
        put_back(sql, change, owner=owner, due_at=now_us() + int(AGAIN_S * SECOND), error="")
        return "again"
    return "held"


def put_back(sql: Sql, change: Change, *, owner: str, due_at: int, error: str) -> None:
    """Give a change back, to be looked at then."""
    sql.run(
        "UPDATE bitrix24_change SET owner = NULL, due_at = ?, attempts = attempts + 1, error = ?"
        " WHERE portal_id = ? AND entity = ? AND entity_id = ? AND owner = ?",
        (due_at, error, *change.key, owner),
    )


def put_all_back(sql: Sql, changes: Sequence[Change], *, owner: str, delay_s: float, error: str = "") -> None:
    """Give those of these changes back that are still this process's, to be looked at after a while."""
    due_at = now_us() + int(delay_s * SECOND)
    for change in changes:
        put_back(sql, change, owner=owner, due_at=due_at, error=error)


def finish(sql: Sql, change: Change) -> None:
    """A change has been dealt with. What happened to the card since it was read stays to be looked at."""
    gone = sql.run(
        "DELETE FROM bitrix24_change WHERE portal_id = ? AND entity = ? AND entity_id = ? AND seen = ?",
        (*change.key, change.seen),
    )
    if gone:
        return
    sql.run(
        "UPDATE bitrix24_change SET owner = NULL, created = FALSE, attempts = 0, due_at = ?"
        " WHERE portal_id = ? AND entity = ? AND entity_id = ?",
        (now_us() + int(AGAIN_S * SECOND), *change.key),
    )


def snapshots(sql: Sql, portal_id: int, entity: str, ids: Sequence[int]) -> dict[int, dict[str, Value]]:
    """The fields of these cards as they were last seen; those never seen are left out."""
    if not ids:
        return {}
    rows = sql.all(
        "SELECT entity_id, fields FROM bitrix24_snapshot"  # noqa: S608
        f" WHERE portal_id = ? AND entity = ? AND entity_id IN ({marks(len(ids))})",
        (portal_id, entity, *ids),
    )
    return {int(number): loads(fields) for number, fields in rows}


def keep_snapshot(sql: Sql, change: Change, fields: Mapping[str, Value], *, now: int) -> None:
    """Remember a card as it is now."""
    sql.run(
        "INSERT INTO bitrix24_snapshot (portal_id, entity, entity_id, fields, modified_at, seen_at)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (portal_id, entity, entity_id) DO UPDATE SET"
        " fields = excluded.fields, modified_at = excluded.modified_at, seen_at = excluded.seen_at",
        (*change.key, dumps(dict(fields)), as_text(fields.get("DATE_MODIFY"))[:40], now),
    )


def forget_snapshot(sql: Sql, change: Change) -> None:
    """A card is not there any more."""
    sql.run("DELETE FROM bitrix24_snapshot WHERE portal_id = ? AND entity = ? AND entity_id = ?", change.key)


def _change(row: tuple[object, ...]) -> Change:
    portal_id, entity, entity_id, created, recovered, first_at, seen, last, attempts = row
    told = loads(str(last))
    return Change(
        int(str(portal_id)),
        str(entity),
        int(str(entity_id)),
        bool(created),
        bool(recovered),
        int(str(first_at)),
        int(str(seen)),
        str(told.get("event") or ""),
        int(told.get("user_id") or 0),
        int(str(attempts)),
    )
