"""What is left over in the outbox: messages whose time is over, those that are old when their line works again, and
those that dead processes were sending.

All change which message is the head of a chat, so whoever sweeps names the lines to the writer first; a message
that another process puts into the same chat meanwhile would else be overlooked and stay without a turn.
"""

from collections.abc import Sequence
from functools import partial

from hub.clock import SECOND
from hub.delivery.outbox import CLAIMED, QUEUED, Claimed, join, promote, wake_runs
from hub.sql import Row, Sql, marks
from hub.values import dumps
from hub.writer import Writer

AT_ONCE = 200
STALE_AFTER_S = 8 * 3600
"""What has been due for longer is old when its line works again: a greeting of last night may be out of place."""
LATE = {"code": "expired", "message": "It could not be sent in time."}
STALE = {"code": "stale", "message": "It had waited for more than eight hours when its line worked again."}


def expiring_lines(sql: Sql, *, now: int) -> list[str]:
    """The lines on which messages wait whose time is over: what `expire` touches."""
    # DISTINCT would make SQLite read the whole table in the order of its lines; a few at a time do.
    rows = sql.all(
        f"SELECT line_id FROM message WHERE {QUEUED} AND expires_at <= ? ORDER BY expires_at LIMIT ?",  # noqa: S608
        (now, AT_ONCE),
    )
    return list({line_id for (line_id,) in rows})


def expire(sql: Sql, *, now: int, lines: Sequence[str], limit: int = AT_ONCE) -> int:
    """End the messages of these lines whose time is over; they are never sent late. One that may have arrived by an
    earlier attempt ends as unconfirmed."""
    if not lines:
        return 0
    rows = sql.all(
        f"SELECT seq, id, line_id, chat_id FROM message WHERE {QUEUED} AND expires_at <= ?"  # noqa: S608
        f" AND line_id IN ({marks(len(lines))}) ORDER BY expires_at LIMIT ? /*skip locked*/",
        (now, *lines, limit),
    )
    return _end(sql, rows, LATE, now)


def set_stale_aside(writer: Writer, line_id: str, *, now: int) -> int:
    """Take what is old out of a line's queue before the line goes on by itself; how many. It ends as what was not
    delivered, where a person sees it and can send it again. Raises StorageUnavailable."""
    count = 0
    while done := writer.run(partial(_set_aside, line_id=line_id, now=now), lines=[line_id]):
        count += done
    return count


def _set_aside(sql: Sql, *, line_id: str, now: int) -> int:
    rows = sql.all(
        f"SELECT seq, id, line_id, chat_id FROM message WHERE {QUEUED} AND line_id = ? AND due_at < ?"  # noqa: S608
        " ORDER BY seq LIMIT ? /*skip locked*/",
        (line_id, now - STALE_AFTER_S * SECOND, AT_ONCE),
    )
    return _end(sql, rows, STALE, now)


def _end(sql: Sql, rows: Sequence[Row], error: dict[str, str], now: int) -> int:
    for seq, message_id, line_id, chat_id in rows:
        sql.run(
            "UPDATE message SET state = CASE WHEN EXISTS (SELECT 1 FROM attempt WHERE message_id = message.id"
            " AND outcome = 'unconfirmed') THEN 'unconfirmed' ELSE 'expired' END, head = FALSE,"
            " error = COALESCE(error, ?), ended_at = ? WHERE seq = ? AND state = 'queued'",
            (dumps(error), now, seq),
        )
        promote(sql, line_id, chat_id)
        wake_runs(sql, message_id, now)
    return len(rows)


def held(sql: Sql, *, owner: str, before: int) -> list[tuple[str, int, str]]:
    """What this process is sending by the database, as far as its attempt began before then (µs): message, attempt,
    line."""
    return [
        (message_id, attempt, line_id)
        for message_id, attempt, line_id in sql.all(
            "SELECT m.id, m.attempts, m.line_id FROM message m"
            " JOIN attempt a ON a.message_id = m.id AND a.n = m.attempts"
            " WHERE m.owner = ? AND m.state = 'sending' AND a.started_at <= ?",
            (owner, before),
        )
    ]


def give_back(sql: Sql, claimed: Claimed, *, owner: str, now: int) -> None:
    """End a claim of a message that was certainly not sent: it is due again at once."""
    sql.run(
        "UPDATE attempt SET outcome = 'temporary', code = 'not_begun', message = ? WHERE message_id = ? AND n = ?",
        ("The process did not learn of its claim, and sent nothing.", claimed.id, claimed.attempt),
    )
    sql.run(
        "UPDATE message SET state = 'queued', owner = NULL, due_at = ?"
        " WHERE id = ? AND owner = ? AND attempts = ? AND state = 'sending'",
        (now, claimed.id, owner, claimed.attempt),
    )
    join(sql, claimed.line_id, claimed.chat_id)


def abandoned_lines(sql: Sql, *, dead: Sequence[str]) -> list[str]:
    """The lines on which dead processes were sending."""
    if not dead:
        return []
    rows = sql.all(
        f"SELECT line_id FROM message WHERE state = 'sending' AND owner IN ({marks(len(dead))})",  # noqa: S608
        tuple(dead),
    )
    return list({line_id for (line_id,) in rows})


def abandoned(sql: Sql, *, dead: Sequence[str]) -> list[tuple[Claimed, str]]:
    """The messages that dead processes were sending, each with its owner: their attempts were begun and nobody knows
    how they ended."""
    if not dead:
        return []
    rows = sql.all(
        f"SELECT owner, {CLAIMED}, (SELECT started_at FROM attempt WHERE message_id = message.id ORDER BY n LIMIT 1)"  # noqa: S608
        f" FROM message WHERE state = 'sending' AND owner IN ({marks(len(dead))})",
        tuple(dead),
    )
    return [(Claimed(*row), owner) for owner, *row in rows]
