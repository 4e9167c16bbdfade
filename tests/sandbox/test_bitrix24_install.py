"""How an application comes onto a portal: the posted page, the wizard's end, and what an update or removal takes."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.sandbox.conftest import Portal


def test_the_install_page_gets_a_form_with_the_viewers_tokens_and_the_portal_in_the_query(portal: Portal) -> None:
    frame = portal.install(finish=False)["frame"]
    query = parse_qs(urlsplit(frame["action"]).query)
    assert urlsplit(frame["action"]).path == "/install"
    assert query["DOMAIN"] == [portal.bitrix.portal.domain]
    assert query["PROTOCOL"] == ["0"]
    assert re.fullmatch("[0-9a-f]{32}", query["APP_SID"][0])
    assert frame["name"] == f"{portal.bitrix.portal.domain}|0|{query['APP_SID'][0]}"
    assert list(frame["fields"]) == [
        "AUTH_ID",
        "AUTH_EXPIRES",
        "REFRESH_ID",
        "SERVER_ENDPOINT",
        "APPLICATION_TOKEN",
        "APPLICATION_SCOPE",
        "member_id",
        "status",
        "PLACEMENT",
        "PLACEMENT_OPTIONS",
    ]
    assert frame["fields"]["PLACEMENT"] == "DEFAULT"
    assert frame["fields"]["PLACEMENT_OPTIONS"] == '{"URI":"\\/marketplace\\/app\\/7\\/"}'
    assert frame["fields"]["AUTH_EXPIRES"] == "3600"


def test_an_older_portal_leaves_out_what_only_newer_ones_send(portal: Portal) -> None:
    portal.control("portal", modern=False)
    fields = portal.install(finish=False)["frame"]["fields"]
    assert not {"SERVER_ENDPOINT", "APPLICATION_TOKEN", "APPLICATION_SCOPE", "PLACEMENT_OPTIONS"} & set(fields)


def test_a_query_of_the_registered_address_is_kept(portal: Portal) -> None:
    portal.control("app", client_id=portal.bitrix.app.client_id, install_url=f"{portal.application.url}/install?x=1")
    action = portal.install(finish=False)["frame"]["action"]
    assert "/install?x=1&DOMAIN=" in action


def test_until_the_wizard_ends_only_administrators_see_it_and_no_event_is_sent(portal: Portal) -> None:
    portal.install(finish=False)
    assert portal.control("frame", user=2)["error"] == "NOT_INSTALLED"
    assert "/install?" in portal.control("frame", user=1)["action"]
    assert portal.result("app.info")["INSTALLED"] is False
    portal.result("event.bind", event="ONCRMDEALUPDATE", handler=f"{portal.application.url}/event")
    portal.control("card", id=1, fields={"TITLE": "x"})
    portal.control("wait")
    assert portal.read("deliveries")["deliveries"] == []


def test_the_end_of_the_wizard_is_told_to_handlers_bound_by_then_and_only_once(portal: Portal) -> None:
    frame = portal.install(finish=False)["frame"]
    portal.result("event.bind", event="OnAppInstall", handler=f"{portal.application.url}/event")
    assert portal.control(f"frame/{frame['sid']}/setInstallFinish") == {"reload": True}
    assert portal.control(f"frame/{frame['sid']}/setInstallFinish") == {"reload": False}
    (form,) = portal.application.got("event")
    assert form["event"] == "ONAPPINSTALL"
    assert form["data"] == {"VERSION": "1", "ACTIVE": "Y", "INSTALLED": "Y", "LANGUAGE_ID": "ru"}
    assert form["auth"]["refresh_token"]
    assert form["auth"]["application_token"] == frame["fields"]["APPLICATION_TOKEN"]
    assert "/app?" in portal.control("frame", user=2)["action"]
    portal.control("wait")
    assert len(portal.read("deliveries")["deliveries"]) == 1


def test_an_application_without_a_page_is_told_at_once_at_its_install_address(portal: Portal) -> None:
    portal.control("app", client_id=portal.bitrix.app.client_id, api_only=True)
    assert portal.control("install")["installed"] is True
    (form,) = portal.application.got("install")
    assert form["event"] == "ONAPPINSTALL"
    assert form["auth"]["access_token"]


def test_an_application_without_a_wizard_is_installed_when_it_is_added(portal: Portal) -> None:
    portal.control("app", client_id=portal.bitrix.app.client_id, install_url="")
    installed = portal.control("install")
    assert installed["installed"] is True
    assert "/app?" in installed["frame"]["action"]


def test_only_an_administrator_installs(portal: Portal) -> None:
    assert portal.control("install", user=2)["error"] == "ACCESS_DENIED"


@pytest.mark.parametrize("clean", [True, False])
def test_a_removal_is_told_without_tokens_and_ends_all_tokens(installed: Portal, clean: bool) -> None:
    before = installed.control("install")["application_token"]
    installed.result("event.bind", event="ONAPPUNINSTALL", handler=f"{installed.application.url}/event")
    assert installed.control("uninstall", clean=clean) == {"removed": True}
    (form,) = installed.application.got("event")
    assert form["data"] == {"LANGUAGE_ID": "ru", "CLEAN": "1" if clean else "0"}
    assert set(form["auth"]) == {"domain", "client_endpoint", "server_endpoint", "member_id", "application_token"}
    assert "event_handler_id" not in form
    assert form["auth"]["application_token"] == before
    assert installed.refused("profile") == (401, "APPLICATION_NOT_FOUND")
    app = installed.bitrix.app
    pair = {"client_id": app.client_id, "client_secret": app.client_secret, "refresh_token": installed.refresh}
    answer = installed.get(f"{installed.oauth}/oauth/token/", grant_type="refresh_token", **pair)
    assert (answer.status_code, answer.json()["error"]) == (401, "NOT_INSTALLED")
    old = installed.token
    again = installed.install()
    assert again["application_token"] == before
    assert installed.refused("profile", token=old) == (401, "invalid_token")
    assert installed.result("event.get") == []


def test_an_update_takes_what_was_registered_and_runs_the_installer_again(installed: Portal) -> None:
    installed.result("event.bind", event="ONAPPUPDATE", handler=f"{installed.application.url}/event")
    assert installed.control("update", version=2) == {"version": 2}
    (form,) = installed.application.got("event")
    assert form["data"] == {"VERSION": "2", "PREVIOUS_VERSION": "1", "LANGUAGE_ID": "ru"}
    assert form["auth"]["refresh_token"]
    assert installed.result("event.get") == []
    assert "/install?" in installed.control("frame")["action"]


def test_the_frames_page_holds_the_named_iframe_and_the_form(installed: Portal) -> None:
    page = installed.get(f"{installed.url}/app/{installed.bitrix.app.client_id}/")
    form = re.search(r'<form id="open" method="post" action="([^"]+)" target="([^"]+)">', page.text)
    assert form is not None
    assert f'<iframe id="app" name="{form[2]}"' in page.text
    assert re.search(r'name="AUTH_ID" value="[0-9a-f]{70}"', page.text)
    assert f"frame-src 'self' {installed.application.url}" in page.headers["Content-Security-Policy"]
    other = installed.get(f"{installed.url}/app/nobody/")
    assert other.status_code == 404


def test_the_frame_can_ask_for_its_data_and_for_new_tokens(installed: Portal) -> None:
    frame = installed.control("frame", user=2)
    data = installed.control(f"frame/{frame['sid']}/getInitData")
    assert data["AUTH_ID"] == frame["fields"]["AUTH_ID"]
    assert (data["IS_ADMIN"], data["INSTALL"], data["PATH"]) == (False, False, "/rest")
    fresh = installed.control(f"frame/{frame['sid']}/refreshAuth")
    assert fresh["AUTH_ID"] != data["AUTH_ID"]
    assert installed.result("profile", token=fresh["AUTH_ID"])["ID"] == "2"
    assert installed.control(f"frame/{frame['sid']}/setAppOption", name="a", value=1)["error"] == "ACCESS_DENIED"
    assert installed.control(f"frame/{frame['sid']}/setUserOption", name="a", value=1) == {"a": 1}
