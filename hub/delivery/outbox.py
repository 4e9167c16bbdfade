"""The outbox: putting messages in, claiming the heads of their chats, and writing down what came of it.

Every function here runs inside a job of the writer, in plain SQL, and names the lines it touches to it. The order
of a chat is kept by one rule: only the oldest open message of a (line, chat) is its `head`, and only heads are
claimed. An attempt's row is committed with the claim, before the call; so after a crash an attempt without an
outcome means "may have been sent", and no attempt means "was not".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hub.clock import SECOND
from hub.delivery import breaker, pacing
from hub.sql import Sql
from hub.values import dumps, loads

OPEN = "('queued', 'sending')"
# Both conditions: SQLite uses the index of open messages only where its own condition is repeated word for word.
QUEUED = f"state IN {OPEN} AND state = 'queued'"
FINAL = ("sent", "delivered", "read", "unconfirmed", "undelivered", "failed", "expired", "cancelled")
_INSERT = """
INSERT INTO message (id, portal_id, line_id, run_id, scenario_id, block, iteration, messenger, chat_id, chat_id_raw,
                     text, extra, state, told, head, due_at, expires_at, attempts, failures, interruptions, sent_parts,
                     created_at, quiet)
"""
_ROW = """
(?, ?, ?, ?, CASE WHEN ? THEN ? ELSE (SELECT scenario_id FROM run WHERE id = ?) END, ?, ?, ?, ?, ?, ?, ?, 'queued',
 CASE WHEN ? THEN NULL ELSE (SELECT CASE WHEN tells THEN 'queued' END FROM run WHERE id = ?) END, ?, ?, ?,
 0, 0, 0, '[]', ?, ?)
"""
_HAVE_OPEN = f"""
SELECT key FROM json_each(?) AS chat WHERE EXISTS (SELECT 1 FROM message WHERE line_id = chat.value ->> 0
                                                   AND chat_id = chat.value ->> 1 AND state IN {OPEN})
"""  # noqa: S608
# Spelled so that PostgreSQL cannot look for it in the index of heads: there may be a hundred thousand where its
# statistics say none. The rows are found by their ids.
_FREE = "COALESCE(state, '') = 'queued' AND COALESCE(head, FALSE)"
CLAIMED = (
    "id, portal_id, line_id, messenger, chat_id, text, extra, attempts, failures, sent_parts, expires_at, interruptions"
)
# Not a part of RETURNING above it: SQLite finds no index there and would read all attempts that were ever made.
_EARLIER = """
SELECT message_id, min(started_at), count(CASE WHEN outcome IN ('unconfirmed', 'sent') THEN 1 END) FROM attempt
WHERE message_id IN (SELECT key FROM json_each(?)) GROUP BY message_id
"""


@dataclass(frozen=True)
class Entry:
    """A message as it enters the outbox; times in µs. Without a `run_id` no scenario sends it, and `block` says who
    does. `scenario_id`: of a run that the same transaction makes, about which nobody is told yet; without it both are
    looked up in the run's row. `quiet`: see `Message`."""

    id: str
    portal_id: int
    line_id: str
    block: str
    messenger: str
    chat_id: str
    chat_id_raw: str
    text: str
    due_at: int
    expires_at: int
    run_id: str | None = None
    iteration: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)
    scenario_id: int | None = None
    quiet: str | None = None


@dataclass(frozen=True)
class Claimed:
    """A message that this process may send now; `attempt` is also the fence of its claim. `first_at`: when the first
    of its earlier attempts began, None when there was none. `uncertain`: one of them may have arrived.
    `interruptions`: see `Message`."""

    id: str
    portal_id: int
    line_id: str
    messenger: str
    chat_id: str
    text: str
    extra: str
    attempt: int
    failures: int
    sent_parts: str
    expires_at: int
    interruptions: int = 0
    first_at: int | None = None
    uncertain: bool = False


@dataclass(frozen=True)
class Settlement:
    """What came of an attempt. `outcome` is the attempt's class, `state` where the message goes. `interrupted`: its
    process ended before it did, which says nothing about the line."""

    state: str
    outcome: str
    due_at: int | None = None
    counts: bool = True
    provider_id: str | None = None
    sent_parts: tuple[str, ...] = ()
    error: dict[str, str] | None = None
    http_status: int | None = None
    ms: int = 0
    chat_id: str | None = None
    line_state: str | None = None
    hold_line_until: int | None = None
    interrupted: bool = False


def enqueue(sql: Sql, entry: Entry, *, now: int) -> bool:
    """Put a message at the end of its chat. True when it is the head there."""
    return enqueue_all(sql, [entry], now=now)[0]


def enqueue_all(sql: Sql, entries: Sequence[Entry], *, now: int) -> list[bool]:
    """Put messages at the ends of their chats, in this order. True for each that is the head of its chat."""
    chats = list(dict.fromkeys((entry.line_id, entry.chat_id) for entry in entries))
    rows = sql.all(_HAVE_OPEN, (dumps({str(n): chat for n, chat in enumerate(chats)}),)) if chats else []
    taken = {chats[int(n)] for (n,) in rows}
    heads: list[bool] = []
    for entry in entries:
        heads.append((entry.line_id, entry.chat_id) not in taken)
        taken.add((entry.line_id, entry.chat_id))
    sql.insert(_INSERT, _ROW, [_row(entry, head, now) for entry, head in zip(entries, heads, strict=True)])
    return heads


def _row(entry: Entry, head: bool, now: int) -> tuple[Any, ...]:
    known = entry.scenario_id is not None
    return (
        entry.id,
        entry.portal_id,
        entry.line_id,
        entry.run_id,
        known,
        entry.scenario_id,
        None if known else entry.run_id,
        entry.block,
        entry.iteration,
        entry.messenger,
        entry.chat_id,
        entry.chat_id_raw,
        entry.text,
        dumps(entry.extra),
        known,
        None if known else entry.run_id,
        head,
        entry.due_at,
        entry.expires_at,
        now,
        entry.quiet,
    )


def begin(sql: Sql, ids: Sequence[str], *, owner: str, now: int) -> list[Claimed]:
    """Claim these queued heads and note that an attempt at each is about to be made; in the order given."""
    if not ids:
        return []
    rows = sql.all(
        "UPDATE message SET state = 'sending', owner = ?, attempts = attempts + 1"  # noqa: S608
        f" WHERE id IN (SELECT key FROM json_each(?)) AND {_FREE} RETURNING {CLAIMED}",
        (owner, dumps(dict.fromkeys(ids))),
    )
    place = {message_id: n for n, message_id in enumerate(ids)}
    claimed = sorted((Claimed(*row) for row in rows), key=lambda one: place[one.id])
    if again := [one.id for one in claimed if one.attempt > 1]:
        rows = sql.all(_EARLIER, (dumps(dict.fromkeys(again)),))
        earlier = {row[0]: {"first_at": row[1], "uncertain": row[2] > 0} for row in rows}
        claimed = [replace(one, **earlier.get(one.id, {})) for one in claimed]
    sql.run(
        "INSERT INTO attempt (message_id, n, owner, started_at, code, message)"
        " SELECT key, CAST(value ->> 0 AS INTEGER), ?, ?, '', '' FROM json_each(?)",
        (owner, now, dumps({one.id: [one.attempt] for one in claimed})),
    )
    return claimed


def settle(sql: Sql, claimed: Claimed, settlement: Settlement, *, owner: str, now: int) -> bool:
    """Write down an attempt's outcome. False when the claim was lost meanwhile: then only the attempt is noted."""
    error = settlement.error or {}
    sql.run(
        "UPDATE attempt SET outcome = ?, http_status = ?, code = ?, message = ?, ms = ? WHERE message_id = ? AND n = ?",
        (
            settlement.outcome,
            settlement.http_status,
            error.get("code", "")[:64],
            error.get("message", ""),
            settlement.ms,
            claimed.id,
            claimed.attempt,
        ),
    )
    held = sql.run(
        "UPDATE message SET state = ?, owner = NULL, due_at = COALESCE(?, due_at), failures = failures + ?,"
        " interruptions = CASE WHEN ? THEN interruptions + 1 ELSE 0 END,"
        " provider_id = COALESCE(?, provider_id), sent_parts = ?, error = ?,"
        " sent_at = CASE WHEN ? THEN ? ELSE sent_at END, ended_at = ?"
        " WHERE id = ? AND owner = ? AND attempts = ? AND state = 'sending'",
        (
            settlement.state,
            settlement.due_at,
            1 if settlement.counts and settlement.state != "sent" else 0,
            settlement.interrupted,
            settlement.provider_id,
            dumps(list(settlement.sent_parts)),
            dumps(error) if error else None,
            settlement.state == "sent",
            now,
            now if settlement.state in FINAL else None,
            claimed.id,
            owner,
            claimed.attempt,
        ),
    )
    if not held:
        return False
    if settlement.chat_id is not None:
        sql.run(
            "UPDATE message SET extra = ? WHERE id = ?", (dumps(loads(claimed.extra) | {"moved": True}), claimed.id)
        )
        move(sql, claimed.id, claimed.line_id, claimed.chat_id, settlement.chat_id)
    if settlement.state in FINAL:
        sql.run("UPDATE message SET head = FALSE WHERE id = ?", (claimed.id,))
        promote(sql, claimed.line_id, claimed.chat_id)
    elif settlement.chat_id is None:
        # An older message may have joined the chat while this one was on its way: then that one goes first.
        join(sql, claimed.line_id, claimed.chat_id)
    if settlement.hold_line_until is not None:
        sql.run(
            "UPDATE line SET held_until = CASE WHEN held_until > ? THEN held_until ELSE ? END, slowed_until = ?"
            " WHERE id = ?",
            (
                settlement.hold_line_until,
                settlement.hold_line_until,
                now + int(pacing.SLOWED_S * SECOND),
                claimed.line_id,
            ),
        )
    if settlement.line_state is not None:
        sql.run(
            "UPDATE line SET state = ?, state_reason = ?, state_code = ?, state_since = ?, held_until = ?"
            " WHERE id = ? AND state IN ('active', 'unreachable')",
            (
                settlement.line_state,
                error.get("message", "")[:500],
                error.get("code", "")[:64],
                now,
                now + int(pacing.CHECK_AGAIN_S * SECOND),
                claimed.line_id,
            ),
        )
    if not settlement.interrupted:
        breaker.note(
            sql,
            line_id=claimed.line_id,
            message_id=claimed.id,
            attempt=claimed.attempt,
            outcome=settlement.outcome,
            error=error,
            now=now,
        )
    wake_runs(sql, claimed.id, now)
    return True


def promote(sql: Sql, line_id: str, chat_id: str) -> None:
    """Make the oldest open message of a chat its head, unless the chat has one."""
    sql.run(
        "UPDATE message SET head = TRUE WHERE head = FALSE AND seq = (SELECT min(seq) FROM message"
        " WHERE line_id = ? AND chat_id = ? AND state IN ('queued', 'sending'))"
        " AND NOT EXISTS (SELECT 1 FROM message AS other"
        " WHERE other.line_id = ? AND other.chat_id = ? AND other.head)",
        (line_id, chat_id, line_id, chat_id),
    )


def move(sql: Sql, message_id: str, line_id: str, old: str, new: str) -> None:
    """Give an open message another recipient: it joins that chat where its own number puts it."""
    sql.run("UPDATE message SET chat_id = ?, head = FALSE WHERE id = ?", (new, message_id))
    promote(sql, line_id, old)
    join(sql, line_id, new)


def join(sql: Sql, line_id: str, chat_id: str) -> None:
    """Settle anew which message of a chat is its head, after one came in at its old place. One that is being sent
    stays the head until it is through."""
    sql.run(
        f"UPDATE message SET head = FALSE WHERE line_id = ? AND chat_id = ? AND {QUEUED} AND head",  # noqa: S608
        (line_id, chat_id),
    )
    promote(sql, line_id, chat_id)


def wake_runs(sql: Sql, message_id: str, now: int) -> None:
    """Let the run that waits for this message look at it; one that somebody has just claimed looks once more."""
    sql.run("UPDATE run SET wake_at = ? WHERE awaits = ? AND status = 'waiting'", (now, message_id))
