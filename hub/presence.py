"""A process's presence: it beats in the database while it lives, hears the bell, and leaves when it closes."""

import threading
import time

import psycopg
import structlog

from hub.clock import now_us
from hub.core import Hub
from hub.delivery import processes
from hub.errors import StorageUnavailable
from hub.writer import CHANNEL

log = structlog.get_logger(__name__)
HEAR_EVERY_S = 1.0
BEAT_AGAIN_S = 1.0


class Presence:
    """Made once per process; `stop` is called by `Hub.close`."""

    def __init__(self, hub: Hub, kind: str) -> None:
        self._hub = hub
        self._kind = kind
        self._stop = threading.Event()
        self._rung = threading.Condition()
        self._rings = 0
        self._threads: list[threading.Thread] = []
        self._beaten_at = 0.0

    def start(self) -> "Presence":
        """Enter the database, then beat and listen in the background."""
        self._enter()
        listener = self._hub.bell.listen()

        def hear() -> None:
            while not self._stop.is_set():
                if listener.wait(HEAR_EVERY_S):
                    self.wake()

        jobs = [self._keep_beating, hear]
        if self._hub.db.dialect == "postgresql":
            jobs.append(self._hear_database)
        for function in jobs:
            thread = threading.Thread(target=function, name=f"hub-{function.__name__}", daemon=True)
            thread.start()
            self._threads.append(thread)
        self._hub.on_close.append(self.stop)
        return self

    @property
    def rings(self) -> int:
        """How often the bell was heard; to be read before looking for work, and handed to `wait`."""
        return self._rings

    def wake(self) -> None:
        """Wake whoever waits in this process."""
        with self._rung:
            self._rings += 1
            self._rung.notify_all()

    def make_sure(self) -> None:
        """Beat at once when the last beat is so long ago that this process may have been taken for dead: whatever it
        claims before it is entered again, nobody would free. Raises StorageUnavailable."""
        if time.monotonic() - self._beaten_at > self._hub.settings.lease_s / 2:
            self._beat()

    def wait(self, timeout_s: float, since: int | None = None) -> bool:
        """Wait for a ring after the one counted `since` (now, when None), at most this long."""
        with self._rung:
            seen = self._rings if since is None else since
            return self._rung.wait_for(lambda: self._rings != seen or self._stop.is_set(), timeout_s)

    def stop(self) -> None:
        """Leave: nothing is claimed by this process any more."""
        if self._stop.is_set():
            return
        self._stop.set()
        self.wake()
        self._hub.ring()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(HEAR_EVERY_S + 1)
        try:
            self._hub.db.writer.run(lambda sql: processes.leave(sql, owner=self._hub.owner))
        except StorageUnavailable as error:
            log.warning("leave_failed", reason=error.message)

    def _hear_database(self) -> None:
        """Processes on other hosts ring through PostgreSQL; while it is away, the poll is the floor."""
        while not self._stop.is_set():
            try:
                with self._hub.db.connect() as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    while not self._stop.is_set():
                        for _ in connection.notifies(timeout=HEAR_EVERY_S, stop_after=1):
                            self.wake()
            except psycopg.OperationalError as error:
                log.warning("notifications_lost", reason=type(error).__name__)
                self._stop.wait(HEAR_EVERY_S)

    def _keep_beating(self) -> None:
        pause_s = every_s = max(0.2, self._hub.settings.lease_s / 3)
        while not self._stop.wait(pause_s):
            try:
                self._beat()
                pause_s = every_s
            except StorageUnavailable as error:
                log.warning("beat_failed", reason=error.message)
                pause_s = min(every_s, BEAT_AGAIN_S)

    def _beat(self) -> None:
        began = time.monotonic()
        if self._hub.db.writer.run(lambda sql: processes.beat(sql, owner=self._hub.owner, now=now_us())):
            self._beaten_at = began
        else:
            log.warning("taken_for_dead", owner=self._hub.owner)
            self._enter()

    def _enter(self) -> None:
        began = time.monotonic()
        self._hub.db.writer.run(
            lambda sql: processes.register(sql, owner=self._hub.owner, kind=self._kind, now=now_us())
        )
        self._beaten_at = began
