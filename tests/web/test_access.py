"""Who gets in, who may do what, and whose requests are refused."""

from typing import Any

import pytest
from flask import Flask

from hub.accounts import users
from hub.core import Hub
from hub.portals.models import Portal
from hub.web.access import frame
from hub.web.access.identity import Identity
from hub.web.access.setup import code_file

OWN = {"Sec-Fetch-Site": "same-origin"}
PASSWORD = "correct horse"


@pytest.fixture
def people(hub: Hub, portal: Portal) -> dict[str, str]:
    """An e-mail of somebody with each role."""
    assert portal.id is not None
    made = {}
    with hub.db.write() as session:
        for role in users.ROLES:
            made[role] = f"{role}@shop.test"
            users.create_user(session, portal.id, email=made[role], password=PASSWORD, role=role)
    return made


def sign_in(client: Any, email: str, **more: Any) -> Any:
    return client.post("/login", data={"email": email, "password": PASSWORD, **more}, headers=OWN)


def test_a_stranger_is_sent_to_the_sign_in_and_from_there_to_where_he_wanted(
    client: Any, people: dict[str, str]
) -> None:
    sent = client.get("/?x=1")
    assert sent.status_code == 302
    assert sent.location == "/login?next=/?x%3D1" or "next=" in sent.location
    back = sign_in(client, people["viewer"], next="/?x=1")
    assert (back.status_code, back.location) == (303, "/?x=1")
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    "foreign", ["https://evil.test/", "//evil.test", "/\\evil.test", "/\t/evil.test", "evil", "/a\r\nX: y"]
)
def test_the_sign_in_never_leads_to_somebody_elses_page(client: Any, people: dict[str, str], foreign: str) -> None:
    assert sign_in(client, people["viewer"], next=foreign).location == "/"


def test_a_wrong_password_says_the_same_as_an_unknown_address_and_too_many_tries_have_to_wait(
    client: Any, people: dict[str, str]
) -> None:
    said = set()
    for email in (people["admin"], "nobody@shop.test"):
        answer = client.post("/login", data={"email": email, "password": "wrong wrong"}, headers=OWN)
        assert answer.status_code == 422
        said.add(answer.text.replace(email, ""))
    assert len(said) == 1
    for _ in range(6):
        last = client.post("/login", data={"email": people["admin"], "password": "wrong wrong"}, headers=OWN)
    assert last.status_code == 429


def test_a_changed_password_ends_the_sessions_made_before_it(client: Any, hub: Hub, people: dict[str, str]) -> None:
    sign_in(client, people["viewer"])
    assert client.get("/").status_code == 200
    with hub.db.write() as session:
        user = users.verify(session, people["viewer"], PASSWORD)
        assert user is not None
        users.set_password(session, user, "another password")
    assert client.get("/").status_code == 302


def test_signing_out_ends_the_session(client: Any, people: dict[str, str]) -> None:
    sign_in(client, people["viewer"])
    assert client.post("/logout", headers=OWN).status_code == 303
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.test"}],
)
def test_a_foreign_page_cannot_act_with_the_cookie_of_somebody_who_is_signed_in(
    client: Any, people: dict[str, str], headers: dict[str, str]
) -> None:
    sign_in(client, people["admin"])
    refused = client.put("/api/v1/constants/shop", json={"value": "x"}, headers=headers)
    assert (refused.status_code, refused.json["code"]) == (403, "foreign_page")
    assert client.put("/api/v1/constants/shop", json={"value": "x"}, headers=OWN).status_code == 200


def test_a_viewer_reads_an_editor_changes_and_only_an_administrator_touches_lines(
    client: Any, people: dict[str, str]
) -> None:
    line = {"name": "L", "channel": "telegram", "config": {"token": "1:A"}}
    for role, constant, new_line in (("viewer", 403, 403), ("editor", 200, 403), ("admin", 200, 201)):
        sign_in(client, people[role])
        assert client.get("/api/v1/scenarios").status_code == 200
        assert client.put("/api/v1/constants/shop", json={"value": "x"}, headers=OWN).status_code == constant
        assert client.post("/api/v1/lines", json=line, headers=OWN).status_code == new_line
        client.post("/logout", headers=OWN)


def test_the_token_of_the_frame_opens_pages_and_the_api_without_a_cookie_and_for_a_short_time_only(
    app: Flask, client: Any, hub: Hub, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert portal.id is not None
    token = frame.issue(hub.settings.secret_key, Identity("b24:1", portal.id, "editor", "Анна", "ru"))
    proof = {"Authorization": f"Bearer {token}"}
    assert client.get("/", headers=proof).status_code == 200
    assert client.put("/api/v1/constants/shop", json={"value": "x"}, headers=proof).status_code == 200
    assert "Set-Cookie" not in client.get("/", headers=proof).headers
    monkeypatch.setattr(frame, "LIFE_S", -1)
    assert client.get("/", headers=proof).status_code == 302


def test_a_token_that_we_did_not_sign_opens_nothing(client: Any, hub: Hub, portal: Portal) -> None:
    assert portal.id is not None
    forged = frame.issue("another key", Identity("b24:1", portal.id, "admin", "Eve"))
    for token in (forged, "x.y.z", "", "hub_nothing"):
        answer = client.get("/api/v1/scenarios", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401


def test_the_first_account_is_made_by_whoever_can_read_the_servers_folder_and_only_once(client: Any, hub: Hub) -> None:
    assert client.get("/login").location == "/setup"
    assert client.get("/setup").status_code == 200
    form = {"code": "guess", "email": "owner@shop.test", "password": PASSWORD}
    assert client.post("/setup", data=form, headers=OWN).status_code == 422
    form["code"] = code_file(hub.settings).read_text()
    assert client.post("/setup", data=form, headers=OWN).status_code == 303
    assert client.get("/").status_code == 200
    assert not code_file(hub.settings).exists()
    assert client.get("/setup").location == "/login"
    assert client.post("/setup", data=form, headers=OWN).location == "/login"


def test_every_page_that_changes_something_says_which_role_it_needs(app: Flask) -> None:
    """A view without a word on roles is for administrators only; this lists the ones that forgot to say it."""
    silent = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if (view := app.view_functions[rule.endpoint]).__module__.startswith("hub.web.pages.")
        and (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
        and not hasattr(view, "needs")
    ]
    assert silent == []


def test_a_page_that_is_reloaded_inside_the_frame_asks_the_portal_who_is_looking_and_holds_nothing_itself(
    client: Any, people: dict[str, str]
) -> None:
    shell = client.get("/?x=1", headers={"Sec-Fetch-Dest": "iframe"})
    assert shell.status_code == 200
    assert 'data-wanted="/?x=1"' in shell.text
    assert 'data-token=""' in shell.text
    assert "frame-ancestors *" in shell.headers["Content-Security-Policy"]
    sign_in(client, people["viewer"])
    assert "frame-ancestors 'none'" in client.get("/").headers["Content-Security-Policy"]
