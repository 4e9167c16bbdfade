"""What else an application registers: message providers, placements, options, offline events, connectors."""

import html
import json
from typing import Any

import pytest
import requests

from tests.sandbox.conftest import Portal


@pytest.fixture
def provider(installed: Portal) -> Portal:
    given = {"CODE": "line_3", "TYPE": "SMS", "NAME": "WhatsApp", "HANDLER": f"{installed.application.url}/sms"}
    assert installed.result("messageservice.sender.add", **given) is True
    return installed


def test_a_text_sent_from_a_card_is_posted_to_the_provider(provider: Portal) -> None:
    sent = provider.control("sms", code="line_3", to="+15550001122", text="Привет", id=1, user=2)
    (form,) = provider.application.got("sms")
    auth = form.pop("auth")
    form.pop("ts")
    assert form == {
        "module_id": "crm",
        "bindings": [{"OWNER_TYPE_ID": "2", "OWNER_ID": "1"}],
        "properties": {"phone_number": "+15550001122", "message_text": "Привет"},
        "type": "SMS",
        "code": "line_3",
        "message_id": sent["id"],
        "message_to": "+15550001122",
        "message_body": "Привет",
    }
    assert (auth["user_id"], "refresh_token" in auth) == ("2", False)
    assert sent["status"] == "sent", "the portal does not wait for the provider"


def test_a_robots_text_has_no_author(provider: Portal) -> None:
    step = {"kind": "sms", "code": "line_3", "properties": {"message_to": "+1", "message_body": "{=Document:TITLE}"}}
    provider.control("robots", stage="PREPARATION", steps=[step])
    provider.control("card", id=1, fields={"STAGE_ID": "PREPARATION"})
    (form,) = provider.application.got("sms")
    assert (form["module_id"], form["message_body"]) == ("bizproc", "Заказ 1001")
    assert form["document_id"] == ["crm", "CCrmDocumentDeal", "DEAL_1"]
    assert set(form["auth"]) == {"domain", "server_endpoint", "client_endpoint", "member_id", "application_token"}


def test_a_status_is_taken_from_administrators_and_authors(provider: Portal) -> None:
    number = provider.control("sms", code="line_3", to="+1", text="x", user=1)["id"]
    update = {"CODE": "line_3", "MESSAGE_ID": number, "STATUS": "delivered"}
    member = provider.control("mint", user=2)["access"]
    method = "messageservice.message.status.update"
    assert provider.refused(method, token=member, **update) == (403, "ACCESS_DENIED")
    assert provider.result(method, **update) is True
    assert provider.read("state")["sms"][-1]["status"] == "delivered"
    assert provider.refused(method, **update | {"STATUS": "eaten"}) == (400, "ERROR_MESSAGE_STATUS_INCORRECT")
    assert provider.refused(method, **update | {"MESSAGE_ID": "0" * 32}) == (400, "ERROR_MESSAGE_NOT_FOUND")


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"CODE": ""}, "ERROR_SENDER_VALIDATION_FAILURE", "Empty sender code!"),
        ({"CODE": "a b"}, "ERROR_SENDER_VALIDATION_FAILURE", "Wrong sender code!"),
        ({"TYPE": ""}, "ERROR_SENDER_VALIDATION_FAILURE", "Empty sender message TYPE!"),
        ({"TYPE": "MAIL"}, "ERROR_SENDER_VALIDATION_FAILURE", "Unknown sender message TYPE!"),
        ({"NAME": ""}, "ERROR_SENDER_VALIDATION_FAILURE", "Empty sender NAME!"),
        ({}, "ERROR_SENDER_ALREADY_INSTALLED", "Sender already installed!"),
        ({"CODE": "b", "HANDLER": "https://other.example/"}, "ERROR_HANDLER_URL_MATCH", "Handler URL host"),
    ],
)
def test_a_wrong_provider_is_refused(provider: Portal, change: dict[str, str], error: str, said: str) -> None:
    given = {"CODE": "line_3", "TYPE": "SMS", "NAME": "x", "HANDLER": f"{provider.application.url}/sms"}
    answer = provider.call("messageservice.sender.add", **given | change).json()
    assert answer["error"] == error
    assert said in answer["error_description"]


def test_providers_are_listed_changed_and_removed(provider: Portal) -> None:
    assert provider.result("messageservice.sender.list") == ["line_3"]
    assert provider.result("messageservice.sender.update", CODE="line_3", NAME="Новое") is True
    assert provider.refused("messageservice.sender.update", CODE="line_3")[1] == "ERROR_SENDER_OTHER_PARAMS_REQUIRED"
    assert provider.refused("messageservice.sender.update", CODE="no", NAME="x")[1] == "ERROR_SENDER_NOT_FOUND"
    assert provider.result("messageservice.sender.delete", CODE="line_3") is True
    assert provider.control("sms", code="line_3", to="+1", text="x")["error"] == "ERROR_SENDER_NOT_FOUND"


def test_a_placement_opens_with_its_options_for_the_person_looking(installed: Portal) -> None:
    tab = f"{installed.application.url}/tab"
    bound = {"PLACEMENT": "CRM_DEAL_DETAIL_TAB", "HANDLER": tab, "LANG_ALL": {"ru": {"TITLE": "Хаб"}}}
    assert installed.result("placement.bind", **bound) is True
    frame = installed.control("frame", placement="CRM_DEAL_DETAIL_TAB", user=2, options={"ID": "1"})
    assert frame["action"].startswith(f"{tab}?DOMAIN=")
    assert frame["fields"]["PLACEMENT"] == "CRM_DEAL_DETAIL_TAB"
    address = r"\/crm\/deal\/details\/1\/?IFRAME=Y&IFRAME_TYPE=SIDE_SLIDER"
    assert frame["fields"]["PLACEMENT_OPTIONS"] == f'{{"ID":"1","URI":"{address}"}}'
    assert installed.result("profile", token=frame["fields"]["AUTH_ID"])["ID"] == "2"
    (shown,) = installed.result("placement.get")
    assert (shown["title"], shown["options"], shown["userId"]) == ("Хаб", [], 0)
    assert installed.control("frame", placement="LEFT_MENU")["error"] == "ERROR_PLACEMENT_NOT_FOUND"
    assert installed.result("placement.unbind", PLACEMENT="CRM_DEAL_DETAIL_TAB") == {"count": 2}
    assert installed.result("placement.get") == []


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"PLACEMENT": ""}, "ERROR_ARGUMENT"),
        ({"HANDLER": ""}, "ERROR_ARGUMENT"),
        ({"PLACEMENT": "CRM_PIGEON_DETAIL_TAB"}, "ERROR_PLACEMENT_NOT_FOUND"),
        ({"PLACEMENT": "CALL_CARD"}, "ERROR_PLACEMENT_NOT_FOUND"),
        ({"HANDLER": "ftp://a.example"}, "ERROR_UNSUPPORTED_PROTOCOL"),
        ({"USER_ID": 1}, "ERROR_PLACEMENT_USER_MODE"),
    ],
)
def test_a_wrong_placement_is_refused(installed: Portal, given: dict[str, Any], error: str) -> None:
    right = {"PLACEMENT": "CRM_DEAL_DETAIL_TAB", "HANDLER": "https://a.example/tab"}
    assert installed.refused("placement.bind", **right | given) == (400, error)


def test_a_placement_is_bound_once_and_by_administrators_only(installed: Portal) -> None:
    right = {"PLACEMENT": "REST_APP_URI", "HANDLER": "https://a.example/tab"}
    assert installed.result("placement.bind", **right) is True
    assert installed.refused("placement.bind", **right) == (400, "ERROR_CORE")
    second = right | {"HANDLER": "https://a.example/other"}
    assert installed.refused("placement.bind", **second) == (400, "ERROR_PLACEMENT_MAX_COUNT")
    member = installed.control("mint", user=2)["access"]
    assert installed.refused("placement.bind", token=member, **right) == (403, "ACCESS_DENIED")
    assert "CRM_DYNAMIC_147_DETAIL_TAB" in installed.result("placement.list")


def test_a_link_within_the_portal_opens_the_application_with_its_params(installed: Portal) -> None:
    link = f"{installed.url}/marketplace/view/{installed.bitrix.app.client_id}/?params[place]=/lines/7&other=1"
    assert requests.get(link, timeout=10).status_code == 404
    right = {"PLACEMENT": "REST_APP_URI", "HANDLER": f"{installed.application.url}/app"}
    assert installed.result("placement.bind", **right) is True
    shown = html.unescape(requests.get(link, timeout=10).text)
    assert 'name="PLACEMENT" value="REST_APP_URI"' in shown
    assert r'{"place":"\/lines\/7","URI":"\/marketplace\/view\/' in shown


def test_options_are_kept_for_all_and_for_each_person(installed: Portal) -> None:
    member = installed.control("mint", user=2)["access"]
    assert installed.result("app.option.set", options={"theme": "dark"}) is True
    assert installed.refused("app.option.set", token=member, options={"a": 1}) == (403, "ACCESS_DENIED")
    assert installed.result("app.option.get", token=member, option="theme") == "dark"
    assert installed.result("user.option.set", token=member, options={"a": "b"}) is True
    assert installed.result("user.option.get") == {}
    installed.control("uninstall")
    installed.install()
    assert installed.result("app.option.get") == {}


def test_a_market_application_finds_its_options_again_unless_they_were_cleaned(portal: Portal) -> None:
    portal.control("app", client_id=portal.bitrix.app.client_id, status="F")
    for clean, kept in ((False, {"theme": "dark"}), (True, {})):
        portal.install()
        portal.result("app.option.set", options={"theme": "dark"})
        portal.control("uninstall", clean=clean)
        portal.install()
        assert portal.result("app.option.get") == kept
        portal.control("uninstall", clean=True)


def test_features_of_the_plan_can_be_asked_for(installed: Portal) -> None:
    assert installed.result("feature.get", CODE="rest_offline_extended") == {"value": "Y"}
    installed.control("portal", features=[], plan="free")
    assert installed.result("feature.get", CODE="rest_offline_extended") == {"value": "N"}
    assert installed.result("app.info")["LICENSE_FAMILY"] == "free"


@pytest.fixture
def offline(installed: Portal) -> Portal:
    assert installed.result("event.bind", event="ONCRMDEALUPDATE", event_type="offline") is True
    return installed


def test_offline_events_hold_the_last_state_until_they_are_confirmed(offline: Portal) -> None:
    for title in ("a", "b", "c"):
        offline.control("card", id=1, user=2, fields={"TITLE": title})
    got = offline.result("event.offline.get", clear=0)
    (row,) = got["events"]
    assert (row["EVENT_NAME"], row["EVENT_DATA"], row["EVENT_ADDITIONAL"]) == (
        "ONCRMDEALUPDATE",
        {"FIELDS": {"ID": 1}},
        {"user_id": 2},
    )
    assert offline.result("event.offline.get", clear=0)["events"] == [], "reserved rows are not given twice"
    again = offline.result("event.offline.get", clear=0, process_id=got["process_id"])
    assert again["events"][0]["ID"] == row["ID"]
    done = {"process_id": got["process_id"], "message_id": [row["MESSAGE_ID"]]}
    assert offline.result("event.offline.clear", **done) is True
    assert offline.result("event.offline.list") == []


def test_offline_events_that_failed_are_seen_only_when_asked_for(offline: Portal) -> None:
    offline.control("card", id=1, fields={"TITLE": "a"})
    got = offline.result("event.offline.get", clear=0)
    failed = {"process_id": got["process_id"], "message_id": [got["events"][0]["MESSAGE_ID"]]}
    assert offline.result("event.offline.error", **failed) is True
    assert offline.result("event.offline.get")["events"] == []
    assert len(offline.result("event.offline.get", error=1)["events"]) == 1


def test_offline_events_without_the_feature_are_gone_once_read(offline: Portal) -> None:
    offline.control("portal", features=[])
    offline.control("card", id=1, fields={"TITLE": "a"})
    assert offline.refused("event.offline.get", clear=0) == (403, "WRONG_LICENSE")
    assert len(offline.result("event.offline.get")["events"]) == 1
    assert offline.result("event.offline.get")["events"] == []


def test_own_changes_are_left_out_for_the_connector_that_made_them(installed: Portal) -> None:
    bound = {"event": "ONCRMDEALUPDATE", "event_type": "offline", "auth_connector": "hub"}
    installed.result("event.bind", **bound)
    installed.result("crm.deal.update", id=1, fields={"TITLE": "mine"}, auth_connector="hub")
    assert installed.result("event.offline.get", auth_connector="hub")["events"] == []
    installed.result("crm.deal.update", id=1, fields={"TITLE": "other"})
    assert len(installed.result("event.offline.get", auth_connector="hub")["events"]) == 1
    installed.control("portal", features=[])
    refused = installed.refused("event.bind", **bound | {"auth_connector": "second"})
    assert refused == (403, "WRONG_LICENSE")


def test_the_queue_rings_when_it_has_something(offline: Portal) -> None:
    handler = f"{offline.application.url}/ring"
    offline.result("event.bind", event="ONOFFLINEEVENT", handler=handler, options={"minTimeout": 60})
    for title in ("a", "b"):
        offline.control("card", id=1, fields={"TITLE": title})
    (form,) = offline.application.got("ring")
    assert ("data" in form, bool(form["auth"]["refresh_token"])) == (False, True)
    offline.control("wait")
    assert len(offline.application.forms) == 1


@pytest.fixture
def connector(installed: Portal) -> Portal:
    icon = {"DATA_IMAGE": "data:image/svg+xml,%3Csvg/%3E"}
    given = {"ID": "Hub_WA", "NAME": "Hub", "ICON": icon, "PLACEMENT_HANDLER": f"{installed.application.url}/set"}
    assert installed.result("imconnector.register", **given) == {"result": True}
    return installed


def test_the_connectors_settings_page_is_told_the_line_and_its_state(connector: Portal) -> None:
    frame = connector.control("frame", placement="SETTING_CONNECTOR", connector="hub_wa", line=107)
    assert frame["action"].startswith(f"{connector.application.url}/set?")
    options = json.loads(frame["fields"]["PLACEMENT_OPTIONS"])
    assert (options["CONNECTOR"], options["LINE"], options["STATUS"]) == ("hub_wa", "107", False)


def say(portal: Portal, **more: Any) -> Any:
    message = {
        "user": {"id": "wa-1", "name": "Ann", "last_name": "Lee"},
        "message": {"id": "m1", "date": 1790000000, "text": "Hi"},
        "chat": {"id": "wa-1"},
    }
    where = {"CONNECTOR": "hub_wa", "LINE": 107}
    return portal.call("imconnector.send.messages", **where, MESSAGES=[message | more]).json()


def test_a_connector_carries_messages_only_when_it_is_active_and_set_up(connector: Portal) -> None:
    where = {"CONNECTOR": "hub_wa", "LINE": 107}
    assert connector.result("imconnector.register", ID="x", NAME="y")["error"] == "ICON_REQUIRED"
    assert say(connector)["error"] == "NOT_ACTIVE_LINE"
    assert connector.result("imconnector.activate", **where, ACTIVE=1) is True
    assert connector.result("imconnector.status", **where)["STATUS"] is False
    assert connector.result("imconnector.connector.data.set", **where, DATA={"ID": "line3", "NAME": "x"}) is True
    assert connector.result("imconnector.status", **where) == {
        "LINE": 107,
        "CONNECTOR": "hub_wa",
        "ERROR": False,
        "CONFIGURED": True,
        "STATUS": True,
    }
    (row,) = say(connector)["result"]["DATA"]["RESULT"]
    assert (row["SUCCESS"], row["chat"]["name"]) == (True, "Ann Lee")
    (bad,) = say(connector, user={"id": "1", "name": "R2D2 🙂"})["result"]["DATA"]["RESULT"]
    assert bad == {"SUCCESS": False, "ERRORS": ["Wrong name"]}


def test_an_operators_answer_is_an_event_that_is_confirmed(connector: Portal) -> None:
    where = {"CONNECTOR": "hub_wa", "LINE": 107}
    connector.result("imconnector.activate", **where, ACTIVE=1)
    connector.result("imconnector.connector.data.set", **where, DATA={"ID": "line3"})
    say(connector)
    connector.result("event.bind", event="ONIMCONNECTORMESSAGEADD", handler=f"{connector.application.url}/line")
    sent = connector.control("openline", connector="hub_wa", line=107, chat="wa-1", text="Добрый день")
    (form,) = connector.application.got("line")
    (message,) = form["data"]["MESSAGES"]
    assert message["message"]["text"] == "[b]Анна Ли:[/b] [br]Добрый день"
    assert (form["data"]["CONNECTOR"], form["data"]["LINE"], message["chat"]["id"]) == ("hub_wa", "107", "wa-1")
    done = [{"im": message["im"], "message": {"id": ["x"]}, "chat": {"id": "wa-1"}}]
    confirmed = connector.result("imconnector.send.status.delivery", **where, MESSAGES=done)
    assert confirmed == {"SUCCESS": True, "DATA": []}
    (chat,) = connector.bitrix.cloud.open_lines.chats.values()
    assert chat.messages[-1] | {"state": "delivered"} == chat.messages[-1]
    assert chat.messages[-1]["id"] == sent["message_id"]
