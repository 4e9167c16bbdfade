"""A pool of threads (greenlets, once gevent has replaced them) that knows how many of them are free."""

import queue
import threading
from collections.abc import Callable
from typing import Any

import structlog

from hub.errors import StorageUnavailable

log = structlog.get_logger(__name__)


class Hands:
    """Does work that is given to it, at most `count` pieces at once. `on_free` is called when a piece is done.

    concurrent.futures would do, but each of its futures costs several locks, and nobody here wants a result.
    """

    def __init__(self, count: int, name: str) -> None:
        self.count = count
        self.on_free: Callable[[], None] = lambda: None
        self._name = name
        self._free = count
        self._threads = 0
        self._changed = threading.Condition()
        self._work: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()

    @property
    def free(self) -> int:
        """How many have nothing to do."""
        return self._free

    def give(self, work: Callable[[], Any]) -> None:
        """Have it done as soon as a hand is free."""
        with self._changed:
            self._free -= 1
            more = self._threads < min(self.count, self.count - self._free)
            self._threads += more
        if more:
            threading.Thread(target=self._run, name=f"hub-{self._name}", daemon=True).start()
        self._work.put(work)

    def finish(self, within_s: float) -> bool:
        """Wait until all is done, at most this long, and end the threads. False when something was left."""
        with self._changed:
            done = self._changed.wait_for(lambda: self._free == self.count, max(0.0, within_s))
            for _ in range(self._threads):
                self._work.put(None)
        return done

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                work()
            except StorageUnavailable as error:
                log.error("outcome_not_stored", reason=error.message)
            except Exception:
                log.exception("work_broke")
            finally:
                with self._changed:
                    self._free += 1
                    self._changed.notify_all()
                self.on_free()
