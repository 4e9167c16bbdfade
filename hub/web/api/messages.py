"""Routes about messages: looking at them, and what a person may do to them."""

from typing import Literal

from pydantic import AwareDatetime, Field, field_validator

from hub.clock import to_us
from hub.delivery import interventions, journal, quieting
from hub.delivery.journal import STATES, Filter
from hub.delivery.models import Message
from hub.values import Value
from hub.web.api.base import MAX_INT, Call, Input, SpanQuery, route
from hub.web.api.paging import number_cursor, page


class MessageFilter(Input):
    """Which messages. `state` is one state or several with commas; `line` is an id; `chat` a recipient."""

    state: str | None = None
    line: str | None = Field(None, max_length=32)
    scenario: int | None = Field(None, ge=0, le=MAX_INT)
    reason: str | None = Field(None, max_length=64)
    chat: str | None = Field(None, max_length=255)
    before: AwareDatetime | None = None
    after: AwareDatetime | None = None

    @field_validator("state")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and any(state not in STATES for state in value.split(",")):
            raise ValueError(f"A state is one of {', '.join(STATES)}")
        return value

    def filter(self) -> Filter:
        """For the journal."""
        return Filter(
            states=tuple(self.state.split(",")) if self.state else (),
            line=self.line,
            scenario=self.scenario,
            reason=self.reason,
            chat=self.chat,
            after=None if self.after is None else to_us(self.after),
            before=None if self.before is None else to_us(self.before),
        )


class MessageQuery(MessageFilter, SpanQuery):
    """A part of the list of messages."""


class Again(Input):
    """Another line or recipient for a message that is sent again."""

    line: str | None = Field(None, max_length=32)
    chat_id: str | None = Field(None, max_length=255)


class AgainMany(Input):
    """Which messages are sent again; `preview` only counts them."""

    filter: MessageFilter = MessageFilter()
    preview: bool = False


class Settlement(Input):
    """What became of a message of which nobody knows."""

    as_: Literal["sent", "failed"] = Field(alias="as")


@route("GET", "/messages", summary="Messages", query=MessageQuery, shape="Message", page=True)
def list_messages(call: Call) -> Value:
    """The newest first."""
    query: MessageQuery = call.query
    with call.hub.db.read() as session:
        below = number_cursor(query.cursor)
        found = journal.find(session, call.portal_id, query.filter(), below=below, limit=query.limit + 1)
        shown = {one["id"]: one for one in journal.shown(session, found[: query.limit])}
        return page(found, query.limit, lambda message: message.seq, lambda message: shown[message.id])


@route("GET", "/messages/{message_id}", summary="One message", shape="Message")
def read_message(call: Call, message_id: str) -> Value:
    """With every attempt to send it."""
    return _shown(call, message_id)


@route("POST", "/messages/redeliver", summary="Send many again", body=AgainMany, optional=True, shape="Redelivery")
def redeliver_messages(call: Call) -> Value:
    """Of the filter's messages those that failed, expired or were undelivered, unless `state` names others."""
    given: AgainMany = call.body
    wanted = given.filter.filter()
    found = interventions.preview(call.hub, call.portal_id, wanted)
    if given.preview:
        return found
    return found | {"count": interventions.redeliver_many(call.hub, call.portal_id, wanted)}


@route("POST", "/messages/{message_id}/redeliver", summary="Send again", body=Again, optional=True, shape="Message")
def redeliver_message(call: Call, message_id: str) -> Value:
    """409 for a message that still waits or has arrived."""
    given: Again = call.body
    interventions.redeliver(call.hub, call.portal_id, message_id, line_id=given.line, chat_id=given.chat_id)
    return _shown(call, message_id)


@route("POST", "/messages/{message_id}/send-now", summary="Do not wait for the end of quiet hours", shape="Message")
def send_message_now(call: Call, message_id: str) -> Value:
    """409 unless it waits for that."""
    quieting.send_now(call.hub, call.portal_id, message_id)
    return _shown(call, message_id)


@route("POST", "/messages/{message_id}/cancel", summary="Take a waiting message back", shape="Message")
def cancel_message(call: Call, message_id: str) -> Value:
    """409 unless it is queued."""
    interventions.cancel(call.hub, call.portal_id, message_id)
    return _shown(call, message_id)


@route(
    "POST",
    "/messages/{message_id}/settle",
    summary="Say what became of a message",
    body=Settlement,
    shape="Message",
)
def settle_message(call: Call, message_id: str) -> Value:
    """409 unless it is unconfirmed."""
    interventions.settle(call.hub, call.portal_id, message_id, call.body.as_)
    return _shown(call, message_id)


def _shown(call: Call, message_id: str) -> Value:
    with call.hub.db.read() as session:
        message: Message = journal.get(session, call.portal_id, message_id)
        return journal.shown(session, [message])[0]
