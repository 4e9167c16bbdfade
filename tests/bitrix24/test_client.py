"""Calls to a portal: not faster than it likes, over all processes, and back to where it is."""

import dataclasses
import time
from functools import partial

import pytest

from connectors.bitrix24.errors import Busy, Disconnected, MethodBlocked, Missing, PaymentRequired, PortalMoved
from connectors.errors import Temporary
from hub.bitrix24 import client as client_module
from hub.bitrix24.client import Bitrix24
from hub.clock import SECOND, now_us
from hub.core import make_hub
from hub.sandbox.bitrix24 import rest, server
from hub.sandbox.faults import Fault
from hub.sandbox.listening import Listener
from tests.bitrix24.conftest import Connected


def spend(connected: Connected, seconds: float) -> None:
    """As if so much had been called that the portal is free again only after this many seconds."""
    ahead = int(((client_module.BURST - 1) / client_module.RATE_PER_S + seconds) * SECOND)
    connected.hub.db.writer.run(lambda sql: sql.run("UPDATE bitrix24_connection SET pace_at = ?", (now_us() + ahead,)))


def test_two_processes_share_one_rate(connected: Connected, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    begun = now_us()
    connected.hub.db.writer.run(lambda sql: sql.run("UPDATE bitrix24_connection SET pace_at = NULL"))
    monkeypatch.setattr(client_module, "now_us", lambda: begun)  # the rate does not depend on how long calls take here
    monkeypatch.setattr(client_module.time, "sleep", slept.append)
    other_hub = make_hub(connected.hub.settings)
    try:
        clients = [connected.client, Bitrix24(other_hub).client(connected.portal_id)]
        for number in range(client_module.BURST + 6):
            clients[number % 2].call("profile")
    finally:
        other_hub.close()
    # The burst goes at once; each further call waits half a second longer than the one before.
    assert slept == pytest.approx([number / client_module.RATE_PER_S for number in range(1, 7)])


def test_a_call_waits_its_turn(connected: Connected) -> None:
    begun = time.monotonic()
    spend(connected, 0.4)
    connected.client.call("profile")
    assert time.monotonic() - begun >= 0.35


def test_a_call_that_would_wait_for_long_is_refused_without_being_made(connected: Connected) -> None:
    spend(connected, client_module.WAIT_S + 5)
    with pytest.raises(Busy) as raised:
        connected.client.call("profile")
    assert raised.value.retry_after_s > client_module.WAIT_S
    assert connected.calls("profile") == []


def test_two_hundred_calls_meet_no_refusal_of_a_portal_with_its_own_limit(
    connected: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The portal counts by its own clock, so here time is set forward on both sides instead of being slept."""
    cloud, portal = connected.simulator.cloud, connected.portal
    portal.burst, portal.rate = 50, 2.0
    ahead = [0]
    real = now_us

    def forward(seconds: float) -> None:
        ahead[0] += int(seconds * SECOND)
        cloud.advance(seconds)

    monkeypatch.setattr(client_module, "now_us", lambda: real() + ahead[0])
    monkeypatch.setattr(client_module.time, "sleep", forward)
    for _ in range(200):
        connected.client.call("server.time")
    assert [call.error for call in connected.calls("server.time")] == [""] * 200


def test_a_busy_portal_is_asked_again_later_and_then_given_up(
    connected: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(client_module.time, "sleep", slept.append)
    busy = partial(Fault, "error", status=503, service="bitrix24", chat="profile", code="QUERY_LIMIT_EXCEEDED")
    connected.simulator.board.add(busy(times=1))
    assert connected.client.call("profile").result["ID"] == "1"
    assert slept[-1] == pytest.approx(2, abs=0.5)
    connected.simulator.board.add(busy(times=10))
    with pytest.raises(Busy):
        connected.client.call("profile")
    assert len(connected.calls("profile")) == 2 + client_module.BUSY_TRIES


def test_a_method_that_used_up_its_time_is_left_alone_until_the_portal_gives_some_back(connected: Connected) -> None:
    connected.portal.operating_cost_s = 300.0
    connected.client.call("crm.deal.list")
    connected.client.call("crm.deal.list")
    with pytest.raises(MethodBlocked) as raised:
        connected.client.call("crm.deal.list")
    until = raised.value.until
    assert until is not None
    assert until == pytest.approx(connected.bitrix24.resets[connected.portal_id, "crm.deal.list"])
    made = len(connected.calls("crm.deal.list"))
    with pytest.raises(MethodBlocked) as again:
        connected.client.call("crm.deal.list")
    assert again.value.until == pytest.approx(until, abs=1)
    assert len(connected.calls("crm.deal.list")) == made
    # Another method is not blocked, and this one neither once its time has come.
    connected.client.call("profile")
    connected.hub.db.writer.run(lambda sql: sql.run("UPDATE bitrix24_blocked SET until = 1"))
    connected.portal.operating_limit_s = 10_000.0
    try:
        connected.client.call("crm.deal.list")
    finally:
        connected.portal.operating_limit_s = 480.0


def test_a_portal_that_moved_is_followed_to_where_the_oauth_server_says(connected: Connected) -> None:
    cloud, old = connected.simulator.cloud, connected.portal
    listener = Listener()
    domain = f"localhost:{listener.port}"
    moved = dataclasses.replace(old, domain=domain)
    listener.open(server._app("portal", rest.blueprint(cloud, moved)))
    listener.start("moved-portal")
    settings = connected.hub.settings
    allowed = (*settings.egress_allow, f"127.0.0.1:{listener.port}")
    hub = make_hub(settings.model_copy(update={"egress_allow": allowed}))
    old.moved_to = domain
    cloud.portals[old.member_id] = moved
    try:
        assert Bitrix24(hub).client(connected.portal_id).call("profile").result["ID"] == "1"
        assert connected.one("SELECT client_endpoint FROM bitrix24_connection") == f"http://{domain}/rest/"
        assert connected.one("SELECT domain FROM portal WHERE id = ?", connected.portal_id) == domain
    finally:
        cloud.portals[old.member_id] = old
        old.moved_to = ""
        hub.close()
        listener.stop()


def test_a_redirect_that_the_oauth_server_does_not_confirm_is_not_followed(connected: Connected) -> None:
    connected.portal.moved_to = "evil.example"
    with pytest.raises(PortalMoved):
        connected.client.call("profile")
    assert connected.one("SELECT client_endpoint FROM bitrix24_connection") == connected.portal.client_endpoint


def test_a_portal_that_is_away_says_so_and_stays_connected(connected: Connected) -> None:
    connected.simulator.board.add(Fault("status", status=503, service="bitrix24", chat="profile"))
    with pytest.raises(Temporary):
        connected.client.call("profile")
    assert connected.state() == "active"


def test_nothing_is_called_on_a_portal_that_removed_the_application(connected: Connected) -> None:
    connected.hub.db.writer.run(lambda sql: sql.run("UPDATE bitrix24_connection SET uninstalled_at = 1"))
    with pytest.raises(Disconnected):
        connected.client.call("profile")
    assert connected.calls("profile") == []


def test_an_application_that_the_portal_does_not_know_any_more_needs_a_person(connected: Connected) -> None:
    connected.simulator.board.add(
        Fault("error", status=401, service="bitrix24", chat="profile", code="APPLICATION_NOT_FOUND")
    )
    with pytest.raises(Disconnected):
        connected.client.call("profile")
    assert connected.state() == "needs_reauth"


def test_a_suspended_portal_is_not_called_until_somebody_probes_it(connected: Connected) -> None:
    connected.simulator.board.add(
        Fault("error", status=401, service="bitrix24", chat="profile", code="PAYMENT_REQUIRED")
    )
    for _ in range(2):
        with pytest.raises(PaymentRequired):
            connected.client.call("profile")
    assert connected.state() == "suspended"
    assert len(connected.calls("profile")) == 1
    connected.bitrix24.client(connected.portal_id, probe=True).call("profile")
    assert connected.state() == "active"


def test_a_batch_of_a_hundred_takes_two_hits(connected: Connected) -> None:
    answer = connected.client.many({f"d{number}": ("crm.deal.get", {"id": 900_000 + number}) for number in range(100)})
    assert len(answer.errors) == 100
    assert all(isinstance(error, Missing) for error in answer.errors.values())
    assert len(connected.calls("batch")) == 2


def test_a_list_gives_its_items_over_all_pages(connected: Connected) -> None:
    for number in range(60):
        connected.client.call("crm.contact.add", {"fields": {"NAME": f"Contact {number}"}})
    contacts = list(connected.client.pages("crm.contact.list", {"select": ["ID"]}))
    assert len(contacts) >= 60
    assert len({row["ID"] for row in contacts}) == len(contacts)
    stages = list(connected.client.pages("crm.category.list", {"entityTypeId": 2}))
    assert stages
    assert all("name" in stage for stage in stages)
