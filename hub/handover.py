"""Between the callers of a thread and the thread: how jobs reach it, and how those who wait hear that theirs is done.

The thread is a native one, under gevent as well: there the callers are greenlets, and an async watcher wakes them.
"""

import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ways:
    """`queue` is what callers put jobs into, `new_event` makes what they wait on. The thread itself gives finished jobs
    to `publish` and waits by `sleep` (seconds), which stops nobody else."""

    queue: Any
    new_event: Callable[[], Any]
    publish: Callable[[list[Any]], None]
    sleep: Callable[[float], None]


def start(loop: Callable[[Any], None], tell: Callable[[list[Any]], None]) -> Ways:
    """Start a thread with `loop(queue)`. `tell` wakes those who wait for these jobs; it runs where they do."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("threading"):
        jobs: Any = queue.SimpleQueue()
        threading.Thread(target=loop, args=(jobs,), name="hub-writer", daemon=True).start()
        return Ways(jobs, threading.Event, tell, time.sleep)
    import gevent
    from gevent.event import Event

    finished: deque[list[Any]] = deque()
    watcher = gevent.get_hub().loop.async_()

    def wake() -> None:
        while finished:
            tell(finished.popleft())

    def publish(jobs: list[Any]) -> None:
        finished.append(jobs)
        watcher.send()

    watcher.start(wake)
    jobs = monkey.get_original("queue", "SimpleQueue")()
    monkey.get_original("_thread", "start_new_thread")(loop, (jobs,))
    return Ways(jobs, Event, publish, monkey.get_original("time", "sleep"))
