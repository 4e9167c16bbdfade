"""One advance of a run: from where it stands to its next wait, outgoing call or end. Pure.

`advance` changes the state it is given and returns what has to be written down: steps, messages for the outbox,
global variables, warnings, and how the run stands. It touches neither database nor network. Whoever stores an
advance stores the state with it in one transaction; after a crash the same advance is simply computed again, and
since ids of steps follow from the state, nothing can be written twice.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hub.clock import from_us, rfc3339, to_us
from hub.ids import new_id
from hub.language import TemplateFailure
from hub.scenarios.block import (
    AwaitMessage,
    Call,
    Fail,
    Finish,
    Go,
    LineInfo,
    Loop,
    NewMessage,
    Outcome,
    Perform,
    Send,
    Sleep,
)
from hub.scenarios.check import Node, Program
from hub.scenarios.context import Context
from hub.scenarios.state import Frame, LoopState, State
from hub.values import Value

MAX_STEPS = 1_000
MAX_CALLS = 50
MAX_DEPTH = 5
SLICE_S = 0.05
SLICE_STEPS = 200

log = logging.getLogger(__name__)


class Globals(Mapping[str, Value]):
    """The portal's global variables; a run may set some. `touched` tells whether anybody asked for one, for only
    then must they be current when the run is stored."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = dict(values)
        self.touched = False

    def __getitem__(self, name: str) -> Value:
        self.touched = True
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        self.touched = True
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        self.touched = True
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def update(self, values: Mapping[str, Value]) -> None:
        """A block of this run set some."""
        if values:
            self.touched = True
            self._values.update(values)


@dataclass
class Environment:
    """Everything outside its own state that a run can see."""

    now: datetime
    zone: ZoneInfo
    language: str
    program: Callable[[int], Program]
    published: Callable[[int], int | None]
    line: Callable[[str], LineInfo | None]
    constants: Mapping[str, Value]
    globals: Globals
    body: Value
    query: Mapping[str, Value]
    request: Mapping[str, Value]
    run: Mapping[str, Value]
    message_ttl_s: float
    dry: bool = False
    interactive_until: datetime | None = None


@dataclass
class StepRecord:
    """A row of the run's trace; written again under the same `n` when a waiting step ends."""

    n: int
    block: str
    type: str
    status: str
    port: str | None
    input: Value
    output: Value
    error: dict[str, str] | None
    started_at: int
    ms: int


@dataclass(frozen=True)
class Planned:
    """A message that the advance wants in the outbox."""

    id: str
    block: str
    iteration: int
    message: NewMessage


@dataclass
class Advance:
    """What an advance came to. `status`: running (there is more to do at once, or `perform`), waiting, completed,
    partial, failed. `result` is set as soon as the answer for a waiting caller is known."""

    status: str = "running"
    steps: list[StepRecord] = field(default_factory=list)
    messages: list[Planned] = field(default_factory=list)
    globals: dict[str, Value] = field(default_factory=dict)
    warnings: list[dict[str, str]] = field(default_factory=list)
    result: dict[str, Value] | None = None
    error: dict[str, str] | None = None
    wake_at: int | None = None
    awaits: str | None = None
    perform: Perform | None = None

    @property
    def ended(self) -> bool:
        """Whether the run is over."""
        return self.status in ("completed", "partial", "failed")


def advance(state: State, env: Environment) -> Advance:
    """Run blocks until the run must wait, has ended, or its slice of time is used up."""
    return _Advancing(state, env).go()


class _Advancing:
    def __init__(self, state: State, env: Environment) -> None:
        self.state = state
        self.env = env
        self.made = Advance()

    def go(self) -> Advance:
        state, made = self.state, self.made
        state.pending = None
        deadline = time.monotonic() + SLICE_S
        steps = 0
        while made.status == "running" and made.perform is None:
            frame = state.frames[-1]
            if frame.at is None:
                self._end_of_chain(frame)
                continue
            if not self.env.dry and steps and (steps >= SLICE_STEPS or time.monotonic() > deadline):
                made.wake_at = to_us(self.env.now)
                break
            steps += 1
            self._block(frame)
        if made.ended:
            made.wake_at = made.awaits = None
        return made

    # ---------------------------------------------------------------- one block

    def _block(self, frame: Frame) -> None:
        state = self.state
        program = self.env.program(frame.version)
        block_id = frame.at or ""
        node = program.nodes[block_id]
        began = time.perf_counter()
        if frame.step == 0:
            state.steps += 1
            frame.step, frame.step_started_at = state.steps, to_us(self.env.now)
        if state.steps > MAX_STEPS:
            self._leave(
                frame, node, Fail("too_many_steps", f"The run has more than {MAX_STEPS} steps."), began, final=True
            )
            return
        context = Context(self.env, frame, program, block_id, node.type, state)
        outcome: Outcome
        try:
            outcome = node.block.run(node.config, context)
        except TemplateFailure as failure:
            outcome = Fail(failure.code if failure.code == "calc_error" else "template_error", failure.message)
        except Exception:
            log.exception("block_broke", extra={"block_type": node.type})
            outcome = Fail("internal", "This block met an error of ours; it is written down in the log.")
        state.resumed = None
        self.made.warnings.extend(context.warnings)
        if context.input is not None:
            frame.step_input = context.input
        self._do(frame, node, outcome, began)

    def _do(self, frame: Frame, node: Node, outcome: Outcome, began: float) -> None:
        match outcome:
            case Go() | Fail() | Finish():
                self._leave(frame, node, outcome, began)
            case Send():
                self._send(frame, node, outcome, began)
            case Sleep():
                self._sleep(frame, node, outcome, began)
            case AwaitMessage():
                self._await(frame, node, outcome, began)
            case Perform():
                self._perform(frame, node, outcome, began)
            case Loop():
                self._record(frame, node, "waiting", began)
                frame.loops.append(LoopState(node.id, list(outcome.items), outcome.name, frame.step, -1))
                frame.step, frame.at = 0, None
            case Call():
                self._call(frame, node, outcome, began)

    def _leave(
        self, frame: Frame, node: Node, outcome: Go | Fail | Finish, began: float, *, final: bool = False
    ) -> None:
        made, state = self.made, self.state
        if isinstance(outcome, Finish):
            self._record(frame, node, "done", began)
            if outcome.ok:
                self._end_frame(ok=True)
            else:
                self._end_frame(ok=False, error=_error("stopped", outcome.reason or "Stopped.", node.id, "data"))
            return
        program = self.env.program(frame.version)
        if isinstance(outcome, Fail):
            error = _error(outcome.code, outcome.message, node.id, outcome.blame)
            frame.outputs[node.id] = {**outcome.output, "error": {"code": outcome.code, "message": outcome.message}}
            target = None if final else program.links.get((node.id, "error"))
            port = "error" if target else None
            self._record(frame, node, "failed", began, port=port, output=frame.outputs[node.id], error=error)
            if target is None:
                self._end_frame(ok=False, error=error)
                return
            state.partial = True
            frame.at, frame.step = target, 0
            return
        frame.variables.update(outcome.variables)
        made.globals.update(outcome.globals)
        self.env.globals.update(outcome.globals)
        if outcome.output or not node.block.start:
            frame.outputs[node.id] = dict(outcome.output)
        if outcome.result is not None and frame.result is None:
            frame.result = dict(outcome.result)
            if len(state.frames) == 1:
                made.result = frame.result
        self._record(frame, node, "done", began, port=outcome.port, output=dict(outcome.output))
        frame.at, frame.step = program.links.get((node.id, outcome.port)), 0

    # ---------------------------------------------------------------- waits

    def _send(self, frame: Frame, node: Node, outcome: Send, began: float) -> None:
        env, made, state = self.env, self.made, self.state
        message = outcome.message
        planned = Planned(new_id(), node.id, frame.step, message)
        made.messages.append(planned)
        line = env.line(message.line)
        state.known["messenger_type"] = message.messenger
        if line is not None:
            state.known["license_id"] = line.id
            if line.recipients == "phone":
                state.known["phone"] = message.chat_id
        shown = {"id": planned.id, "chat_id": message.chat_id, "messenger": message.messenger, "error": None}
        if planned.block in state.reuse:
            made.messages.pop()
            state.resumed = _message(state.reuse[planned.block])
            return
        if env.dry:
            state.resumed = _message(shown | {"state": "sent", "provider_id": None, "sent_at": rfc3339(to_us(env.now))})
            return
        interactive = env.interactive_until is not None and env.interactive_until > env.now
        if outcome.wait_for == "queued" and not interactive:
            state.resumed = _message(shown | {"state": "queued", "provider_id": None, "sent_at": None})
            return
        if outcome.wait_for == "queued":
            states: tuple[str, ...] = ("sent", "delivered", "read")
            until = env.interactive_until or env.now
        else:
            states = ("delivered", "read") if outcome.wait_for == "delivered" else ("sent", "delivered", "read")
            until = env.now + timedelta(seconds=(message.best_before_s or env.message_ttl_s) + 60)
        self._wait(
            frame,
            node,
            began,
            {"kind": "message", "message": planned.id, "states": list(states), "until": to_us(until)},
        )
        made.awaits, made.wake_at = planned.id, to_us(until)

    def _await(self, frame: Frame, node: Node, outcome: AwaitMessage, began: float) -> None:
        if self.env.dry:
            self.state.resumed = _message({"id": outcome.message_id, "state": outcome.states[0], "error": None})
            return
        until = None if outcome.until is None else to_us(outcome.until)
        self._wait(
            frame,
            node,
            began,
            {"kind": "message", "message": outcome.message_id, "states": list(outcome.states), "until": until},
        )
        # The message may be there already: look at it as soon as this is stored.
        self.made.awaits, self.made.wake_at = outcome.message_id, to_us(self.env.now)

    def _sleep(self, frame: Frame, node: Node, outcome: Sleep, began: float) -> None:
        if self.env.dry or outcome.until <= self.env.now:
            self.state.resumed = {"kind": "time"}
            return
        self._wait(frame, node, began, {"kind": "time", "until": to_us(outcome.until)})
        self.made.wake_at = to_us(outcome.until)

    def _wait(self, frame: Frame, node: Node, began: float, pending: dict[str, Any]) -> None:
        self._record(frame, node, "waiting", began)
        self.state.pending = pending
        self.made.status = "waiting"

    def _perform(self, frame: Frame, node: Node, outcome: Perform, began: float) -> None:
        if self.env.dry:
            self._record(frame, node, "skipped", began, port="next")
            program = self.env.program(frame.version)
            frame.outputs[node.id] = {}
            frame.at, frame.step = program.links.get((node.id, "next")), 0
            return
        self.state.calls += 1
        if self.state.calls > MAX_CALLS:
            self._leave(frame, node, Fail("too_many_calls", f"The run made more than {MAX_CALLS} calls."), began)
            return
        self._record(frame, node, "waiting", began)
        self.state.pending = {"kind": "perform", "repeatable": outcome.repeatable, "begun": True}
        self.made.perform = outcome

    # ---------------------------------------------------------------- loops, calls, ends

    def _end_of_chain(self, frame: Frame) -> None:
        if not frame.loops:
            self._end_frame(ok=True)
            return
        loop = frame.loops[-1]
        loop.i += 1
        program = self.env.program(frame.version)
        body = program.links.get((loop.block, "each"))
        if body is not None and loop.i < len(loop.items):
            frame.variables[loop.name] = loop.items[loop.i]
            frame.at = body
            return
        frame.loops.pop()
        frame.at, frame.step = loop.block, loop.step
        self.state.resumed = {"kind": "looped", "count": len(loop.items)}

    def _call(self, frame: Frame, node: Node, outcome: Call, began: float) -> None:
        version = self.env.published(outcome.scenario)
        if version is None or len(self.state.frames) >= MAX_DEPTH:
            reason = "is not published" if version is None else f"would be more than {MAX_DEPTH} deep"
            self._leave(frame, node, Fail("scenario_unavailable", f"Scenario {outcome.scenario} {reason}."), began)
            return
        self._record(frame, node, "waiting", began)
        program = self.env.program(version)
        variables = initial_variables(program) | dict(outcome.values)
        self.state.frames.append(Frame(version=version, at=program.start, variables=variables))

    def _end_frame(self, *, ok: bool, error: dict[str, str] | None = None) -> None:
        state, made = self.state, self.made
        frame = state.frames[-1]
        if len(state.frames) > 1:
            state.frames.pop()
            state.resumed = {
                "kind": "returned",
                "status": "completed" if ok else "failed",
                "result": _data(frame),
                "error": error,
            }
            return
        if not ok:
            made.status, made.error = "failed", error
            return
        made.status = "partial" if state.partial else "completed"
        made.result = _data(frame)

    def _record(
        self,
        frame: Frame,
        node: Node,
        status: str,
        began: float,
        *,
        port: str | None = None,
        output: Value = None,
        error: dict[str, str] | None = None,
    ) -> None:
        waited = (self.env.now - from_us(frame.step_started_at)) / timedelta(milliseconds=1)
        ms = int(waited + (time.perf_counter() - began) * 1000)
        record = StepRecord(
            frame.step,
            node.id,
            node.type,
            status,
            port,
            frame.step_input,
            output,
            error,
            frame.step_started_at,
            max(ms, 0),
        )
        self.made.steps.append(record)
        if status != "waiting":
            frame.step_input = None


def initial_variables(program: Program) -> dict[str, Value]:
    """The local variables of a run before any request fills them."""
    declared = {name: default for name, (_type, default) in program.variables.items()}
    return declared | dict.fromkeys(program.fields, "")


def _data(frame: Frame) -> dict[str, Value]:
    """What the caller of this scenario gets: the built result, else the outputs of every executed block."""
    if frame.result is not None:
        return frame.result
    return {block: output for block, output in frame.outputs.items() if output}


def _message(message: dict[str, Value]) -> dict[str, Any]:
    return {"kind": "message", "message": message, "timed_out": False}


def _error(code: str, message: str, block: str, blame: str) -> dict[str, str]:
    return {"code": code, "message": message, "block": block, "blame": blame}
