"""Binding events, and what is posted to the handlers."""

import pytest

from hub.sandbox.bitrix24.queue import AGENT
from tests.sandbox.conftest import Portal


@pytest.fixture
def bound(installed: Portal) -> Portal:
    installed.result("event.bind", event="onCrmDealUpdate", handler=f"{installed.application.url}/event")
    return installed


def test_a_changed_deal_is_posted_as_a_form_that_says_only_which_one(bound: Portal) -> None:
    bound.control("card", id=1, user=2, fields={"TITLE": "Новое"})
    (form,) = bound.application.got("event")
    auth = form.pop("auth")
    assert form.pop("ts").isdigit()
    assert form.pop("event_handler_id").isdigit()
    assert form == {"event": "ONCRMDEALUPDATE", "data": {"FIELDS": {"ID": "1"}}}
    assert list(auth) == [
        "access_token",
        "expires",
        "expires_in",
        "scope",
        "domain",
        "server_endpoint",
        "status",
        "client_endpoint",
        "member_id",
        "user_id",
        "application_token",
    ]
    assert auth["user_id"] == "2"
    assert bound.result("profile", token=auth["access_token"])["ADMIN"] is False
    headers = bound.application.forms[0][2]
    assert headers == {"type": "application/x-www-form-urlencoded", "agent": AGENT}


def test_a_change_by_automation_brings_no_tokens(bound: Portal) -> None:
    bound.control("card", id=1, user=0, fields={"TITLE": "x"})
    (form,) = bound.application.got("event")
    assert list(form["auth"]) == [
        "scope",
        "domain",
        "server_endpoint",
        "status",
        "client_endpoint",
        "member_id",
        "application_token",
    ]


def test_a_handler_bound_for_a_user_gets_that_users_token(installed: Portal) -> None:
    url = f"{installed.application.url}/event"
    installed.result("event.bind", event="ONCRMDEALUPDATE", handler=url, auth_type=1)
    installed.control("card", id=1, user=2, fields={"TITLE": "x"})
    (form,) = installed.application.got("event")
    assert form["auth"]["user_id"] == "1"


def test_an_older_portal_sends_no_number_of_the_handler(bound: Portal) -> None:
    bound.control("portal", modern=False)
    bound.control("card", id=1, fields={"TITLE": "x"})
    assert "event_handler_id" not in bound.application.got("event")[0]


def test_binding_the_same_twice_is_an_error_and_two_addresses_are_two_deliveries(bound: Portal) -> None:
    first, second = f"{bound.application.url}/event", f"{bound.application.url}/other"
    answer = bound.call("event.bind", event="ONCRMDEALUPDATE", handler=first)
    assert (answer.status_code, answer.json()) == (
        400,
        {"error": "ERROR_CORE", "error_description": "Unable to set event handler: Handler already binded"},
    )
    bound.result("event.bind", event="ONCRMDEALUPDATE", handler=second)
    bound.control("card", id=1, fields={"TITLE": "x"})
    assert bound.application.got("event")
    assert bound.application.got("other")


@pytest.mark.parametrize(
    ("params", "refusal"),
    [
        ({"event": "ONSOMETHING", "handler": "https://a.example/x"}, (400, "ERROR_EVENT_NOT_FOUND")),
        ({"event": "ONCRMDEALADD"}, (400, "ERROR_ARGUMENT")),
        ({"handler": "https://a.example/x"}, (400, "ERROR_ARGUMENT")),
        ({"event": "ONCRMDEALADD", "handler": "ftp://a.example/x"}, (400, "ERROR_UNSUPPORTED_PROTOCOL")),
        ({"event": "ONCRMDEALADD", "handler": "https://localhost/x"}, (400, "ERROR_WRONG_HANDLER_URL")),
    ],
)
def test_a_wrong_binding_is_refused(installed: Portal, params: dict[str, str], refusal: tuple[int, str]) -> None:
    assert installed.refused("event.bind", **params) == refusal


def test_people_who_are_no_administrators_bind_only_for_themselves(installed: Portal) -> None:
    token = installed.control("mint", user=2)["access"]
    url = f"{installed.application.url}/event"
    common = {"token": token, "event": "ONCRMDEALADD"}
    assert installed.refused("event.bind", **common, handler=url, auth_type=1) == (403, "ACCESS_DENIED")
    assert installed.refused("event.bind", **common, event_type="offline") == (403, "ACCESS_DENIED")
    assert installed.result("event.bind", **common, handler=url) is True
    assert installed.result("event.get")[0]["auth_type"] == "2"


def test_bindings_are_listed_and_unbound(bound: Portal) -> None:
    url = f"{bound.application.url}/event"
    assert bound.result("event.get") == [{"event": "ONCRMDEALUPDATE", "handler": url, "auth_type": "0", "offline": 0}]
    assert bound.result("event.unbind", event="oncrmdealupdate", handler=url, auth_type=5) == {"count": 0}
    assert bound.result("event.unbind", event="oncrmdealupdate", handler=url) == {"count": 1}
    bound.control("card", id=1, fields={"TITLE": "x"})
    assert bound.read("deliveries")["deliveries"] == []


def test_a_failed_post_is_never_repeated(bound: Portal) -> None:
    bound.application.status = 500
    bound.control("card", id=1, fields={"TITLE": "x"})
    bound.application.got("event")
    assert bound.control("wait") == {"idle": True}
    (delivery,) = bound.read("deliveries")["deliveries"]
    assert (delivery["status"], delivery["outcome"]) == (500, "answered")
    assert len(bound.application.forms) == 1


def test_a_redirect_of_a_handler_is_not_followed(bound: Portal) -> None:
    bound.application.status, bound.application.location = 302, f"{bound.application.url}/elsewhere"
    bound.control("card", id=1, fields={"TITLE": "x"})
    bound.application.got("event")
    assert bound.control("wait") == {"idle": True}
    assert [path for path, _, _ in bound.application.forms] == ["event"]


def test_events_can_be_lost_doubled_and_overtaken(bound: Portal) -> None:
    bound.control("fault", kind="lost", service="bitrix24_events", chat="ONCRMDEALUPDATE")
    bound.control("card", id=1, fields={"TITLE": "lost"})
    bound.control("wait")
    assert [row["outcome"] for row in bound.read("deliveries")["deliveries"]] == ["lost"]
    bound.control("fault", kind="twice", service="bitrix24_events")
    bound.control("card", id=1, fields={"TITLE": "doubled"})
    assert len(bound.application.got("event", 2)) == 2
    deal = bound.result("crm.deal.add", fields={"TITLE": "second"})
    bound.control("fault", kind="late", service="bitrix24_events", seconds=0.5)
    bound.control("card", id=1, fields={"TITLE": "late"})
    bound.control("card", id=deal, fields={"TITLE": "early"})
    forms = bound.application.got("event", 4)
    assert [form["data"]["FIELDS"]["ID"] for form in forms[2:]] == [str(deal), "1"]


def test_equal_changes_of_one_batch_are_one_event(bound: Portal) -> None:
    change = "crm.deal.update?id=1&fields[TITLE]="
    bound.result("batch", cmd=[f"{change}a", f"{change}b"])
    bound.control("wait")
    assert len(bound.read("deliveries")["deliveries"]) == 1


def test_a_token_from_an_event_causes_three_more_events_at_most(bound: Portal) -> None:
    bound.control("card", id=1, fields={"TITLE": "0"})
    for turn in range(1, 5):
        if turn <= 3:
            token = bound.application.got("event", turn)[-1]["auth"]["access_token"]
        assert bound.result("crm.deal.update", token=token, id=1, fields={"TITLE": str(turn)}) is True
    bound.control("wait")
    assert len(bound.application.forms) == 4
    bound.result("crm.deal.update", id=1, fields={"TITLE": "by the stored token"})
    assert len(bound.application.got("event", 5)) == 5


def test_an_outgoing_webhook_needs_no_application_and_has_a_token_of_its_own(portal: Portal) -> None:
    url = f"{portal.application.url}/hook"
    token = portal.control("outgoing", event="ONCRMDEALUPDATE", url=url)["token"]
    portal.control("card", id=1, fields={"TITLE": "x"})
    (form,) = portal.application.got("hook")
    assert set(form) == {"event", "data", "ts", "auth"}
    assert set(form["auth"]) == {"domain", "client_endpoint", "server_endpoint", "member_id", "application_token"}
    assert form["auth"]["application_token"] == token


def test_event_test_tells_whether_the_portal_can_reach_the_application(installed: Portal) -> None:
    installed.result("event.bind", event="ONAPPTEST", handler=f"{installed.application.url}/event")
    assert installed.result("event.test", any="thing") == 1
    (form,) = installed.application.got("event")
    assert form["data"] == {"QUERY": {"any": "thing"}, "LANGUAGE_ID": "ru"}
    assert form["auth"]["refresh_token"]


def test_a_move_between_funnels_is_an_event_of_its_own(bound: Portal) -> None:
    url = f"{bound.application.url}/moved"
    bound.result("event.bind", event="ONCRMDEALMOVETOCATEGORY", handler=url)
    bound.control("card", id=1, fields={"CATEGORY_ID": 1})
    (form,) = bound.application.got("moved")
    assert form["data"]["FIELDS"] == {"ID": "1", "CATEGORY_ID": "1", "STAGE_ID": "C1:NEW"}
    bound.control("wait")
    assert len(bound.application.forms) == 1
