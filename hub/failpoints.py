"""Places where a process can be made to die, so that tests can ask what a crash right there leaves behind.

`HUB_CRASH_AT` names one of them, and after a `@` a word if only messages whose text holds it are meant; without
`HUB_TESTING=1` it does nothing.
"""

import os
import signal
from typing import Literal

from hub.settings import Settings

Point = Literal["after_commit", "after_claim", "after_send", "between_advances", "after_token_refresh"]
"""`after_commit`: a request has been stored, its caller has not been answered. `after_claim`: an attempt has been
written down, the messenger has not been called. `after_send`: it has been called, and its answer has not been written
down. `between_advances`: a run has been claimed, and what it does next has not been computed. `after_token_refresh`:
Bitrix24 has given out new tokens, and they have not been stored."""


def reach(settings: Settings, point: Point, text: str = "") -> None:
    """Kill this process, as `kill -9` would, if it was told to die here, with a message of this text."""
    wanted, _, word = settings.crash_at.partition("@")
    if settings.testing and wanted == point and word in text:
        os.kill(os.getpid(), signal.SIGKILL)
