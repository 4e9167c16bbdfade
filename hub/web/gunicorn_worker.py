"""gunicorn's gevent worker, with one thing more: on a signal to stop it tells the requests that wait."""

from types import FrameType

from gunicorn.workers.ggevent import GeventWorker

from hub.web.stopping import stopping


class Worker(GeventWorker):  # type: ignore[misc]
    """Plain GeventWorker lets waiting greenlets sit until the graceful time-out is over."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM: no new connections, waiting requests answer at once."""
        stopping.set()
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """SIGQUIT and SIGINT: the same, and without patience."""
        stopping.set()
        super().handle_quit(sig, frame)
