"""Executing runs: computing an advance, storing it, making its outgoing call, and so on until it waits or ends."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

import structlog

from connectors.errors import ConnectorError
from hub.clock import SECOND, now_us, rfc3339, utc_now
from hub.delivery.outbox import Claimed
from hub.scenarios import store
from hub.scenarios.advance import Advance, Environment, Globals
from hub.scenarios.engine import advance
from hub.scenarios.library import STALE_TRIES, Library, PortalView, is_current
from hub.scenarios.state import State
from hub.scenarios.store import RunRow
from hub.scenarios.waits import reached, told
from hub.sql import Sql
from hub.values import Value
from hub.writer import Writer

log = structlog.get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class RunInputs:
    """What a run's request brought; empty for a run without one. `empty`: why a variable has nothing in it, by name."""

    body: Value = None
    query: Mapping[str, Value] = field(default_factory=dict)
    request: Mapping[str, Value] = field(default_factory=dict)
    bitrix: Mapping[str, Value] = field(default_factory=dict)
    empty: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Caller:
    """For which run a call is made."""

    portal_id: int
    scenario_id: int
    run_id: str


class Write(Protocol):
    """Writes a job as `Writer.run` does; `lines` are those whose queues it touches."""

    def __call__(self, job: Callable[[Sql], T], lines: Iterable[str]) -> T:
        """Its result, once it is durable."""


Performer = Callable[[Mapping[str, Value], Caller], Mapping[str, Value]]
"""Makes one outgoing call from its spec; returns the response as values, raises ConnectorError, or PutOff."""


class PutOff(Exception):
    """A call that was surely not made and is to be made later, by a run that waits for it: it is no error of the
    scenario's. `wait_s`: for how long, seconds; `error` is what it becomes when that takes too long."""

    def __init__(self, error: ConnectorError, wait_s: float) -> None:
        super().__init__(error.message)
        self.error, self.wait_s = error, wait_s


class Runner:
    """Executes runs of this process. `inputs` reads a request's inputs by its id; `performers` make calls by kind."""

    def __init__(
        self,
        *,
        writer: Writer,
        library: Library,
        owner: str,
        inputs: Callable[[str], RunInputs],
        performers: Mapping[str, Performer],
        message_ttl_s: float,
    ) -> None:
        self.library = library
        self.owner = owner
        self.message_ttl_s = message_ttl_s
        self._writer = writer
        self._inputs = inputs
        self._performers = performers
        self._in_hand: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def in_hand(self) -> set[str]:
        """The runs that are worked on in this process."""
        with self._lock:
            return set(self._in_hand)

    def hold(self, run_ids: Iterable[str]) -> None:
        """Take runs in hand, once for each time they are dropped again."""
        with self._lock:
            self._in_hand.update(run_ids)

    def drop(self, run_id: str) -> None:
        """Let a run go. If it is still this process's then, `Runtime.recover` gives it back."""
        with self._lock:
            self._in_hand[run_id] -= 1
            self._in_hand = +self._in_hand

    def environment(
        self,
        view: PortalView,
        inputs: RunInputs,
        *,
        run_id: str,
        scenario_id: int,
        created_at: int,
        dry: bool = False,
        interactive_until: datetime | None = None,
    ) -> Environment:
        """What a run sees now."""
        return Environment(
            now=utc_now(),
            zone=view.zone,
            language=view.language,
            program=self.library.program,
            published=view.published,
            line=view.line,
            constants=view.constants,
            globals=Globals(view.globals),
            body=inputs.body,
            query=inputs.query,
            request=inputs.request,
            run={"id": run_id, "scenario": str(scenario_id), "started_at": rfc3339(created_at)},
            message_ttl_s=self.message_ttl_s,
            bitrix=inputs.bitrix,
            empty=inputs.empty,
            quiet=view.quiet,
            dry=dry,
            interactive_until=interactive_until,
        )

    def execute(
        self,
        run: RunRow,
        *,
        interactive_until: datetime | None = None,
        inputs: RunInputs | None = None,
        first: Write | None = None,
    ) -> list[Claimed]:
        """Carry on a run that this process has claimed, until it waits, ends or is taken away.

        With `interactive_until` somebody waits for the result: the messages with which it comes to rest are claimed
        and returned, as far as they may go at once, for the caller to send. `inputs`: those of its request, where they
        are known. `first`: writes the first thing there is to write, together with something of the caller's.
        """
        write = first or self._write
        if inputs is None:
            inputs = self._inputs(run.request_id) if run.request_id else RunInputs()
        state = State.from_json(run.state)
        if not self._wake(run, state, write):
            return []
        stale = 0
        while True:
            before = state.to_json()
            view = self.library.portal(run.portal_id, fresh=stale > 0)
            env = self.environment(
                view,
                inputs,
                run_id=run.id,
                scenario_id=run.scenario_id,
                created_at=run.created_at,
                interactive_until=interactive_until,
            )
            made = advance(state, env)
            stored = self._store(run, state, made, view, env, write, keep=interactive_until is not None)
            write = self._write
            if stored == "stale":
                stale += 1
                if stale > STALE_TRIES:
                    # What it computes with changes all the time: somebody else's turn first.
                    self._writer.run(lambda sql: store.release(sql, run, owner=self.owner, wake_at=now_us() + SECOND))
                    return []
                state = State.from_json(before)
                continue
            if not isinstance(stored, list):
                log.warning("run_claim_lost", run_id=run.id)
                return []
            if made.perform is None:
                return stored
            stale = 0
            resumed = self._perform(made, run, state)
            if resumed is None:
                return stored
            state.resumed = resumed

    def _store(
        self, run: RunRow, state: State, made: Advance, view: PortalView, env: Environment, write: Write, *, keep: bool
    ) -> list[Claimed] | str | None:
        now = now_us()

        def job(sql: Sql) -> list[Claimed] | str | None:
            if not is_current(sql, view, env.globals):
                return "stale"
            return store.update(
                sql, run, state, made, view, now=now, ttl_s=self.message_ttl_s, owner=self.owner, keep=keep
            )

        return write(job, lines_of(made, view))

    def _write(self, job: Callable[[Sql], T], lines: Iterable[str]) -> T:
        return self._writer.run(job, lines=lines)

    def _wake(self, run: RunRow, state: State, write: Write) -> bool:
        """Work out what a waiting run wakes up to. False when it has to wait on: then it is given back."""
        pending = state.pending
        if pending is None:
            return True
        now = now_us()
        until = None if pending.get("until") is None else int(pending["until"])
        match pending["kind"]:
            case "perform":
                if pending["begun"] and not pending["repeatable"]:
                    state.resumed = {"kind": "interrupted"}
                else:
                    state.calls -= 1
                return True
            case "time":
                if until is None or now >= until:
                    state.resumed = {"kind": "time"}
                    return True
            case "message":
                message = run.awaited
                if message is None:
                    missing = {"code": "not_found", "message": "The message is not there any more."}
                    message = {"id": pending["message"], "state": "failed", "error": missing}
                there = reached(str(message["state"]), pending["states"])
                if there or (until is not None and now >= until):
                    state.resumed = told(message, timed_out=not there)
                    return True
        write(lambda sql: store.release(sql, run, owner=self.owner, wake_at=until), ())
        return False

    def _perform(self, made: Advance, run: RunRow, state: State) -> dict[str, Any] | None:
        """Make the call that an advance ended with; None when it is put off, and the run given back until then."""
        assert made.perform is not None
        caller = Caller(run.portal_id, run.scenario_id, run.id)
        try:
            response = self._performers[made.perform.kind](made.perform.spec, caller)
        except PutOff as later:
            if now_us() - state.frames[-1].step_started_at < self.message_ttl_s * SECOND:
                self._put_off(run, state, later)
                return None
            return _failed(later.error)
        except ConnectorError as error:
            return _failed(error)
        except Exception:
            log.exception("call_broke", call=made.perform.kind)
            message = "This call met an error of ours; it is written down in the log."
            return {"kind": "performed", "error": {"code": "internal", "message": message}}
        return {"kind": "performed", "response": dict(response)}

    def _put_off(self, run: RunRow, state: State, later: PutOff) -> None:
        assert state.pending is not None
        state.pending["begun"] = False
        wake_at = now_us() + int(max(1.0, later.wait_s) * SECOND)
        self._writer.run(lambda sql: store.put_off(sql, run, state, owner=self.owner, wake_at=wake_at))
        log.info("call_put_off", run_id=run.id, code=later.error.code, seconds=round(later.wait_s))


def _failed(error: ConnectorError) -> dict[str, Any]:
    return {"kind": "performed", "error": {"code": error.code or error.outcome, "message": error.message}}


def lines_of(made: Advance, view: PortalView) -> set[str]:
    """The lines whose queues an advance touches."""
    found = (view.line(planned.message.line) for planned in made.messages)
    return {line.id for line in found if line is not None}
