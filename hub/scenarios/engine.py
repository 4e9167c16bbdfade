"""One advance of a run: from where it stands to its next wait, outgoing call or end. Pure.

`advance` changes the state it is given and returns what has to be written down: steps, messages for the outbox,
global variables, warnings, and how the run stands. It touches neither database nor network. Whoever stores an
advance stores the state with it in one transaction; after a crash the same advance is simply computed again, and
since ids of steps follow from the state, nothing can be written twice.
"""

import logging
import time
from typing import Any

from hub.clock import rfc3339, to_us
from hub.ids import new_id
from hub.language import TemplateError, TemplateFailure
from hub.scenarios.advance import Advance, Environment, Planned, StepRecord
from hub.scenarios.block import (
    AwaitMessage,
    Call,
    Fail,
    Finish,
    Go,
    Loop,
    Outcome,
    Perform,
    Send,
    Sleep,
)
from hub.scenarios.check import Node
from hub.scenarios.context import Context
from hub.scenarios.state import Frame, LoopState, State, initial_variables
from hub.scenarios.waits import after_send, for_message, told
from hub.values import Value

MAX_STEPS = 1_000
MAX_CALLS = 50
MAX_DEPTH = 5
SLICE_CPU_S = 0.05
SLICE_STEPS = 200

log = logging.getLogger(__name__)


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
        # Of this thread's CPU and not of the clock: where a machine stalls, a cut would put the message of a request
        # behind those of requests that were accepted after it.
        deadline = time.thread_time() + SLICE_CPU_S
        steps = 0
        while made.status == "running" and made.perform is None:
            frame = state.frames[-1]
            if frame.at is None:
                self._end_of_chain(frame)
                continue
            if not self.env.dry and steps and (steps >= SLICE_STEPS or time.thread_time() > deadline):
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
        if state.steps - state.steps_before > MAX_STEPS:
            too_many = Fail("too_many_steps", f"The run has more than {MAX_STEPS} steps.")
            self._fail(frame, node, too_many, began, final=True)
            return
        context = Context(self.env, frame, program, block_id, node.type, state)
        outcome: Outcome
        try:
            outcome = node.block.run(node.config, context)
        except TemplateFailure as failure:
            outcome = Fail(failure.code if failure.code == "calc_error" else "template_error", failure.message)
        except TemplateError as error:
            # Only a draft that is tried while it is being written can hold such a text.
            outcome = Fail("template_error", error.message)
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
            case Go():
                self._leave(frame, node, outcome, began)
            case Fail():
                self._fail(frame, node, outcome, began)
            case Finish():
                self._finish(frame, node, outcome, began)
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

    def _finish(self, frame: Frame, node: Node, outcome: Finish, began: float) -> None:
        self._record(frame, node, "done", began)
        self._end_frame(None if outcome.ok else _error("stopped", outcome.reason or "Stopped.", node.id, "data"))

    def _fail(self, frame: Frame, node: Node, outcome: Fail, began: float, *, final: bool = False) -> None:
        error = _error(outcome.code, outcome.message, node.id, outcome.blame)
        frame.outputs[node.id] = {**outcome.output, "error": {"code": outcome.code, "message": outcome.message}}
        caught = not final and (node.id, "error") in self.env.program(frame.version).links
        port = "error" if caught else None
        self._record(frame, node, "failed", began, port=port, output=frame.outputs[node.id], error=error)
        if caught:
            self.state.partial = True
            self._go(frame, node, "error")
        else:
            self._end_frame(error)

    def _leave(self, frame: Frame, node: Node, outcome: Go, began: float) -> None:
        made = self.made
        frame.variables.update(outcome.variables)
        made.globals.update(outcome.globals)
        self.env.globals.update(outcome.globals)
        if outcome.output or not node.block.start:
            frame.outputs[node.id] = dict(outcome.output)
        if outcome.result is not None and frame.result is None:
            frame.result = dict(outcome.result)
            if len(self.state.frames) == 1:
                made.result = frame.result
        self._record(frame, node, "done", began, port=outcome.port, output=dict(outcome.output))
        self._go(frame, node, outcome.port)

    def _go(self, frame: Frame, node: Node, port: str) -> None:
        frame.at, frame.step = self.env.program(frame.version).links.get((node.id, port)), 0

    # ---------------------------------------------------------------- waits

    def _send(self, frame: Frame, node: Node, outcome: Send, began: float) -> None:
        env, made, state = self.env, self.made, self.state
        message = outcome.message
        planned = Planned(new_id(), node.id, frame.step, message)
        line = env.line(message.line)
        state.known["messenger_type"] = message.messenger
        if line is not None:
            state.known["license_id"] = line.id
            if line.recipients == "phone":
                state.known["phone"] = message.chat_id
        shown = {"id": planned.id, "chat_id": message.chat_id, "messenger": message.messenger, "error": None}
        if planned.block in state.reuse:
            state.resumed = told(state.reuse[planned.block])
            return
        made.messages.append(planned)
        if env.dry:
            state.resumed = told(shown | {"state": "sent", "provider_id": None, "sent_at": rfc3339(to_us(env.now))})
            return
        wait = after_send(outcome, env)
        if wait is None:
            state.resumed = told(shown | {"state": "queued", "provider_id": None, "sent_at": None})
            return
        states, until = wait
        self._wait(frame, node, began, for_message(planned.id, states, to_us(until)))
        made.wake_at = to_us(until)

    def _await(self, frame: Frame, node: Node, outcome: AwaitMessage, began: float) -> None:
        if self.env.dry:
            self.state.resumed = told({"id": outcome.message_id, "state": outcome.states[0], "error": None})
            return
        until = None if outcome.until is None else to_us(outcome.until)
        self._wait(frame, node, began, for_message(outcome.message_id, outcome.states, until))
        # The message may be there already: look at it as soon as this is stored.
        self.made.wake_at = to_us(self.env.now)

    def _sleep(self, frame: Frame, node: Node, outcome: Sleep, began: float) -> None:
        if self.env.dry or outcome.until <= self.env.now:
            self.state.resumed = {"kind": "time"}
            return
        self._wait(frame, node, began, {"kind": "time", "until": to_us(outcome.until)})
        self.made.wake_at = to_us(outcome.until)

    def _wait(self, frame: Frame, node: Node, began: float, pending: dict[str, Any]) -> None:
        self._record(frame, node, "waiting", began)
        self.state.pending = pending
        self.made.status, self.made.awaits = "waiting", pending.get("message")

    def _perform(self, frame: Frame, node: Node, outcome: Perform, began: float) -> None:
        if self.env.dry:
            self._record(frame, node, "skipped", began, port="next")
            frame.outputs[node.id] = {}
            self._go(frame, node, "next")
            return
        self.state.calls += 1
        if self.state.calls > MAX_CALLS:
            self._fail(frame, node, Fail("too_many_calls", f"The run made more than {MAX_CALLS} calls."), began)
            return
        self._record(frame, node, "waiting", began)
        self.state.pending = {"kind": "perform", "repeatable": outcome.repeatable, "begun": True}
        self.made.perform = outcome

    # ---------------------------------------------------------------- loops, calls, ends

    def _end_of_chain(self, frame: Frame) -> None:
        if not frame.loops:
            self._end_frame()
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
            self._fail(frame, node, Fail("scenario_unavailable", f"Scenario {outcome.scenario} {reason}."), began)
            return
        self._record(frame, node, "waiting", began)
        program = self.env.program(version)
        variables = initial_variables(program) | dict(outcome.values)
        self.state.frames.append(Frame(version=version, at=program.start, variables=variables))

    def _end_frame(self, error: dict[str, str] | None = None) -> None:
        state, made = self.state, self.made
        frame = state.frames[-1]
        if len(state.frames) > 1:
            state.frames.pop()
            state.resumed = {
                "kind": "returned",
                "status": "completed" if error is None else "failed",
                "result": frame.data(),
                "error": error,
            }
            return
        if error is not None:
            made.status, made.error = "failed", error
            return
        made.status = "partial" if state.partial else "completed"
        made.result = frame.data()

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
        record = StepRecord.of(
            frame, node, status, now=self.env.now, began=began, port=port, output=output, error=error
        )
        self.made.steps.append(record)
        if status != "waiting":
            frame.step_input = None


def _error(code: str, message: str, block: str, blame: str) -> dict[str, str]:
    return {"code": code, "message": message, "block": block, "blame": blame}
