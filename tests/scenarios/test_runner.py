"""Runs as they are stored: taken by one process at a time, woken when there is news, given back when in trouble."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from connectors.errors import Temporary
from hub.clock import SECOND, now_us
from hub.core import Hub, make_hub
from hub.delivery import outbox
from hub.portals.models import Portal
from hub.scenarios import runner as runner_module
from hub.scenarios import store
from hub.settings import Settings
from hub.sql import Sql
from tests.scenarios.site import Site, give, greet, put

PAUSE = {"id": "wait", "type": "pause", "config": {"for_s": 60}}
ASK = {"id": "ask", "type": "http_request", "config": {"method": "POST", "url": "https://shop.test/"}}
LATER = 3600 * SECOND


@pytest.fixture
def site(hub: Hub, portal: Portal) -> Site:
    """One process."""
    assert portal.id is not None
    return Site(hub, portal.id)


@pytest.fixture
def other(settings: Settings, portal: Portal) -> Iterator[Site]:
    """Another process on the same database."""
    made = make_hub(settings)
    assert portal.id is not None
    yield Site(made, portal.id)
    made.close()


def start(site: Site, *nodes: dict[str, Any]) -> str:
    run_id = site.post(site.token(site.scenario(*nodes))).run_id
    assert run_id is not None
    return run_id


def claim(site: Site, run_id: str) -> store.RunRow | None:
    found = site.hub.db.writer.run(lambda sql: store.claim(sql, [run_id], owner=site.hub.owner))
    return found[0] if found else None


def settle(site: Site, state: str) -> None:
    """The only message there is gets to a state, as its sender would note it."""
    (message,) = site.column("SELECT id FROM message")

    def job(sql: Sql) -> None:
        sql.run("UPDATE message SET state = ?, head = FALSE WHERE id = ?", (state, message))
        outbox.wake_runs(sql, message, now_us())

    site.hub.db.writer.run(job)


def test_a_pause_is_given_back_until_its_time_and_then_goes_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = start(site, PAUSE, give(a="1"))
    assert site.carry_on() == 0
    assert site.run(run_id)["status"] == "waiting"
    site.hub.db.writer.run(lambda sql: sql.run("UPDATE run SET wake_at = ?", (now_us(),)))
    assert site.carry_on() == 1
    again = site.run(run_id)
    assert (again["status"], again["owner"]) == ("waiting", None)
    assert again["wake_at"] > now_us() + 50 * SECOND
    monkeypatch.setattr(runner_module, "now_us", lambda: now_us() + LATER)
    site.carry_on(at=now_us() + LATER)
    assert (site.run(run_id)["status"], site.run(run_id)["result"]) == ("completed", {"a": "1"})


def test_a_run_is_taken_once_however_many_want_it(site: Site, other: Site) -> None:
    run_id = start(site, PAUSE)
    with ThreadPoolExecutor(16) as pool:
        taken = list(pool.map(lambda n: claim((site, other)[n % 2], run_id), range(16)))
    assert sum(one is not None for one in taken) == 1


def test_due_runs_are_shared_out_and_each_goes_to_one(site: Site, other: Site) -> None:
    token = site.token(site.scenario(PAUSE))
    wanted = {site.post(token).run_id for _ in range(30)}
    due = now_us() + LATER

    def take(n: int) -> list[str]:
        who = (site, other)[n % 2]
        rows = who.hub.db.writer.run(lambda sql: store.claim_due(sql, owner=who.hub.owner, limit=5, now=due))
        return [run.id for run in rows]

    found: list[str] = []
    with ThreadPoolExecutor(8) as pool:
        while more := [run for chunk in pool.map(take, range(8)) for run in chunk]:
            found += more
    assert len(found) == 30
    assert set(found) == wanted


def test_who_lost_a_run_writes_nothing(site: Site, other: Site) -> None:
    site.line()
    run_id = start(site, PAUSE, greet())
    mine = claim(site, run_id)
    assert mine is not None
    site.hub.db.writer.run(lambda sql: store.free_dead(sql, [site.hub.owner], now_us()))
    theirs = claim(other, run_id)
    assert theirs is not None
    assert theirs.fence == mine.fence + 1
    site.hub.db.writer.run(lambda sql: store.fail(sql, mine, owner=site.hub.owner, now=1))
    site.hub.db.writer.run(lambda sql: store.release(sql, mine, owner=site.hub.owner, wake_at=1))
    assert site.runtime.runner.execute(mine) == []
    run = site.run(run_id)
    assert (run["status"], run["owner"]) == ("waiting", other.hub.owner)
    assert site.column("SELECT id FROM message") == []


def test_a_run_that_waits_for_a_message_goes_on_when_it_is_sent(site: Site) -> None:
    site.line()
    run_id = start(site, greet(wait_for="sent"), give(s="{{blocks.greet.status}}"))
    assert site.run(run_id)["awaits"] == site.column("SELECT id FROM message")[0]
    assert site.carry_on() == 0
    settle(site, "sent")
    assert site.carry_on() == 1
    assert site.run(run_id)["result"] == {"s": "sent"}


def test_a_message_that_failed_leaves_by_the_error_exit_or_fails_the_run(site: Site) -> None:
    site.line()
    run_id = start(site, greet(wait_for="sent"), give(s="never"))
    settle(site, "failed")
    site.carry_on()
    run = site.run(run_id)
    assert (run["status"], run["error"]["blame"]) == ("failed", "messenger")


def test_a_message_that_is_sent_while_its_run_looks_at_it_still_wakes_the_run(site: Site) -> None:
    site.line()
    wait = {"id": "wait", "type": "pause", "config": {}}
    wait["config"] = {"message_status": {"message": "{{blocks.greet.message_id}}", "status": "sent"}}
    run_id = start(site, greet(), wait, give(s="{{blocks.wait.reason}}"))
    looking = claim(site, run_id)
    assert looking is not None
    settle(site, "sent")
    site.hub.db.writer.run(
        lambda sql: store.release(sql, looking, owner=site.hub.owner, wake_at=now_us() + 86_400 * SECOND)
    )
    assert site.carry_on() == 1
    assert site.run(run_id)["result"] == {"s": "sent"}


# ---------------------------------------------------------------- outgoing calls


def perform(site: Site, performer: Any) -> None:
    site.runtime.runner._performers = {"http": lambda spec, _caller: performer(spec)}


def test_a_call_is_noted_before_it_is_made(site: Site) -> None:
    run_id = start(site, ASK, give(a="1"))
    seen: list[Any] = []

    def look(_: Any) -> dict[str, Any]:
        seen.append((site.run(run_id)["status"], site.column("SELECT status FROM step WHERE block = 'ask'")))
        return {"status": 200, "headers": {}, "body": "", "text": "", "ms": 1}

    perform(site, look)
    site.carry_on()
    assert seen == [("running", ["waiting"])]
    assert site.run(run_id)["status"] == "completed"


def test_a_call_that_a_crash_left_open_is_not_made_again_unless_it_may_be_repeated(site: Site, other: Site) -> None:
    run_id = start(site, ASK)
    mine = claim(site, run_id)
    assert mine is not None

    def crash(_: Any) -> None:
        raise SystemExit

    perform(site, crash)
    with pytest.raises(SystemExit):
        site.runtime.runner.execute(mine)
    calls: list[Any] = []
    perform(other, calls.append)
    other.hub.db.writer.run(lambda sql: store.free_dead(sql, [site.hub.owner], now_us()))
    assert other.carry_on() == 1
    assert calls == []
    run = other.run(run_id)
    assert (run["status"], run["error"]["block"]) == ("failed", "ask")


@pytest.mark.parametrize("error", [Temporary("503"), ZeroDivisionError("token 1:SECRET")])
def test_a_call_that_goes_wrong_is_the_blocks_error_and_never_stops_the_process(site: Site, error: Exception) -> None:
    run_id = start(site, ASK)

    def fail(_: Any) -> None:
        raise error

    perform(site, fail)
    assert site.carry_on() == 1
    run = site.run(run_id)
    assert (run["status"], run["owner"]) == ("failed", None)
    assert "SECRET" not in str(run)


# ---------------------------------------------------------------- shared variables


def test_runs_that_go_on_at_once_in_two_processes_lose_no_count(site: Site, other: Site) -> None:
    token = site.token(site.scenario(ASK, put(count="{{global.count | default: 0 | plus: 1}}")))
    for _ in range(16):
        site.post(token)
    response = {"status": 200, "headers": {}, "body": "", "text": "", "ms": 1}
    for one in (site, other):
        perform(one, lambda _: response)
    with ThreadPoolExecutor(8) as pool:
        done = sum(pool.map(lambda n: (site, other)[n % 2].carry_on(), range(8)))
    assert done == 16
    assert site.column("SELECT value FROM global_variable") == ["16"]


def test_a_run_whose_settings_never_hold_still_is_given_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = start(site, ASK)
    mine = claim(site, run_id)
    assert mine is not None
    monkeypatch.setattr(runner_module, "is_current", lambda *_: False)
    assert site.runtime.runner.execute(mine) == []
    run = site.run(run_id)
    assert run["owner"] is None
    assert run["wake_at"] is not None


def test_a_run_claimed_without_its_process_knowing_goes_on(site: Site, other: Site) -> None:
    run_id = start(site, PAUSE, give(a="1"))
    lost = claim(site, run_id)
    assert lost is not None
    other.runtime.recover()
    site.runtime.runner.hold([run_id])
    site.runtime.recover()
    assert site.run(run_id)["owner"] == site.hub.owner
    site.runtime.runner.drop(run_id)
    site.runtime.recover()
    run = site.run(run_id)
    assert run["owner"] is None
    assert run["wake_at"] <= now_us()
