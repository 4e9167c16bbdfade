"""What is older than it is kept goes, in small pieces; what is under way or in trouble stays."""

import threading
import time
from typing import Any

import pytest

from hub.clock import now_us
from hub.core import Hub
from hub.db import Database
from hub.portals.models import Portal
from hub.settings import Settings
from hub.upkeep import chores, outdated, retention
from tests.scenarios.site import Site, give, greet
from tests.upkeep.rows import DAY, fill

TABLES = ("request", "run", "step", "message", "attempt", "event_key", "notice", "chat_pace")


class Unhurried(threading.Event):
    """Never waits, and adds up how long it should have."""

    waited_s = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        self.waited_s += timeout or 0
        return self.is_set()


@pytest.fixture
def site(hub: Hub, portal: Portal) -> Site:
    assert portal.id is not None
    made = Site(hub, portal.id)
    made.line()
    return made


def run(site: Site, state: str = "sent", **more: Any) -> str:
    """A request that made a run with one message, which is brought into a state; gives the run's id."""
    run_id = site.post(site.token(site.scenario(greet(), give(a="1"), name=state + str(more))), {"id": 1}).run_id
    assert run_id is not None
    site.carry_on()  # a busy machine may have cut the first advance short
    changes = {"state": state, "head": state in ("queued", "sending"), "ended_at": now_us()} | more

    def job(sql: Any) -> None:
        names = ", ".join(f"{name} = ?" for name in changes)
        sql.run(f"UPDATE message SET {names} WHERE run_id = ?", (*changes.values(), run_id))
        sql.run(
            "INSERT INTO attempt (message_id, n, owner, started_at, code, message)"
            " SELECT id, 1, 'w', created_at, '', '' FROM message WHERE run_id = ?",
            (run_id,),
        )

    site.hub.db.writer.run(job)
    return run_id


def counts(site: Site) -> dict[str, int]:
    """How many rows there are, tables without any left out."""
    with site.hub.db.sql() as sql:
        rows = {table: sql.all(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}
    return {table: rows for table, rows in rows.items() if rows}


def prune(site: Site, days: float, **more: Any) -> dict[str, int]:
    """As it would be done that many days from now."""
    now = now_us() + int(days * DAY)
    return retention.prune(site.hub, now=now, stop=more.pop("stop", Unhurried()), within_s=more.pop("within_s", 60))


def test_a_request_goes_with_all_that_came_of_it_when_its_time_is_over(site: Site) -> None:
    run(site)
    before = counts(site)
    assert prune(site, 29) == {}
    assert counts(site) == before
    assert prune(site, 31) == {"messages": 2, "runs": 4, "requests": 1}
    assert counts(site) == {}


@pytest.mark.parametrize("state", ["failed", "expired", "undelivered", "unconfirmed", "cancelled", "delivered", "read"])
def test_every_message_that_is_over_goes_in_time(site: Site, state: str) -> None:
    run(site, state)
    prune(site, 31)
    assert counts(site) == {}


@pytest.mark.parametrize("state", ["queued", "sending"])
def test_a_message_that_is_under_way_keeps_its_run_and_its_request(site: Site, state: str) -> None:
    run(site, state, ended_at=None)
    before = counts(site)
    assert prune(site, 500) == {}
    assert counts(site) == before


@pytest.mark.parametrize("status", ["queued", "running", "waiting"])
def test_a_run_that_is_not_over_keeps_its_request_and_its_steps(site: Site, status: str) -> None:
    run_id = run(site)
    site.hub.db.writer.run(lambda sql: sql.run("UPDATE run SET status = ?, ended_at = NULL", (status,)))
    assert prune(site, 500) == {"messages": 2}
    left = counts(site)
    assert (left["request"], left["run"], left["step"]) == (1, 1, 3)
    assert site.run(run_id)["status"] == status


def test_a_run_that_waited_for_long_is_kept_from_its_end(site: Site) -> None:
    run(site)
    site.hub.db.writer.run(lambda sql: sql.run("UPDATE run SET ended_at = ended_at + ?", (20 * DAY,)))
    assert prune(site, 45) == {"messages": 2}
    assert prune(site, 51) == {"runs": 4, "requests": 1}


def test_what_ended_in_trouble_lately_is_kept_with_its_run_however_old_it_is(site: Site) -> None:
    run(site, "undelivered", ended_at=now_us() + 20 * DAY)
    run(site, "sent")
    prune(site, 45)
    left = counts(site)
    assert (left["request"], left["run"], left["message"], left["attempt"]) == (1, 1, 1, 1)
    prune(site, 51)
    assert counts(site) == {}


def test_requests_that_started_nothing_go_too(site: Site) -> None:
    token = site.token(site.scenario(give(a="1")))
    site.post(token, {})
    site.carry_on()
    site.hub.db.writer.run(lambda sql: sql.run("UPDATE request SET outcome = 'captured', run_id = NULL"))
    site.hub.db.writer.run(lambda sql: sql.run("DELETE FROM run"))
    assert prune(site, 31)["requests"] == 1


def test_a_replay_keeps_the_request_that_it_runs_on(site: Site) -> None:
    old = run(site)
    site.hub.db.writer.run(
        lambda sql: sql.run(
            "INSERT INTO run (id, portal_id, scenario_id, version_id, version, request_id, status, state, warnings,"
            " fence, dry, created_at, ended_at) SELECT 'ff', portal_id, scenario_id, version_id, version, request_id,"
            " status, state, warnings, 1, FALSE, created_at + ?, ended_at + ? FROM run WHERE id = ?",
            (25 * DAY, 25 * DAY, old),
        )
    )
    prune(site, 31)
    left = counts(site)
    assert (left["request"], left["run"]) == (1, 1)


def test_a_portal_keeps_for_as_long_as_it_says(site: Site) -> None:
    run(site)
    site.hub.db.writer.run(lambda sql: sql.run("UPDATE portal SET retention_days = 3"))
    assert prune(site, 2.9) == {}
    assert prune(site, 3.1)["requests"] == 1


def test_another_portal_that_keeps_for_longer_loses_nothing(site: Site) -> None:
    run(site)
    site.hub.db.writer.run(
        lambda sql: sql.run(
            "INSERT INTO portal (id, member_id, state, installed_at, scopes, time_zone, language, retention_days)"
            " VALUES (77, 'other', 'active', 1, '[]', 'Europe/Moscow', 'ru', 90)"
        )
    )
    for table in ("request", "run", "message"):
        site.hub.db.writer.run(lambda sql, table=table: sql.run(f"UPDATE {table} SET portal_id = 77"))
    assert prune(site, 89) == {}
    assert prune(site, 91)["requests"] == 1


def test_event_keys_stay_for_seven_days_whatever_else_goes(site: Site) -> None:
    site.hub.db.writer.run(lambda sql: sql.run("UPDATE portal SET retention_days = 3"))
    token = site.token(site.scenario(give(a="1"), start={"event_key": "id"}))
    first = site.post(token, {"id": 5})
    site.carry_on()
    assert prune(site, 6.9) == {"runs": 3, "requests": 1}
    again = site.post(token, {"id": 5})
    assert (again.duplicate, again.run_id) == (True, first.run_id)
    assert prune(site, 7.1) == {"requests": 1, "event_keys": 1}


def test_rates_of_chats_and_notices_that_are_over_go_as_well(site: Site) -> None:
    def job(sql: Any) -> None:
        sql.run("INSERT INTO chat_pace (line_id, chat_id, tat) VALUES ('l', 'c', ?)", (now_us(),))
        for number, portal_id, closed_at in ((1, 0, now_us()), (2, site.portal_id, now_us()), (3, 0, None)):
            sql.run(
                "INSERT INTO notice (id, portal_id, cause, subject, params, opened_at, last_at, told_at, count,"
                " closed_at) VALUES (?, ?, 'late', ?, '{}', 1, 1, 1, 1, ?)",
                (str(number), portal_id, str(number), closed_at),
            )

    site.hub.db.writer.run(job)
    assert prune(site, 0.03) == {}
    assert prune(site, 0.05) == {"chat_paces": 1}
    assert prune(site, 31) == {"notices": 2}
    assert counts(site) == {"notice": 1}


# ---------------------------------------------------------------- in small pieces


def test_no_transaction_deletes_more_than_500_rows_or_a_few_megabytes(site: Site) -> None:
    fill(site.hub, site.portal_id, 1200)
    site.hub.db.writer.run(lambda sql: sql.run("UPDATE request SET size = ?", (1 << 20,)))
    sizes: dict[str, list[int]] = {}
    for kind in outdated.everything({site.portal_id: 30}, 30, now=now_us()):
        cursor, more = kind.start, True
        while more:
            with site.hub.db.sql() as sql:
                found = kind.find(sql, cursor)
            cursor, more = found.cursor, found.more
            if found.keys:
                rows = site.hub.db.writer.run(lambda sql, kind=kind, keys=found.keys: kind.delete(sql, keys))
                sizes.setdefault(kind.name, []).append(rows)
    assert {name: sum(rows) for name, rows in sizes.items()} == {"messages": 3600, "runs": 4800, "requests": 1200}
    assert max(sizes["messages"]) <= 500
    assert max(sizes["runs"]) <= 500
    assert max(sizes["requests"]) <= 5
    assert counts(site) == {}


def test_a_message_that_is_sent_again_while_it_is_being_deleted_stays(site: Site) -> None:
    run(site, "failed")
    kinds = outdated.everything({site.portal_id: 30}, 30, now=now_us() + 31 * DAY)
    kind, found = next((kind, found) for kind in kinds if (found := find(site, kind)).keys)
    site.hub.db.writer.run(lambda sql: sql.run("UPDATE message SET state = 'queued', head = TRUE"))
    assert site.hub.db.writer.run(lambda sql: kind.delete(sql, found.keys)) == 0
    assert counts(site)["attempt"] == 1


def find(site: Site, kind: outdated.Outdated) -> outdated.Found:
    with site.hub.db.sql() as sql:
        return kind.find(sql, kind.start)


def test_the_work_takes_a_fifth_of_the_time_at_most(site: Site) -> None:
    fill(site.hub, site.portal_id, 600)
    stop = Unhurried()
    began = time.monotonic()
    prune(site, 0, stop=stop)
    assert counts(site) == {}
    # What it did beside deleting, as looking for what is left, is not followed by a pause.
    assert stop.waited_s >= 2 * (time.monotonic() - began)


def test_what_is_not_done_in_time_is_said_and_done_in_the_next_turn(site: Site) -> None:
    fill(site.hub, site.portal_id, 600)
    retention.turn(site.hub, Unhurried())
    stopped = Unhurried()
    stopped.set()
    fill(site.hub, site.portal_id, 10)
    assert prune(site, 0, stop=stopped) == {}
    with site.hub.db.sql() as sql:
        assert chores.last(sql, retention.NAME)[1] == {"deleted": {}, "complete": False}
    assert retention.turn(site.hub, Unhurried()) is None
    site.hub.db.writer.run(lambda sql: sql.run("UPDATE chore SET begun_at = 0"))
    assert retention.turn(site.hub, Unhurried()) == {"messages": 30, "runs": 40, "requests": 10}
    with site.hub.db.sql() as sql:
        done_at, result = chores.last(sql, retention.NAME)
    assert done_at is not None
    assert result["complete"] is True


def test_nothing_is_deleted_while_commits_are_slow(site: Site, settings: Settings, database: str) -> None:
    fill(site.hub, site.portal_id, 50)
    stop = threading.Event()
    retention.turn(site.hub, Unhurried())
    fill(site.hub, site.portal_id, 50)
    database_of_another = Database(settings)
    connection = database_of_another.connect()
    connection.execute("BEGIN IMMEDIATE" if database == "sqlite" else "BEGIN")
    connection.execute("UPDATE chore SET owner = 'somebody'")
    deleted: list[dict[str, int]] = []
    thread = threading.Thread(target=lambda: deleted.append(prune(site, 0, stop=stop)))
    thread.start()
    stop.wait(retention.SLOW_S + 0.3)
    connection.execute("COMMIT")
    connection.close()
    database_of_another.close()
    stop.wait(0.5)
    stop.set()
    thread.join(15)
    assert deleted == [{}]
    assert counts(site)["message"] == 50
