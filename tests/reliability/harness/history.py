"""What one run of the harness saw, as plain data: what clients asked, what the messenger got, what is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field

BROKEN = "broken"
"""A try that ended without an answer: refused, reset or timed out. Nobody knows whether anything was stored."""


@dataclass(frozen=True)
class Operation:
    """One event as its client saw it: `tries` are the answers (`"503"`, or BROKEN) before the last one, `status` the
    last one (`accepted`, `duplicate`, `done`, …; None when nothing with a run came in time). Times: monotonic, s."""

    key: str
    chat: str
    seq: int
    began: float
    ended: float
    tries: tuple[str, ...]
    status: str | None
    by_result: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the product promised to take care of it."""
        return self.status is not None


@dataclass(frozen=True)
class Delivery:
    """One request that the messenger got, in the order of its record. `taken`: it took the message as a new one;
    `answered`: the caller could have heard so."""

    key: str
    chat: str
    taken: bool
    answered: bool


@dataclass(frozen=True)
class Kept:
    """A message as the database keeps it, with the outcomes of its attempts (None: never written down) and the code
    of what it ended by."""

    key: str
    state: str
    attempts: tuple[str | None, ...]
    code: str = ""


@dataclass(frozen=True)
class Rules:
    """What was played: `hands` messages at most are in flight in one worker, `web_hands` in one web process.
    `recognises`: the messenger takes a repeat for what it is."""

    on_unconfirmed: str
    hands: int
    web_hands: int
    worker_kills: int = 0
    web_kills: int = 0
    recognises: bool = False


@dataclass(frozen=True)
class History:
    """Everything the checkers look at. `leftovers`: words for what should not be there once the queue is empty;
    `damage`: what the database says about its own integrity; `leaks`: places where a secret was printed."""

    rules: Rules
    operations: tuple[Operation, ...]
    deliveries: tuple[Delivery, ...]
    messages: tuple[Kept, ...]
    runs: Mapping[str, int] = field(default_factory=dict)
    leftovers: tuple[str, ...] = ()
    damage: tuple[str, ...] = ()
    leaks: tuple[str, ...] = ()
