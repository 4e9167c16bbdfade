"""Whether this web process has been told to stop; whoever waits inside a request watches it and answers early."""

import threading


class Stopping:
    """An event made at its first use: by then gevent has replaced the standard one where it is going to."""

    def __init__(self) -> None:
        self._event: threading.Event | None = None

    def set(self) -> None:
        """Tell everybody who waits. Safe in a signal handler."""
        self._made().set()

    def clear(self) -> None:
        """Forget it; only tests need to."""
        self._made().clear()

    def is_set(self) -> bool:
        """True once the process was told to stop."""
        return self._made().is_set()

    def wait(self, timeout_s: float) -> bool:
        """Wait until then, at most this long; True when the process is to stop."""
        return self._made().wait(timeout_s)

    def _made(self) -> threading.Event:
        if self._event is None:
            self._event = threading.Event()
        return self._event


stopping = Stopping()
