"""Finding messages and showing them: one set of filters for lists, counts and redelivery."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import JSON, ColumnElement, CompoundSelect, cast, func
from sqlmodel import Session, col, select

from hub.clock import rfc3339
from hub.delivery.models import Attempt, Line, Message
from hub.errors import NotFound
from hub.values import loads

STATES = (
    "queued",
    "sending",
    "sent",
    "delivered",
    "read",
    "unconfirmed",
    "undelivered",
    "failed",
    "expired",
    "cancelled",
)
UNDELIVERED = ("failed", "expired", "undelivered", "unconfirmed")
"""What somebody should look at: it did not arrive, or nobody knows whether it did."""
OPEN = ("queued", "sending")
LASTING = (
    "answer_too_late",
    "blocked",
    "chat_id_invalid",
    "chat_not_found",
    "deactivated",
    "kicked",
    "never_started",
    "no_chat_access",
    "not_allowed",
    "not_in_test_list",
    "not_member",
    "not_reachable",
    "opted_out",
    "privacy",
    "recipient_is_bot",
    "recipient_is_sender",
    "undeliverable",
    "user_id_not_allowed",
    "window_closed",
)
"""Reasons that lie with the recipient: sending once more does not mend them."""
MAY_HAVE_REASON = tuple(state for state in STATES if state not in ("sent", "delivered", "read"))


@dataclass(frozen=True)
class Filter:
    """Which messages. `line` is an id, `reason` an error's code, `chat` the recipient as sent to or as given;
    `after` and `before` are times of making in µs, `ids` names them one by one;
    `lasting`: only those whose reason a repeat does not mend, or only the others."""

    states: tuple[str, ...] = ()
    line: str | None = None
    scenario: int | None = None
    reason: str | None = None
    chat: str | None = None
    after: int | None = None
    before: int | None = None
    ids: tuple[str, ...] = ()
    lasting: bool | None = None


def conditions(session: Session, portal_id: int, wanted: Filter) -> list[ColumnElement[bool]]:
    """What a row must meet."""
    if wanted.chat is None:
        found: list[Any] = [col(Message.portal_id) == portal_id]
    else:
        found = [col(Message.seq).in_(_of_chat(portal_id, wanted.chat))]
    states = wanted.states or (MAY_HAVE_REASON if wanted.reason is not None else ())
    if states:
        found.append(col(Message.state).in_(states))
    if wanted.line is not None:
        found.append(col(Message.line_id) == wanted.line)
    if wanted.scenario is not None:
        found.append(col(Message.scenario_id) == wanted.scenario)
    if wanted.reason is not None:
        found.append(reason(session) == wanted.reason)
    if wanted.lasting is not None:
        why = reason(session)
        found.append(why.in_(LASTING) if wanted.lasting else why.not_in(LASTING))
    if wanted.after is not None:
        found.append(col(Message.created_at) >= wanted.after)
    if wanted.before is not None:
        found.append(col(Message.created_at) < wanted.before)
    if wanted.ids:
        found.append(col(Message.id).in_(wanted.ids))
    return found


def _of_chat(portal_id: int, chat: str) -> CompoundSelect[Any]:
    """The numbers of a chat's messages. As one condition with OR, or beside one about the portal, SQLite would go
    through the portal's whole journal, the newest first, until it has enough. The second half reads as its index."""
    numbers = select(col(Message.seq)).where(Message.portal_id == portal_id)
    renamed = numbers.where(col(Message.chat_id_raw) == chat, col(Message.chat_id_raw) != col(Message.chat_id))
    return numbers.where(col(Message.chat_id) == chat).union_all(renamed)


def reason(session: Session) -> ColumnElement[Any]:
    """The code of a message's error, or its state when it has none, as an expression of this database."""
    if session.get_bind().dialect.name == "postgresql":
        return func.coalesce(cast(col(Message.error), JSON)["code"].as_string(), col(Message.state))
    return func.coalesce(func.json_extract(col(Message.error), "$.code"), col(Message.state))


def find(session: Session, portal_id: int, wanted: Filter, *, below: int | None, limit: int) -> list[Message]:
    """Messages, the newest first, at most `limit`, with numbers below `below`."""
    query = select(Message).where(*conditions(session, portal_id, wanted))
    if below is not None:
        query = query.where(col(Message.seq) < below)
    return list(session.exec(query.order_by(col(Message.seq).desc()).limit(limit)))


def get(session: Session, portal_id: int, message_id: str) -> Message:
    """One message of a portal. Raises NotFound."""
    query = select(Message).where(Message.id == message_id, Message.portal_id == portal_id)
    message = session.exec(query).one_or_none()
    if message is None:
        raise NotFound("There is no such message.")
    return message


def of_run(session: Session, portal_id: int, run_id: str) -> list[Message]:
    """The messages of a run, in the order they were made."""
    query = select(Message).where(Message.run_id == run_id, Message.portal_id == portal_id)
    return list(session.exec(query.order_by(col(Message.seq))))


@dataclass
class Addressed:
    """To whom a run writes, each recipient once; the states of its messages that somebody should look at, and of those
    that are still on their way."""

    recipients: list[str] = field(default_factory=list)
    troubled: list[str] = field(default_factory=list)
    on_its_way: list[str] = field(default_factory=list)


def addressed(session: Session, portal_id: int, run_ids: Sequence[str]) -> dict[str, Addressed]:
    """What each of these runs has written, by run; a run without messages is not there."""
    # As one condition beside that about the portal, SQLite would go through the portal's whole journal in its order.
    of_these = select(col(Message.seq)).where(col(Message.run_id).in_(run_ids))
    query = select(Message.run_id, Message.chat_id, Message.state).where(
        Message.portal_id == portal_id, col(Message.seq).in_(of_these)
    )
    found: dict[str, Addressed] = {}
    for run_id, chat_id, state in session.exec(query.order_by(col(Message.seq))).all():
        known = found.setdefault(str(run_id), Addressed())
        if chat_id not in known.recipients:
            known.recipients.append(chat_id)
        if state in UNDELIVERED:
            known.troubled.append(state)
        elif state in OPEN:
            known.on_its_way.append(state)
    return found


def count_by_state(session: Session, portal_id: int, wanted: Filter) -> dict[str, int]:
    """How many messages there are of each state."""
    query = select(Message.state, func.count()).where(*conditions(session, portal_id, wanted))
    return dict(session.exec(query.group_by(Message.state)).all())


def shown(session: Session, messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Messages as the API shows them, each with its attempts."""
    attempts: dict[str, list[dict[str, Any]]] = {message.id: [] for message in messages}
    query = select(Attempt).where(col(Attempt.message_id).in_(list(attempts)))
    for attempt in session.exec(query.order_by(col(Attempt.message_id), col(Attempt.n))):
        attempts[attempt.message_id].append(_attempt(attempt))
    kinds = _channels(session, {message.line_id for message in messages})
    return [_message(message, kinds.get(message.line_id), attempts[message.id]) for message in messages]


def _message(message: Message, channel: str | None, attempts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": message.id,
        "run": message.run_id,
        "block": message.block,
        "line": message.line_id,
        "channel": channel,
        "messenger": message.messenger,
        "chat_id": message.chat_id,
        "chat_id_raw": message.chat_id_raw,
        "text": message.text,
        "state": message.state,
        "provider_id": message.provider_id,
        "error": None if message.error is None else loads(message.error),
        "created_at": rfc3339(message.created_at),
        "due_at": rfc3339(message.due_at),
        "expires_at": rfc3339(message.expires_at),
        "sent_at": rfc3339(message.sent_at),
        "attempts": attempts,
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "n": attempt.n,
        "at": rfc3339(attempt.started_at),
        "outcome": attempt.outcome,
        "http_status": attempt.http_status,
        "code": attempt.code,
        "message": attempt.message,
        "ms": attempt.ms,
    }


def _channels(session: Session, line_ids: Iterable[str]) -> dict[str, str]:
    query = select(Line.id, Line.channel).where(col(Line.id).in_(list(line_ids)))
    return dict(session.exec(query).all())
