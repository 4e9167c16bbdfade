"""The database: one engine for pages and API, one writer for the hot paths, the same rules on both dialects.

SQLite: WAL with `synchronous=FULL`, so a commit survives a loss of power; every write begins IMMEDIATE, since a
read that turns into a write fails at once; writers of all processes queue at a file lock instead of sleeping in
SQLite's busy handler, which under gevent would stop the whole process.
"""

import fcntl
import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg import waiting
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, PoolProxiedConnection, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlmodel import Session

from hub.errors import StorageUnavailable
from hub.outages import LOCK_S, WAIT_S, lock_limit, may_pass, of_storage, unavailable
from hub.settings import Settings
from hub.sql import Dialect, Sql
from hub.writer import Writer

T = TypeVar("T")
BUSY_TIMEOUT_MS = 50
LOCK_WAIT_S = 8.0
SERVER_WAIT_S = 8.0
_POSTGRES_OPTIONS = (
    f"-c statement_timeout=10s -c lock_timeout={LOCK_S:.0f}s -c idle_in_transaction_session_timeout=30s -c timezone=UTC"
)
# The statements of the hot paths are prepared while the tables may still be empty, and their plans are kept: a plan
# that reads whole tables would be kept too, until somebody analyses them. All of them find their rows by an index.
_BY_INDEX = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off"


class Database:
    """Everything a process needs to read and write; made once a process, after any fork."""

    def __init__(self, settings: Settings, ring: Callable[[], None] = lambda: None) -> None:
        """`ring` is what the writer wakes others with."""
        url = make_url(settings.sqlalchemy_url)
        self.dialect: Dialect = "sqlite" if url.get_backend_name() == "sqlite" else "postgresql"
        self._url = url
        self._lock_path: Path | None = None
        if self.dialect == "sqlite":
            path = Path(url.database or "hub.db")
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make_private(path)
            self._path = str(path)
            self._lock_path = path.with_name(path.name + ".lock")
        self.engine = self._make_engine()
        self.writer = Writer(partial(self.connect, blocking=True), self.dialect, self._lock_path, ring)

    def connect(self, *, blocking: bool = False) -> Any:
        """A new connection of the driver itself, in autocommit mode: whoever has it says BEGIN. `blocking`: for a
        native thread, which waits for the server in the system."""
        if self.dialect == "sqlite":
            connection = sqlite3.connect(
                self._path, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False
            )
            _prepare_sqlite(connection)
            return connection
        plain = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        options = f"{_POSTGRES_OPTIONS} {_BY_INDEX}"
        kind = _Blocking if blocking else psycopg.Connection
        return kind.connect(plain, autocommit=True, options=options, prepare_threshold=2)

    @property
    def place(self) -> str:
        """Which database this is, for people; without its password."""
        if self.dialect == "sqlite":
            return f"The SQLite file {self._path}"
        return f"PostgreSQL at {self._url.host or 'the local socket'}:{self._url.port or 5432}/{self._url.database}"

    @contextmanager
    def named(self) -> Iterator[None]:
        """Who finds that the database cannot be used is told which one it is and why: for an operator, not for
        callers of the product. Raises StorageUnavailable."""
        try:
            with _translated():
                yield
        except StorageUnavailable as error:
            cause = error.__cause__.orig if isinstance(error.__cause__, DBAPIError) else error.__cause__
            reason = str(cause or error.message).strip().partition("\n")[0]
            raise StorageUnavailable(f"{self.place} cannot be used: {reason}", code=error.code) from error

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading; whatever it changed is rolled back."""
        began = time.monotonic()
        with _translated(), Session(self.engine) as session:
            self._limit(session.connection().exec_driver_sql, began)
            yield session
            session.rollback()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that commits when its block ends well, and rolls back when it does not."""
        began = time.monotonic()
        deadline = began + LOCK_WAIT_S
        with _translated(), self._file_lock(deadline):
            engine = self.engine.execution_options(hub_write=True)
            with Session(engine, expire_on_commit=False) as session:
                self._begin(session, deadline)
                self._limit(session.connection().exec_driver_sql, began)
                yield session
                session.commit()

    @contextmanager
    def sql(self, *, patient: bool = False) -> Iterator[Sql]:
        """Plain SQL for reading on the hot paths. `patient`: wait for a PostgreSQL that is away, as the writer does."""
        with _translated():
            connection = self._patiently_connected() if patient else self.engine.raw_connection()
            try:
                with _each_by_itself(connection.driver_connection):
                    yield Sql(connection.driver_connection, self.dialect)
            finally:
                connection.close()

    def close(self) -> None:
        """Stop the writer and give all connections back."""
        self.writer.close()
        self.engine.dispose()

    def _make_engine(self) -> Engine:
        if self.dialect == "postgresql":
            return create_engine(
                self._url,
                pool_size=10,
                max_overflow=20,
                pool_timeout=WAIT_S,
                pool_pre_ping=True,
                connect_args={"options": _POSTGRES_OPTIONS},
            )
        engine = create_engine(
            self._url, pool_size=20, max_overflow=200, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000}
        )

        @event.listens_for(engine, "connect")
        def prepare(connection: sqlite3.Connection, _record: object) -> None:
            connection.isolation_level = None
            _prepare_sqlite(connection)

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            if not connection.get_execution_options().get("hub_write"):
                connection.exec_driver_sql("BEGIN")
                return
            # Whoever writes a page tries again by itself; SQLite's own waiting would hold up all other greenlets.
            connection.exec_driver_sql("PRAGMA busy_timeout=0")
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            finally:
                connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")

        return engine

    def _limit(self, execute: Callable[[str], Any], began: float) -> None:
        """At the beginning of a transaction: what waiting for the connection took is taken off the wait for locks."""
        limit = lock_limit(time.monotonic() - began) if self.dialect == "postgresql" else None
        if limit is not None:
            execute(limit)

    def _patiently_connected(self) -> PoolProxiedConnection:
        """A connection of the pool; a server that starts again is waited for, one that has no room less long."""
        began = time.monotonic()
        while True:
            try:
                return self.engine.raw_connection()
            except psycopg.OperationalError as error:
                crowded = any(sign in str(error) for sign in ("too many clients", "connection slots"))
                if time.monotonic() - began > (WAIT_S if crowded else SERVER_WAIT_S):
                    raise
                time.sleep(random.uniform(0.02, 0.2))

    def _begin(self, session: Session, deadline: float) -> None:
        """Open the transaction; somebody who knows nothing of our file lock (a backup, a shell) may be writing."""
        while True:
            try:
                session.connection()
                return
            except OperationalError as error:
                busy = self.dialect == "sqlite" and any(sign in str(error.orig) for sign in ("locked", "busy"))
                if not busy or time.monotonic() > deadline:
                    raise
                session.rollback()
                time.sleep(0.02)

    @contextmanager
    def _file_lock(self, deadline: float) -> Iterator[None]:
        if self._lock_path is None:
            yield
            return
        try:
            handle = os.open(self._lock_path, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise StorageUnavailable("The folder of the database cannot be used right now.") from error
        try:
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise StorageUnavailable("The database is busy; try again in a few seconds.") from None
                    time.sleep(0.003)
            yield
        finally:
            os.close(handle)


class _Blocking(psycopg.Connection[tuple[Any, ...]]):
    """A connection that stops its thread while it waits. Under gevent the driver would else start an event loop in a
    native thread, too, and turn it for every statement."""

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """As the driver's own."""
        done: T = waiting.wait_c(gen, self.pgconn.socket, interval=interval, timeout=timeout)
        return done


def _make_private(path: Path) -> None:
    """Messages and phone numbers are nobody else's to read; SQLite gives its other files the mode of this one.

    A file that is there is left alone: closing a handle of it would drop the locks that this process has on it.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError:
        # It is there, or it cannot be written: whoever connects is told so in the ordinary way.
        return


def _prepare_sqlite(connection: sqlite3.Connection) -> None:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


@contextmanager
def _each_by_itself(connection: Any) -> Iterator[None]:
    """On PostgreSQL each statement sees what was committed before it, in a transaction or without one; without one
    the server is not asked to begin and to end it."""
    if not isinstance(connection, psycopg.Connection):
        yield
        return
    connection.autocommit = True
    try:
        yield
    finally:
        if connection.info.transaction_status == TransactionStatus.IDLE:
            connection.autocommit = False
        else:
            connection.close()  # whoever waited was called away, and the server is still at it


@contextmanager
def _translated() -> Iterator[None]:
    """The driver's ways of saying "not now" become StorageUnavailable; real mistakes pass unchanged."""
    try:
        yield
    except PoolExhausted as error:
        raise StorageUnavailable("All connections to the database are in use; try again.") from error
    except (DBAPIError, sqlite3.OperationalError, psycopg.OperationalError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        of_driver = isinstance(cause, sqlite3.OperationalError | psycopg.OperationalError)
        lost = isinstance(error, DBAPIError) and error.connection_invalidated
        if lost or (of_driver and (may_pass(cause) or of_storage(cause))):
            raise unavailable(cause) from error
        raise
