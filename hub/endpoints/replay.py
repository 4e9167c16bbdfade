"""Running again: kept requests replayed, with all effects or none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Literal

from hub.clock import now_us, rfc3339
from hub.endpoints import card_event, records
from hub.endpoints.beginning import Begun, Executing, begin, inputs_of, variables_of
from hub.endpoints.parse import Inputs, Refused
from hub.errors import Conflict, Invalid, NotFound, StorageUnavailable
from hub.ids import new_id
from hub.scenarios import new_runs
from hub.scenarios.awaited import message_state
from hub.scenarios.check import NotRunnable, Program
from hub.scenarios.library import STALE_TRIES, PortalView, is_current
from hub.scenarios.new_runs import NewRun, beginning
from hub.scenarios.runner import lines_of
from hub.sql import Sql, marks
from hub.values import Value, dumps, loads

Which = Literal["same", "current", "draft"]
DELIVERED = ("sent", "delivered", "read")
NOTED: dict[str, Callable[[Sql, records.Stored, str], None]] = {}
"""By the source of a request, what is stored beside a run that it starts again: `(sql, request, run id)`, in a job."""
SENT_ONCE = (*DELIVERED, "queued", "sending", "unconfirmed")


@dataclass(frozen=True)
class Chosen:
    """A version to run: its row's id, its number, and what it compiles to."""

    id: int
    n: int
    program: Program


def replay(
    runtime: Executing,
    portal_id: int,
    request_id: str,
    *,
    version: Which,
    dry: bool,
    only_undelivered: bool,
    same_as: str | None = None,
) -> dict[str, Value]:
    """Run a kept request again. `{"run", "would_repeat"}`; with `dry` a trace instead of a run.

    The `same` version is that of the run `same_as`, of the request's first run if none is named.
    `would_repeat`: messages that earlier runs of this request sent or may have sent, and that would go out again.
    With `only_undelivered` blocks whose message was delivered do not send.
    Raises NotFound; Invalid when the version cannot run or the request cannot be read; Conflict for a connection check.
    """
    with runtime.hub.db.sql() as sql:
        stored = records.load(sql, request_id)
        if stored is None or stored.portal_id != portal_id:
            raise NotFound("There is no such request.")
        if stored.outcome == "check":
            raise Conflict("A connection check starts no run.")
        if stored.outcome in card_event.OUTCOMES:
            raise Conflict("This event had nothing to start a run with.", code="nothing_to_run")
        before = _earlier(sql, request_id)
        chosen = version_of(runtime, sql, stored.scenario_id, version, same_as or stored.run_id)
    try:
        inputs = inputs_of(stored, chosen.program.start_config)
    except Refused as refused:
        raise Invalid(
            f"This request cannot be run: {refused.message} Have its sender correct it.", code=refused.code
        ) from None
    reuse = {block: shown for block, shown in before if shown["state"] in DELIVERED} if only_undelivered else {}
    repeated = sum(1 for block, shown in before if shown["state"] in SENT_ONCE and block not in reuse)
    if dry:
        return dry_run(runtime, portal_id, stored.scenario_id, chosen, inputs, variables_of(stored), reuse) | {
            "would_repeat": repeated
        }
    run_id = _start(runtime, portal_id, stored, chosen, inputs, reuse)
    return {"run": run_id, "would_repeat": repeated}


# ---------------------------------------------------------------- parts


def version_of(runtime: Executing, sql: Sql, scenario_id: int, which: Which, run_id: str | None) -> Chosen:
    """The version that `which` means; `same` is that of the run. Raises Invalid when it cannot run."""
    row = None
    if which == "same" and run_id is not None:
        row = sql.one("SELECT version_id, version FROM run WHERE id = ?", (run_id,))
    if row is None:
        number = "latest" if which == "draft" else "published"
        row = sql.one(
            "SELECT v.id, v.n FROM scenario s JOIN scenario_version v ON v.scenario_id = s.id AND v.n = s."  # noqa: S608
            f"{number} WHERE s.id = ? AND s.deleted_at IS NULL",
            (scenario_id,),
        )
    if row is None:
        raise Invalid("The scenario has no published version to run.", code="not_published")
    try:
        return Chosen(row[0], row[1], runtime.library.program(row[0]))
    except NotRunnable as error:
        problems = [problem.as_dict() for problem in error.problems]
        raise Invalid("This version cannot run; see its problems.", code="not_runnable", problems=problems) from None


def is_readable(runtime: Executing, request_id: str) -> bool:
    """Whether the current version of its scenario reads a kept request, as far as there is one."""
    with runtime.hub.db.sql() as sql:
        stored = records.load(sql, request_id)
        if stored is None:
            return False
        try:
            config = version_of(runtime, sql, stored.scenario_id, "current", None).program.start_config
        except Invalid:
            config = None
    try:
        inputs_of(stored, config)
    except Refused:
        return False
    return True


def would_repeat(sql: Sql, portal_id: int, run_ids: Sequence[str]) -> int:
    """How many messages would go out a second time if the requests of these runs ran again from their starts."""
    # As one condition beside those about the portal, SQLite would go through all that the portal has ever sent.
    row = sql.one(
        "SELECT count(*) FROM message WHERE portal_id = ? AND state IN (SELECT key FROM json_each(?))"
        " AND seq IN (SELECT seq FROM message WHERE run_id IN (SELECT id FROM run WHERE request_id IN"
        " (SELECT request_id FROM run WHERE id IN (SELECT key FROM json_each(?)))))",
        (portal_id, dumps(dict.fromkeys(SENT_ONCE)), dumps(dict.fromkeys(run_ids))),
    )
    assert row is not None
    return int(row[0])


def _earlier(sql: Sql, request_id: str) -> list[tuple[str, dict[str, Value]]]:
    """The messages that earlier runs of a request made, with their blocks."""
    runs = [run_id for (run_id,) in sql.all("SELECT id FROM run WHERE request_id = ?", (request_id,))]
    if not runs:
        return []
    rows = sql.all(f"SELECT id, block FROM message WHERE run_id IN ({marks(len(runs))}) ORDER BY seq", runs)  # noqa: S608
    found = []
    for message_id, block in rows:
        shown = message_state(sql, message_id)
        if shown is not None:
            found.append((block, shown))
    return found


def _start(
    runtime: Executing,
    portal_id: int,
    stored: records.Stored,
    chosen: Chosen,
    inputs: Inputs,
    reuse: dict[str, Any],
) -> str:
    hub = runtime.hub
    run = NewRun(new_id(), portal_id, stored.scenario_id, chosen.id, chosen.n, stored.id, now_us())
    for attempt in range(STALE_TRIES):
        view = runtime.library.portal(portal_id, fresh=attempt > 0)
        begun = begin(
            runtime.runner,
            view,
            chosen.program,
            inputs,
            variables_of(stored),
            run_id=run.id,
            scenario_id=run.scenario_id,
            version_id=run.version_id,
            created_at=run.created_at,
            reuse=reuse,
        )
        job = partial(_insert, run=run, stored=stored, view=view, begun=begun, ttl_s=hub.settings.message_ttl_s)
        if hub.db.writer.run(job, lines=lines_of(begun.made, view)):
            hub.ring()
            return run.id
    raise StorageUnavailable("The settings of the portal change all the time; try again.")


def _insert(sql: Sql, *, run: NewRun, stored: records.Stored, view: PortalView, begun: Begun, ttl_s: float) -> bool:
    """Store a run of a kept request; False when what it was computed with is out of date."""
    if not is_current(sql, view, begun.env.globals):
        return False
    # From now on this version stays as it is, be it a draft. If it is gone by now, its place was taken by a newer one.
    if not sql.run("UPDATE scenario_version SET draft = FALSE WHERE id = ?", (run.version_id,)):
        raise Conflict("Another version was saved in the meantime.", code="version_conflict")
    # Whatever earlier runs of this request failed for, it is being dealt with.
    sql.run("UPDATE run SET reason = NULL WHERE request_id = ? AND reason IS NOT NULL", (stored.id,))
    new_runs.insert(sql, beginning(run, begun.state, begun.made, view, now=run.created_at, ttl_s=ttl_s))
    sql.run(
        "UPDATE request SET outcome = 'run', run_id = ? WHERE id = ? AND outcome IN ('captured', 'refused')",
        (run.id, stored.id),
    )
    if stored.source in NOTED:
        NOTED[stored.source](sql, stored, run.id)
    return True


def dry_run(
    runtime: Executing,
    portal_id: int,
    scenario_id: int,
    chosen: Chosen,
    inputs: Inputs,
    request: Mapping[str, Value],
    reuse: Mapping[str, Any],
) -> dict[str, Value]:
    """The trace of a run that is not one: nothing is sent, called or stored."""
    now = now_us()
    view = runtime.library.portal(portal_id, fresh=True)
    made = begin(
        runtime.runner,
        view,
        chosen.program,
        inputs,
        request,
        run_id="dry",
        scenario_id=scenario_id,
        version_id=chosen.id,
        created_at=now,
        dry=True,
        reuse=reuse,
    ).made
    steps = []
    for step in sorted({step.n: step for step in made.steps}.values(), key=lambda step: step.n):
        shown = asdict(step)
        shown.pop("n")
        steps.append(shown | {"started_at": rfc3339(step.started_at)})
    planned = [{"block": one.block, **_planned(one.message)} for one in made.messages]
    trace = {
        "id": "dry",
        "scenario": scenario_id,
        "version": chosen.n,
        "request": None if request["id"] == "test" else request["id"],
        "status": made.status,
        "dry": True,
        "warnings": made.warnings,
        "error": made.error,
        "created_at": rfc3339(now),
        "ended_at": rfc3339(now_us()),
        "steps": steps,
        "messages": [],
        "planned": planned,
        "result": made.result,
    }
    plain: dict[str, Value] = loads(dumps(trace))
    return plain


def _planned(message: Any) -> dict[str, Value]:
    return {
        "line": message.line,
        "messenger": message.messenger,
        "chat_id": message.chat_id,
        "chat_id_raw": message.chat_id_raw,
        "text": message.text,
        "file_url": message.file_url,
        "buttons": [dict(button) for button in message.buttons],
        "template": None if message.template is None else dict(message.template),
    }
