"""Nothing that Bitrix24 posts is signed: installing in another's name, naming hosts of one's own, being first.

Another host on loopback stands for the attacker's; it may be called as far as the guard of outgoing calls goes, so
what it does not get is kept from it by us.
"""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from itsdangerous import TimestampSigner

from hub.app import create_app
from hub.core import Hub
from hub.sandbox.bitrix24 import lifecycle
from hub.sandbox.bitrix24.model import App
from hub.sandbox.bitrix24.server import DEMO_CLIENT_ID
from hub.settings import Settings
from tests.bitrix24.conftest import Visitor, token_in
from tests.bitrix24.hostile import Evil, attacker, event, evil, mint, page_of, stored, victim

__all__ = ["attacker", "evil", "victim"]


@pytest.fixture
def app(settings: Settings, evil: Evil) -> Iterator[Flask]:
    """The application, whose way out would let it call the attacker."""
    made = create_app(settings.model_copy(update={"egress_allow": (*settings.egress_allow, evil.spot)}))
    yield made
    made.extensions["hub"].close()


def test_the_guard_would_let_the_attackers_host_be_called(app: Flask, evil: Evil) -> None:
    """Or the tests below would prove nothing."""
    hub: Hub = app.extensions["hub"]
    assert hub.http.call("GET", f"{evil.url}/rest/profile").status == 200
    assert [path for path, _ in evil.got] == ["/rest/profile?"]
    evil.got.clear()


# ---------------------------------------------------------------- S1: installing in somebody else's name


def test_a_token_of_one_portal_does_not_install_or_change_another(
    visitor: Visitor, hub: Hub, victim: dict[str, str], attacker: Any
) -> None:
    before = stored(hub)
    token = mint(visitor.simulator, attacker.member_id)
    for path in ("install", "app"):
        for domain in (victim["domain"], attacker.domain, ""):
            fields = page_of(token, victim["member_id"], APPLICATION_TOKEN="f" * 32, PLACEMENT="DEFAULT")
            answer = visitor.client.post(f"/bitrix24/{path}?{urlencode({'DOMAIN': domain})}", data=fields)
            assert answer.status_code == 403
    assert stored(hub) == before


@pytest.mark.parametrize("token", ["", "nobody's token", "AT" * 900])
def test_a_token_that_nobody_gave_out_installs_nothing(visitor: Visitor, hub: Hub, token: str) -> None:
    fields = {"AUTH_ID": token, "REFRESH_ID": "r", "member_id": visitor.simulator.portal.member_id}
    before = stored(hub)
    assert visitor.client.post("/bitrix24/install", data=fields).status_code == 403
    assert stored(hub) == before


def test_a_token_of_another_application_installs_nothing(visitor: Visitor, hub: Hub) -> None:
    cloud, portal = visitor.simulator.cloud, visitor.simulator.portal
    theirs = cloud.add_app(App("app.0a1b2c3d4e5f60.71829306", "their secret", scope=["crm"]))
    lifecycle.install(cloud, portal, theirs, portal.users[1])
    try:
        token = cloud.tokens.mint(theirs.client_id, portal.member_id, 1, cloud.now())
        before = stored(hub)
        fields = page_of(token, portal.member_id)
        assert visitor.client.post("/bitrix24/install", data=fields).status_code == 403
        assert stored(hub) == before
    finally:
        del cloud.apps[theirs.client_id]


def test_a_user_without_rights_changes_neither_token_nor_portal(
    visitor: Visitor, hub: Hub, victim: dict[str, str]
) -> None:
    before = stored(hub)
    token = mint(visitor.simulator, victim["member_id"], 2)
    fields = page_of(token, victim["member_id"], APPLICATION_TOKEN="f" * 32)
    assert "data-token" in visitor.client.post("/bitrix24/app", data=fields).get_data(as_text=True)
    assert visitor.client.post("/bitrix24/install", data=fields).status_code == 403
    assert stored(hub) == before


# ---------------------------------------------------------------- S2: hosts that a request names


@pytest.mark.parametrize("place", ["SERVER_ENDPOINT", "DOMAIN", "client_endpoint", "all"])
def test_a_host_that_a_request_names_is_never_called(visitor: Visitor, hub: Hub, evil: Evil, place: str) -> None:
    first = visitor.install()
    named = {
        "SERVER_ENDPOINT": f"{evil.url}/rest/",
        "client_endpoint": f"{evil.url}/rest/",
        "DOMAIN": evil.domain,
    }
    fields = {name: value for name, value in named.items() if place in (name, "all")}
    query = urlencode({"DOMAIN": evil.domain if place in ("DOMAIN", "all") else visitor.simulator.portal.domain})
    answer = visitor.client.post(f"/bitrix24/install?{query}", data=first["fields"] | fields)
    assert answer.status_code == (403 if place in ("DOMAIN", "all") else 200)
    auth = {"access_token": first["fields"]["AUTH_ID"], "member_id": first["fields"]["member_id"]}
    hostile = {"server_endpoint": f"{evil.url}/rest/", "client_endpoint": f"{evil.url}/rest/", "domain": evil.domain}
    assert visitor.client.post("/bitrix24/session", json=auth | hostile).status_code == 403
    with hub.db.sql() as sql:
        for endpoint, oauth in sql.all("SELECT client_endpoint, oauth_url FROM bitrix24_connection"):
            assert evil.domain not in endpoint + oauth


def test_hosts_named_in_events_are_not_called_either(
    visitor: Visitor, victim: dict[str, str], hub: Hub, evil: Evil
) -> None:
    hostile = {"server_endpoint": f"{evil.url}/rest/", "client_endpoint": f"{evil.url}/rest/", "domain": evil.domain}
    before = stored(hub)
    assert visitor.client.post(victim["path"], data=event(victim, **hostile)).status_code == 200
    assert stored(hub) == before
    token = mint(visitor.simulator, victim["member_id"])
    planted = {"access_token": token.access, "refresh_token": token.refresh, "application_token": "f" * 32}
    update = event(victim, "ONAPPUPDATE", **hostile, **planted)
    assert visitor.client.post(victim["path"], data=update).status_code == 403
    assert visitor.client.post("/bitrix24/install", data=event(victim, "ONAPPINSTALL", **hostile)).status_code == 403
    assert stored(hub) == before


# ---------------------------------------------------------------- S5: being first


def test_an_application_token_is_believed_only_together_with_an_access_token_of_the_same_portal(
    visitor: Visitor, hub: Hub, attacker: Any
) -> None:
    visitor.simulator.portal.modern = False  # such a portal brings its token with the first event only
    first = visitor.install()
    visitor.take_all(token_in(visitor.open(first)))
    installation = visitor.simulator.portal.installations[DEMO_CLIENT_ID]
    victim = {
        "path": installation.handlers[0].handler.partition("hub.test")[2],
        "member_id": visitor.simulator.portal.member_id,
        "application_token": "f" * 32,
    }
    before = stored(hub)
    foreign = mint(visitor.simulator, attacker.member_id)
    powerless = mint(visitor.simulator, victim["member_id"], 2)
    for access in ("", "nobody's token", foreign.access, powerless.access):
        planted = event(victim, "ONAPPINSTALL", access_token=access, refresh_token="r")
        assert visitor.client.post(victim["path"], data=planted).status_code == 403
    assert stored(hub) == before
    genuine = mint(visitor.simulator, victim["member_id"])
    real = event(victim, "ONAPPINSTALL", domain=visitor.simulator.portal.domain, access_token=genuine.access)
    real["auth[application_token]"] = installation.application_token
    assert visitor.client.post(victim["path"], data=real).status_code == 200
    assert stored(hub) != before


# ---------------------------------------------------------------- what it costs


def test_who_fails_too_often_is_not_asked_about_any_more(visitor: Visitor) -> None:
    fields = {"AUTH_ID": "x", "REFRESH_ID": "r", "member_id": "f" * 32}
    answers = [visitor.client.post("/bitrix24/install", data=fields).status_code for _ in range(62)]
    assert answers == [403] * 60 + [429] * 2
    assert len([call for call in visitor.simulator.cloud.calls if call.method == "app.info"]) == 60


def test_who_is_no_administrator_any_more_is_none_here_after_a_quarter_of_an_hour(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = visitor.install()
    visitor.take_all(token_in(visitor.open(first)))
    visitor.finish(first)
    fields = visitor.frame(user=2)["fields"]
    auth = {"access_token": fields["AUTH_ID"], "refresh_token": fields["REFRESH_ID"], "expires_in": 3600}
    auth |= {"domain": visitor.simulator.portal.domain, "member_id": fields["member_id"]}
    person = visitor.simulator.portal.users[2]
    person.admin = True
    try:
        held = visitor.client.post("/bitrix24/session", json=auth).json
        assert held["role"] == "admin"
        assert visitor.steps(held["token"]).status_code == 200
    finally:
        person.admin = False
    later = int(time.time()) + 901
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _signer: later)
    assert visitor.steps(held["token"]).status_code == 401
    again = visitor.client.post("/bitrix24/session", json=auth).json
    assert again["role"] == "viewer"
    assert visitor.steps(again["token"]).status_code == 403
