"""What waits on lines: how much, since when, and letting it go after an outage, all of it or a part."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import func
from sqlmodel import Session, col, select

from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.delivery import lines, outbox
from hub.delivery.interventions import address
from hub.delivery.models import OPEN_STATES, Line, Message
from hub.delivery.outbox import Entry, promote, wake_runs
from hub.delivery.sweep import STALE_AFTER_S
from hub.ids import new_id
from hub.sql import Sql
from hub.values import Value

TEST = "test"
"""The block of messages that a person sends to try a line."""


@dataclass(frozen=True)
class Standing:
    """How a line stands: messages that wait, when the oldest of them was made, when the last message went out (µs)."""

    queue: int = 0
    oldest: int | None = None
    last_sent: int | None = None


def standings(session: Session, portal_id: int) -> dict[str, Standing]:
    """How every line of a portal stands, by its id."""
    query = select(Message.line_id, func.count(), func.min(Message.created_at)).where(
        Message.portal_id == portal_id, col(Message.state).in_(OPEN_STATES)
    )
    open_ones = {line_id: (count, oldest) for line_id, count, oldest in session.exec(query.group_by(Message.line_id))}
    found = {}
    for line in lines.all_of(session, portal_id):
        queue, oldest = open_ones.get(line.id, (0, None))
        sent = select(Message.sent_at).where(Message.line_id == line.id, col(Message.sent_at).is_not(None))
        last = session.exec(sent.order_by(col(Message.seq).desc()).limit(1)).first()
        found[line.id] = Standing(queue, oldest, last)
    return found


def queued(session: Session, portal_id: int, line_id: str, *, limit: int) -> list[Message]:
    """The messages that wait on a line, the oldest first."""
    query = select(Message).where(Message.portal_id == portal_id, Message.line_id == line_id, Message.state == "queued")
    return list(session.exec(query.order_by(col(Message.seq)).limit(limit)))


def count_stale(session: Session, portal_id: int, line_id: str, *, now: int) -> int:
    """How many of them have been due for long."""
    query = select(func.count()).where(
        Message.portal_id == portal_id,
        Message.line_id == line_id,
        Message.state == "queued",
        col(Message.due_at) < now - STALE_AFTER_S * SECOND,
    )
    return session.exec(query).one()


def release(hub: Hub, portal_id: int, line_id: str, *, dropped: Collection[str] = ()) -> int:
    """Let a line send again what waits on it, but cancel the messages in `dropped` first; gives how many were.
    Raises NotFound."""
    with hub.db.read() as session:
        lines.get(session, portal_id, line_id)

    def job(sql: Sql) -> int:
        return sum(_cancel(sql, portal_id, line_id, message_id) for message_id in dropped)

    count: int = hub.db.writer.run(job, lines=[line_id]) if dropped else 0
    with hub.db.write() as session:
        lines.resume(session, lines.get(session, portal_id, line_id))
    hub.ring()
    return count


def send_test(
    hub: Hub,
    portal_id: int,
    line_id: str,
    chat: str,
    text: str,
    *,
    extra: Mapping[str, Value] = MappingProxyType({}),
    within_s: float | None = None,
) -> str:
    """Put a message that tries a line into its queue; its id. `extra` as in `Entry`; after `within_s` seconds it is not
    sent any more. Raises NotFound, Invalid for a bad recipient."""
    with hub.db.read() as session:
        line: Line = lines.get(session, portal_id, line_id)
        chat_id, messenger = address(line, chat), line.channel
    now = now_us()
    entry = Entry(
        id=new_id(),
        portal_id=portal_id,
        line_id=line_id,
        block=TEST,
        messenger=messenger,
        chat_id=chat_id,
        chat_id_raw=chat,
        text=text,
        extra=dict(extra),
        due_at=now,
        expires_at=now + int((within_s or hub.settings.message_ttl_s) * SECOND),
    )
    hub.db.writer.run(lambda sql: outbox.enqueue(sql, entry, now=now), lines=[line_id], rings=True)
    return entry.id


def _cancel(sql: Sql, portal_id: int, line_id: str, message_id: str) -> int:
    now = now_us()
    rows = sql.all(
        "UPDATE message SET state = 'cancelled', head = FALSE, ended_at = ?"
        " WHERE id = ? AND portal_id = ? AND line_id = ? AND state = 'queued' RETURNING chat_id",
        (now, message_id, portal_id, line_id),
    )
    for (chat_id,) in rows:
        promote(sql, line_id, chat_id)
        wake_runs(sql, message_id, now)
    return len(rows)
