"""Asking a messenger whether a line works, which every hour is done for those whose account was refused.

What a person did about it there, a token made valid again or a bill paid, heals the line by itself. What
has waited for more than eight hours by then does not go out unseen: `sweep.set_stale_aside`. A line that does not
answer needs no such question: its breaker tries a message by and by.
"""

from typing import Any

import structlog
from pydantic import ValidationError

from connectors.errors import ConnectorError, LineDown
from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.delivery import lines, pacing, sweep
from hub.delivery.models import Line
from hub.errors import NotFound
from hub.notices import book
from hub.secrets import SecretError
from hub.sql import Sql

log = structlog.get_logger(__name__)
_HELD = f"(state = 'auth_failed' OR (state = 'paused' AND state_code = '{lines.ANSWERS}'))"
_DUE = f"{_HELD} AND deleted_at IS NULL AND (held_until IS NULL OR held_until <= ?)"


def check(hub: Hub, portal_id: int, line_id: str, *, hold: bool = False) -> dict[str, Any]:
    """Ask the messenger whether the line works: `{"ok": true, "identity"}` or `{"ok": false, "error"}`.

    A line that was out of order and works again becomes active, and starts slowly, without what is old by now. With
    `hold` it is paused instead, for an hour at most, until somebody has chosen what still goes out. One whose account
    is refused is out of order from now on. Raises NotFound.
    """
    try:
        with hub.db.read() as session:
            line = lines.get(session, portal_id, line_id)
            channel, broken = lines.open_channel(hub, line), _broken(line)
        identity = channel.check()
    except (SecretError, ValidationError):
        return _refused(hub, line_id, lines.UNUSABLE)
    except LineDown as error:
        return _refused(hub, line_id, {"code": error.code, "message": error.message})
    except ConnectorError as error:
        return {"ok": False, "error": {"code": error.code, "message": error.message}}
    if not identity.ok:
        message = "The messenger answered, but this account cannot send."
        return _refused(hub, line_id, {"code": "not_ready", "message": message})
    if broken and not hold:
        sweep.set_stale_aside(hub.db.writer, line_id, now=now_us())
    with hub.db.write() as session:
        line = lines.get(session, portal_id, line_id)
        if _broken(line) and hold:
            lines.pause(session, line, code=lines.ANSWERS, until=now_us() + int(pacing.CHECK_AGAIN_S * SECOND))
        elif _broken(line):
            lines.resume(session, line, slowly=True)
    hub.ring()
    return {"ok": True, "identity": {"name": identity.name, **identity.details}}


def _refused(hub: Hub, line_id: str, error: dict[str, str]) -> dict[str, Any]:
    """Put a line out of order that would send, or would go on by itself, and say why."""
    now = now_us()
    held_until = now + int(pacing.CHECK_AGAIN_S * SECOND)
    hub.db.writer.run(
        lambda sql: sql.run(
            "UPDATE line SET state = 'auth_failed', state_reason = ?, state_code = ?, state_since = ?, held_until = ?"
            " WHERE id = ? AND (state IN ('active', 'unreachable') OR state_code = ?)",
            (error["message"][:500], error["code"][:64], now, held_until, line_id, lines.ANSWERS),
        )
    )
    return {"ok": False, "error": error}


def _broken(line: Line) -> bool:
    return line.state in lines.OUT_OF_ORDER or line.state_code == lines.ANSWERS


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
        answer = check(hub, portal_id, line_id)
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
