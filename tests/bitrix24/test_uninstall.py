"""A portal takes the application away: nothing of it is used from then on, and what it leaves is erased."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from connectors.bitrix24.errors import Disconnected
from hub.accounts.keys import create_key
from hub.bitrix24 import registrations, uninstall
from hub.bitrix24.client import Bitrix24
from hub.bitrix24.desk import check
from hub.clock import now_us
from hub.core import Hub
from hub.delivery import lines
from hub.sandbox.bitrix24.server import DEMO_CLIENT_ID
from hub.scenarios import versions
from hub.upkeep import belongings, erasure
from tests.bitrix24.conftest import Connected, Visitor, connect, control, token_in
from tests.scenarios.site import Site, greet

CANARIES = ("+79990001122", "Canary the customer", "canary-text-of-a-message", "1:canary-token-of-a-line")


@pytest.fixture
def busy(connected: Connected, sandbox: Any) -> Connected:
    """A portal with a line, a scenario, a run that waits, messages in the queue and customers' data in every place."""
    site = Site(connected.hub, connected.portal_id)
    with connected.hub.db.write() as session:
        config = {"token": CANARIES[3], "api_url": f"{sandbox.url}/telegram"}
        lines.create(session, connected.hub, connected.portal_id, name="Sales", channel="telegram", config=config)
    pause = {"id": "pause", "type": "pause", "config": {"for_s": 3600}}
    scenario = site.scenario(greet(text="{{text}} for {{name}}"), pause)
    token = site.token(scenario)
    for number in range(3):
        site.post(token, {"text": CANARIES[2], "name": CANARIES[1], "phone": CANARIES[0], "n": number})
    with connected.hub.db.write() as session:
        create_key(session, connected.portal_id, "of the portal")
    return connected


def count(connected: Connected, query: str) -> int:
    return int(connected.one(f"SELECT count(*) FROM {query}"))


def drain(hub: Hub) -> None:
    """Let the worker's turns erase all that is due."""
    for _ in range(20):
        if not erasure.turn(hub, threading.Event()):
            return
    raise AssertionError("erasing never ends")


def test_everything_stops_in_the_transaction_of_the_answer(busy: Connected) -> None:
    mine = f"WHERE portal_id = {busy.portal_id}"
    assert count(busy, f"message {mine} AND state = 'queued'") == 3
    assert count(busy, f"run {mine} AND status = 'waiting'") == 3
    begun = time.monotonic()
    uninstall.uninstall(busy.hub, busy.portal_id, clean=False)
    assert time.monotonic() - begun < 1.0
    assert busy.state() == "uninstalled"
    assert count(busy, f"message {mine} AND state <> 'cancelled'") == 0
    assert count(busy, f"run {mine} AND status <> 'cancelled'") == 0
    assert count(busy, f"bitrix24_token {mine}") == 0
    assert count(busy, f"api_key {mine}") == 0
    assert busy.one(f"SELECT application_token_sealed FROM bitrix24_connection {mine}") == ""
    assert busy.one(f"SELECT config_sealed FROM line {mine}") == ""
    made = len(busy.calls())
    with pytest.raises(Disconnected):
        busy.client.call("profile")
    assert len(busy.calls()) == made


def test_the_portals_own_links_are_gone_at_once(busy: Connected) -> None:
    from hub.endpoints.intake import Gone

    site = Site(busy.hub, busy.portal_id)
    (scenario,) = site.column("SELECT id FROM scenario")
    token = site.token(scenario)
    site.post(token, {"n": 9})
    uninstall.uninstall(busy.hub, busy.portal_id, clean=False)
    with pytest.raises(Gone):
        site.post(token, {"n": 10})


def test_links_of_a_portal_whose_token_died_go_on(busy: Connected) -> None:
    site = Site(busy.hub, busy.portal_id)
    (scenario,) = site.column("SELECT id FROM scenario")
    token = site.token(scenario)
    busy.hub.db.writer.run(lambda sql: sql.run("UPDATE portal SET state = 'needs_reauth'"))
    busy.hub.db.writer.run(lambda sql: sql.run("UPDATE stamp SET config = config + 1"))
    assert site.post(token, {"n": 9}).status == 200


def test_what_is_about_people_is_erased_and_scenarios_wait_for_the_portal_to_come_back(busy: Connected) -> None:
    uninstall.uninstall(busy.hub, busy.portal_id, clean=False)
    drain(busy.hub)
    for belonging in belongings.of_reach(clean=False):
        rows = busy.one(f"SELECT count(*) FROM {belonging.name} WHERE {belonging.condition}", busy.portal_id)
        assert rows == 0, belonging.name
    assert count(busy, f"scenario WHERE portal_id = {busy.portal_id}") == 1
    orders = "SELECT count(*) FROM bitrix24_erasure WHERE done_at IS"
    assert (busy.one(f"{orders} NULL"), busy.one(f"{orders} NOT NULL")) == (1, 1)
    # A month later the rest goes.
    busy.hub.db.writer.run(lambda sql: sql.run("UPDATE bitrix24_erasure SET due_at = 1 WHERE done_at IS NULL"))
    drain(busy.hub)
    assert busy.one("SELECT count(*) FROM portal WHERE id = ?", busy.portal_id) == 0


def test_with_clean_nothing_is_left_in_the_files_but_the_proof(busy: Connected, database: str) -> None:
    other = busy.simulator.add_portal()
    second = connect(busy.hub, busy.simulator, other)
    try:
        before = _rows_of(second)
        uninstall.uninstall(busy.hub, busy.portal_id, clean=True)
        drain(busy.hub)
        assert _rows_of(second) == before
    finally:
        del busy.simulator.cloud.portals[other.member_id]
    assert busy.one("SELECT count(*) FROM portal WHERE id = ?", busy.portal_id) == 0
    proof = busy.one("SELECT counts FROM bitrix24_erasure WHERE done_at IS NOT NULL")
    assert '"message":3' in proof
    assert busy.portal.member_id not in str(_dump(busy))
    if database == "sqlite":
        folder = Path(str(busy.hub.db._path)).parent
        raw = b"".join(file.read_bytes() for file in folder.glob("*.db*"))
        assert not [canary for canary in CANARIES if canary.encode() in raw]


def test_an_interrupted_erasure_goes_on_and_counts_every_row_once(
    busy: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(belongings, "BATCH", 2)
    uninstall.uninstall(busy.hub, busy.portal_id, clean=True)
    stop = threading.Event()
    real, calls = belongings.Belonging.erase, [0]

    def erase(self: belongings.Belonging, sql: Any, portal_id: int) -> int:
        rows = real(self, sql, portal_id)
        calls[0] += bool(rows)
        if calls[0] == 2:
            stop.set()
        return rows

    monkeypatch.setattr(belongings.Belonging, "erase", erase)
    assert erasure.turn(busy.hub, stop) == 0
    assert busy.one("SELECT count(*) FROM portal WHERE id = ?", busy.portal_id) == 1
    busy.hub.db.writer.run(lambda sql: sql.run("UPDATE chore SET begun_at = 0"))  # as after its lease
    drain(busy.hub)
    assert busy.one("SELECT count(*) FROM portal WHERE id = ?", busy.portal_id) == 0
    assert '"request":3' in busy.one("SELECT counts FROM bitrix24_erasure")


def test_every_table_says_whose_its_rows_are() -> None:
    """A new table either belongs to portals, by itself or by a parent, or is named as shared."""
    from hub.schema import metadata

    reached = {belonging.name for belonging in belongings.everything()} | belongings.SHARED
    assert reached == set(metadata.tables)


def test_a_portal_that_comes_back_finds_its_scenarios(visitor: Visitor, hub: Hub) -> None:
    first = visitor.install()
    token = token_in(visitor.open(first))
    visitor.take_all(token)
    visitor.finish(first)
    portal_id = _portal_id(hub)
    Site(hub, portal_id).scenario({"id": "give", "type": "return_result", "config": {"values": {"a": "1"}}})
    uninstall.uninstall(hub, portal_id, clean=False)
    drain(hub)
    control(visitor.simulator, "uninstall", clean=False)
    again = visitor.install()
    shown = visitor.take_all(token_in(visitor.open(again)))
    assert shown["may_finish"]
    assert _portal_id(hub) == portal_id
    with hub.db.read() as session:
        assert [scenario.enabled for scenario in versions.all_of(session, portal_id)] == [True]
    with hub.db.sql() as sql:
        assert sql.one("SELECT count(*) FROM bitrix24_erasure WHERE done_at IS NULL") == (0,)


def test_a_portal_that_comes_back_after_a_removal_nobody_heard_of_is_installed_whole(visitor: Visitor) -> None:
    first = visitor.install()
    visitor.take_all(token_in(visitor.open(first)))
    visitor.finish(first)
    visitor.open(visitor.frame())
    control(visitor.simulator, "uninstall", clean=False)
    again = visitor.install()
    shown = visitor.take_all(token_in(visitor.open(again)))
    assert shown["may_finish"]
    (installation,) = visitor.simulator.portal.installations.values()
    assert len(installation.handlers) == len(registrations.LIFECYCLE_EVENTS) + len(registrations.CRM_EVENTS)
    assert len(installation.placements) == len(registrations.PLACEMENTS)


def test_a_portal_that_comes_back_while_it_is_erased_has_to_wait(visitor: Visitor, hub: Hub) -> None:
    visitor.open(visitor.install())
    uninstall.uninstall(hub, _portal_id(hub), clean=True)
    page = visitor.open(visitor.frame())
    assert page.status_code == 409
    drain(hub)
    assert visitor.open(visitor.frame()).status_code == 200


def test_the_sessions_of_the_portal_end_with_it(visitor: Visitor, hub: Hub) -> None:
    token = token_in(visitor.open(visitor.install()))
    headers = {"Authorization": f"Bearer {token}"}
    assert visitor.client.get("/api/v1/scenarios", headers=headers).status_code == 200
    uninstall.uninstall(hub, _portal_id(hub), clean=False)
    assert visitor.client.get("/api/v1/scenarios", headers=headers).status_code == 401
    assert visitor.steps(token).status_code == 401


def test_a_removal_that_nobody_told_us_is_noticed_after_two_weeks_of_dead_tokens(connected: Connected) -> None:
    connected.expire(refresh=True)
    connected.tokens_end()
    with pytest.raises(Disconnected):
        connected.client.call("profile")
    check(connected.bitrix24, connected.portal_id)
    assert connected.state() == "needs_reauth"
    long_ago = now_us() - 15 * uninstall.DAY
    connected.hub.db.writer.run(lambda sql: sql.run("UPDATE bitrix24_token SET updated_at = ?", (long_ago,)))
    check(connected.bitrix24, connected.portal_id)
    assert connected.state() == "uninstalled"


@pytest.mark.parametrize(("clean", "orders"), [("1", 1), ("0", 2)])
def test_the_portals_own_word_ends_it_and_a_late_call_of_a_messenger_is_answered(
    visitor: Visitor, hub: Hub, clean: str, orders: int
) -> None:
    first = visitor.install()
    token = token_in(visitor.open(first))
    visitor.take_all(token)
    visitor.finish(first)
    portal_id = _portal_id(hub)
    with hub.db.write() as session:
        line = lines.create(session, hub, portal_id, name="S", channel="telegram", config={"token": "1:A"})
        report = str(lines.to_dict(hub, line, 0)["webhook_url"])
    control(visitor.simulator, "uninstall", clean=clean == "1")
    assert visitor.simulator.cloud.queue.wait_idle(10)
    (posted,) = [row for row in visitor.simulator.cloud.queue.deliveries() if row.name == "ONAPPUNINSTALL"]
    path = posted.url.partition("hub.test")[2]
    assert visitor.client.post(path, data=posted.fields).status_code == 200
    with hub.db.sql() as sql:
        assert sql.one("SELECT state FROM portal WHERE id = ?", (portal_id,)) == ("uninstalled",)
        assert sql.one("SELECT count(*) FROM bitrix24_erasure") == (orders,)
    # The portal's second word finds nothing to prove itself by.
    assert visitor.client.post(path, data=posted.fields).status_code == 403
    late = visitor.client.post(report.partition("hub.test")[2], json={"update_id": 1})
    assert late.status_code == 200


def test_an_update_that_wiped_everything_is_registered_anew_by_the_worker(visitor: Visitor, hub: Hub) -> None:
    first = visitor.install()
    visitor.take_all(token_in(visitor.open(first)))
    visitor.finish(first)
    installation = visitor.simulator.portal.installations[DEMO_CLIENT_ID]
    control(visitor.simulator, "update", version=2)
    assert installation.handlers == []
    assert visitor.simulator.cloud.queue.wait_idle(10)
    (posted,) = [row for row in visitor.simulator.cloud.queue.deliveries() if row.name == "ONAPPUPDATE"]
    path = posted.url.partition("hub.test")[2]
    assert visitor.client.post(path, data=posted.fields).status_code == 200
    with hub.db.sql() as sql:
        due = sql.one("SELECT check_at, registered_at FROM bitrix24_connection")
    assert due is not None
    assert due[0] <= now_us()
    assert due[1] is None
    check(Bitrix24(hub), _portal_id(hub))
    assert len(installation.handlers) > 30
    assert len(installation.placements) == len(registrations.PLACEMENTS)


def _portal_id(hub: Hub) -> int:
    with hub.db.sql() as sql:
        row = sql.one("SELECT id FROM portal WHERE member_id <> 'local'")
    assert row is not None
    return int(row[0])


def _rows_of(connected: Connected) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    with connected.hub.db.sql() as sql:
        for belonging in belongings.everything():
            query = f"SELECT * FROM {belonging.name} WHERE {belonging.condition} ORDER BY {belonging.key}"
            found[belonging.name] = sql.all(query, (connected.portal_id,))
    return found


def _dump(connected: Connected) -> list[Any]:
    with connected.hub.db.sql() as sql:
        return [sql.all(f"SELECT * FROM {belonging.name}") for belonging in belongings.everything()]
