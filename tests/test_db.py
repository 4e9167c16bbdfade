"""Sessions: what is written stays when the block ends well, and only then."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hub.clock import now_us
from hub.core import Hub
from hub.db import Database
from hub.errors import StorageUnavailable
from hub.portals.models import Portal
from hub.settings import Settings
from hub.sql import Sql
from tests.processes import wait_until


def portal(name: str) -> Portal:
    return Portal(member_id=name, installed_at=now_us(), time_zone="Europe/Moscow")


def names(db: Database) -> list[str]:
    with db.sql() as sql:
        return [name for (name,) in sql.all("SELECT member_id FROM portal ORDER BY member_id")]


def test_a_block_that_ends_well_is_stored(hub: Hub) -> None:
    with hub.db.write() as session:
        session.add(portal("one"))
    assert names(hub.db) == ["one"]


def test_who_is_called_away_while_reading_gets_his_own_error_and_the_next_one_reads(hub: Hub) -> None:
    def called_away() -> None:
        with hub.db.sql() as sql:
            sql.run("BEGIN")
            raise TimeoutError

    with pytest.raises(TimeoutError):
        called_away()
    assert names(hub.db) == []


def test_a_block_that_fails_leaves_nothing(hub: Hub) -> None:
    def fail() -> None:
        with hub.db.write() as session:
            session.add(portal("one"))
            session.flush()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert names(hub.db) == []
    with hub.db.write() as session:
        session.add(portal("two"))
    assert names(hub.db) == ["two"]


def test_what_a_reader_changes_is_never_stored(hub: Hub) -> None:
    with hub.db.read() as session:
        session.add(portal("one"))
        session.flush()
    assert names(hub.db) == []


def test_sessions_and_the_writer_take_turns(hub: Hub) -> None:
    def by_session(n: int) -> None:
        with hub.db.write() as session:
            session.add(portal(f"s{n}"))

    def by_writer(n: int) -> None:
        hub.db.writer.run(
            lambda sql: sql.run(
                "INSERT INTO event_key (scenario_id, key, portal_id, request_id, run_id, body_hash, created_at)"
                " VALUES (1, ?, 1, '', '', '', 0)",
                (str(n),),
            )
        )

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: (by_session if n % 2 else by_writer)(n), range(80)))
    with hub.db.sql() as sql:
        assert sql.one("SELECT count(*) FROM event_key") == (40,)
    assert len(names(hub.db)) == 40


@pytest.mark.databases("sqlite")
def test_a_second_database_of_a_process_leaves_the_locks_of_the_first(hub: Hub, settings: Settings) -> None:
    """Closing any handle of a file drops all of a process's locks on it, and whoever closes a file that nobody has
    locked takes the log of changes away from those who still use it."""
    with hub.db.write() as session:
        session.add(portal("one"))
    path = settings.database_url.removeprefix("sqlite:///")
    second = Database(settings)
    stranger = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM portal'); c.close()"
    subprocess.run([sys.executable, "-c", stranger, path], check=True)
    assert Path(f"{path}-wal").exists()
    second.close()
    assert names(hub.db) == ["one"]


@pytest.mark.databases("sqlite")
def test_a_page_waits_for_a_foreign_writer(hub: Hub) -> None:
    foreign = hub.db.connect()
    foreign.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, lambda: foreign.execute("COMMIT"))
    timer.start()
    with hub.db.write() as session:
        session.add(portal("one"))
    timer.join()
    foreign.close()
    assert names(hub.db) == ["one"]


@pytest.mark.databases("sqlite")
def test_a_page_that_waits_too_long_is_told_to_try_again(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.db.LOCK_WAIT_S", 0.2)
    foreign = hub.db.connect()
    foreign.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailable), hub.db.write() as session:
        session.add(portal("one"))
    foreign.execute("ROLLBACK")
    foreign.close()
    assert names(hub.db) == []


@pytest.mark.databases("sqlite")
def test_sqlite_keeps_what_it_said_it_kept_and_holds_to_foreign_keys(hub: Hub) -> None:
    connection = hub.db.connect()
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    assert {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted} == wanted
    connection.close()


@pytest.mark.databases("postgresql")
def test_a_lost_connection_of_the_pool_is_replaced(hub: Hub) -> None:
    assert names(hub.db) == []
    killer = hub.db.connect()
    killer.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    killer.close()
    assert names(hub.db) == []
    with hub.db.write() as session:
        session.add(portal("one"))
    assert names(hub.db) == ["one"]


@pytest.mark.databases("postgresql")
def test_every_session_at_the_server_ends_by_itself_when_it_hangs(hub: Hub) -> None:
    wanted = {"statement_timeout": "10s", "lock_timeout": "3s", "idle_in_transaction_session_timeout": "30s"}

    def shown(sql: Sql) -> dict[str, str]:
        return {name: (sql.one(f"SHOW {name}") or ("",))[0] for name in wanted}

    with hub.db.sql() as sql:
        assert shown(sql) == wanted
    assert hub.db.writer.run(shown) == wanted


@pytest.mark.databases("postgresql")
def test_a_table_that_somebody_else_holds_is_waited_for_three_seconds(hub: Hub) -> None:
    foreign = hub.db.connect()
    foreign.execute("BEGIN; LOCK TABLE event_key")
    began = time.monotonic()
    with pytest.raises(StorageUnavailable):
        hub.db.writer.run(lambda sql: sql.run("DELETE FROM event_key"))
    assert 2.5 < time.monotonic() - began < 5
    foreign.execute("ROLLBACK")
    foreign.close()
    assert hub.db.writer.run(lambda sql: sql.run("DELETE FROM event_key")) == 0


@pytest.mark.databases("postgresql")
def test_who_comes_while_somebody_waits_for_a_lock_is_told_within_five_seconds_too(hub: Hub) -> None:
    foreign = hub.db.connect()
    foreign.execute("BEGIN; LOCK TABLE event_key")

    def wait() -> float:
        began = time.monotonic()
        with pytest.raises(StorageUnavailable):
            hub.db.writer.run(lambda sql: sql.run("DELETE FROM event_key"))
        return time.monotonic() - began

    def one_waits() -> bool:
        with hub.db.sql() as sql:
            return sql.one("SELECT 1 FROM pg_locks WHERE relation = 'event_key'::regclass AND NOT granted") is not None

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(wait)
        wait_until(one_waits, what="the first one's wait")
        second = pool.submit(wait)
    assert 2.5 < first.result() < 3.5
    assert 4 < second.result() < 5.5
    foreign.execute("ROLLBACK")
    foreign.close()


def test_a_server_that_is_away_is_waited_for_where_somebody_waits_for_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.db.SERVER_WAIT_S", 0.5)
    away = Database(Settings(database_url=f"postgresql:///nothing?host={tmp_path}", testing=True))
    for patient in (False, True):
        began = time.monotonic()
        with pytest.raises(StorageUnavailable), away.sql(patient=patient):
            pass
        assert (time.monotonic() - began > 0.5) is patient
    away.close()


@pytest.mark.databases("postgresql")
def test_who_gets_no_connection_of_the_pool_is_told_to_try_again(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.db.engine.pool, "_timeout", 0.2)
    taken = [hub.db.engine.connect() for _ in range(30)]
    with pytest.raises(StorageUnavailable), hub.db.sql(patient=True):
        pass
    with pytest.raises(StorageUnavailable), hub.db.write():
        pass
    for connection in taken:
        connection.close()
    assert names(hub.db) == []


@pytest.mark.databases("sqlite")
def test_a_page_that_finds_no_folder_of_the_database_is_told_to_try_again(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub.db, "_lock_path", tmp_path / "gone" / "hub.db.lock")
    with pytest.raises(StorageUnavailable), hub.db.write():
        pass


def test_the_files_of_a_new_sqlite_database_are_private(tmp_path: Path) -> None:
    database = Database(Settings(database_url=f"sqlite:///{tmp_path}/new/hub.db", testing=True))
    database.writer.run(lambda sql: sql.run("CREATE TABLE t (a INT)"))
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()}
    database.close()
    assert modes["hub.db"] == 0o600
    assert set(modes.values()) == {0o600}
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
