"""gunicorn's gevent worker, with one thing more: told to stop, it tells the requests that wait, and lets idle
connections go."""

from types import FrameType, TracebackType

import gevent
from gunicorn.workers.ggevent import GeventWorker

from hub.web.stopping import stopping

LAST_IDLE_S = 1.0


class Worker(GeventWorker):  # type: ignore[misc]
    """Plain GeventWorker lets waiting greenlets sit until the graceful time-out is over, and idle connections until
    their keep-alive is."""

    def timeout_ctx(self) -> "_Idle":
        """How long a connection may take to its next request; called where one begins to wait for that."""
        return _Idle(LAST_IDLE_S if stopping.is_set() else self.cfg.keepalive)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM: no new connections, waiting requests answer at once, idle connections end after a second."""
        stopping.set()
        gevent.spawn_later(LAST_IDLE_S, _Idle.end_all)
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """SIGQUIT and SIGINT: the same, and without patience."""
        stopping.set()
        super().handle_quit(sig, frame)


class _Idle(gevent.Timeout):  # type: ignore[misc]
    """The wait for a connection's next request; when its time is over, the connection is closed."""

    waiting: "set[_Idle]" = set()

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds, False)
        self._greenlet = gevent.getcurrent()

    def __enter__(self) -> "_Idle":
        self.waiting.add(self)
        super().__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> bool:
        self.waiting.discard(self)
        return bool(super().__exit__(kind, error, at))

    @classmethod
    def end_all(cls) -> None:
        """Take their time for over."""
        for idle in list(cls.waiting):
            gevent.get_hub().loop.run_callback(idle._end)

    def _end(self) -> None:
        if self in self.waiting:
            self._greenlet.throw(self)
