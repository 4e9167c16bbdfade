"""The message that a run waits for, as its waiting block is told of it."""

from hub.clock import rfc3339
from hub.delivery.outbox import Claimed, Settlement
from hub.sql import Sql
from hub.values import Value, loads


def message_state(sql: Sql, message_id: str) -> dict[str, Value] | None:
    """A message as a waiting block sees it."""
    row = sql.one(
        "SELECT id, state, provider_id, chat_id, messenger, sent_at, error FROM message WHERE id = ?", (message_id,)
    )
    if row is None:
        return None
    names = ("id", "state", "provider_id", "chat_id", "messenger")
    times = {"sent_at": rfc3339(row[5]), "error": loads(row[6]) if row[6] else None}
    return dict(zip(names, row[:5], strict=True)) | times


def settled_state(claimed: Claimed, settlement: Settlement, now: int) -> dict[str, Value]:
    """The same of a message with an outcome that is about to be stored."""
    sent = settlement.state == "sent"
    return {
        "id": claimed.id,
        "state": settlement.state,
        "provider_id": settlement.provider_id,
        "chat_id": claimed.chat_id,
        "messenger": claimed.messenger,
        "sent_at": rfc3339(now if sent else None),
        "error": None if settlement.error is None else dict(settlement.error),
    }
