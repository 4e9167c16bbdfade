"""Whoever waits at the results link has his message sent, and his run carried on, by the process that he called."""

import time
from typing import Any

import pytest

from hub.clock import SECOND, now_us, rfc3339
from hub.core import Hub
from hub.delivery import lines
from hub.endpoints.waiting import Waiting
from hub.portals.models import Portal
from hub.sandbox.faults import Fault
from hub.sandbox.server import Sandbox
from hub.scenarios import store
from hub.sql import Sql
from tests.scenarios.site import Site, give, greet


@pytest.fixture
def site(hub: Hub, portal: Portal, sandbox: Sandbox) -> Site:
    """A process with a line to a simulated messenger."""
    assert portal.id is not None
    config = {"token": "1:A", "api_url": f"{sandbox.url}/telegram"}
    with hub.db.write() as session:
        lines.create(session, hub, portal.id, name="Sales", channel="telegram", config=config)
    return Site(hub, portal.id)


@pytest.fixture
def waiting(site: Site) -> Waiting:
    """What answers at its results links; no bell rings."""
    runtime = site.runtime
    return Waiting(site.hub, runtime.runner, runtime.postman, most=10, wait=lambda _s: False, stopping=lambda: False)


def asked(site: Site) -> str:
    """The token of a scenario that sends, waits until that is done, and answers what became of the message."""
    became = give(state="{{blocks.greet.status}}", at="{{blocks.greet.sent_at}}")
    return site.token(site.scenario(greet(wait_for="sent"), became))


def test_what_became_of_a_message_and_what_its_run_did_next_are_stored_together(
    site: Site, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = site.post(asked(site), wait=True)
    jobs: list[object] = []
    writer = site.hub.db.writer

    def counting(write: Any) -> Any:
        def counted(job: Any, *item: Any, **more: Any) -> Any:
            jobs.append(job)
            return write(job, *item, **more)

        return counted

    monkeypatch.setattr(writer, "run", counting(writer.run))
    monkeypatch.setattr(writer, "run_many", counting(writer.run_many))
    answer = waiting.follow(outcome, now_us() + 10 * SECOND)
    assert (answer.status, len(jobs)) == (200, 1)
    (sent_at,) = site.column("SELECT sent_at FROM message")
    assert answer.body["data"] == {"state": "sent", "at": rfc3339(sent_at)}
    assert site.column("SELECT outcome FROM attempt") == ["sent"]


def test_a_run_is_its_makers_only_while_he_sends_what_it_waits_for(site: Site, waiting: Waiting) -> None:
    token = asked(site)
    first, second = site.post(token, wait=True), site.post(token, wait=True)
    assert [site.run(one.run_id)["owner"] for one in (first, second)] == [site.hub.owner, None]
    site.runtime.recover()
    assert site.run(first.run_id)["owner"] == site.hub.owner
    waiting.follow(first, now_us() + 10 * SECOND)
    assert (site.run(first.run_id)["owner"], site.run(first.run_id)["status"]) == (None, "completed")
    assert site.runtime.runner.in_hand == set()


def test_a_run_whose_process_dies_while_it_sends_is_carried_on_by_another(site: Site) -> None:
    outcome = site.post(asked(site), wait=True)
    now = now_us()

    def free(sql: Sql) -> None:
        site.runtime.postman.settle_abandoned(sql, [site.hub.owner])
        store.free_dead(sql, [site.hub.owner], now)

    site.hub.db.writer.run(free)
    assert site.carry_on() == 1
    assert site.run(outcome.run_id)["owner"] is None
    assert site.column("SELECT outcome FROM attempt") == ["unconfirmed"]


def test_what_became_of_a_message_is_stored_though_its_run_breaks(
    site: Site, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = site.post(asked(site), wait=True)
    with monkeypatch.context() as patch:
        patch.setattr(site.runtime.runner, "execute", lambda *_, **__: 1 / 0)
        assert waiting.follow(outcome, now_us() + 10 * SECOND).status == 202
    assert site.column("SELECT state FROM message") == ["sent"]
    site.runtime.recover()
    assert site.carry_on() == 1
    assert site.run(outcome.run_id)["status"] == "completed"


def test_a_run_whose_message_is_to_be_tried_again_waits_on_without_its_maker(
    site: Site, waiting: Waiting, sandbox: Sandbox
) -> None:
    sandbox.board.add(Fault("429", seconds=60))
    outcome = site.post(asked(site), wait=True)
    assert waiting.follow(outcome, now_us()).status == 202
    assert site.column("SELECT state FROM message") == ["queued"]
    run = site.run(outcome.run_id)
    assert (run["status"], run["owner"]) == ("waiting", None)
    assert site.runtime.runner.in_hand == set()


def test_a_message_made_between_two_calls_after_the_caller_left_is_sent_without_recovering_it(
    site: Site, waiting: Waiting
) -> None:
    first = {"id": "first", "type": "http_request", "config": {"method": "POST", "url": "https://shop.test/"}}
    outcome = site.post(site.token(site.scenario(first, greet(), first | {"id": "second"}, give(a="1"))), wait=True)
    until = now_us() + SECOND // 5
    claimed: list[Any] = []

    def call(_spec: Any, _caller: Any) -> dict[str, Any]:
        claimed.extend(site.column("SELECT state FROM message"))
        while now_us() <= until:
            time.sleep(0.01)
        return {"status": 200, "headers": {}, "body": "", "text": "", "ms": 1}

    site.runtime.runner._performers = {"http": call}
    assert waiting.follow(outcome, until).status == 200
    assert claimed == ["queued"]
    assert site.column("SELECT state FROM message WHERE owner IS NULL") == ["queued"]
