"""Writing runs down: a new run, an advance of one, and the claims that keep a run from running twice at once.

All functions run inside a job of the writer, in plain SQL. A run that is being executed has an owner and a fence;
whoever lost the claim meanwhile finds the fence raised and writes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hub.clock import SECOND, to_us
from hub.delivery import claiming, outbox
from hub.delivery.outbox import Claimed, Entry
from hub.scenarios.advance import Advance, Planned
from hub.scenarios.awaited import message_state
from hub.scenarios.block import LineInfo
from hub.scenarios.library import PortalView
from hub.scenarios.state import State
from hub.scenarios.waits import reached
from hub.sql import Sql, marks
from hub.values import Value, dumps, loads


@dataclass(frozen=True)
class RunRow:
    """What executing a run needs of its row. `awaited`: the message it waits for, as it was at the claim."""

    id: str
    portal_id: int
    scenario_id: int
    version_id: int
    request_id: str | None
    state: str
    warnings: str
    fence: int
    created_at: int
    awaited: dict[str, Value] | None = None


@dataclass(frozen=True)
class NewRun:
    """A run about to be stored for the first time."""

    id: str
    portal_id: int
    scenario_id: int
    version_id: int
    version: int
    request_id: str | None
    created_at: int


_COLUMNS = "id, portal_id, scenario_id, version_id, request_id, state, warnings, fence, created_at"


def insert(
    sql: Sql,
    run: NewRun,
    state: State,
    made: Advance,
    view: PortalView,
    *,
    now: int,
    ttl_s: float,
    owner: str | None = None,
) -> list[Claimed]:
    """Store a new run together with its first advance. With `owner`, the messages that the maker may send at once
    come back claimed, and with the message that it waits for the run itself is the maker's, see `goes_on`. Else it
    belongs to nobody yet: whoever claims it first makes the call it asks for."""
    status, wake_at, owned = _standing(sql, made, state, None, now)
    kept = owner is not None and [planned.id for planned in made.messages] == [made.awaits]
    sql.run(
        "INSERT INTO run (id, portal_id, scenario_id, version_id, version, request_id, status, state, warnings, result,"
        " error, wake_at, awaits, owner, fence, dry, created_at, ended_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, FALSE, ?, ?)",
        (
            run.id,
            run.portal_id,
            run.scenario_id,
            run.version_id,
            run.version,
            run.request_id,
            status,
            state.to_json(),
            dumps(made.warnings),
            None if made.result is None else dumps(made.result),
            None if made.error is None else dumps(made.error),
            wake_at,
            made.awaits,
            owner if kept else owned,
            run.created_at,
            now if made.ended else None,
        ),
    )
    claimed = _effects(sql, run.id, run.portal_id, made, view, now=now, ttl_s=ttl_s, owner=owner)
    if kept and not goes_on(made, claimed):
        sql.run("UPDATE run SET owner = NULL WHERE id = ?", (run.id,))
    return claimed


def goes_on(made: Advance, claimed: Sequence[Claimed]) -> bool:
    """Whether who stored a new run may go on with it: what it waits for is one message, and he has claimed that."""
    return made.awaits is not None and [one.id for one in claimed] == [made.awaits]


def stored_row(run: NewRun, state: State, made: Advance) -> RunRow:
    """A new run as it has been stored, for who goes on with it at once."""
    known = (run.id, run.portal_id, run.scenario_id, run.version_id, run.request_id)
    return RunRow(*known, state.to_json(), dumps(made.warnings), 1, run.created_at)


def update(
    sql: Sql,
    run: RunRow,
    state: State,
    made: Advance,
    view: PortalView,
    *,
    now: int,
    ttl_s: float,
    owner: str,
    keep: bool,
) -> list[Claimed] | None:
    """Store a further advance of a run this process owns. `keep`: go on owning it and claim its messages.
    None when the claim was lost: then nothing was written."""
    status, wake_at, owned = _standing(sql, made, state, owner if keep or made.perform else None, now)
    held = sql.run(
        "UPDATE run SET status = ?, state = ?, warnings = ?, result = COALESCE(result, ?), error = ?, wake_at = ?,"
        " awaits = ?, owner = ?, ended_at = ? WHERE id = ? AND owner = ? AND fence = ?",
        (
            status,
            state.to_json(),
            run.warnings if not made.warnings else _joined(run.warnings, made.warnings),
            None if made.result is None else dumps(made.result),
            None if made.error is None else dumps(made.error),
            wake_at,
            made.awaits,
            owned,
            now if made.ended else None,
            run.id,
            owner,
            run.fence,
        ),
    )
    if not held:
        return None
    return _effects(sql, run.id, run.portal_id, made, view, now=now, ttl_s=ttl_s, owner=owner if keep else None)


def claim_due(sql: Sql, *, owner: str, limit: int, now: int) -> list[RunRow]:
    """Take runs that are due, oldest due first."""
    rows = sql.all(
        "SELECT id FROM run WHERE wake_at <= ? AND owner IS NULL ORDER BY wake_at LIMIT ? /*skip locked*/", (now, limit)
    )
    return claim(sql, [run_id for (run_id,) in rows], owner=owner) if rows else []


def claim(sql: Sql, run_ids: Sequence[str], *, owner: str) -> list[RunRow]:
    """Take these runs, as far as nobody else has them and they are not over."""
    rows = sql.all(
        f"UPDATE run SET owner = ?, fence = fence + 1, wake_at = NULL WHERE id IN ({marks(len(run_ids))})"  # noqa: S608
        f" AND owner IS NULL AND status IN ('queued', 'running', 'waiting') RETURNING {_COLUMNS}, awaits",
        (owner, *run_ids),
    )
    found = ((RunRow(*row), awaits) for *row, awaits in rows)
    return [replace(run, awaited=message_state(sql, awaits)) if awaits else run for run, awaits in found]


def owned(sql: Sql, *, owner: str) -> list[RunRow]:
    """The runs that are claimed by this process."""
    rows = sql.all(f"SELECT {_COLUMNS} FROM run WHERE owner = ?", (owner,))  # noqa: S608
    return [RunRow(*row) for row in rows]


def release(sql: Sql, run: RunRow, *, owner: str, wake_at: int | None) -> None:
    """Give a claimed run back unchanged. A wake-up that came while it was claimed is kept."""
    sql.run(
        "UPDATE run SET owner = NULL, wake_at = COALESCE(wake_at, ?) WHERE id = ? AND owner = ? AND fence = ?",
        (wake_at, run.id, owner, run.fence),
    )


def fail(sql: Sql, run: RunRow, *, owner: str, now: int) -> None:
    """End a run that broke on an error of ours; the log has it."""
    error = {
        "code": "internal",
        "message": "The run met an error of ours; it is written down in the log.",
        "block": None,
    }
    sql.run(
        "UPDATE run SET status = 'failed', error = ?, owner = NULL, wake_at = NULL, ended_at = ?"
        " WHERE id = ? AND owner = ? AND fence = ?",
        (dumps(error), now, run.id, owner, run.fence),
    )


def free_dead(sql: Sql, dead: Iterable[str], now: int) -> int:
    """Let the runs of dead processes be claimed again, at once."""
    owners = tuple(dead)
    return sql.run(
        f"UPDATE run SET owner = NULL, wake_at = ? WHERE owner IN ({marks(len(owners))})"  # noqa: S608
        " AND status IN ('queued', 'running', 'waiting')",
        (now, *owners),
    )


def _standing(sql: Sql, made: Advance, state: State, owner: str | None, now: int) -> tuple[str, int | None, str | None]:
    """Status, when to look at it next, and who owns it from now on."""
    if made.ended:
        return made.status, None, None
    if made.perform is not None:
        if owner is None and state.pending is not None:
            # Nobody goes on from here in this process: the call is made by whoever claims the run.
            state.pending["begun"] = False
        return "running", None if owner else now, owner
    if made.status == "running":
        return "queued", now, None
    wake_at = made.wake_at
    if made.awaits is not None and _settled_already(sql, made.awaits, state):
        wake_at = now
    return "waiting", wake_at, None


def _settled_already(sql: Sql, message_id: str, state: State) -> bool:
    row = sql.one("SELECT state FROM message WHERE id = ?", (message_id,))
    if row is None or state.pending is None:
        return False
    return reached(row[0], state.pending["states"])


def _effects(
    sql: Sql, run_id: str, portal_id: int, made: Advance, view: PortalView, *, now: int, ttl_s: float, owner: str | None
) -> list[Claimed]:
    sql.many(
        "INSERT INTO step (run_id, n, block, type, status, port, input, output, error, started_at, ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run_id, n) DO UPDATE SET status = excluded.status,"
        " port = excluded.port, input = COALESCE(excluded.input, step.input), output = excluded.output,"
        " error = excluded.error, ms = excluded.ms",
        [
            (
                run_id,
                step.n,
                step.block,
                step.type,
                step.status,
                step.port,
                None if step.input is None else dumps(step.input),
                None if step.output is None else dumps(step.output),
                None if step.error is None else dumps(step.error),
                step.started_at,
                step.ms,
            )
            for step in made.steps
        ],
    )
    if made.globals:
        for name, value in made.globals.items():
            sql.run(
                "INSERT INTO global_variable (portal_id, name, value, updated_at) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (portal_id, name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
                (portal_id, name, dumps(value), now),
            )
        sql.run("UPDATE stamp SET globals = globals + 1 WHERE portal_id = ?", (portal_id,))
    claimed = []
    for planned in made.messages:
        line = view.line(planned.message.line)
        if line is None:
            raise LookupError(f"line of message {planned.id} is gone")
        entry = _entry(planned, line, run_id, portal_id, now, ttl_s)
        head = outbox.enqueue(sql, entry, now=now)
        mine = claiming.claim_own(sql, entry, owner=owner, now=now) if head and owner is not None else None
        if mine is not None:
            claimed.append(mine)
    return claimed


def _entry(planned: Planned, line: LineInfo, run_id: str, portal_id: int, now: int, ttl_s: float) -> Entry:
    message = planned.message
    due_at = now if message.not_before is None else max(now, to_us(message.not_before))
    lifetime_s = message.best_before_s or ttl_s
    extra: dict[str, Value] = {}
    if message.file_url:
        extra["file_url"] = message.file_url
    if message.buttons:
        extra["buttons"] = [dict(button) for button in message.buttons]
    if message.template:
        extra["template"] = dict(message.template)
    return Entry(
        id=planned.id,
        portal_id=portal_id,
        line_id=line.id,
        run_id=run_id,
        block=planned.block,
        iteration=planned.iteration,
        messenger=message.messenger,
        chat_id=message.chat_id,
        chat_id_raw=message.chat_id_raw,
        text=message.text,
        extra=extra,
        due_at=due_at,
        expires_at=due_at + int(lifetime_s * SECOND),
    )


def _joined(stored: str, more: list[dict[str, str]]) -> str:
    known = loads(stored)
    return dumps(known + [warning for warning in more if warning not in known])
