"""Robots: registering, being asked, answering, waiting, and what stands beside them on a stage."""

from typing import Any

import pytest

from tests.processes import wait_until
from tests.sandbox.conftest import Portal

CODE = "hub_start"


def robot(portal: Portal, **more: Any) -> dict[str, Any]:
    return {
        "CODE": CODE,
        "HANDLER": f"{portal.application.url}/robot",
        "AUTH_USER_ID": 1,
        "USE_SUBSCRIPTION": "Y",
        "NAME": {"en": "Start scenario"},
        "PROPERTIES": {
            "scenario": {"Name": "Scenario", "Type": "select", "Options": {"17": "Welcome"}, "Default": "17"},
            "phone": {"Name": "Phone", "Type": "string"},
            "tags": {"Name": "Tags", "Type": "string", "Multiple": "Y"},
        },
        "RETURN_PROPERTIES": {"status": {"Name": "Status", "Type": "string"}},
        "DOCUMENT_TYPE": ["crm", "CCrmDocumentDeal", "DEAL"],
        "FILTER": {"INCLUDE": [["crm", "CCrmDocumentDeal"]]},
    } | more


def place(portal: Portal, *steps: dict[str, Any]) -> None:
    """Put robots on the stage PREPARATION of deals."""
    portal.control("robots", stage="PREPARATION", steps=list(steps))


def enter(portal: Portal) -> None:
    portal.control("card", id=1, fields={"STAGE_ID": "PREPARATION"})


def process(portal: Portal) -> dict[str, Any]:
    return portal.read("state")["processes"][-1]  # type: ignore[no-any-return]


def test_a_robot_on_a_stage_posts_its_form_when_a_deal_comes_there(installed: Portal) -> None:
    installed.result("bizproc.robot.add", **robot(installed))
    properties = {"phone": "{=Document:TITLE}", "tags": ["a", "b"]}
    place(installed, {"kind": "robot", "code": CODE, "timeout_s": 660, "properties": properties})
    enter(installed)
    (form,) = installed.application.got("robot")
    assert "event" not in form
    assert form["document_id"] == ["crm", "CCrmDocumentDeal", "DEAL_1"]
    assert form["document_type"] == ["crm", "CCrmDocumentDeal", "DEAL"]
    assert form["properties"] == {"scenario": "17", "phone": "Заказ 1001", "tags": ["a", "b"]}
    assert (form["code"], form["use_subscription"], form["timeout_duration"]) == (CODE, "Y", "660")
    assert form["event_token"].split("|")[0] == form["workflow_id"]
    assert (form["auth"]["user_id"], bool(form["auth"]["refresh_token"])) == ("1", True)
    assert process(installed)["state"] == "waiting"


def test_the_first_answer_ends_the_wait_and_its_declared_values_go_on(installed: Portal) -> None:
    installed.result("bizproc.robot.add", **robot(installed))
    update = {"kind": "update", "properties": {"COMMENTS": "{=result:status}"}}
    place(installed, {"kind": "robot", "code": CODE}, update)
    enter(installed)
    token = installed.application.got("robot")[0]["event_token"]
    anybody = installed.control("mint", user=2)["access"]
    values = {"STATUS": "done", "unknown": "x"}
    assert installed.result("bizproc.activity.log", event_token=token, log_message="half way") is True
    assert process(installed)["state"] == "waiting"
    answer = {"EVENT_TOKEN": token, "RETURN_VALUES": values, "LOG_MESSAGE": "finished"}
    assert installed.result("bizproc.event.send", token=anybody, **answer) is True
    ended = process(installed)
    assert (ended["state"], ended["results"], ended["log"]) == (
        "completed",
        {"0": {"status": "done"}},
        ["half way", "finished"],
    )
    assert installed.result("crm.deal.get", id=1)["COMMENTS"] == "done"
    assert installed.result("bizproc.event.send", event_token=token, return_values={"status": "late"}) is True
    assert process(installed)["ignored"] == 1
    assert installed.result("crm.deal.get", id=1)["COMMENTS"] == "done"


@pytest.mark.parametrize("change", [lambda token: token + "0", lambda token: "1|2|3.4", lambda token: "x"])
def test_a_forged_event_token_is_refused(installed: Portal, change: Any) -> None:
    installed.result("bizproc.robot.add", **robot(installed))
    place(installed, {"kind": "robot", "code": CODE})
    enter(installed)
    token = change(installed.application.got("robot")[0]["event_token"])
    assert installed.refused("bizproc.event.send", event_token=token) == (403, "ACCESS_DENIED")
    assert process(installed)["state"] == "waiting"


def test_a_wait_ends_with_its_time_and_says_so_in_the_result(installed: Portal) -> None:
    installed.result("bizproc.robot.add", **robot(installed))
    place(installed, {"kind": "robot", "code": CODE, "timeout_s": 600})
    enter(installed)
    token = installed.application.got("robot")[0]["event_token"]
    installed.control("clock", advance_s=599)
    assert process(installed)["state"] == "waiting"
    installed.control("clock", advance_s=2)
    wait_until(lambda: process(installed)["state"] == "completed", what="the end of the wait")
    assert process(installed)["results"] == {"0": {"IsTimeout": 1}}
    installed.result("bizproc.event.send", event_token=token, return_values={"status": "late"})
    assert process(installed)["results"] == {"0": {"IsTimeout": 1}}


@pytest.mark.parametrize(
    ("chosen", "author", "waits"), [("Y", False, True), ("N", True, False), (None, False, False), (None, True, True)]
)
def test_who_decides_whether_a_robot_waits(installed: Portal, chosen: Any, author: bool, waits: bool) -> None:
    registered = robot(installed)
    if chosen is None:
        del registered["USE_SUBSCRIPTION"]
    else:
        registered["USE_SUBSCRIPTION"] = chosen
    installed.result("bizproc.robot.add", **registered)
    place(installed, {"kind": "robot", "code": CODE, "wait": author})
    enter(installed)
    installed.application.got("robot")
    assert process(installed)["state"] == ("waiting" if waits else "completed")


def test_a_lost_post_leaves_a_process_without_a_limit_waiting(installed: Portal) -> None:
    installed.result("bizproc.robot.add", **robot(installed))
    place(installed, {"kind": "robot", "code": CODE})
    installed.control("fault", kind="lost", service="bitrix24_events", chat=CODE)
    enter(installed)
    installed.control("wait")
    installed.control("clock", advance_s=10_000_000)
    assert process(installed)["state"] == "waiting"


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"CODE": ""}, "ERROR_ACTIVITY_VALIDATION_FAILURE", "Empty activity code!"),
        ({"CODE": "a b"}, "ERROR_ACTIVITY_VALIDATION_FAILURE", "Wrong activity code!"),
        ({"NAME": ""}, "ERROR_ACTIVITY_VALIDATION_FAILURE", "Empty activity NAME!"),
        ({"PROPERTIES": "x"}, "ERROR_ACTIVITY_VALIDATION_FAILURE", "Wrong properties array!"),
        ({"PROPERTIES": {"1a": {"Name": "x"}}}, "ERROR_ACTIVITY_VALIDATION_FAILURE", "Wrong property key (1a)!"),
        ({"PROPERTIES": {"a": {"Type": "int"}}}, "ERROR_ACTIVITY_VALIDATION_FAILURE", "Empty property NAME (a)!"),
        ({"DOCUMENT_TYPE": "DEAL"}, "ERROR_ACTIVITY_VALIDATION_FAILURE", "Wrong activity DOCUMENT_TYPE!"),
        ({"FILTER": ["crm"]}, "ERROR_ACTIVITY_VALIDATION_FAILURE", "Wrong activity FILTER!"),
        ({"HANDLER": "ftp://127.0.0.1/x"}, "ERROR_UNSUPPORTED_PROTOCOL", "Unsupported event handler protocol"),
        ({"HANDLER": "http://x/"}, "ERROR_WRONG_HANDLER_URL", "Wrong handler URL"),
        (
            {"HANDLER": "https://other.example/x"},
            "ERROR_HANDLER_URL_MATCH",
            "Handler URL host doesn't match application url",
        ),
    ],
)
def test_a_wrong_registration_is_refused(installed: Portal, change: dict[str, Any], code: str, said: str) -> None:
    answer = installed.call("bizproc.robot.add", **robot(installed, **change))
    assert (answer.status_code, answer.json()) == (400, {"error": code, "error_description": said})


def test_robots_are_listed_changed_and_removed_by_their_code(installed: Portal) -> None:
    installed.result("bizproc.robot.add", **robot(installed))
    again = installed.refused("bizproc.robot.add", **robot(installed))
    assert again == (400, "ERROR_ACTIVITY_ALREADY_INSTALLED")
    assert installed.result("bizproc.activity.add", **robot(installed)) is True, "the designer's palette is another"
    assert installed.result("bizproc.robot.list") == [CODE]
    moved = f"{installed.application.url}/moved"
    assert installed.result("bizproc.robot.update", CODE=CODE, FIELDS={"HANDLER": moved}) is True
    place(installed, {"kind": "robot", "code": CODE})
    enter(installed)
    assert installed.application.got("moved")
    assert installed.result("bizproc.robot.delete", CODE=CODE) is True
    assert installed.refused("bizproc.robot.delete", CODE=CODE) == (400, "ERROR_ACTIVITY_NOT_FOUND")
    member = installed.control("mint", user=2)["access"]
    assert installed.refused("bizproc.robot.list", token=member) == (403, "ACCESS_DENIED")


def test_a_robot_of_a_removed_application_blocks_until_it_is_registered_again(installed: Portal) -> None:
    installed.result("bizproc.robot.add", **robot(installed))
    place(installed, {"kind": "robot", "code": CODE})
    installed.control("uninstall")
    enter(installed)
    assert "is blocked" in process(installed)["log"][0]
    installed.install()
    installed.result("bizproc.robot.add", **robot(installed))
    installed.control("card", id=1, fields={"STAGE_ID": "NEW"})
    enter(installed)
    assert installed.application.got("robot")


def test_the_plain_webhook_action_brings_no_token_of_any_kind(installed: Portal) -> None:
    url = f"{installed.application.url}/hook?deal={{=Document:ID}}&name={{=Document:TITLE}}"
    place(installed, {"kind": "webhook", "url": url})
    enter(installed)
    (form,) = installed.application.got("hook")
    assert set(form) == {"document_id", "auth"}
    assert set(form["auth"]) == {"domain", "client_endpoint", "server_endpoint", "member_id"}
    posted = installed.read("deliveries")["deliveries"][-1]["url"]
    assert posted.endswith("/hook?deal=1&name=%D0%97%D0%B0%D0%BA%D0%B0%D0%B7%201001")


def test_what_a_robot_changes_is_an_event_without_a_person(installed: Portal) -> None:
    installed.result("event.bind", event="ONCRMDEALUPDATE", handler=f"{installed.application.url}/event")
    place(installed, {"kind": "update", "properties": {"COMMENTS": "x"}})
    enter(installed)
    forms = installed.application.got("event", 2)
    assert sorted("user_id" in form["auth"] for form in forms) == [False, True]


def test_a_trigger_moves_the_card_to_where_it_stands(installed: Portal) -> None:
    installed.result("crm.automation.trigger.add", CODE="paid", NAME="Paid")
    installed.control("trigger", code="paid", stage="EXECUTING")
    assert installed.refused("crm.automation.trigger.execute", CODE="no", OWNER_TYPE_ID=2, OWNER_ID=1) == (400, "")
    assert installed.result("crm.automation.trigger.execute", CODE="paid", OWNER_TYPE_ID=2, OWNER_ID=1) is True
    assert installed.result("crm.deal.get", id=1)["STAGE_ID"] == "EXECUTING"
    installed.control("trigger", code="x5", stage="WON")
    url = installed.control("webhook")["url"]
    assert installed.get(f"{url}crm.automation.trigger/", target="DEAL_1", code="x5").json()["result"] is True
    assert installed.result("crm.deal.get", id=1)["STAGE_ID"] == "WON"
