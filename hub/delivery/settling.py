"""Writing down the outcomes of many attempts at once, as `outbox.settle` writes down one.

Nearly all attempts end well, and then they differ in nothing but numbers and ids. So those are settled by the same few
statements however many they are; all others, each of which may change a line or a schedule, are settled one by one.
The rows travel as one JSON object, `{message id: [values]}`, which both databases read by `json_each`: a
list of marks would be another statement, to be prepared anew, for every number of rows.
"""

from collections.abc import Sequence

from hub.delivery import breaker
from hub.delivery.outbox import OPEN, Claimed, Settlement, settle
from hub.sql import Sql
from hub.values import dumps

Outcome = tuple[Claimed, Settlement]
_N, _MS, _STATUS, _PROVIDER_ID, _PARTS = range(5)
_ATTEMPTS = f"""
UPDATE attempt SET outcome = 'sent', code = '', message = '', ms = CAST(given.value ->> {_MS} AS INTEGER),
                   http_status = CAST(given.value ->> {_STATUS} AS INTEGER)
FROM json_each(?) AS given
WHERE attempt.message_id = given.key AND attempt.n = CAST(given.value ->> {_N} AS INTEGER)
"""  # noqa: S608
# Owner and state are compared in disguise: looked up by their indexes, each message in hand, of this process or of all,
# would be held against each one given.
_MESSAGES = f"""
UPDATE message SET state = 'sent', head = FALSE, owner = NULL, interruptions = 0, error = NULL,
                   provider_id = COALESCE(given.value ->> {_PROVIDER_ID}, message.provider_id),
                   sent_parts = given.value ->> {_PARTS}, sent_at = ?, ended_at = ?
FROM json_each(?) AS given
WHERE message.id = given.key AND COALESCE(message.owner, '') = ? AND COALESCE(message.state, '') = 'sending'
      AND message.attempts = CAST(given.value ->> {_N} AS INTEGER)
RETURNING message.id
"""  # noqa: S608
_CHAT = "line_id = given.value ->> 0 AND {0}.chat_id = given.value ->> 1"
_HEADS = f"""
UPDATE message SET head = TRUE WHERE head = FALSE AND seq IN (
  SELECT (SELECT min(waiting.seq) FROM message AS waiting
          WHERE waiting.{_CHAT.format("waiting")} AND waiting.state IN {OPEN})
  FROM json_each(?) AS given
  WHERE NOT EXISTS (SELECT 1 FROM message AS other WHERE other.{_CHAT.format("other")} AND other.head))
"""  # noqa: S608
_RUNS = "UPDATE run SET wake_at = ? WHERE awaits IN (SELECT key FROM json_each(?)) AND status = 'waiting'"


def settle_all(sql: Sql, outcomes: Sequence[Outcome], *, owner: str, now: int) -> list[Claimed]:
    """Inside a job that has named their lines: write down these outcomes; gives those whose claim was lost meanwhile,
    of which only the attempt is noted."""
    sent = [outcome for outcome in outcomes if outcome[1].state == "sent"]
    lost = _settle_sent(sql, sent, owner=owner, now=now) if sent else []
    for claimed, settlement in outcomes:
        if settlement.state != "sent" and not settle(sql, claimed, settlement, owner=owner, now=now):
            lost.append(claimed)
    return lost


def _settle_sent(sql: Sql, outcomes: Sequence[Outcome], *, owner: str, now: int) -> list[Claimed]:
    rows = dumps(
        {
            claimed.id: [claimed.attempt, done.ms, done.http_status, done.provider_id, list(done.sent_parts)]
            for claimed, done in outcomes
        }
    )
    sql.run(_ATTEMPTS, (rows,))
    held = {row[0] for row in sql.all(_MESSAGES, (now, now, rows, owner))}
    kept = [claimed for claimed, _ in outcomes if claimed.id in held]
    chats = dumps({claimed.id: [claimed.line_id, claimed.chat_id] for claimed in kept})
    sql.run(_HEADS, (chats,))
    sql.run(_RUNS, (now, chats))
    for line_id in {claimed.line_id for claimed in kept}:
        breaker.note(sql, line_id=line_id, message_id="", attempt=0, outcome="sent", error={}, now=now)
    return [claimed for claimed, _ in outcomes if claimed.id not in held]
