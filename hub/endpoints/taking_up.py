"""What a person does to a run: take it up again when it is over without having worked, or stop it."""

from collections.abc import Sequence
from typing import Literal

from hub.clock import now_us
from hub.delivery import outbox
from hub.endpoints.beginning import Executing
from hub.endpoints.replay import replay, version_of
from hub.errors import Conflict, Invalid, NotFound
from hub.scenarios.state import State
from hub.sql import Sql
from hub.values import Value

Start = Literal["failed", "start"]
"""Where a run goes on: at the block that failed, or from the start as a new run."""
Which = Literal["same", "current"]
"""By which version: that of the run, or the published one."""


def retry(
    runtime: Executing,
    portal_id: int,
    run_id: str,
    *,
    start: Start,
    version: Which,
    only_undelivered: bool = False,
) -> dict[str, Value]:
    """Take up a failed run: from the block that failed (the run goes on), or from the start (a new run, which with
    `only_undelivered` does not repeat the messages that were delivered)."""
    with runtime.hub.db.sql() as sql:
        row = sql.one("SELECT portal_id, status, request_id, scenario_id, state FROM run WHERE id = ?", (run_id,))
        if row is None or row[0] != portal_id:
            raise NotFound("There is no such run.")
        _, status, request_id, scenario_id, text = row
        if status not in ("failed", "cancelled", "expired"):
            raise Conflict("Only a run that failed, was cancelled or has expired can be taken up again.")
        chosen = version_of(runtime, sql, scenario_id, version, run_id)
    if start == "start":
        if request_id is None:
            raise Conflict("This run had no request to begin with again.")
        return replay(
            runtime,
            portal_id,
            request_id,
            version=version,
            dry=False,
            only_undelivered=only_undelivered,
            same_as=run_id,
        )
    state = State.from_json(text)
    frame = state.frames[0]
    del state.frames[1:]
    if frame.at is None or frame.at not in chosen.program.nodes:
        raise Conflict("The version to run has no such block any more; run it from the start.")
    frame.version, frame.step, frame.step_input = chosen.id, 0, None
    state.pending = state.resumed = None
    # Taken up by a person, a run gets its bounds anew; its steps go on counting, for their numbers are their names.
    state.steps_before, state.calls = state.steps, 0
    now = now_us()
    changed = runtime.hub.db.writer.run(
        lambda sql: sql.run(
            "UPDATE run SET status = 'queued', state = ?, error = NULL, ended_at = NULL, wake_at = ?, owner = NULL,"
            " reason = NULL, awaits = NULL, fence = fence + 1, version_id = ?, version = ?"
            " WHERE id = ? AND status IN ('failed', 'cancelled', 'expired')",
            (state.to_json(), now, chosen.id, chosen.n, run_id),
        )
    )
    if not changed:
        raise Conflict("The run has just been taken up by somebody else.")
    runtime.hub.ring()
    return {"run": run_id, "would_repeat": 0}


def retry_all(
    runtime: Executing,
    portal_id: int,
    run_ids: Sequence[str],
    *,
    start: Start,
    version: Which,
    only_undelivered: bool = False,
) -> tuple[int, list[str]]:
    """Take up each of these runs; how many go on, and why the others could not, every reason once."""
    count, refused = 0, []
    for run_id in run_ids:
        try:
            retry(runtime, portal_id, run_id, start=start, version=version, only_undelivered=only_undelivered)
            count += 1
        except (Conflict, Invalid, NotFound) as error:
            refused.append(error.message)
    return count, list(dict.fromkeys(refused))


def cancel(runtime: Executing, portal_id: int, run_id: str) -> None:
    """Stop a run that is not over, and take back its messages that were not sent yet."""
    hub = runtime.hub
    with hub.db.sql() as sql:
        row = sql.one("SELECT portal_id FROM run WHERE id = ?", (run_id,))
        if row is None or row[0] != portal_id:
            raise NotFound("There is no such run.")
        lines = {line for (line,) in sql.all("SELECT DISTINCT line_id FROM message WHERE run_id = ?", (run_id,))}
    now = now_us()

    def job(sql: Sql) -> bool:
        stopped = sql.run(
            "UPDATE run SET status = 'cancelled', owner = NULL, wake_at = NULL, awaits = NULL, fence = fence + 1,"
            " ended_at = ? WHERE id = ? AND status IN ('queued', 'running', 'waiting')",
            (now, run_id),
        )
        if not stopped:
            return False
        waiting = sql.all("SELECT id, line_id, chat_id FROM message WHERE run_id = ? AND state = 'queued'", (run_id,))
        for message_id, line_id, chat_id in waiting:
            sql.run(
                "UPDATE message SET state = 'cancelled', head = FALSE, ended_at = ? WHERE id = ?", (now, message_id)
            )
            outbox.promote(sql, line_id, chat_id)
        return True

    if not hub.db.writer.run(job, lines=lines):
        raise Conflict("The run is over already.")
    hub.ring()
