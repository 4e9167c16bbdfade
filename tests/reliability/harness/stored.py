"""What the database holds while and after the harness runs, read in plain SQL, and how it is made."""

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg

from hub.clock import SECOND, now_us
from hub.db import Database
from hub.sql import Sql
from hub.values import loads
from tests.databases import PostgresSource, SqliteSource, postgres_server
from tests.reliability.harness.history import Kept

DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


@contextmanager
def database(kind: str) -> Iterator[str]:
    """The URL of a migrated database that commits for good, as an operator's would."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="hubline-crash-") as folder:
            yield SqliteSource(Path(folder)).fresh(Path(folder))
        return
    run_id = f"crash-{uuid4().hex[:8]}"
    with postgres_server(run_id) as admin_url:
        with psycopg.connect(admin_url, autocommit=True) as connection:
            for setting in DURABLE:
                connection.execute(f"ALTER SYSTEM RESET {setting}")
            connection.execute("SELECT pg_reload_conf()")
        source = PostgresSource(admin_url, "crash")
        url = source.fresh(Path(tempfile.gettempdir()))
        yield url
        source.drop(url)


class Stored:
    """Looks into the product's database from outside."""

    def __init__(self, db: Database, lease_s: float) -> None:
        self._db = db
        self._lease_s = lease_s

    def registered(self) -> set[int]:
        """The pids of the processes that say they are at work."""
        with self._db.sql() as sql:
            return {pid for (pid,) in sql.all("SELECT pid FROM process")}

    def unfinished(self) -> int:
        """How many messages and runs are open."""
        with self._db.sql() as sql:
            return _count(sql, "SELECT count(*) FROM message WHERE state IN ('queued', 'sending')", ()) + _count(
                sql, "SELECT count(*) FROM run WHERE ended_at IS NULL", ()
            )

    def leftovers(self) -> tuple[str, ...]:
        """Words for what is not finished: open messages, open runs, claims, processes that went silent."""
        silent = now_us() - int(self._lease_s * SECOND)
        looks = (
            ("messages open", "SELECT count(*) FROM message WHERE state IN ('queued', 'sending')", ()),
            ("messages owned", "SELECT count(*) FROM message WHERE owner IS NOT NULL", ()),
            ("messages that are over and still heads", "SELECT count(*) FROM message WHERE head", ()),
            ("runs open", "SELECT count(*) FROM run WHERE ended_at IS NULL", ()),
            ("runs owned", "SELECT count(*) FROM run WHERE owner IS NOT NULL", ()),
            ("leases expired", "SELECT count(*) FROM process WHERE beat_at < ?", (silent,)),
            ("lines out of order", "SELECT count(*) FROM line WHERE state <> 'active'", ()),
        )
        with self._db.sql() as sql:
            counts = [(words, _count(sql, statement, values)) for words, statement, values in looks]
        return tuple(f"{count} {words}" for words, count in counts if count)

    def messages(self) -> tuple[Kept, ...]:
        """Every message with its attempts; its text is the event's key."""
        attempts: dict[str, list[str | None]] = defaultdict(list)
        with self._db.sql() as sql:
            for message_id, outcome in sql.all("SELECT message_id, outcome FROM attempt ORDER BY message_id, n"):
                attempts[message_id].append(outcome)
            rows = sql.all("SELECT id, text, state, error FROM message ORDER BY seq")
        return tuple(
            Kept(text, state, tuple(attempts[message_id]), loads(error)["code"] if error else "")
            for message_id, text, state, error in rows
        )

    def runs(self) -> dict[str, int]:
        """How many runs there are by status."""
        with self._db.sql() as sql:
            return dict(sql.all("SELECT status, count(*) FROM run GROUP BY status"))

    def damage(self) -> tuple[str, ...]:
        """What SQLite's own check finds; PostgreSQL has none that is always there."""
        if self._db.dialect != "sqlite":
            return ()
        with self._db.sql() as sql:
            checked = [row[0] for row in sql.all("PRAGMA integrity_check")]
            dangling = [f"dangling reference in {row[0]}" for row in sql.all("PRAGMA foreign_key_check")]
        return tuple(word for word in checked if word != "ok") + tuple(dangling)


def _count(sql: Sql, statement: str, values: tuple[int, ...]) -> int:
    row = sql.one(statement, values)
    assert row is not None
    return int(row[0])
