"""Writing runs down: a new run, an advance of one, and the claims that keep a run from running twice at once.

All functions run inside a job of the writer, in plain SQL. A run that is being executed has an owner and a fence;
whoever lost the claim meanwhile finds the fence raised and writes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hub.delivery import claiming
from hub.delivery.outbox import Claimed
from hub.scenarios import effects
from hub.scenarios.advance import Advance
from hub.scenarios.awaited import message_state
from hub.scenarios.effects import Effects, effects_of
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


REASON_CHARS = 64
WANTED = ("stopped", "missing_value")
"""Codes of runs that failed because their scenario says so: nobody has to look at them."""
_COLUMNS = "id, portal_id, scenario_id, version_id, request_id, state, warnings, fence, created_at"


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
    """Store a further advance of a run this process owns. `keep`: claim its messages for this process, unless a call
    is to be made first: while that lasts they would go neither here nor elsewhere. None when the claim was lost: then
    nothing was written."""
    status, wake_at, owned = standing(made, state, owner, now)
    if is_settled(sql, made, state):
        wake_at = now
    held = sql.run(
        "UPDATE run SET status = ?, state = ?, warnings = ?, result = COALESCE(result, ?), error = ?, wake_at = ?,"
        " awaits = ?, owner = ?, ended_at = ?, reason = ? WHERE id = ? AND owner = ? AND fence = ?",
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
            reason_of(made),
            run.id,
            owner,
            run.fence,
        ),
    )
    if not held:
        return None
    left = effects_of(run.id, run.portal_id, made, view, now=now, ttl_s=ttl_s)
    heads = effects.write(sql, [left], now=now)
    if not keep or made.perform is not None:
        return []
    return list(claim_heads(sql, [left], heads, owner=owner, now=now).values())


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


def put_off(sql: Sql, run: RunRow, state: State, *, owner: str, wake_at: int) -> None:
    """Give a claimed run back whose call has to be made later."""
    sql.run(
        "UPDATE run SET status = 'waiting', state = ?, owner = NULL, wake_at = COALESCE(wake_at, ?)"
        " WHERE id = ? AND owner = ? AND fence = ?",
        (state.to_json(), wake_at, run.id, owner, run.fence),
    )


def fail(sql: Sql, run: RunRow, *, owner: str, now: int) -> None:
    """End a run that broke on an error of ours; the log has it."""
    error = {
        "code": "internal",
        "message": "The run met an error of ours; it is written down in the log.",
        "block": None,
    }
    sql.run(
        "UPDATE run SET status = 'failed', error = ?, owner = NULL, wake_at = NULL, ended_at = ?, reason = ?"
        " WHERE id = ? AND owner = ? AND fence = ?",
        (dumps(error), now, error["code"], run.id, owner, run.fence),
    )


def free_dead(sql: Sql, dead: Iterable[str], now: int) -> int:
    """Let the runs of dead processes be claimed again, at once."""
    owners = tuple(dead)
    return sql.run(
        f"UPDATE run SET owner = NULL, wake_at = ? WHERE owner IN ({marks(len(owners))})"  # noqa: S608
        " AND status IN ('queued', 'running', 'waiting')",
        (now, *owners),
    )


def standing(made: Advance, state: State, owner: str | None, now: int) -> tuple[str, int | None, str | None]:
    """How a run stands after an advance: status, when to look at it next, and who owns it from now on."""
    if made.ended:
        return made.status, None, None
    if made.perform is not None:
        if owner is None and state.pending is not None:
            # Nobody goes on from here in this process: the call is made by whoever claims the run.
            state.pending["begun"] = False
        return "running", None if owner else now, owner
    if made.status == "running":
        return "queued", now, None
    return "waiting", made.wake_at, None


def reason_of(made: Advance) -> str | None:
    """The code for which somebody should look at a run after this advance. Where a message did not arrive that is what
    they look at; a scenario that stops a run, or does not send while a value is empty, wants it so."""
    error = made.error
    if made.status != "failed" or error is None or error["blame"] == "messenger" or error["code"] in WANTED:
        return None
    return error["code"][:REASON_CHARS]


def is_settled(sql: Sql, made: Advance, state: State) -> bool:
    """Whether the message that a run is about to wait for has got there already; one of its own just now has not."""
    if made.awaits is None or state.pending is None or any(planned.id == made.awaits for planned in made.messages):
        return False
    row = sql.one("SELECT state FROM message WHERE id = ?", (made.awaits,))
    return row is not None and reached(row[0], state.pending["states"])


def claim_heads(sql: Sql, left: Sequence[Effects], heads: set[str], *, owner: str, now: int) -> dict[str, Claimed]:
    """Inside a job: claim those messages of runs just written that may be sent at once, for their maker; by id."""
    own = [entry for one in left for entry in one.entries if entry.id in heads]
    return {one.id: one for one in claiming.claim_own(sql, own, owner=owner, now=now)} if own else {}


def _joined(stored: str, more: list[dict[str, str]]) -> str:
    known = loads(stored)
    return dumps(known + [warning for warning in more if warning not in known])
