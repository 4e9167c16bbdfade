"""The writer: durable before it answers, one error for the one who made it, patient with locks, never for ever."""

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

import hub.writer
from hub.core import Hub
from hub.db import Database
from hub.errors import StorageUnavailable
from hub.settings import Settings
from hub.sql import Sql
from tests.processes import wait_until


@pytest.fixture
def db(hub: Hub) -> Database:
    """A database with a table of numbers."""
    hub.db.writer.run(lambda sql: sql.run("CREATE TABLE number (n INTEGER PRIMARY KEY)"))
    return hub.db


def numbers(db: Database) -> list[int]:
    with db.sql() as sql:
        return [n for (n,) in sql.all("SELECT n FROM number ORDER BY n")]


def insert(n: int) -> Any:
    return lambda sql: sql.run("INSERT INTO number VALUES (?)", (n,))


@pytest.fixture
def gathered(db: Database) -> Iterator[threading.Event]:
    """Holds the writer until the event is set, so that what is handed over meanwhile becomes one batch."""
    busy, go = threading.Event(), threading.Event()

    def hold(_: Sql) -> None:
        busy.set()
        go.wait(10)

    thread = threading.Thread(target=db.writer.run, args=(hold,))
    thread.start()
    busy.wait(5)
    yield go
    go.set()
    thread.join()


def test_a_job_is_durable_when_it_answers(db: Database, settings: Settings) -> None:
    assert db.writer.run(insert(1)) == 1
    other = Database(settings)
    assert numbers(other) == [1]
    other.close()


def test_a_failing_job_gets_its_own_error_and_the_others_of_its_batch_are_stored(
    db: Database, gathered: threading.Event
) -> None:
    def fail(sql: Sql) -> None:
        insert(99)(sql)
        raise KeyError("mine")

    with ThreadPoolExecutor(12) as pool:
        good = [pool.submit(db.writer.run, insert(n)) for n in range(10)]
        bad = pool.submit(db.writer.run, fail)
        double = pool.submit(db.writer.run, lambda sql: sql.run("INSERT INTO number SELECT 500 UNION ALL SELECT 500"))
        while db.writer._queue.qsize() < 12:
            pass
        gathered.set()
        assert [one.result() for one in good] == [1] * 10
        with pytest.raises(KeyError, match="mine"):
            bad.result()
        with pytest.raises(Exception, match=r"(?i)unique"):
            double.result()
    assert numbers(db) == list(range(10))


def test_jobs_that_are_committed_together_ring_once_and_when_they_are_durable(db: Database, settings: Settings) -> None:
    rung: list[list[int]] = []
    other = Database(settings, ring=lambda: rung.append(numbers(db)))
    busy, go = threading.Event(), threading.Event()

    def hold(_: Sql) -> None:
        busy.set()
        go.wait(10)

    def fail(_: Sql) -> None:
        raise KeyError("mine")

    with ThreadPoolExecutor(5) as pool:
        quiet = pool.submit(other.writer.run, hold)
        assert busy.wait(5)
        together = [pool.submit(other.writer.run, insert(n), rings=True) for n in range(4)]
        wait_until(lambda: other.writer._queue.qsize() == 4)
        go.set()
        assert [quiet.result(), *(one.result() for one in together)] == [None, 1, 1, 1, 1]
    with pytest.raises(KeyError):
        other.writer.run(fail, rings=True)
    other.close()
    assert rung == [[0, 1, 2, 3]]


def test_what_many_want_done_alike_is_done_at_once_and_each_hears_of_his_own(
    db: Database, gathered: threading.Event
) -> None:
    calls: list[list[int]] = []

    def double(sql: Sql, items: Sequence[int]) -> list[int]:
        calls.append(list(items))
        sql.insert("INSERT INTO number", "(?)", [(n,) for n in items])
        if 7 in items:
            raise KeyError("seven")
        return [2 * n for n in items]

    def given(numbers: list[int]) -> list[Future[int]]:
        made = []
        for n in numbers:
            made.append(pool.submit(db.writer.run_many, double, n))
            wait_until(lambda: db.writer._queue.qsize() == before + len(made))
        return made

    with ThreadPoolExecutor(12) as pool:
        before = 0
        alone = pool.submit(db.writer.run, insert(100))
        wait_until(lambda: db.writer._queue.qsize() == 1)
        before = 1
        together = given([3, 1, 7, 2])
        gathered.set()
        assert [together[place].result() for place in (0, 1, 3)] == [6, 2, 4]
        with pytest.raises(KeyError, match="seven"):
            together[2].result()
        assert alone.result() == 1
    # All at once, and, since that failed, each one again.
    assert calls == [[3, 1, 7, 2], [3], [1], [7], [2]]
    assert numbers(db) == [1, 2, 3, 100]


def test_many_rows_are_inserted_whole_and_in_order(db: Database) -> None:
    for count in (0, 1, 7, 9, 64, 65, 200):
        rows = [(1000 * count + n,) for n in range(count)]
        db.writer.run(lambda sql: sql.insert("INSERT INTO number", "(?)", rows, "ON CONFLICT DO NOTHING"))  # noqa: B023
        assert [n for n in numbers(db) if n // 1000 == count or n == 0] == [n for (n,) in rows]
        db.writer.run(lambda sql: sql.run("DELETE FROM number"))


def test_jobs_of_one_batch_see_each_others_rows(db: Database, gathered: threading.Event) -> None:
    with ThreadPoolExecutor(8) as pool:
        counts = [
            pool.submit(db.writer.run, lambda sql: sql.run("INSERT INTO number SELECT count(*) FROM number"))
            for _ in range(8)
        ]
        while db.writer._queue.qsize() < 8:
            pass
        gathered.set()
        assert sum(one.result() for one in counts) == 8
    assert numbers(db) == list(range(8))


def test_a_mistake_in_a_job_does_not_spoil_the_connection(db: Database) -> None:
    with pytest.raises(Exception, match="missing"):
        db.writer.run(lambda sql: sql.run("INSERT INTO missing VALUES (1)"))
    assert db.writer.run(insert(1)) == 1


def test_after_it_was_closed_the_writer_starts_anew(db: Database) -> None:
    db.writer.close()
    db.writer.close()
    assert db.writer.run(insert(1)) == 1


@pytest.mark.databases("sqlite")
def test_a_foreign_writer_is_waited_for(db: Database) -> None:
    foreign = db.connect()
    foreign.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, lambda: foreign.execute("COMMIT"))
    timer.start()
    db.writer.run(insert(1))
    timer.join()
    foreign.close()
    assert numbers(db) == [1]


@pytest.mark.databases("sqlite")
def test_a_foreign_writer_that_never_ends_is_answered_by_try_again_and_nothing_is_stored(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub.writer, "RETRY_FOR_S", 0.2)
    foreign = db.connect()
    foreign.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageUnavailable):
        db.writer.run(insert(1))
    foreign.execute("ROLLBACK")
    foreign.close()
    assert numbers(db) == []
    assert db.writer.run(insert(2)) == 1


@pytest.mark.databases("sqlite")
def test_whoever_comes_while_the_database_is_locked_waits_no_longer_than_the_first(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub.writer, "RETRY_FOR_S", 0.6)
    foreign = db.connect()
    foreign.execute("BEGIN IMMEDIATE")

    def wait(n: int) -> float:
        time.sleep(n * 0.1)
        began = time.monotonic()
        with pytest.raises(StorageUnavailable):
            db.writer.run(insert(n))
        return time.monotonic() - began

    with ThreadPoolExecutor(8) as pool:
        waited = list(pool.map(wait, range(8)))
    foreign.execute("ROLLBACK")
    foreign.close()
    assert max(waited) < 1.1
    assert min(waited) > 0.5
    assert db.writer.run(insert(9)) == 1
    assert numbers(db) == [9]


@pytest.mark.databases("sqlite")
def test_a_full_disk_is_said_at_once(db: Database) -> None:
    def full(_: Sql) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(StorageUnavailable) as raised:
        db.writer.run(full)
    assert raised.value.code == "storage_full"


@pytest.mark.databases("postgresql")
def test_a_lost_connection_is_replaced(db: Database) -> None:
    (pid,) = db.writer.run(lambda sql: sql.one("SELECT pg_backend_pid()")) or (0,)
    with db.sql() as sql:
        sql.one("SELECT pg_terminate_backend(?)", (pid,))
    assert db.writer.run(insert(1)) == 1


@pytest.mark.databases("postgresql")
def test_a_connection_lost_during_the_commit_is_not_reported_as_stored(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(sql: Sql) -> None:
        insert(1)(sql)
        (pid,) = sql.one("SELECT pg_backend_pid()") or (0,)
        with db.sql() as other:
            other.one("SELECT pg_terminate_backend(?, 5000)", (pid,))

    with pytest.raises(StorageUnavailable):
        db.writer.run(lost)
    assert numbers(db) == []


def test_locks_of_lines_named_in_any_order_do_not_block_each_other(db: Database, settings: Settings) -> None:
    other = Database(settings)
    with ThreadPoolExecutor(8) as pool:
        done = [
            pool.submit((db, other)[n % 2].writer.run, insert(n), lines=["one", "two"] if n % 4 < 2 else ["two", "one"])
            for n in range(40)
        ]
        assert [one.result() for one in done] == [1] * 40
    other.close()


def test_keys_that_two_processes_insert_in_opposite_orders_do_not_stop_each_other(
    db: Database, settings: Settings
) -> None:
    other, both = Database(settings), threading.Barrier(2)
    tries: list[int] = []

    def take(first: int, second: int) -> Any:
        def job(sql: Sql) -> None:
            tries.append(first)
            sql.run("INSERT INTO number VALUES (?) ON CONFLICT DO NOTHING", (first,))
            with suppress(threading.BrokenBarrierError):
                both.wait(0.5)
            sql.run("INSERT INTO number VALUES (?) ON CONFLICT DO NOTHING", (second,))

        return job

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(db.writer.run, take(1, 2), keys=["one", "two"])
        two = pool.submit(other.writer.run, take(2, 1), keys=["two", "one"])
        one.result()
        two.result()
    other.close()
    assert sorted(tries) == [1, 2], "one was stopped and had to begin again"
    assert numbers(db) == [1, 2]


def test_nothing_is_lost_between_many_threads_and_two_processes(db: Database, settings: Settings) -> None:
    other = Database(settings)
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda n: (db, other)[n % 2].writer.run(insert(n)), range(300)))
    other.close()
    assert numbers(db) == list(range(300))


@pytest.mark.parametrize(
    "reason", ["attempt to write a readonly database", "unable to open database file", "disk I/O error"]
)
def test_a_file_that_cannot_be_written_is_told_at_once_as_unavailable(db: Database, reason: str) -> None:
    def fail(_: Sql) -> None:
        raise sqlite3.OperationalError(reason)

    with pytest.raises(StorageUnavailable):
        db.writer.run(fail)
    assert db.writer.run(insert(1)) == 1


def test_a_mistake_in_a_statement_is_not_blamed_on_the_storage(db: Database) -> None:
    def fail(_: Sql) -> None:
        raise sqlite3.OperationalError("no such table: nothing")

    with pytest.raises(sqlite3.OperationalError):
        db.writer.run(fail)
