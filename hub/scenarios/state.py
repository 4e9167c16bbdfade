"""What a run remembers between two advances, and how that becomes JSON and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub.values import Value, dumps, loads

if TYPE_CHECKING:
    from hub.scenarios.check import Program


@dataclass
class LoopState:
    """A `for_each` under way: which item is being done, and the step that the block itself is."""

    block: str
    items: list[Value]
    name: str
    step: int
    i: int = 0


@dataclass
class Frame:
    """One scenario being executed: the run's own at the bottom, called ones above it.
    `at` is the block to run next, None when the chain has ended; `step` is the open step of that block, 0 for none."""

    version: int
    at: str | None
    variables: dict[str, Value] = field(default_factory=dict)
    outputs: dict[str, Value] = field(default_factory=dict)
    loops: list[LoopState] = field(default_factory=list)
    result: dict[str, Value] | None = None
    step: int = 0
    step_started_at: int = 0
    step_input: Value = None

    def data(self) -> dict[str, Value]:
        """What the caller of this scenario gets: the built result, else the outputs of every executed block."""
        if self.result is not None:
            return self.result
        return {block: output for block, output in self.outputs.items() if output}


@dataclass
class State:
    """The whole memory of a run. `pending` says what it waits for: `{"kind": "message"|"time"|"perform", …}`.
    `steps_before`: the steps made before a person took the run up again.
    `reuse`: by block, messages of an earlier run that were delivered and are not to be sent again."""

    frames: list[Frame]
    steps: int = 0
    calls: int = 0
    known: dict[str, Value] = field(default_factory=dict)
    partial: bool = False
    pending: dict[str, Any] | None = None
    resumed: dict[str, Any] | None = None
    reuse: dict[str, Any] = field(default_factory=dict)
    steps_before: int = 0

    def to_json(self) -> str:
        """For the run's row."""
        return dumps(self)

    @classmethod
    def from_json(cls, text: str) -> State:
        """From the run's row, be it one that an earlier release wrote: what was not counted then is 0."""
        data = loads(text)
        frames = []
        for frame in data["frames"]:
            loops = [
                LoopState(
                    block=loop["block"],
                    items=loop["items"],
                    name=loop["name"],
                    step=int(loop["step"]),
                    i=int(loop["i"]),
                )
                for loop in frame["loops"]
            ]
            whole = {
                "version": int(frame["version"]),
                "step": int(frame["step"]),
                "step_started_at": int(frame["step_started_at"]),
                "loops": loops,
            }
            frames.append(Frame(**(frame | whole)))
        counts = {name: int(data.get(name, 0)) for name in ("steps", "calls", "steps_before")}
        return cls(**(data | counts | {"frames": frames}))


def fresh(version: int, start: str, variables: dict[str, Value]) -> State:
    """The state of a run that has not done anything yet."""
    return State(frames=[Frame(version=version, at=start, variables=dict(variables))])


def initial_variables(program: Program) -> dict[str, Value]:
    """The local variables of a run before any request fills them."""
    declared = {name: default for name, (_type, default) in program.variables.items()}
    return declared | dict.fromkeys(program.fields, "")
