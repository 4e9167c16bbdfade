"""Group commit: one native thread per process writes for everybody who waits, in one transaction at a time.

Callers hand over a job (a function of an open transaction) and go on once it is durable. While one commit is on its
way to the disk the next jobs gather, so the price of a flush is shared. Under gevent the callers are greenlets and
an async watcher wakes them; elsewhere they are threads. Jobs run one after another and see each other's rows.
"""

import fcntl
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import psycopg

from hub.errors import StorageUnavailable
from hub.handover import start
from hub.outages import lock_limit, may_pass, of_storage, unavailable
from hub.sql import Dialect, Sql

T = TypeVar("T")
Item = TypeVar("Item")
Answer = TypeVar("Answer")
CHANNEL = "hub_bell"
"""PostgreSQL's notification channel, by which the bell is heard on other hosts."""
BATCH = 256
RETRY_FOR_S = 8.0
_SHORT_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.2
_UNAVAILABLE = (sqlite3.OperationalError, psycopg.OperationalError, OSError)


class _Job:
    """What one caller wants done: a function of the transaction, or, of a `many`, this caller's item."""

    __slots__ = ("abandoned", "began", "done", "error", "function", "item", "locks", "many", "result", "rings")

    def __init__(
        self,
        function: Callable[..., Any],
        locks: tuple[str, ...],
        done: Any,
        *,
        rings: bool = False,
        many: bool = False,
        item: Any = None,
        waited_s: float = 0.0,
    ) -> None:
        self.function = function
        self.many = many
        self.item = item
        self.locks = locks
        self.rings = rings
        self.done = done
        self.result: Any = None
        self.error: BaseException | None = None
        self.abandoned = False
        self.began = time.monotonic() - waited_s


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
        self._lock: int | None = None

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
        done: T = self._done(_Job(function, (*lines, *keys), self._new_event(), rings=rings))
        return done

    def run_many(
        self,
        function: Callable[[Sql, Sequence[Item]], Sequence[Answer]],
        item: Item,
        *,
        lines: Iterable[str] = (),
        keys: Iterable[str] = (),
        rings: bool = False,
        waited_s: float = 0.0,
    ) -> Answer:
        """`run` for a function that does the same for many at once, in fewer statements: a transaction calls it once,
        with the items of all who wait with this function, in the order they came, and it answers for each of them.
        `waited_s`: how long the item has waited before."""
        if self._started_by != os.getpid():
            self._start()
        more: dict[str, Any] = {"rings": rings, "many": True, "item": item, "waited_s": waited_s}
        done: Answer = self._done(_Job(function, (*lines, *keys), self._new_event(), **more))
        return done

    def _done(self, job: _Job) -> Any:
        self._queue.put(job)
        if not job.done.wait(RETRY_FOR_S + 4):
            job.abandoned = True
            raise StorageUnavailable("The database did not answer in time; try again.")
        if job.error is not None:
            raise job.error
        return job.result

    def post(self, function: Callable[[Sql], Any]) -> None:
        """Hand over a job that nobody waits for; whether it succeeds is not told."""
        if self._started_by != os.getpid():
            self._start()
        self._queue.put(_Job(function, (), self._new_event()))

    def close(self) -> None:
        """End the thread, once the jobs handed over before are done."""
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
            self._connection = None  # the parent's, if there is one
            if self._lock is not None:
                os.close(self._lock)
                self._lock = None
            ways = start(self._loop, self._tell)
            self._queue, self._sleep = ways.queue, ways.sleep
            self._new_event, self._publish = ways.new_event, ways.publish
            self._started_by = os.getpid()

    def _tell(self, jobs: list[_Job]) -> None:
        for job in jobs:
            job.done.set()
        if any(job.rings and job.error is None for job in jobs):
            self._ring()

    # ---------------------------------------------------------------- the thread

    def _loop(self, inbox: Any) -> None:
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
                if self._lock is not None:
                    os.close(self._lock)
                    self._lock = None
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
                late = [job for job in jobs if job.began + RETRY_FOR_S < now]
                for job in late:
                    job.error = unavailable(error)
                jobs[:] = [job for job in jobs if job.began + RETRY_FOR_S >= now]
                if late:
                    self._publish(late)
                # A lock is looked at often; a server that comes back is not to be met by everybody at once.
                lock = isinstance(error, sqlite3.OperationalError)
                self._sleep(_SHORT_PAUSE_S if lock else random.uniform(_SHORT_PAUSE_S, _LONGEST_PAUSE_S))

    def _try_transaction(self, jobs: list[_Job]) -> None:
        if self._lock_path is not None:
            self._lock = self._own_lock(self._lock_path)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            if self._connection is None or getattr(self._connection, "closed", False):
                self._connection = self._connect()
            connection = self._connection
            connection.execute("BEGIN IMMEDIATE" if self._dialect == "sqlite" else "BEGIN")
            try:
                sql = Sql(connection, self._dialect)
                limit = lock_limit(time.monotonic() - min(job.began for job in jobs))
                if limit is not None and self._dialect == "postgresql":
                    sql.run(limit)
                self._take_locks(sql, jobs)
                _do(sql, [job for job in jobs if not job.abandoned])
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
            if self._lock is not None:
                fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _own_lock(self, path: Path) -> int:
        """The open lock file. One whose folder has gone is not ours any more, and neither is the database beside it:
        what was written there would be accepted and never seen. Raises OSError while there is no folder."""
        if self._lock is not None:
            try:
                if os.path.samestat(os.stat(path), os.fstat(self._lock)):
                    return self._lock
            except FileNotFoundError:
                raise OSError("the folder of the database is gone") from None
            os.close(self._lock)
            self._lock = None
            if self._connection is not None:
                self._connection.close()
                self._connection = None
        return os.open(path, os.O_CREAT | os.O_RDWR, 0o600)

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


def _do(sql: Sql, jobs: Iterable[_Job]) -> None:
    gathered: dict[Callable[..., Any], list[_Job]] = {}
    for job in jobs:
        if job.many:
            gathered.setdefault(job.function, []).append(job)
        else:
            job.result = job.function(sql)
    for function, those in gathered.items():
        for job, result in zip(those, function(sql, [job.item for job in those]), strict=True):
            job.result = result


def _nothing(_sql: Sql) -> None:
    """The job that is no job."""
