"""What a person does to a message by hand: send it again, take it back, say what became of it.

Each change is one statement that names the states it may start from, run by the writer under the locks of the
lines it touches; so it cannot cross a worker that is sending the same message.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import func
from sqlmodel import col, select

from connectors.registry import channels
from hub.clock import SECOND, now_us, rfc3339
from hub.core import Hub
from hub.delivery import journal, lines
from hub.delivery.journal import Filter
from hub.delivery.models import Line, Message
from hub.delivery.outbox import promote, wake_runs
from hub.errors import Conflict, Invalid
from hub.language import normalise_phone
from hub.sql import Sql, marks

REDELIVERABLE = ("failed", "expired", "undelivered", "unconfirmed", "cancelled")
USUAL = ("failed", "expired", "undelivered")
"""What redelivery of many takes unless told otherwise: nothing that may have arrived or was taken back on purpose."""
CHUNK = 200
Beside = Callable[[Sql, str], object]

# Whoever presses the button wants it sent now, whatever the hour; and all of it, where a part did not arrive.
_REDELIVER = f"""
UPDATE message SET state = 'queued', owner = NULL, due_at = ?, quiet = NULL, expires_at = ?, failures = 0, error = NULL,
    provider_id = NULL, sent_at = NULL, ended_at = NULL, line_id = ?, messenger = ?, chat_id = ?, chat_id_raw = ?,
    sent_parts = CASE WHEN line_id = ? AND chat_id = ? AND state <> 'undelivered' THEN sent_parts ELSE '[]' END,
    head = NOT EXISTS (SELECT 1 FROM message AS other WHERE other.line_id = ? AND other.chat_id = ?
                       AND other.state IN ('queued', 'sending'))
WHERE id = ? AND portal_id = ? AND state IN ({marks(len(REDELIVERABLE))})
"""  # noqa: S608  only question marks are put in


@dataclass(frozen=True)
class _Target:
    """Where a message goes again."""

    message_id: str
    line_id: str
    messenger: str
    chat_id: str
    chat_id_raw: str


def redeliver(
    hub: Hub,
    portal_id: int,
    message_id: str,
    *,
    line_id: str | None = None,
    chat_id: str | None = None,
    beside: Beside | None = None,
) -> None:
    """Queue a message that was not delivered once more, to another line or chat if given. `beside` is done in the same
    transaction, with the address that the message goes to now.

    Raises NotFound, Conflict when its state does not allow it or its line is gone, Invalid for a bad recipient.
    """
    with hub.db.read() as session:
        message = journal.get(session, portal_id, message_id)
        _allow(message, REDELIVERABLE)
        line = session.get(Line, message.line_id) if line_id is None else lines.get(session, portal_id, line_id)
        if line is None or line.deleted_at is not None:
            raise Conflict("The line of this message is gone; name another one.", code="line_missing")
        raw = message.chat_id_raw if chat_id is None else chat_id
        moved = line.id != message.line_id or chat_id is not None
        messenger = message.messenger if line.id == message.line_id else line.channel
        target = _Target(message.id, line.id, messenger, address(line, raw) if moved else message.chat_id, raw)
        touched = (message.line_id, line.id)

    def job(sql: Sql) -> bool:
        done = _redeliver(sql, hub, portal_id, target)
        if done and beside is not None:
            beside(sql, target.chat_id)
        return done

    _finish(hub, hub.db.writer.run(job, lines=touched))


def cancel(hub: Hub, portal_id: int, message_id: str) -> None:
    """Take back a message that still waits. Raises NotFound, Conflict."""
    message = _look(hub, portal_id, message_id, ("queued",))

    def job(sql: Sql) -> bool:
        now = now_us()
        rows = sql.all(
            "UPDATE message SET state = 'cancelled', head = FALSE, ended_at = ?"
            " WHERE id = ? AND portal_id = ? AND state = 'queued' RETURNING line_id, chat_id",
            (now, message_id, portal_id),
        )
        for line_id, chat_id in rows:
            promote(sql, line_id, chat_id)
            wake_runs(sql, message_id, now)
        return bool(rows)

    _finish(hub, hub.db.writer.run(job, lines=[message.line_id]))


def settle(hub: Hub, portal_id: int, message_id: str, outcome: Literal["sent", "failed"]) -> None:
    """Say what became of a message of which nobody knows whether it arrived. Raises NotFound, Conflict."""
    message = _look(hub, portal_id, message_id, ("unconfirmed",))

    def job(sql: Sql) -> bool:
        now = now_us()
        count = sql.run(
            "UPDATE message SET state = ?, sent_at = COALESCE(sent_at, ?), ended_at = ?,"
            " error = CASE WHEN ? THEN NULL ELSE error END"
            " WHERE id = ? AND portal_id = ? AND state = 'unconfirmed'",
            (outcome, now if outcome == "sent" else None, now, outcome == "sent", message_id, portal_id),
        )
        if count:
            wake_runs(sql, message_id, now)
        return bool(count)

    _finish(hub, hub.db.writer.run(job, lines=[message.line_id]))


def preview(hub: Hub, portal_id: int, wanted: Filter) -> dict[str, Any]:
    """What `redeliver_many` would take: `{"count", "groups": [{"reason", "count", "oldest_at"}]}`."""
    wanted = _narrowed(wanted)
    with hub.db.read() as session:
        why = journal.reason(session).label("why")
        query = select(why, func.count(), func.min(col(Message.created_at))).where(
            *journal.conditions(session, portal_id, wanted), line_is_there(portal_id)
        )
        rows = session.exec(query.group_by(why).order_by(func.count().desc(), why)).all()
    groups = [{"reason": code, "count": count, "oldest_at": rfc3339(oldest)} for code, count, oldest in rows]
    return {"count": sum(count for _, count, _ in rows), "groups": groups}


def redeliver_many(hub: Hub, portal_id: int, wanted: Filter) -> int:
    """Queue every message that matches once more, in the order they were made; gives their number."""
    wanted = _narrowed(wanted)
    count, last = 0, 0
    while True:
        with hub.db.read() as session:
            query = select(Message).where(
                *journal.conditions(session, portal_id, wanted), line_is_there(portal_id), col(Message.seq) > last
            )
            found = list(session.exec(query.order_by(col(Message.seq)).limit(CHUNK)))
            targets = [_Target(m.id, m.line_id, m.messenger, m.chat_id, m.chat_id_raw) for m in found]
            last = found[-1].seq or 0 if found else last
        if not targets:
            break

        def job(sql: Sql, chunk: list[_Target] = targets) -> int:
            return sum(_redeliver(sql, hub, portal_id, target) for target in chunk)

        count += hub.db.writer.run(job, lines={target.line_id for target in targets})
        hub.ring()
    return count


def _redeliver(sql: Sql, hub: Hub, portal_id: int, target: _Target) -> bool:
    now = now_us()
    expires = now + int(hub.settings.message_ttl_s * SECOND)
    place = (target.line_id, target.chat_id)
    values = (now, expires, target.line_id, target.messenger, target.chat_id, target.chat_id_raw, *place, *place)
    return sql.run(_REDELIVER, (*values, target.message_id, portal_id, *REDELIVERABLE)) > 0


def _narrowed(wanted: Filter) -> Filter:
    wrong = [state for state in wanted.states if state not in REDELIVERABLE]
    if wrong:
        message = f"Only these can be sent again: {', '.join(REDELIVERABLE)}."
        raise Invalid(message, errors=[{"pointer": "/filter/state", "code": "bad_state", "message": message}])
    return wanted if wanted.states else replace(wanted, states=USUAL)


def line_is_there(portal_id: int) -> Any:
    """What is true of messages whose line still exists."""
    there = select(Line.id).where(Line.portal_id == portal_id, col(Line.deleted_at).is_(None))
    return col(Message.line_id).in_(there)


def _look(hub: Hub, portal_id: int, message_id: str, states: tuple[str, ...]) -> Message:
    with hub.db.read() as session:
        message = journal.get(session, portal_id, message_id)
        session.expunge(message)
    _allow(message, states)
    return message


def _allow(message: Message, states: tuple[str, ...]) -> None:
    if message.state not in states:
        raise Conflict(
            f"A message in state {message.state} does not allow this; it must be {' or '.join(states)}.",
            code="wrong_state",
            state=message.state,
        )


def _finish(hub: Hub, done: bool) -> None:
    if not done:
        raise Conflict("The message changed in the meantime; look again.", code="wrong_state")
    hub.ring()


def address(line: Line, raw: str) -> str:
    """A recipient in the form that the line's channel wants. Raises Invalid for what is none."""
    problem = ""
    try:
        phone = channels()[line.channel].carries.recipients == "phone"
        address = normalise_phone(raw, lines.settings_of(line).country) if phone else raw.strip()
    except ValueError:
        address, problem = "", "This is not a phone number."
    if not address or len(address) > 255:
        message = problem or "A recipient is needed, of at most 255 characters."
        raise Invalid(message, errors=[{"pointer": "/chat_id", "code": "chat_id_invalid", "message": message}])
    return address
