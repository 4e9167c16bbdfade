"""What an advance of a run sees, and what it comes to: plain data between the engine and whoever stores it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.clock import to_us
from hub.language import system_values
from hub.quiet import QuietHours
from hub.scenarios.block import LineInfo, NewMessage, Perform
from hub.scenarios.check import Node, Program
from hub.scenarios.state import Frame
from hub.values import Value


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
    """Everything outside its own state that a run can see. `empty`: why a variable began with nothing in it."""

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
    bitrix: Mapping[str, Value] = field(default_factory=dict)
    empty: Mapping[str, str] = field(default_factory=dict)
    quiet: QuietHours | None = None
    dry: bool = False
    interactive_until: datetime | None = None
    system: Mapping[str, Value] = field(init=False)

    def __post_init__(self) -> None:
        # Once for all blocks, and before the advance's slice of time begins: the first use of a language loads its
        # data, which alone may take longer than a slice.
        self.system = system_values(self.now, self.zone, self.language)


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

    @classmethod
    def of(
        cls,
        frame: Frame,
        node: Node,
        status: str,
        *,
        now: datetime,
        began: float,
        port: str | None,
        output: Value,
        error: dict[str, str] | None,
    ) -> StepRecord:
        """The open step of a frame; `began` is the perf_counter at which its block was last entered."""
        waited = (to_us(now) - frame.step_started_at) / 1000
        ms = max(int(waited + (time.perf_counter() - began) * 1000), 0)
        return cls(
            frame.step,
            node.id,
            node.type,
            status,
            port,
            frame.step_input,
            output,
            error,
            frame.step_started_at,
            ms,
        )


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
