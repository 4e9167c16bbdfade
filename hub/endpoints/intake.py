"""What happens to a request at a link: store it whole, start its run, answer.

One transaction holds the request, its event key, the run with everything it did at once, and its messages. Only
after it is durable is the caller told 200. What the run still has to do (pauses, calls, sends) is done elsewhere;
the results link waits for it, `hub.endpoints.waiting`.
"""

import hashlib
import threading
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import structlog

from hub import failpoints
from hub.clock import SECOND, from_us, now_us
from hub.core import Hub
from hub.delivery.outbox import Claimed
from hub.endpoints import records
from hub.endpoints.accepting import Accepted, store_all
from hub.endpoints.admission import Arrived, admit, body_of
from hub.endpoints.beginning import begin, request_variables
from hub.endpoints.parse import (
    Inputs,
    Note,
    Refused,
    event_key,
    find_parameter,
    is_check,
    merge,
    parse_query,
)
from hub.errors import StorageUnavailable
from hub.ids import new_id, token_hash
from hub.scenarios.check import NotRunnable, Program
from hub.scenarios.library import STALE_TRIES, Library, LinkTarget, PortalView, PublishedScenario, is_current
from hub.scenarios.new_runs import NewRun, beginning, goes_on, stored_row
from hub.scenarios.runner import RunInputs, Runner, lines_of
from hub.scenarios.store import RunRow
from hub.sql import Sql

log = structlog.get_logger(__name__)
CROWDED_TRIES = 3
NOT_FOUND = "There is no such link."
NOT_STARTED = Note("not_started", "The published version cannot run here any more; publish the scenario anew.")


@dataclass(frozen=True)
class Outcome:
    """What became of a request: the answer for the usual link, and, when a run began, what the results link needs.

    `claimed`: messages for the caller to send. `run`: the run, when the caller may go on with it after that; it is held
    by the runner until the caller drops it."""

    status: int
    answer: dict[str, Any]
    run_id: str | None = None
    duplicate: bool = False
    claimed: tuple[Claimed, ...] = ()
    wait_s: float | None = None
    run: RunRow | None = None
    inputs: RunInputs | None = None


class Gone(Exception):
    """Unknown token: 404, and nothing else is said or kept."""


class Kept(Exception):
    """A refused request that was kept, with its id."""

    def __init__(self, refused: Refused, request_id: str) -> None:
        super().__init__(refused.message)
        self.refused = refused
        self.request_id = request_id


class Intake:
    """Takes requests for one process."""

    def __init__(self, hub: Hub, library: Library, runner: Runner) -> None:
        self._hub = hub
        self._library = library
        self._runner = runner
        self._turn = threading.Lock()

    def accept(self, arrived: Arrived, target: LinkTarget, *, wait: bool) -> Outcome:
        """Take a request at the link that `target` found. `wait`: it came by the results link.

        Raises Gone when there is nothing at the link any more, Kept for a request that is refused and was kept,
        StorageUnavailable when nothing could be stored.
        """
        for attempt in range(STALE_TRIES):
            # Those who change the same variables at once overtake each other; after a few times they queue up.
            with self._turn if attempt >= CROWDED_TRIES else nullcontext():
                outcome, target = self._attempt(arrived, target, attempt, wait=wait)
            if outcome is not None:
                return outcome
        raise StorageUnavailable("Too many requests change the same variables at once; try again.")

    def _attempt(
        self, arrived: Arrived, target: LinkTarget, attempt: int, *, wait: bool
    ) -> tuple[Outcome | None, LinkTarget]:
        """Take a request with the settings at hand, or, after the first attempt, with those of now. None: they are
        out of date, try again."""
        try:
            view = self._library.portal(target.portal_id, fresh=attempt > 0)
        except KeyError:
            raise Gone from None
        if attempt > 0:
            # What the link was read with is as old as the view that has just been replaced.
            target = self.target(arrived)
        scenario = view.scenarios.get(target.scenario_id)
        if scenario is None or not view.active:
            if attempt == 0:
                return None, target  # newer than the view that was at hand, or really gone
            raise Gone
        return self._try(arrived, view, scenario, wait=wait), target

    def target(self, arrived: Arrived) -> LinkTarget:
        """Where a request's token leads. Raises Gone for an unknown one, and for one whose grace is over."""
        token = find_parameter(arrived.query, "token")
        target = self._library.link(token_hash(token)) if token else None
        if target is None or (target.expires_at is not None and target.expires_at <= arrived.received_at):
            raise Gone
        return target

    def _try(self, arrived: Arrived, view: PortalView, scenario: PublishedScenario, *, wait: bool) -> Outcome | None:
        config = self._start_config(scenario)
        notes: tuple[Note, ...] = ()
        try:
            admit(arrived, view, config)
            query = parse_query(arrived.query)
            template_id = query.get("template_id")
            if template_id not in (None, "") and template_id != str(scenario.id):
                raise Refused("scenario_mismatch", 404, "The link's template_id is that of another scenario.")
            body = None if arrived.method == "GET" else body_of(arrived, config)
            if is_check(query, body):
                return self._stored(arrived, view, scenario, "check", 200, {"status": "ok"})
            inputs = merge(getattr(config, "fields", ()), query, body)
            notes = inputs.notes
            key = event_key(getattr(config, "event_key", None), inputs, arrived.headers)
        except Refused as refused:
            stored = self._stored(arrived, view, scenario, "refused", refused.status, {}, refused=refused, notes=notes)
            if stored is None:
                return None
            raise Kept(refused, arrived.id) from None
        if scenario.version_id is None:
            return self._captured(arrived, view, scenario, notes, wait=wait)
        try:
            program = self._library.program(scenario.version_id)
        except NotRunnable as error:
            # Published once, but a block of it can no longer be read: the request must not be lost for that.
            log.error("version_not_runnable", scenario_id=scenario.id, version=scenario.version, reason=str(error))
            return self._captured(arrived, view, scenario, (*notes, NOT_STARTED), wait=wait)
        return self._run(arrived, view, scenario, program, inputs, key, wait=wait)

    # ---------------------------------------------------------------- running

    def _run(
        self,
        arrived: Arrived,
        view: PortalView,
        scenario: PublishedScenario,
        program: Program,
        inputs: Inputs,
        key: str | None,
        *,
        wait: bool,
    ) -> Outcome | None:
        hub, now = self._hub, now_us()
        assert scenario.version_id is not None
        assert scenario.version is not None
        run = NewRun(
            new_id(), view.id, scenario.id, scenario.version_id, scenario.version, arrived.id, arrived.received_at
        )
        wait_s = float(getattr(program.start_config, "result_wait_s", None) or hub.settings.result_wait_s)
        until = arrived.received_at + int(wait_s * SECOND)
        begun = begin(
            self._runner,
            view,
            program,
            inputs,
            request_variables(arrived.id, arrived.received_at, arrived.source, arrived.content_type),
            run_id=run.id,
            scenario_id=scenario.id,
            version_id=scenario.version_id,
            created_at=run.created_at,
            interactive_until=from_us(until) if wait else None,
        )
        made = begun.made
        new = beginning(
            run,
            begun.state,
            made,
            view,
            now=now,
            ttl_s=hub.settings.message_ttl_s,
            owner=hub.owner if wait else None,
        )
        record = records.Record.of(arrived, view.id, scenario.id, "run", run_id=run.id, notes=inputs.notes)
        body_hash = hashlib.sha256(arrived.body).hexdigest() if key else ""
        accepted = Accepted(view, begun.env.globals, record, new, key, body_hash)

        kept: RunRow | None = None
        rings = bool(made.messages) or not made.ended
        keys = [] if key is None else [f"{scenario.id} {key}"]
        if wait:
            self._runner.hold([run.id])
        try:
            stored = hub.db.writer.run_many(
                store_all,
                accepted,
                lines=lines_of(made, view),
                keys=keys,
                rings=rings and not wait,
                waited_s=(now - arrived.received_at) / SECOND,
            )
            if wait and isinstance(stored, list):
                if goes_on(made, stored):
                    kept = stored_row(run, begun.state, made)
                elif rings:
                    hub.ring()
        finally:
            if wait and kept is None:
                self._runner.drop(run.id)
        failpoints.reach(hub.settings, "after_commit")
        if stored is None:
            return None
        if isinstance(stored, str):
            answer = {"status": "duplicate", "request": arrived.id, "run": stored}
            return Outcome(200, answer, run_id=stored, duplicate=True, wait_s=wait_s)
        answer = {"status": "accepted", "request": arrived.id, "run": run.id}
        return Outcome(
            200, answer, run_id=run.id, claimed=tuple(stored), wait_s=wait_s, run=kept, inputs=begun.run_inputs
        )

    # ---------------------------------------------------------------- the rest

    def _captured(
        self,
        arrived: Arrived,
        view: PortalView,
        scenario: PublishedScenario,
        notes: tuple[Note, ...],
        *,
        wait: bool,
    ) -> Outcome | None:
        """Keep a request that starts nothing now; it can be run later."""
        if wait:
            answer = {"code": "scenario_off", "detail": "The scenario does not run now; the request is kept."}
            return self._stored(arrived, view, scenario, "captured", 409, answer, notes=notes)
        return self._stored(arrived, view, scenario, "captured", 200, {"status": "captured"}, notes=notes)

    def _start_config(self, scenario: PublishedScenario) -> Any:
        """The start block's config: the published version's, else the newest draft's, else none."""
        if scenario.settings_version_id is None:
            return None
        try:
            return self._library.program(scenario.settings_version_id).start_config
        except (KeyError, ValueError):
            return None

    def _stored(
        self,
        arrived: Arrived,
        view: PortalView,
        scenario: PublishedScenario,
        outcome: str,
        status: int,
        answer: dict[str, Any],
        *,
        refused: Refused | None = None,
        notes: tuple[Note, ...] = (),
    ) -> Outcome | None:
        record = records.Record.of(arrived, view.id, scenario.id, outcome, refused=refused, notes=notes)

        def job(sql: Sql) -> bool:
            if not is_current(sql, view):
                return False
            records.insert(sql, record)
            return True

        if not self._hub.db.writer.run(job):
            return None
        return Outcome(status, answer | {"request": arrived.id})
