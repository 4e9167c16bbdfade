"""SMS from the form of a line to the report that it was delivered, whichever provider carries it."""

from typing import Any

import pytest

from hub.sandbox.server import Sandbox
from tests.conftest import Api
from tests.web.people import Person, sign_in

SMSC = {"kind": "smsc", "token": "demo-key", "balance": "178.10"}
every = pytest.mark.parametrize("provider", [SMSC], ids=lambda one: one["kind"])
SCENARIO: dict[str, Any] = {
    "format": 1,
    "name": "Notice",
    "blocks": [
        {"id": "start", "type": "incoming_webhook", "config": {"fields": ["number"]}},
        {"id": "tell", "type": "send_message", "config": {"chat_id": "{{number}}", "line": "SMS", "text": "Готов"}},
        {"id": "answer", "type": "return_result", "config": {"values": {"status": "{{blocks.tell.status}}"}}},
    ],
    "links": [
        {"from": "start", "port": "next", "to": "tell"},
        {"from": "tell", "port": "next", "to": "answer"},
    ],
}


@pytest.fixture
def line(provider: dict[str, str], api: Api, sandbox: Sandbox) -> dict[str, Any]:
    config = {"token": provider["token"], "api_url": f"{sandbox.url}/{provider['kind']}"}
    made = api.post("/lines", {"name": "SMS", "channel": provider["kind"], "config": config})
    assert made.status_code == 201, made.json
    return dict(made.json)


@pytest.fixture
def send(api: Api, line: dict[str, Any]) -> Any:
    """Sends to a phone by the scenario's link and gives the result."""
    made = api.post("/scenarios", SCENARIO).json
    assert made.get("published"), made
    link = made["links"]["result"].removeprefix("https://hub.test")
    return lambda phone: api.client.post(link, json={"number": phone})


def report(api: Api, line: dict[str, Any], message: dict[str, Any], status: str) -> Any:
    form = {"id": message["provider_id"], "phone": message["chat_id"], "status": status}
    return api.client.post(line["webhook_url"].removeprefix("https://hub.test"), data=form)


@every
@pytest.mark.parametrize("phone", ["89991234567", "+7 (999) 123-45-67", "9991234567"])
def test_a_scenario_that_names_no_messenger_sends_to_a_phone(
    phone: str, send: Any, sandbox: Sandbox, api: Api, provider: dict[str, str]
) -> None:
    answer = send(phone)
    assert (answer.status_code, answer.json["data"]) == (200, {"status": "sent"})
    (entry,) = sandbox.board.entries()
    assert (entry.service, entry.chat, entry.text, entry.accepted) == (provider["kind"], "79991234567", "Готов", True)
    (message,) = api.get("/messages").json["items"]
    assert (message["messenger"], message["state"]) == (provider["kind"], "sent")


@every
def test_a_report_of_the_provider_moves_the_message_and_is_answered_as_it_wants(
    send: Any, api: Api, line: dict[str, Any], provider: dict[str, str]
) -> None:
    send("79991234567")
    for status, state in (("0", "sent"), ("1", "delivered"), ("20", "delivered")):
        (message,) = api.get("/messages").json["items"]
        answer = report(api, line, message, status)
        assert (answer.status_code, answer.text) == (200, "")
        assert api.get(f"/messages/{message['id']}").json["state"] == state


@every
def test_a_report_that_it_did_not_arrive_says_so(send: Any, api: Api, line: dict[str, Any]) -> None:
    send("79991234567")
    (message,) = api.get("/messages").json["items"]
    report(api, line, message, "20")
    shown = api.get(f"/messages/{message['id']}").json
    assert (shown["state"], shown["error"]["code"]) == ("undelivered", "undelivered")


def test_smscs_report_settles_a_message_of_which_nobody_was_sure(api: Api, hub: Any, sandbox: Sandbox) -> None:
    config = {"token": "demo", "api_url": f"{sandbox.url}/smsc"}
    line = api.post("/lines", {"name": "SMS", "channel": "smsc", "config": config}).json
    link = api.post("/scenarios", SCENARIO).json["links"]["token_only"].removeprefix("https://hub.test")
    api.client.post(link, json={"number": "79991234567"})
    (message,) = api.get("/messages").json["items"]
    hub.db.writer.run(lambda sql: sql.run("UPDATE message SET state = 'unconfirmed', head = FALSE, attempts = 1"))
    report(api, line, message | {"provider_id": f"{message['id']}-0"}, "1")
    assert api.get(f"/messages/{message['id']}").json["state"] == "delivered"


@every
@pytest.mark.parametrize(
    ("language", "words"),
    [("ru", "Баланс: {}."), ("en", "The balance is {}.")],
)
def test_the_form_asks_for_what_is_needed_and_the_check_tells_the_balance(
    language: str, words: str, provider: dict[str, str], api: Api, hub: Any, portal: Any, app: Any, sandbox: Sandbox
) -> None:
    browser = Person(sign_in(hub, portal, app.test_client(), "admin"))
    form = browser.see(f"/lines/new?channel={provider['kind']}", language)
    assert 'name="config.token"' in form
    given = {"channel": provider["kind"], "name": "SMS", "config.token": provider["token"]}
    given |= {"config.api_url": f"{sandbox.url}/{provider['kind']}"}
    made = browser.send("/lines/new", language, **given)
    assert words.format(provider["balance"]) in made.text
    assert f'value="{provider["token"]}"' not in made.text
