"""A request at a link: kept whole, its run begun once, with the settings of that very moment."""

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from hub.core import Hub, make_hub
from hub.delivery import lines
from hub.endpoints import accepting
from hub.endpoints.intake import Gone, Kept
from hub.errors import StorageUnavailable
from hub.portals.models import Portal
from hub.scenarios import links, removal, variables, versions
from hub.scenarios.models import Constant
from hub.scenarios.state import State
from hub.settings import Settings
from hub.sql import Sql
from tests.processes import wait_until
from tests.scenarios.site import Site, give, greet, put


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


def test_a_request_is_kept_with_its_run_and_its_message(site: Site) -> None:
    site.line()
    token = site.token(site.scenario(greet(text="Order {{body.id}}"), give(sum="{{body.sum}}")))
    outcome = site.post(token, {"id": 7, "sum": "10"})
    assert (outcome.status, outcome.answer["status"]) == (200, "accepted")
    assert site.column("SELECT outcome FROM request") == ["run"]
    assert site.column("SELECT raw FROM request") == [b'{"id":7,"sum":"10"}']
    assert site.column("SELECT text FROM message WHERE state = 'queued' AND head") == ["Order 7"]
    assert site.run(outcome.run_id)["result"] == {"sum": "10"}


def test_an_unknown_token_leaves_nothing_behind(site: Site) -> None:
    with pytest.raises(Gone):
        site.post("nobody")
    assert site.column("SELECT id FROM request") == []


def test_a_refused_request_is_kept_with_its_reason(site: Site) -> None:
    token = site.token(site.scenario(give(a="1")))
    with pytest.raises(Kept) as raised:
        site.post(token, query="&template_id=999")
    assert (raised.value.refused.status, raised.value.refused.code) == (404, "scenario_mismatch")
    assert site.column("SELECT id FROM request WHERE outcome = 'refused'") == [raised.value.request_id]
    assert site.column("SELECT id FROM run") == []


def test_a_scenario_that_is_off_keeps_the_request_and_runs_nothing(site: Site) -> None:
    scenario_id = site.scenario(give(a="1"))
    token = site.token(scenario_id)
    with site.hub.db.write() as session:
        versions.set_enabled(session, site.hub, versions.get(session, site.portal_id, scenario_id), False)
    assert site.post(token).answer["status"] == "captured"
    assert site.post(token, wait=True).status == 409
    assert site.column("SELECT outcome FROM request") == ["captured", "captured"]


@pytest.mark.parametrize("wait", [False, True])
def test_a_run_that_begins_with_a_call_is_due_at_once_for_whoever_comes_first(site: Site, wait: bool) -> None:
    ask = {"id": "ask", "type": "http_request", "config": {"method": "POST", "url": "https://shop.test/"}}
    site.post(site.token(site.scenario(ask)), wait=wait)
    assert site.column("SELECT status FROM run WHERE owner IS NULL AND wake_at IS NOT NULL") == ["running"]
    (state,) = site.column("SELECT state FROM run")
    assert State.from_json(state).pending == {"kind": "perform", "repeatable": False, "begun": False}


# ---------------------------------------------------------------- other processes


def test_a_version_published_by_another_process_counts_for_the_next_request(site: Site, other: Site) -> None:
    scenario_id = site.scenario(give(version="one"))
    token = site.token(scenario_id)
    assert site.run(site.post(token).run_id)["result"] == {"version": "one"}
    other.scenario(give(version="two"), scenario_id=scenario_id)
    run = site.run(site.post(token).run_id)
    assert (run["result"], run["version"]) == ({"version": "two"}, 2)


def test_a_scenario_made_by_another_process_is_there_at_once(site: Site, other: Site) -> None:
    site.post(site.token(site.scenario(give(a="1"))))
    new = other.scenario(give(b="2"), name="New")
    assert site.run(site.post(other.token(new)).run_id)["result"] == {"b": "2"}


def test_a_link_rotated_without_grace_by_another_process_is_gone_at_once(site: Site, other: Site) -> None:
    scenario_id = site.scenario(give(a="1"))
    old = site.token(scenario_id)
    site.post(old)
    with other.hub.db.write() as session:
        links.rotate(session, other.hub, versions.get(session, other.portal_id, scenario_id), grace_days=0)
    with pytest.raises(Gone):
        site.post(old)
    assert site.post(other.token(scenario_id)).status == 200


def test_a_scenario_deleted_by_another_process_is_gone_at_once(site: Site, other: Site) -> None:
    scenario_id = site.scenario(give(a="1"))
    token = site.token(scenario_id)
    site.post(token)
    with other.hub.db.write() as session:
        removal.delete(session, versions.get(session, other.portal_id, scenario_id))
    with pytest.raises(Gone):
        site.post(token)


def test_a_line_and_a_constant_of_another_process_count_for_the_next_request(site: Site, other: Site) -> None:
    line_id = site.line()
    token = site.token(site.scenario(greet(text="{{const.greeting}}")))
    site.post(token)
    with other.hub.db.write() as session:
        variables.put(session, Constant, other.portal_id, "greeting", "Good day")
        line = lines.get(session, other.portal_id, line_id)
        lines.pause(session, line)
    site.post(token)
    assert site.column("SELECT text FROM message ORDER BY seq DESC")[0] == "Good day"


# ---------------------------------------------------------------- at the same time


def test_twenty_requests_with_one_event_key_at_once_begin_one_run(site: Site, other: Site) -> None:
    site.line()
    token = site.token(site.scenario(greet(), start={"event_key": "body.order"}))
    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(lambda n: (site, other)[n % 2].post(token, {"order": 5, "n": n}), range(20)))
    assert [one.status for one in outcomes] == [200] * 20
    assert len({one.run_id for one in outcomes}) == 1
    assert sum(one.duplicate for one in outcomes) == 19
    assert len(site.column("SELECT id FROM run")) == len(site.column("SELECT id FROM message")) == 1
    assert len(site.column("SELECT id FROM request WHERE outcome = 'duplicate'")) == 19


def test_a_duplicate_with_another_body_is_noted(site: Site) -> None:
    token = site.token(site.scenario(give(a="1"), start={"event_key": "body.order"}))
    site.post(token, {"order": 5, "n": 1})
    site.post(token, {"order": 5, "n": 2})
    (warnings,) = site.column("SELECT warnings FROM request WHERE outcome = 'duplicate'")
    assert "duplicate_differs" in warnings


def test_a_global_variable_counted_by_many_at_once_loses_nothing(site: Site, other: Site) -> None:
    token = site.token(site.scenario(put(count="{{global.count | default: 0 | plus: 1}}")))
    with ThreadPoolExecutor(24) as pool:
        outcomes = list(pool.map(lambda n: (site, other)[n % 2].post(token), range(48)))
    assert [site.run(one.run_id)["status"] for one in outcomes] == ["completed"] * 48
    assert site.column("SELECT value FROM global_variable") == ["48"]


def test_settings_that_never_hold_still_answer_try_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    token = site.token(site.scenario(give(a="1")))
    monkeypatch.setattr(accepting, "settings_stamps", lambda *_: {})
    with pytest.raises(StorageUnavailable):
        site.post(token)
    assert site.column("SELECT id FROM request") == []


def test_requests_that_are_stored_together_keep_their_places_and_their_own_answers(site: Site) -> None:
    """Two of one chat, one of another, one whose event is known, one of another scenario."""
    site.line()
    send = greet(chat_id="{{body.chat}}", text="{{body.n}}")
    token = site.token(site.scenario(send, start={"event_key": "key"}))
    late = site.token(site.scenario(greet(chat_id="9", text="late"), name="Late"))
    known = site.post(token, {"key": "old", "chat": "3", "n": "0"})
    assert not site.post(late).duplicate  # from here on nobody's settings are out of date
    busy, go = threading.Event(), threading.Event()

    def hold(sql: Sql) -> None:
        busy.set()
        go.wait(10)

    bodies = [
        {"key": "a", "chat": "1", "n": "1"},
        {"key": "b", "chat": "1", "n": "2"},
        {"key": "c", "chat": "2", "n": "3"},
        {"key": "old", "chat": "3", "n": "4"},
    ]
    with ThreadPoolExecutor(6) as pool:
        held = pool.submit(site.hub.db.writer.run, hold)
        assert busy.wait(5)
        posted = []
        for number, body in enumerate(bodies):
            posted.append(pool.submit(site.post, token, body))
            wait_until(lambda: site.hub.db.writer._queue.qsize() == number + 1)  # noqa: B023
        posted.append(pool.submit(site.post, late))
        go.set()
        held.result()
        answers = [one.result().answer for one in posted]
    assert [one["status"] for one in answers] == ["accepted"] * 3 + ["duplicate", "accepted"]
    assert answers[3]["run"] == known.run_id
    for body, answer in zip(bodies[:3], answers, strict=False):
        assert site.column("SELECT text FROM message WHERE run_id = ?", (answer["run"],)) == [body["n"]]
        assert site.column("SELECT outcome FROM request WHERE id = ?", (answer["request"],)) == ["run"]
    assert site.column("SELECT text FROM message WHERE chat_id IN ('1', '2') ORDER BY seq") == ["1", "2", "3"]
    assert sorted(site.column("SELECT text FROM message WHERE head")) == ["0", "1", "3", "late"]
    assert site.column("SELECT scenario_id FROM message WHERE scenario_id IS NULL") == []


# ---------------------------------------------------------------- the results link


def test_the_results_link_claims_its_message_as_it_makes_it(site: Site) -> None:
    site.line()
    token = site.token(site.scenario(greet()))
    first, second = site.post(token, wait=True), site.post(token, wait=True)
    assert [one.attempt for one in first.claimed] == [1]
    assert second.claimed == ()
    assert site.column("SELECT state FROM message ORDER BY seq") == ["sending", "queued"]
    assert site.run(first.run_id)["status"] == "waiting"


def test_what_breaks_while_storing_leaves_neither_request_nor_key(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    token = site.token(site.scenario(give(a="1"), start={"event_key": "body.order"}))

    def broken(*_: object, **__: object) -> None:
        raise LookupError("no")

    with monkeypatch.context() as patch, contextlib.suppress(LookupError):
        patch.setattr(accepting.new_runs, "insert_all", broken)
        site.post(token, {"order": 5})
    assert site.column("SELECT id FROM request") == []
    assert not site.post(token, {"order": 5}).duplicate
