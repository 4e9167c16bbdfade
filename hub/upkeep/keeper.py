"""The threads of a process that do the installation's regular work beside what the process is for."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from hub.clock import now_us
from hub.core import Hub
from hub.delivery import probing
from hub.errors import StorageUnavailable
from hub.upkeep import erasure, retention, watch

log = structlog.get_logger(__name__)
STOP_WITHIN_S = 5.0


@dataclass(frozen=True)
class Task:
    """`do` is called every `every_s` seconds, and is handed what is set when the process is to end."""

    name: str
    every_s: float
    do: Callable[[Hub, threading.Event], object]


def _watch(hub: Hub, _stop: threading.Event) -> None:
    watch.turn(hub)


def _probe(hub: Hub, _stop: threading.Event) -> None:
    probing.probe(hub, now=now_us())


WATCH = Task("watch", watch.EVERY_S, _watch)
PROBE = Task("probe", 30.0, _probe)
PRUNE = Task("prune", retention.EVERY_S, retention.turn)
ERASE = Task("erase", erasure.EVERY_S, erasure.turn)
OF_WEB = (WATCH,)
OF_WORKER = (WATCH, PROBE, PRUNE, ERASE)


class Keeper:
    """Made once per process; ends by itself when the Hub is closed."""

    def __init__(self, hub: Hub, tasks: tuple[Task, ...]) -> None:
        self._hub = hub
        self._tasks = tasks
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> "Keeper":
        """Begin each task after its first pause."""
        for task in self._tasks:
            thread = threading.Thread(target=self._repeat, args=(task,), name=f"hub-{task.name}", daemon=True)
            thread.start()
            self._threads.append(thread)
        self._hub.on_close.append(self.stop)
        return self

    def stop(self) -> None:
        """End every task at its next safe point."""
        self._stop.set()
        for thread in self._threads:
            thread.join(STOP_WITHIN_S)

    def _repeat(self, task: Task) -> None:
        while not self._stop.wait(task.every_s):
            try:
                task.do(self._hub, self._stop)
            except StorageUnavailable as error:
                log.warning("upkeep_put_off", task=task.name, reason=error.message)
            except Exception:
                log.exception("upkeep_broke", task=task.name)
