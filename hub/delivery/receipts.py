"""What a provider reports about messages it took: delivered, read, or not delivered after all.

Reports may repeat, cross and come late. A message only moves up (sent, delivered, read); "undelivered" overrides
sent alone. A report about a message that nobody was sure of settles it.
"""

from collections.abc import Sequence

from connectors.channel import ChannelEvent
from hub.delivery import outbox
from hub.sql import Sql
from hub.values import dumps, loads

_RANKS = {"unconfirmed": 0, "sent": 1, "delivered": 2, "read": 3}
_TAKEN = ("sent", "delivered", "read")


class TooEarly(Exception):
    """A report about a message whose sending is not written down yet: the provider should repeat it in a moment."""


def record(sql: Sql, line_id: str, events: Sequence[ChannelEvent], *, now: int) -> int:
    """Inside a job that has named the line: note all status reports; gives how many changed a message.

    Raises TooEarly when one of them is about a message that is being sent at this moment.
    """
    changed = 0
    for event in events:
        if event.kind == "status" and event.state in ("sent", "delivered", "read", "undelivered"):
            changed += _note(sql, line_id, event, now)
    return changed


def _note(sql: Sql, line_id: str, event: ChannelEvent, now: int) -> int:
    row = None
    if event.message_id:
        row = sql.one(
            "SELECT id, state, sent_parts FROM message WHERE id = ? AND line_id = ?", (event.message_id, line_id)
        )
    if row is None and event.provider_id:
        row = sql.one(
            "SELECT id, state, sent_parts FROM message WHERE line_id = ? AND provider_id = ?",
            (line_id, event.provider_id),
        )
    if row is None:
        return 0
    message_id, state, parts = row
    if state == "sending":
        raise TooEarly
    if not _moves(state, event.state) or (state in _TAKEN and _is_of_earlier(event, loads(parts))):
        return 0
    error = None
    if event.state == "undelivered":
        error = dumps({"code": "undelivered", "message": (event.text or "The messenger could not deliver it.")[:500]})
    sql.run(
        "UPDATE message SET state = ?, error = ?, provider_id = COALESCE(provider_id, ?),"
        " sent_at = COALESCE(sent_at, ?), ended_at = ? WHERE id = ?",
        (event.state, error, event.provider_id or None, None if error else now, now, message_id),
    )
    outbox.wake_runs(sql, message_id, now)
    return 1


def _is_of_earlier(event: ChannelEvent, parts: Sequence[str]) -> bool:
    """Whether it tells of a sending before the one that counts: the message was sent again, under other ids."""
    return bool(event.provider_id and parts) and event.provider_id not in parts


def _moves(state: str, reported: str) -> bool:
    if reported == "undelivered":
        return state in ("sent", "unconfirmed")
    return state in _RANKS and _RANKS[reported] > _RANKS[state]
