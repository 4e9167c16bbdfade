"""Waiting for what the demo should do."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
LOOK_EVERY_S = 0.1


class CheckFailed(Exception):
    """Something did not happen; the message says what."""


def wait_for(look: Callable[[], Found | None], within_s: float, what: str) -> Found:
    """What `look` finds, as soon as it finds something. Raises CheckFailed with `what` when the time is over."""
    deadline = time.monotonic() + within_s
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise CheckFailed(f"{what} did not come within {within_s:.0f} seconds.")
        time.sleep(LOOK_EVERY_S)
