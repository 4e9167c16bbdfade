"""What becomes of a message after an attempt: a pure decision, one branch for each class of outcome."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from connectors.errors import (
    ConnectorError,
    LineDown,
    Moved,
    RateLimited,
    Rejected,
    Temporary,
    Unconfirmed,
    Unsupported,
)
from hub.clock import SECOND

MAX_RETRY_AFTER_S = 86_400
UNNAMED_RETRY_AFTER_S = 60


@dataclass(frozen=True)
class Policy:
    """How a line retries. `schedule_s`: delay after the first, second, … counted failure. `idempotent`: the channel
    recognises a repeat, for `idempotent_s` seconds after the first try (0: for ever)."""

    schedule_s: Sequence[float]
    on_unconfirmed: Literal["hold", "resend"] = "hold"
    idempotent: bool = False
    idempotent_s: float = 0.0


@dataclass(frozen=True)
class Decision:
    """`state` the message goes to; `due_at` (µs) when it is queued again; `counts` whether the attempt uses up a
    place in the schedule; the rest is what else should change."""

    state: str
    due_at: int | None = None
    counts: bool = True
    hold_line_until: int | None = None
    line_state: str | None = None
    chat_id: str | None = None


def decide(
    error: ConnectorError,
    *,
    failures: int,
    now: int,
    policy: Policy,
    first_at: int | None = None,
    moved_before: bool = False,
    uncertain: bool = False,
) -> Decision:
    """When to try again, or never. `failures`: those counted before this attempt; `now` and `first_at`, when the
    first attempt began (now, when None): µs. `uncertain`: an earlier attempt may have arrived, and then the message
    does not end as failed, unless the messenger refuses the message itself, which tells of all its attempts."""
    first_at = now if first_at is None else first_at
    match error:
        case RateLimited():
            wait_s = min(max(error.retry_after_s or UNNAMED_RETRY_AFTER_S, 1), MAX_RETRY_AFTER_S)
            due = now + int(wait_s * SECOND * random.uniform(1.0, 1.1))
            hold = due if error.scope == "line" else None
            return Decision("queued", due_at=due, counts=False, hold_line_until=hold)
        case LineDown():
            return Decision("queued", due_at=now, counts=False, line_state="auth_failed")
        case Moved() if not moved_before:
            return Decision("queued", due_at=now, counts=False, chat_id=str(error.address))
        case Temporary():
            return _again(failures, now, policy, last="unconfirmed" if uncertain else "failed")
        case Unconfirmed() if policy.on_unconfirmed == "resend":
            return _again(failures, now, policy, last="unconfirmed")
        case Unconfirmed() if policy.idempotent:
            again = _again(failures, now, policy, last="unconfirmed")
            late = policy.idempotent_s and again.due_at and again.due_at > first_at + policy.idempotent_s * SECOND
            return Decision("unconfirmed") if late else again
        case Unconfirmed():
            return Decision("unconfirmed")
        case Rejected() | Unsupported() | Moved():
            return Decision("failed")
        case _:
            raise TypeError(f"no rule for {type(error).__name__}")


def _again(failures: int, now: int, policy: Policy, last: str) -> Decision:
    if failures >= len(policy.schedule_s):
        return Decision(last)
    # Never early, and spread, so that what failed together does not come back together.
    delay_s = policy.schedule_s[failures] * random.uniform(1.0, 1.2)
    return Decision("queued", due_at=now + int(delay_s * SECOND))
