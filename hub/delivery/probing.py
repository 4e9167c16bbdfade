"""Lines whose account was refused: every hour their messenger is asked whether they are let in again.

What a person did about it there, a token made valid again or a bill paid, heals the line by itself. What
has waited for more than eight hours by then does not go out unseen: `sweep.set_stale_aside`. A line that does not
answer needs no such question: its breaker tries a message by and by.
"""

import structlog

from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.delivery import lines, pacing
from hub.errors import NotFound
from hub.notices import book
from hub.sql import Sql

log = structlog.get_logger(__name__)
_DUE = "state = 'auth_failed' AND deleted_at IS NULL AND (held_until IS NULL OR held_until <= ?)"


def due(sql: Sql, *, now: int) -> list[tuple[int, str]]:
    """The lines that are to be asked about now, each after its portal."""
    rows = sql.all(f"SELECT portal_id, id FROM line WHERE {_DUE} ORDER BY held_until", (now,))  # noqa: S608
    return [(portal_id, line_id) for portal_id, line_id in rows]


def take(sql: Sql, line_id: str, *, now: int) -> bool:
    """Inside a job: take this line's question for this process, and put the next one off."""
    until = now + int(pacing.CHECK_AGAIN_S * SECOND)
    return sql.run(f"UPDATE line SET held_until = ? WHERE id = ? AND {_DUE}", (until, line_id, now)) == 1  # noqa: S608


def probe(hub: Hub, *, now: int) -> list[str]:
    """Ask about every line that is due; gives the ids of those that work again. Raises StorageUnavailable."""
    with hub.db.sql() as sql:
        found = due(sql, now=now)
    return [line_id for portal_id, line_id in found if _ask(hub, portal_id, line_id, now)]


def _ask(hub: Hub, portal_id: int, line_id: str, now: int) -> bool:
    if not hub.db.writer.run(lambda sql: take(sql, line_id, now=now)):
        return False
    try:
        answer = lines.check(hub, portal_id, line_id)
    except NotFound:
        return False  # it was deleted meanwhile
    if answer["ok"]:
        log.info("line_healed", line_id=line_id)
        return True
    log.info("line_still_refused", line_id=line_id, code=answer["error"]["code"])
    hub.db.writer.run(
        lambda sql: book.confirm(sql, portal_id=portal_id, cause="line_auth_failed", subject=line_id, now=now_us())
    )
    return False
