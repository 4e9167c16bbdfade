"""Installing in one click, from the frame's first post to everything being in place, and doing it again."""

from typing import Any

import pytest

from hub.bitrix24 import install
from hub.bitrix24.client import Bitrix24
from hub.bitrix24.registrations import CRM_EVENTS, LIFECYCLE_EVENTS, PLACEMENTS, sync
from hub.clock import now_us
from hub.core import Hub
from hub.sandbox.bitrix24.server import DEMO_CLIENT_ID
from hub.sandbox.faults import Fault
from hub.web.access import frame as frame_token
from tests.bitrix24.conftest import Visitor, control, token_in


def rows(hub: Hub, query: str) -> list[Any]:
    with hub.db.sql() as sql:
        return list(sql.all(query))


def installation(visitor: Visitor) -> Any:
    return visitor.simulator.portal.installations[DEMO_CLIENT_ID]


def installed(visitor: Visitor) -> str:
    """Install, take all steps, tell the portal; gives the token of the page."""
    first = visitor.install()
    token = token_in(visitor.open(first))
    visitor.take_all(token)
    visitor.finish(first)
    return token


def test_the_first_post_stores_the_portal_and_shows_the_six_lines(visitor: Visitor, hub: Hub) -> None:
    page = visitor.open(visitor.install())
    assert page.status_code == 200
    text = page.get_data(as_text=True)
    for line in ("Доступ получен", "События сделок и контактов подключены", "Проверочное событие пришло"):
        assert line in text
    portal = visitor.simulator.portal
    assert rows(hub, "SELECT member_id, domain, state FROM portal WHERE member_id <> 'local'") == [
        (portal.member_id, portal.domain, "active")
    ]
    assert rows(hub, "SELECT user_id, is_admin FROM bitrix24_token") in ([(1, 1)], [(1, True)])
    secrets = rows(hub, "SELECT application_token_sealed, handler_sealed FROM bitrix24_connection")[0]
    assert installation(visitor).application_token not in "".join(secrets)


def test_only_the_verified_portal_may_frame_the_page_and_only_its_script_runs(visitor: Visitor) -> None:
    page = visitor.open(visitor.install())
    policy = page.headers["Content-Security-Policy"]
    assert f"frame-ancestors {visitor.simulator.portal.url}" in policy
    assert f"script-src 'self' {visitor.simulator.portal.url}/api/v1/" in policy
    assert "unsafe" not in policy
    assert "X-Frame-Options" not in page.headers
    assert "Set-Cookie" not in page.headers


def test_every_step_turns_green_and_everything_is_in_the_portal(visitor: Visitor, hub: Hub) -> None:
    token = token_in(visitor.open(visitor.install()))
    shown = visitor.take_all(token)
    assert {step: row["state"] for step, row in shown["steps"].items()} == dict.fromkeys(install.STEPS[:-1], "ok") | {
        "test_event": "waiting"
    }
    assert shown["may_finish"]
    assert shown["steps"]["fields"]["detail"]["deal"] > 20
    there = installation(visitor)
    assert {handler.event for handler in there.handlers} == {*LIFECYCLE_EVENTS, *CRM_EVENTS}
    (address,) = {handler.handler for handler in there.handlers}
    assert address.startswith("https://hub.test/bitrix24/event/")
    assert {row.placement for row in there.placements} == set(PLACEMENTS)
    # The secret part of the address is not readable where it is noted.
    noted = rows(hub, "SELECT DISTINCT handler FROM bitrix24_registration WHERE kind = 'event'")
    assert noted == [("https://hub.test/bitrix24/event",)]


def test_the_test_event_turns_the_last_line_green_with_its_seconds(visitor: Visitor) -> None:
    token = token_in(visitor.open(visitor.install()))
    visitor.take_all(token)
    # The portal posts to an address where nobody listens here, so its post is taken over from its record.
    (posted,) = [row for row in visitor.simulator.cloud.queue.deliveries() if row.name == "ONAPPTEST"]
    assert visitor.simulator.cloud.queue.wait_idle(10)
    path = posted.url.partition("hub.test")[2]
    assert visitor.client.post(path, data=posted.fields).status_code == 200
    shown = visitor.steps(token).json["steps"]["test_event"]
    assert shown["state"] == "ok"
    assert 0 <= shown["detail"]["seconds"] < 30


def test_a_test_event_that_does_not_come_is_a_red_line(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    token = token_in(visitor.open(visitor.install()))
    visitor.take_all(token)
    monkeypatch.setattr(install, "now_us", lambda: now_us() + 60_000_000)
    shown = visitor.steps(token).json
    assert shown["steps"]["test_event"]["state"] == "failed"
    assert "cannot reach" in shown["steps"]["test_event"]["detail"]["message"]
    assert shown["may_finish"]


def test_installing_again_changes_nothing(visitor: Visitor, hub: Hub) -> None:
    installed(visitor)
    before = [(row.event, row.handler) for row in installation(visitor).handlers]
    installation(visitor).installed = False
    token = token_in(visitor.open(visitor.frame()))
    hits = visitor.simulator.cloud.calls[-1].number
    for step in install.STEPS:
        visitor.steps(token, step)
    assert [(row.event, row.handler) for row in installation(visitor).handlers] == before
    assert len(rows(hub, "SELECT id FROM portal WHERE member_id <> 'local'")) == 1
    # Nothing had to be bound: the portal was only asked.
    assert "batch" not in [call.method for call in visitor.simulator.cloud.calls if call.number > hits][:4]


def test_handlers_that_point_elsewhere_are_replaced(visitor: Visitor, hub: Hub) -> None:
    installed(visitor)
    handlers, placements = installation(visitor).handlers, installation(visitor).placements
    handlers[3].handler = "https://old.test/bitrix24/event/x"
    for placement in placements:  # as after the address of this server was changed
        placement.handler = "https://old.test/bitrix24/app"
    portal_id = rows(hub, "SELECT portal_id FROM bitrix24_connection")[0][0]
    synced = sync(Bitrix24(hub), portal_id)
    assert synced.refused == {}
    assert {row.handler.partition("/bitrix24/")[0] for row in [*handlers, *placements]} == {"https://hub.test"}
    assert len(handlers) == len(LIFECYCLE_EVENTS) + len(CRM_EVENTS)


def test_a_step_that_the_portal_refuses_is_red_and_may_be_repeated(visitor: Visitor) -> None:
    visitor.simulator.board.add(
        Fault("error", status=403, service="bitrix24", chat="bizproc.robot.list", code="ACCESS_DENIED")
    )
    token = token_in(visitor.open(visitor.install()))
    shown = visitor.take_all(token)
    assert shown["steps"]["robots"]["state"] == "failed"
    assert shown["may_finish"]
    assert visitor.steps(token, "robots").json["steps"]["robots"]["state"] == "ok"


def test_without_events_the_installation_is_not_finished(visitor: Visitor) -> None:
    visitor.simulator.board.add(Fault("status", status=500, service="bitrix24", chat="event.get"))
    token = token_in(visitor.open(visitor.install()))
    shown = visitor.take_all(token)
    assert shown["steps"]["events"]["state"] == "failed"
    assert not shown["may_finish"]
    assert visitor.steps(token, "events").json["may_finish"]


def test_a_portal_of_an_older_build_installs_and_brings_its_token_with_the_event(visitor: Visitor, hub: Hub) -> None:
    visitor.simulator.portal.modern = False
    first = visitor.install()
    assert not {"SERVER_ENDPOINT", "APPLICATION_TOKEN", "APPLICATION_SCOPE"} & set(first["fields"])
    token = token_in(visitor.open(first))
    visitor.take_all(token)
    assert rows(hub, "SELECT application_token_sealed FROM bitrix24_connection") == [("",)]
    visitor.finish(first)
    assert visitor.simulator.cloud.queue.wait_idle(10)
    (posted,) = [row for row in visitor.simulator.cloud.queue.deliveries() if row.name == "ONAPPINSTALL"]
    path = posted.url.partition("hub.test")[2]
    assert visitor.client.post(path, data=posted.fields).status_code == 200
    assert rows(hub, "SELECT application_token_sealed FROM bitrix24_connection") != [("",)]
    assert rows(hub, "SELECT finished FROM bitrix24_connection")[0][0] in (1, True)


def test_an_application_without_a_page_is_installed_by_its_event(visitor: Visitor, hub: Hub) -> None:
    visitor.address_app(api_only=True)
    control(visitor.simulator, "install")
    assert visitor.simulator.cloud.queue.wait_idle(10)
    (posted,) = [row for row in visitor.simulator.cloud.queue.deliveries() if row.name == "ONAPPINSTALL"]
    answer = visitor.client.post("/bitrix24/install", data=posted.fields)
    assert (answer.status_code, answer.get_data()) == (200, b"ok")
    (row,) = rows(hub, "SELECT portal_id, finished, check_at FROM bitrix24_connection")
    assert row[1] in (1, True)
    assert row[2] <= now_us()
    forged = posted.fields | {"auth[access_token]": "nobody's token"}
    assert visitor.client.post("/bitrix24/install", data=forged).status_code == 403


def test_somebody_who_is_no_administrator_cannot_install(visitor: Visitor, hub: Hub) -> None:
    visitor.install()
    installation(visitor).installed = True
    page = visitor.open(visitor.frame(user=2))
    assert page.status_code == 403
    assert "администратор" in page.get_data(as_text=True).lower()
    assert rows(hub, "SELECT id FROM portal WHERE member_id <> 'local'") == []


def test_the_main_page_opens_for_everybody_and_keeps_only_administrators_tokens(visitor: Visitor, hub: Hub) -> None:
    installed(visitor)
    page = visitor.open(visitor.frame(user=2))
    assert page.status_code == 200
    assert f"frame-ancestors {visitor.simulator.portal.url}" in page.headers["Content-Security-Policy"]
    person = frame_token.read(hub.settings.secret_key, token_in(page))
    assert person is not None
    assert (person.role, person.framed) == ("viewer", True)
    assert rows(hub, "SELECT user_id FROM bitrix24_token") == [(1,)]
    mine = frame_token.read(hub.settings.secret_key, token_in(visitor.open(visitor.frame(user=1))))
    assert mine is not None
    assert mine.role == "admin"


def test_whoever_may_begin_a_scenario_is_brought_to_it_while_there_is_none(visitor: Visitor) -> None:
    installed(visitor)
    assert 'data-wanted="/scenarios"' in visitor.open(visitor.frame(user=1)).get_data(as_text=True)
    assert 'data-wanted="/"' in visitor.open(visitor.frame(user=2)).get_data(as_text=True)


def test_a_portal_that_needs_somebody_heals_when_an_administrator_opens_it(visitor: Visitor, hub: Hub) -> None:
    installed(visitor)
    hub.db.writer.run(lambda sql: sql.run("UPDATE bitrix24_token SET broken = 'invalid_grant'"))
    hub.db.writer.run(lambda sql: sql.run("UPDATE portal SET state = 'needs_reauth' WHERE member_id <> 'local'"))
    visitor.open(visitor.frame(user=2))
    assert rows(hub, "SELECT state FROM portal WHERE member_id <> 'local'") == [("needs_reauth",)]
    visitor.open(visitor.frame(user=1))
    assert rows(hub, "SELECT state FROM portal WHERE member_id <> 'local'") == [("active",)]
    assert rows(hub, "SELECT broken FROM bitrix24_token") == [("",)]


def test_an_application_without_an_installer_is_installed_when_it_is_first_opened(visitor: Visitor, hub: Hub) -> None:
    visitor.address_app(install_url="")
    first = control(visitor.simulator, "install")["frame"]
    page = visitor.open(first)
    assert page.status_code == 200
    assert visitor.take_all(token_in(page))["steps"]["events"]["state"] == "ok"
    assert rows(hub, "SELECT state FROM portal WHERE member_id <> 'local'") == [("active",)]


def test_the_frame_gets_a_session_by_what_the_portals_script_knows(visitor: Visitor, hub: Hub) -> None:
    installed(visitor)
    fields = visitor.frame(user=2)["fields"]
    auth = {
        "access_token": fields["AUTH_ID"],
        "refresh_token": fields["REFRESH_ID"],
        "expires_in": 1790003600000,
        "domain": visitor.simulator.portal.domain,
        "member_id": fields["member_id"],
    }
    answer = visitor.client.post("/bitrix24/session", json=auth)
    assert answer.status_code == 200
    assert (answer.json["role"], answer.json["expires_in"]) == ("viewer", 900)
    person = frame_token.read(hub.settings.secret_key, answer.json["token"])
    assert person is not None
    assert person.key == f"bitrix24:{fields['member_id']}:2"
    assert visitor.steps(answer.json["token"]).status_code == 403
    assert visitor.client.post("/bitrix24/session", json=auth | {"access_token": "x"}).status_code == 403
    assert visitor.client.post("/bitrix24/session", json=auth | {"member_id": "f" * 32}).status_code == 403


def test_a_portal_without_the_application_gets_no_session(visitor: Visitor) -> None:
    fields = visitor.install()["fields"]
    auth = {"access_token": fields["AUTH_ID"], "member_id": fields["member_id"]}
    answer = visitor.client.post("/bitrix24/session", json=auth)
    assert (answer.status_code, answer.json["code"]) == (403, "not_installed")


@pytest.mark.parametrize("path", ["install", "app", "session", "steps", "event/some-token"])
def test_every_address_answers_head(visitor: Visitor, path: str) -> None:
    answer = visitor.client.head(f"/bitrix24/{path}")
    assert (answer.status_code, answer.get_data()) == (200, b"")


@pytest.mark.parametrize("path", ["install", "app", "session", "event/some-token"])
def test_a_body_larger_than_a_portal_posts_is_not_read(visitor: Visitor, path: str) -> None:
    answer = visitor.client.post(f"/bitrix24/{path}", data={"member_id": "x" * 70_000})
    assert answer.status_code == 413


def test_an_installation_without_an_application_says_what_is_missing(hub: Hub, simulator: Any) -> None:
    from hub.app import create_app

    changes = {"bitrix24_client_id": "", "bitrix24_client_secret": ""}
    app = create_app(hub.settings.model_copy(update=changes))
    try:
        visitor = Visitor(app, simulator)
        for answer in (visitor.client.get("/bitrix24/install"), visitor.open(visitor.install())):
            assert answer.status_code == 200
            assert "не знает приложения" in answer.get_data(as_text=True)
    finally:
        app.extensions["hub"].close()


def test_what_a_page_says_is_in_the_portals_language(visitor: Visitor) -> None:
    visitor.simulator.portal.lang = "en"
    try:
        page = visitor.open(visitor.install())
    finally:
        visitor.simulator.portal.lang = "ru"
    assert "Access received" in page.get_data(as_text=True)


@pytest.mark.parametrize(
    ("named", "opened"),
    [
        ("/lines/7?tab=queue", "/lines/7?tab=queue"),
        ("//evil.test/", "/scenarios"),
        ("/\\evil.test/", "/scenarios"),
        ("https://evil.test/", "/scenarios"),
        ("", "/scenarios"),
    ],
)
def test_a_link_within_the_portal_opens_the_page_of_ours_that_it_names(
    visitor: Visitor, named: str, opened: str
) -> None:
    installed(visitor)
    page = visitor.open(visitor.frame(placement="REST_APP_URI", options={"place": named}))
    assert f'data-wanted="{opened}"' in page.get_data(as_text=True)


def test_a_placements_context_is_a_json_string(app: Any) -> None:
    from hub.web.bitrix24.pages import placement_options

    spelled = '{"ID":"42","URI":"\\/crm\\/deal\\/details\\/42\\/"}'
    assert placement_options({"PLACEMENT_OPTIONS": spelled}) == {"ID": "42", "URI": "/crm/deal/details/42/"}
    escaped = spelled.replace('"', "&quot;")
    assert placement_options({"PLACEMENT_OPTIONS": escaped})["ID"] == "42"
    for odd in ("[]", "", "{", None, 7, "[1]"):
        assert placement_options({"PLACEMENT_OPTIONS": odd}) == {}
