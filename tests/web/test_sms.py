"""SMS from the form of a line to the report that it was delivered, whichever provider carries it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from hub.clock import now_us
from hub.delivery import claiming
from hub.sandbox.messengers import smsc
from hub.sandbox.server import Sandbox
from tests.conftest import Api
from tests.web.people import Person, sign_in

Message = dict[str, Any]


@dataclass(frozen=True)
class Provider:
    """How a provider is called and what it tells: its report of a message with a status, the statuses of one that is
    on its way, delivered, not delivered; and what it wants to hear."""

    kind: str
    balance: str
    form: Callable[[Message, str], dict[str, str]]
    sent: str
    delivered: str
    failed: str
    heard: str


def report_of_smsc(message: Message, status: str) -> dict[str, str]:
    return {"id": message["provider_id"], "phone": message["chat_id"], "status": status}


def report_of_smsru(message: Message, status: str) -> dict[str, str]:
    entry = f"sms_status\n{message['provider_id']}\n{status}\n1763640000"
    return {"data[0]": entry, "hash": hashlib.sha256(f"demo-key{entry}".encode()).hexdigest()}


SMSC = Provider("smsc", "178.10", report_of_smsc, "0", "1", "20", "")
SMSRU = Provider("smsru", "4122.56", report_of_smsru, "102", "103", "108", "100")
every = pytest.mark.parametrize("provider", [SMSC, SMSRU], ids=lambda one: one.kind)
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
def line(provider: Provider, api: Api, sandbox: Sandbox) -> dict[str, Any]:
    config = {"token": "demo-key", "api_url": f"{sandbox.url}/{provider.kind}"}
    made = api.post("/lines", {"name": "SMS", "channel": provider.kind, "config": config})
    assert made.status_code == 201, made.json
    return dict(made.json)


@pytest.fixture
def send(api: Api, line: dict[str, Any]) -> Any:
    """Sends to a phone by the scenario's link and gives the result."""
    made = api.post("/scenarios", SCENARIO).json
    assert made.get("published"), made
    link = made["links"]["result"].removeprefix("https://hub.test")
    return lambda phone: api.client.post(link, json={"number": phone})


def report(api: Api, line: dict[str, Any], form: dict[str, str]) -> Any:
    return api.client.post(line["webhook_url"].removeprefix("https://hub.test"), data=form)


@every
@pytest.mark.parametrize("phone", ["89991234567", "+7 (999) 123-45-67", "9991234567"])
def test_a_scenario_that_names_no_messenger_sends_to_a_phone(
    phone: str, send: Any, sandbox: Sandbox, api: Api, provider: Provider
) -> None:
    answer = send(phone)
    assert (answer.status_code, answer.json["data"]) == (200, {"status": "sent"})
    (entry,) = sandbox.board.entries()
    assert (entry.service, entry.chat, entry.text, entry.accepted) == (provider.kind, "79991234567", "Готов", True)
    (message,) = api.get("/messages").json["items"]
    assert (message["messenger"], message["state"]) == (provider.kind, "sent")


@every
def test_a_report_of_the_provider_moves_the_message_and_is_answered_as_it_wants(
    send: Any, api: Api, line: dict[str, Any], provider: Provider
) -> None:
    send("79991234567")
    (message,) = api.get("/messages").json["items"]
    steps = ((provider.sent, "sent"), (provider.delivered, "delivered"), (provider.failed, "delivered"))
    for status, state in steps:
        answer = report(api, line, provider.form(message, status))
        assert (answer.status_code, answer.text) == (200, provider.heard)
        assert api.get(f"/messages/{message['id']}").json["state"] == state


@every
def test_a_report_that_it_did_not_arrive_says_so(send: Any, api: Api, line: dict[str, Any], provider: Provider) -> None:
    send("79991234567")
    (message,) = api.get("/messages").json["items"]
    report(api, line, provider.form(message, provider.failed))
    shown = api.get(f"/messages/{message['id']}").json
    assert (shown["state"], shown["error"]["code"]) == ("undelivered", "undelivered")


def test_smscs_report_settles_a_message_of_which_nobody_was_sure(api: Api, hub: Any, sandbox: Sandbox) -> None:
    config = {"token": "demo", "api_url": f"{sandbox.url}/smsc"}
    line = api.post("/lines", {"name": "SMS", "channel": "smsc", "config": config}).json
    link = api.post("/scenarios", SCENARIO).json["links"]["token_only"].removeprefix("https://hub.test")
    api.client.post(link, json={"number": "79991234567"})
    (message,) = api.get("/messages").json["items"]
    hub.db.writer.run(lambda sql: sql.run("UPDATE message SET state = 'unconfirmed', head = FALSE, attempts = 1"))
    report(api, line, report_of_smsc(message | {"provider_id": f"{message['id']}-0"}, "1"))
    assert api.get(f"/messages/{message['id']}").json["state"] == "delivered"


@every
@pytest.mark.parametrize(
    ("language", "words"),
    [("ru", "Баланс: {}."), ("en", "The balance is {}.")],
)
def test_the_form_asks_for_what_is_needed_and_the_check_tells_the_balance(
    language: str, words: str, provider: Provider, api: Api, hub: Any, portal: Any, app: Any, sandbox: Sandbox
) -> None:
    browser = Person(sign_in(hub, portal, app.test_client(), "admin"))
    form = browser.see(f"/lines/new?channel={provider.kind}", language)
    assert 'name="config.token"' in form
    assert 'name="config.sender"' in form.partition("<details")[0], "shown at once"
    given = {"channel": provider.kind, "name": "SMS", "config.token": "demo-key"}
    given |= {"config.api_url": f"{sandbox.url}/{provider.kind}"}
    made = browser.send("/lines/new", language, **given)
    assert words.format(provider.balance) in made.text
    assert 'value="demo-key"' not in made.text


@every
def test_what_did_not_arrive_goes_once_more_when_a_person_sends_it_again(
    send: Any, api: Api, app: Any, line: dict[str, Any], sandbox: Sandbox, provider: Provider, monkeypatch: Any
) -> None:
    monkeypatch.setattr(smsc, "same_text_s", 0.0)
    send("79991231026")
    (message,) = api.get("/messages").json["items"]
    report(api, line, provider.form(message, provider.failed))
    assert api.post(f"/messages/{message['id']}/redeliver", {}).status_code == 200
    hub, postman = app.extensions["hub"], app.extensions["hub.runtime"].postman
    (claimed,) = hub.db.writer.run(
        lambda sql: claiming.claim(sql, [line["id"]], owner=hub.owner, limit=1, now=now_us()), lines=[line["id"]]
    )
    postman.deliver(claimed)
    assert api.get(f"/messages/{message['id']}").json["state"] == "sent"
    assert [entry.accepted for entry in sandbox.board.entries() if entry.chat] == [True, True]
