"""Places where a process can be made to die, so that tests can ask what a crash right there leaves behind.

`HUB_CRASH_AT` names one of them; without `HUB_TESTING=1` it does nothing.
"""

import os
import signal
from typing import Literal

from hub.settings import Settings

Point = Literal["after_claim", "after_send"]
"""`after_claim`: an attempt has been written down, the messenger has not been called. `after_send`: it has been
called, and its answer has not been written down."""


def reach(settings: Settings, point: Point) -> None:
    """Kill this process, as `kill -9` would, if it was told to die here."""
    if settings.testing and settings.crash_at == point:
        os.kill(os.getpid(), signal.SIGKILL)
