"""What customers wrote and no operator has seen: their portal's open line did not take it."""

from collections.abc import Iterable
from dataclasses import dataclass

from hub.bitrix24 import calls, operators
from hub.bitrix24.openlines import SHOW
from hub.clock import SECOND
from hub.sql import Sql
from hub.values import as_text, loads

LOOKED_BACK_S = 86_400
"""After a day a customer has been answered elsewhere, or has gone."""
# The states word for word as in the condition of their index.
_NOTE = f"openline:{operators.MARK}"
_GIVEN_UP = f"state IN ('failed', 'expired') AND method = '{SHOW}' AND substr(key, 1, {len(_NOTE)}) <> '{_NOTE}'"


@dataclass(frozen=True)
class Unshown:
    """How many messages on a line, and what was said of the last one."""

    portal_id: int
    line_id: str
    count: int
    reason: str


def find(sql: Sql, *, now: int) -> Iterable[Unshown]:
    """The lines of all portals with such messages of the last day."""
    found: dict[tuple[int, str], Unshown] = {}
    rows = sql.all(
        f"SELECT portal_id, key, error FROM bitrix24_call WHERE {_GIVEN_UP} AND done_at > ? ORDER BY done_at",  # noqa: S608
        (now - LOOKED_BACK_S * SECOND,),
    )
    for portal_id, key, error in rows:
        line_id = str(key).split(":")[1]
        before = found.get((portal_id, line_id))
        reason = as_text(loads(error).get("message")) if error else ""
        found[portal_id, line_id] = Unshown(portal_id, line_id, 1 if before is None else before.count + 1, reason)
    return found.values()


def show_again(sql: Sql, portal_id: int, *, now: int) -> int:
    """Inside a job: try once more to have a portal take them; how many they are."""
    return sql.run(
        "UPDATE bitrix24_call SET state = 'queued', attempts = 0, due_at = ?, expires_at = ?, done_at = NULL,"  # noqa: S608
        f" error = NULL WHERE portal_id = ? AND {_GIVEN_UP} AND done_at > ?",
        (now, now + calls.LIFE_S * SECOND, portal_id, now - LOOKED_BACK_S * SECOND),
    )
