"""How long a run waits for a message, and what the waiting block is told. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hub.delivery import outbox
from hub.scenarios.block import Send
from hub.values import Value

if TYPE_CHECKING:
    from hub.scenarios.advance import Environment

ARRIVED = ("sent", "delivered", "read")
GRACE_S = 60
"""A message expires by itself; a run looks a little later, so that it finds the message's last state."""


def after_send(outcome: Send, env: Environment) -> tuple[tuple[str, ...], datetime] | None:
    """The message's states that end the wait, and when it ends without them. None: the run goes on at once."""
    if outcome.wait_for == "queued":
        if env.interactive_until is None or env.interactive_until <= env.now:
            return None
        return ARRIVED, env.interactive_until
    states = ARRIVED[1:] if outcome.wait_for == "delivered" else ARRIVED
    return states, env.now + timedelta(seconds=(outcome.message.best_before_s or env.message_ttl_s) + GRACE_S)


def for_message(message_id: str, states: Sequence[str], until: int | None) -> dict[str, Any]:
    """What the state of a run keeps while it waits for one of a message's states; `until` in µs."""
    return {"kind": "message", "message": message_id, "states": list(states), "until": until}


def reached(message_state: str, wanted: Sequence[str]) -> bool:
    """Whether a message is where a run waits for it to be, or can never get there."""
    if message_state in wanted:
        return True
    return message_state in outbox.FINAL and message_state not in ARRIVED


def told(message: dict[str, Value], *, timed_out: bool = False) -> dict[str, Any]:
    """What a block that waited for a message is resumed with."""
    return {"kind": "message", "message": message, "timed_out": timed_out}
