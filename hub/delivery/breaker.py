"""The breaker of a line: after some failures in a row it rests, then one message tries whether it is back.

While a line is `unreachable` its messages wait and use up no attempts. The probe that succeeds makes it `active`
again, and it starts slowly (`pacing.slow_start`). Kept on the line's row, so all processes share it.
"""

from collections.abc import Mapping

from hub.clock import SECOND
from hub.delivery.pacing import TROUBLE_OPENS, breaker_pause_s
from hub.sql import Sql

TROUBLES = ("temporary", "unconfirmed")


def note(
    sql: Sql, *, line_id: str, message_id: str, attempt: int, outcome: str, error: Mapping[str, str], now: int
) -> None:
    """Inside a job: let an attempt's outcome count for its line."""
    if outcome == "sent":
        sql.run(
            "UPDATE line SET trouble = 0, opened = 0, opened_at = NULL,"
            " ramp_from = CASE WHEN state = 'unreachable' THEN ? ELSE ramp_from END,"
            " held_until = CASE WHEN state = 'unreachable' THEN NULL ELSE held_until END,"
            " state_reason = CASE WHEN state = 'unreachable' THEN '' ELSE state_reason END,"
            " state_code = CASE WHEN state = 'unreachable' THEN '' ELSE state_code END,"
            " state_since = CASE WHEN state = 'unreachable' THEN ? ELSE state_since END,"
            " state = CASE WHEN state = 'unreachable' THEN 'active' ELSE state END"
            " WHERE id = ? AND (trouble > 0 OR state = 'unreachable')",
            (now, now, line_id),
        )
        return
    if outcome not in TROUBLES:
        return
    row = sql.one(
        "UPDATE line SET trouble = trouble + 1 WHERE id = ? RETURNING trouble, opened, opened_at, state", (line_id,)
    )
    if row is None:
        return
    trouble, opened, opened_at, state = row
    begun = sql.one("SELECT started_at FROM attempt WHERE message_id = ? AND n = ?", (message_id, attempt))
    opens = state == "active" and trouble >= TROUBLE_OPENS
    # What was already under way when the breaker opened tells nothing new; only a later attempt is a probe.
    reopens = state == "unreachable" and opened_at is not None and begun is not None and begun[0] >= opened_at
    if opens or reopens:
        until = now + int(breaker_pause_s(opened + 1) * SECOND)
        sql.run(
            "UPDATE line SET state = 'unreachable', state_reason = ?, state_code = ?, opened = opened + 1,"
            " opened_at = ?, held_until = ?, ramp_from = NULL,"
            " state_since = CASE WHEN state = 'active' THEN ? ELSE state_since END"
            " WHERE id = ?",
            (error.get("message", "")[:500], error.get("code", "")[:64], now, until, now, line_id),
        )
