"""Marks of the changes that scenarios make themselves, so that these do not start what made them.

The mark is committed before the portal is called, as its event may be here before its answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.clock import SECOND
from hub.ids import new_id
from hub.sql import Sql
from hub.values import Value, dumps, loads

LIFE_S = 600
"""Longer than an event is on its way and waits for its burst; a later change to the same value is somebody else's."""
DEEPEST = 5
"""So many changes in a row may one start of a scenario lead to."""


@dataclass(frozen=True)
class OwnWrite:
    """A change that is not over yet: `fields` by their codes as written, `chain` the scenarios that led to it."""

    fields: Mapping[str, Value]
    chain: Sequence[int]
    depth: int


def mark(sql: Sql, portal_id: int, entity: str, entity_id: int, write: OwnWrite, *, now: int) -> None:
    """Inside a job: note a change that is about to be made. A new card is marked as soon as its number is known."""
    sql.run(
        "INSERT INTO bitrix24_write (portal_id, entity, entity_id, id, fields, chain, depth, until)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            portal_id,
            entity,
            entity_id,
            new_id(),
            dumps(dict(write.fields)),
            dumps(list(write.chain)),
            write.depth,
            now + LIFE_S * SECOND,
        ),
    )


def live(sql: Sql, portal_id: int, entity: str, entity_id: int, *, now: int) -> list[OwnWrite]:
    """The marks of a card, the oldest first."""
    rows = sql.all(
        "SELECT fields, chain, depth FROM bitrix24_write WHERE portal_id = ? AND entity = ? AND entity_id = ?"
        " AND until > ? ORDER BY id",
        (portal_id, entity, entity_id, now),
    )
    return [OwnWrite(loads(fields), [int(str(one)) for one in loads(chain)], depth) for fields, chain, depth in rows]
