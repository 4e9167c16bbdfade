"""Which messages may be sent now: fair over portals and lines, within every rate, one probe for a line that rests."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from connectors.registry import channel as channel_class
from hub.clock import SECOND, from_us, to_us
from hub.delivery import outbox, pacing
from hub.delivery.outbox import Claimed, Entry
from hub.quiet import QuietHours
from hub.sql import Sql, marks
from hub.values import as_number, loads

CHAT_BURST = 3
CHAT_PACE_KEPT_S = 3600
_MAY_SEND = "deleted_at IS NULL AND state IN ('active', 'unreachable') AND (held_until IS NULL OR held_until <= ?)"
ALONE_AFTER = 2
"""A message that so many processes died with, one after the other, is sent alone: if it is the cause, no other message
falls with it and comes to look like one."""
_DUE = f"line_id = ? AND head AND state = 'queued' AND due_at <= ? AND expires_at > ? AND interruptions < {ALONE_AFTER}"
# Word for word the condition of its index.
_SUSPECT = f"interruptions >= {ALONE_AFTER} AND head AND state = 'queued'"
_SUSPECT_DUE = f"line_id = ? AND {_SUSPECT} AND due_at <= ? AND expires_at > ?"


@dataclass(frozen=True)
class _Ready:
    id: str
    portal_id: int
    state: str
    pace_at: int | None
    rate: float
    chat_rate: float
    most: int


def ready_lines(sql: Sql, *, now: int) -> list[str]:
    """The lines that have something due and may send; a read, so that nobody takes locks for nothing."""
    rows = sql.all(
        f"SELECT id FROM line WHERE {_MAY_SEND} AND EXISTS (SELECT 1 FROM message WHERE message.line_id = line.id"  # noqa: S608
        " AND message.head AND message.state = 'queued' AND message.due_at <= ?) ORDER BY id",
        (now, now),
    )
    return [line for (line,) in rows]


def suspect_lines(sql: Sql, *, now: int) -> set[str]:
    """The lines on which something is due that has to be sent alone; they need not be ready."""
    # Without DISTINCT, for whose sake SQLite would read the whole queue in another index's order.
    rows = sql.all(f"SELECT line_id FROM message WHERE {_SUSPECT} AND due_at <= ?", (now,))  # noqa: S608
    return {line for (line,) in rows}


def claim(
    sql: Sql,
    lines: Sequence[str],
    *,
    owner: str,
    limit: int,
    now: int,
    room: Callable[[str], int] = lambda _line: pacing.UNLIMITED,
    turn: int = 0,
    alone: bool = False,
) -> list[Claimed]:
    """Inside a job that holds the locks of `lines`: take up to `limit` due heads and begin an attempt for each.

    `room`: how many more of a line this process would send at once. `turn`: whose turn it is to be first. `alone`:
    take what has to be sent alone instead of all else; the caller sees to it that it is.
    """
    due = _SUSPECT_DUE if alone else _DUE
    ready = _ready(sql, lines, now, limit, room, due=due)
    wanted: dict[int, list[tuple[str, int]]] = {}
    for line in ready.values():
        wanted.setdefault(line.portal_id, []).append((line.id, line.most))
    chosen: list[str] = []
    for line_id, count in pacing.shares(wanted, limit, turn=turn).items():
        chosen += _take(sql, ready[line_id], count, now, due)
    return outbox.begin(sql, chosen, owner=owner, now=now)


def claim_own(sql: Sql, entries: Sequence[Entry], *, owner: str, now: int) -> list[Claimed]:
    """Inside a job: claim messages just made, heads of their chats, for their maker, as far as their lines may send
    them now; in the order given."""
    due = [entry for entry in entries if entry.due_at <= now]
    lines = _ready(sql, sorted({entry.line_id for entry in due}), now, len(due), lambda _line: len(due))
    going: set[str] = set()
    for line in lines.values():
        if line.state == "active":
            queued = [(entry.id, entry.chat_id) for entry in due if entry.line_id == line.id]
            going.update(_let_go(sql, line, queued, line.most, now)[0])
    return outbox.begin(sql, [entry.id for entry in due if entry.id in going], owner=owner, now=now)


def _ready(
    sql: Sql,
    lines: Sequence[str],
    now: int,
    limit: int,
    room: Callable[[str], int],
    *,
    due: str = "",
) -> dict[str, _Ready]:
    if not lines:
        return {}
    found: dict[str, _Ready] = {}
    for line_id, portal_id, channel, state, settings, pace_at, ramp_from, slowed_until, trouble in sql.all(
        "SELECT id, portal_id, channel, state, settings, pace_at, ramp_from, slowed_until, trouble FROM line"  # noqa: S608
        f" WHERE id IN ({marks(len(lines))}) AND {_MAY_SEND}",
        (*lines, now),
    ):
        own, chosen = channel_class(channel).carries, loads(settings)
        rate = pacing.slowed(_rate(chosen.get("rate_per_s"), own.rate_per_s), until=slowed_until, now=now)
        rate = pacing.slow_start(rate, ramp_from=ramp_from, now=now)
        chat_rate = _rate(chosen.get("rate_per_chat_per_s"), own.rate_per_chat_per_s)
        allowed = pacing.allowance(pace_at, now=now, rate_per_s=rate, burst=pacing.burst_of(rate))
        most = min(limit, room(line_id), allowed)
        if state == "unreachable":
            most = min(most, 1)
        elif trouble:
            most = min(most, max(0, pacing.at_once(trouble) - _on_their_way(sql, line_id)))
        if most > 0 and due:
            waiting = sql.one(
                f"SELECT count(*) FROM (SELECT 1 FROM message WHERE {due} LIMIT ?) AS due",  # noqa: S608
                (line_id, now, now, most),
            )
            most = min(most, waiting[0] if waiting else 0)
        found[line_id] = _Ready(line_id, portal_id, state, pace_at, rate, chat_rate, most)
    return found


def _on_their_way(sql: Sql, line_id: str) -> int:
    # The line in disguise: by its own indexes all of its messages would be looked through.
    row = sql.one("SELECT count(*) FROM message WHERE owner IS NOT NULL AND COALESCE(line_id, '') = ?", (line_id,))
    return row[0] if row else 0


def _take(sql: Sql, line: _Ready, count: int, now: int, due: str) -> list[str]:
    """The ids of the messages of a line that go now; a chat that is too fast is put off, and so is what its quiet
    hours have caught in the queue."""
    rows = sql.all(
        f"SELECT id, chat_id, quiet FROM message WHERE {due} ORDER BY due_at, seq LIMIT ?",  # noqa: S608
        (line.id, now, now, count),
    )
    over = {message_id: _quiet_until(quiet, now) for message_id, _, quiet in rows if quiet}
    quiet_now = [(message_id, until) for message_id, until in over.items() if until is not None]
    awake = [(message_id, chat) for message_id, chat, _ in rows if over.get(message_id) is None]
    going, too_fast = _let_go(sql, line, awake, count, now)
    for message_id, free_at in too_fast + quiet_now:
        sql.run("UPDATE message SET due_at = ? WHERE id = ?", (max(free_at, now + 1), message_id))
    return going


def _let_go(
    sql: Sql, line: _Ready, rows: Sequence[tuple[str, str]], most: int, now: int
) -> tuple[list[str], list[tuple[str, int]]]:
    """Of these heads of chats, `(id, chat)`, the ids of at most `most` that go now, noted in the paces of the line and
    the chats; and of those whose chat is too fast, with the time from which each is not."""
    going, too_fast = [message_id for message_id, _ in rows[:most]], []
    if line.chat_rate > 0:
        tats = _chat_tats(sql, line.id, [chat for _, chat in rows])
        going = []
        for message_id, chat in rows:
            if len(going) == most:
                break
            tat = tats.get(chat)
            if pacing.allowance(tat, now=now, rate_per_s=line.chat_rate, burst=CHAT_BURST):
                _note_chat(sql, line, chat, tat, now)
                going.append(message_id)
            else:
                free = pacing.free_at(tat, now=now, rate_per_s=line.chat_rate, burst=CHAT_BURST)
                too_fast.append((message_id, free))
    if going:
        _note_line(sql, line, len(going), now)
    return going, too_fast


def _quiet_until(quiet: str, now: int) -> int | None:
    over = QuietHours.parse(quiet).over_at(from_us(now))
    return None if over is None else to_us(over)


def _note_line(sql: Sql, line: _Ready, count: int, now: int) -> None:
    tat = pacing.spend(line.pace_at, now=now, rate_per_s=line.rate, count=count)
    if line.state == "unreachable":
        # One probe at a time, in all processes: the others wait until it has had time to fail.
        hold = now + int(pacing.PROBE_WAIT_S * SECOND)
        sql.run("UPDATE line SET pace_at = ?, held_until = ? WHERE id = ?", (tat, hold, line.id))
    elif tat is not None:
        sql.run("UPDATE line SET pace_at = ? WHERE id = ?", (tat, line.id))


def _note_chat(sql: Sql, line: _Ready, chat_id: str, tat: int | None, now: int) -> None:
    sql.run(
        "INSERT INTO chat_pace (line_id, chat_id, tat) VALUES (?, ?, ?)"
        " ON CONFLICT (line_id, chat_id) DO UPDATE SET tat = excluded.tat",
        (line.id, chat_id, pacing.spend(tat, now=now, rate_per_s=line.chat_rate, count=1)),
    )


def _chat_tats(sql: Sql, line_id: str, chats: Sequence[str]) -> Mapping[str, int]:
    if not chats:
        return {}
    rows = sql.all(
        f"SELECT chat_id, tat FROM chat_pace WHERE line_id = ? AND chat_id IN ({marks(len(chats))})",  # noqa: S608
        (line_id, *chats),
    )
    return {row[0]: row[1] for row in rows}


def _rate(chosen: object, own: float) -> float:
    number = as_number(chosen)
    return own if number is None else float(number)
