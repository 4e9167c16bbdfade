"""Group commit: one native thread per process writes for everybody who waits, in one transaction at a time.

Callers hand over a job (a function of an open transaction) and go on once it is durable. While one commit is on its
way to the disk the next jobs gather, so the price of a flush is shared. Under gevent the callers are greenlets and
an async watcher wakes them; elsewhere they are threads. Jobs run one after another and see each other's rows.
"""

import fcntl
import os
import random
import sqlite3
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import psycopg

from hub.errors import StorageUnavailable
from hub.outages import may_pass, of_storage, unavailable
from hub.sql import Dialect, Sql

T = TypeVar("T")
CHANNEL = "hub_bell"
"""PostgreSQL's notification channel, by which the bell is heard on other hosts."""
BATCH = 256
RETRY_FOR_S = 8.0
_SHORT_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.2
_UNAVAILABLE = (sqlite3.OperationalError, psycopg.OperationalError, OSError)


class _Job:
    __slots__ = ("abandoned", "done", "error", "function", "locks", "result", "rings", "until")

    def __init__(
        self, function: Callable[[Sql], Any], locks: tuple[str, ...], done: Any, *, rings: bool = False
    ) -> None:
        self.function = function
        self.locks = locks
        self.rings = rings
        self.done = done
        self.result: Any = None
        self.error: BaseException | None = None
        self.abandoned = False
        self.until = time.monotonic() + RETRY_FOR_S


class _Last(_Job):
    """What ends the thread."""


class Writer:
    """The writer of one process. Starts its thread with the first job, so it is safe to make before a fork."""

    def __init__(
        self, connect: Callable[[], Any], dialect: Dialect, lock_path: Path | None, ring: Callable[[], None]
    ) -> None:
        """`ring` wakes whoever waits for work on this host; on PostgreSQL a notification wakes those on others."""
        self._connect = connect
        self._dialect = dialect
        self._lock_path = lock_path
        self._ring = ring
        self._started_by: int | None = None
        self._start_lock = threading.Lock()
        self._connection: Any = None

    def run(
        self,
        function: Callable[[Sql], T],
        *,
        lines: Iterable[str] = (),
        keys: Iterable[str] = (),
        rings: bool = False,
    ) -> T:
        """Do `function` inside a transaction and return its result once that is durable.

        `rings`: it makes work for others, so the bell is rung after the commit, once for all jobs of a transaction.
        `lines`: ids of the lines whose queues the job touches; on PostgreSQL their locks are taken first and in
        one order, so that no two processes move the head of one chat at once. `keys`: whatever else several
        processes may insert at once, locked likewise: two transactions that want the same two keys in opposite
        orders would stop each other.
        The function may run twice (alone, when its batch failed), so it must do nothing but SQL.
        Raises whatever the function raised, or StorageUnavailable when the database cannot be written.
        """
        if self._started_by != os.getpid():
            self._start()
        job = _Job(function, (*lines, *keys), self._new_event(), rings=rings)
        self._queue.put(job)
        if not job.done.wait(RETRY_FOR_S + 4):
            job.abandoned = True
            raise StorageUnavailable("The database did not answer in time; try again.")
        if job.error is not None:
            raise job.error
        result: T = job.result
        return result

    def post(self, function: Callable[[Sql], Any]) -> None:
        """Hand over a job that nobody waits for; whether it succeeds is not told."""
        if self._started_by != os.getpid():
            self._start()
        self._queue.put(_Job(function, (), self._new_event()))

    def close(self) -> None:
        """End the thread and wait until it has: jobs already handed over are finished first."""
        with self._start_lock:
            if self._started_by != os.getpid():
                return
            self._started_by = None
            last = _Last(_nothing, (), self._new_event())
            self._queue.put(last)
            last.done.wait(RETRY_FOR_S + 4)

    # ---------------------------------------------------------------- starting

    def _start(self) -> None:
        with self._start_lock:
            if self._started_by == os.getpid():
                return
            self._connection = None
            monkey = sys.modules.get("gevent.monkey")
            if monkey is not None and monkey.is_module_patched("threading"):
                import gevent
                from gevent.event import Event

                self._queue: Any = monkey.get_original("queue", "SimpleQueue")()
                self._sleep = monkey.get_original("time", "sleep")
                self._new_event: Callable[[], Any] = Event
                finished: deque[list[_Job]] = deque()
                watcher = gevent.get_hub().loop.async_()

                def wake() -> None:
                    while finished:
                        self._tell(finished.popleft())

                watcher.start(wake)

                def publish(batch: list[_Job]) -> None:
                    finished.append(batch)
                    watcher.send()

                self._publish: Callable[[list[_Job]], None] = publish
                monkey.get_original("_thread", "start_new_thread")(self._loop, ())
            else:
                import queue

                self._queue = queue.SimpleQueue()
                self._sleep = time.sleep
                self._new_event = threading.Event
                self._publish = self._tell
                threading.Thread(target=self._loop, name="hub-writer", daemon=True).start()
            self._started_by = os.getpid()

    def _tell(self, jobs: list[_Job]) -> None:
        for job in jobs:
            job.done.set()
        if any(job.rings and job.error is None for job in jobs):
            self._ring()

    # ---------------------------------------------------------------- the thread

    def _loop(self) -> None:
        inbox = self._queue
        while True:
            batch = [inbox.get()]
            while len(batch) < BATCH and not inbox.empty():
                batch.append(inbox.get())
            jobs = [job for job in batch if not isinstance(job, _Last)]
            last: list[_Job] = [job for job in batch if isinstance(job, _Last)]
            if jobs:
                self._write(jobs)
                self._publish(jobs)
            if last:
                if self._connection is not None:
                    self._connection.close()
                    self._connection = None
                self._publish(last)
                return

    def _write(self, jobs: list[_Job]) -> None:
        """One transaction for all; when any job fails, each one again in its own, so that only it gets the error."""
        try:
            self._transaction(jobs)
            return
        except BaseException as error:
            if len(jobs) == 1 or isinstance(error, StorageUnavailable):
                for job in jobs:
                    job.error = error
                return
        for job in jobs:
            try:
                self._transaction([job])
            except BaseException as error:
                job.error = error

    def _transaction(self, jobs: list[_Job]) -> None:
        """Try until it is done. A job that has waited its time meanwhile is told so and taken out of `jobs`."""
        while jobs:
            try:
                self._try_transaction(jobs)
                return
            except _CommitUnknown as error:
                raise StorageUnavailable("The database went away during a commit.") from error.__cause__
            except _UNAVAILABLE as error:
                if not may_pass(error):
                    if not of_storage(error):
                        raise
                    raise unavailable(error) from error
                now = time.monotonic()
                late = [job for job in jobs if job.until < now]
                for job in late:
                    job.error = unavailable(error)
                jobs[:] = [job for job in jobs if job.until >= now]
                if late:
                    self._publish(late)
                # A lock is looked at often; a server that comes back is not to be met by everybody at once.
                lock = isinstance(error, sqlite3.OperationalError)
                self._sleep(_SHORT_PAUSE_S if lock else random.uniform(_SHORT_PAUSE_S, _LONGEST_PAUSE_S))

    def _try_transaction(self, jobs: list[_Job]) -> None:
        handle = None
        try:
            if self._lock_path is not None:
                handle = os.open(self._lock_path, os.O_CREAT | os.O_RDWR, 0o600)
                fcntl.flock(handle, fcntl.LOCK_EX)
            if self._connection is None or getattr(self._connection, "closed", False):
                self._connection = self._connect()
            connection = self._connection
            connection.execute("BEGIN IMMEDIATE" if self._dialect == "sqlite" else "BEGIN")
            try:
                sql = Sql(connection, self._dialect)
                self._take_locks(sql, jobs)
                for job in jobs:
                    if not job.abandoned:
                        job.result = job.function(sql)
            except BaseException:
                self._roll_back(connection)
                raise
            try:
                if self._dialect == "postgresql" and any(job.rings for job in jobs):
                    connection.execute(f"NOTIFY {CHANNEL}")
                connection.execute("COMMIT")
            except BaseException as error:
                self._roll_back(connection)
                if self._dialect == "postgresql" and isinstance(error, psycopg.OperationalError):
                    raise _CommitUnknown from error
                raise
        finally:
            if handle is not None:
                os.close(handle)

    def _take_locks(self, sql: Sql, jobs: list[_Job]) -> None:
        names = sorted({name for job in jobs for name in job.locks})
        if names and self._dialect == "postgresql":
            sql.all("SELECT pg_advisory_xact_lock(hashtextextended(name, 7)) FROM unnest(?::text[]) AS name", (names,))

    def _roll_back(self, connection: Any) -> None:
        try:
            connection.execute("ROLLBACK")
        except (sqlite3.Error, psycopg.Error):
            # Nothing was open any more, or the connection is gone: a new one is made for the next transaction.
            connection.close()
            self._connection = None


class _CommitUnknown(Exception):
    """The connection broke while committing: nobody can say whether it happened."""


def _nothing(_sql: Sql) -> None:
    """The job that is no job."""
