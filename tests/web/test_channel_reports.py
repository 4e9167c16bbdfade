"""Reports of messengers at a line's own address."""

import hashlib
import hmac
import json
from typing import Any

import pytest

CONFIG = {"token": "EAAG", "phone_number_id": "100", "app_secret": "a secret of the app", "verify_token": "verify me"}
SCENARIO: dict[str, Any] = {
    "format": 1,
    "name": "Notice",
    "blocks": [
        {"id": "start", "type": "incoming_webhook", "config": {}},
        {"id": "tell", "type": "send_message", "config": {"chat_id": "{{body.phone}}", "line": "WA", "text": "Ready"}},
    ],
    "links": [{"from": "start", "port": "next", "to": "tell"}],
}


@pytest.fixture
def line(api: Any) -> dict[str, Any]:
    made = api.post("/lines", {"name": "WA", "channel": "whatsapp", "config": CONFIG})
    assert made.status_code == 201, made.json
    return dict(made.json)


def path(line: dict[str, Any]) -> str:
    return str(line["webhook_url"]).removeprefix("https://hub.test")


def sent_message(api: Any, client: Any, hub: Any) -> str:
    """A message that the messenger has accepted as wamid.1."""
    scenario = api.post("/scenarios", SCENARIO).json
    client.post(scenario["links"]["token_only"].removeprefix("https://hub.test"), json={"phone": "89991234567"})
    (message,) = api.get("/messages").json["items"]
    hub.db.writer.run(
        lambda sql: sql.run("UPDATE message SET state = 'sent', head = FALSE, provider_id = 'wamid.1', attempts = 1")
    )
    return str(message["id"])


def status_report(state: str, **more: str) -> bytes:
    status = {"id": "wamid.1", "status": state, "timestamp": "1767225600", "recipient_id": "79991234567"} | more
    if state == "failed":
        status["errors"] = [{"code": 131026, "title": "Message undeliverable"}]  # type: ignore[assignment]
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "100"}, "statuses": [status]}
    return json.dumps({"entry": [{"changes": [{"field": "messages", "value": value}]}]}).encode()


def report(client: Any, line: dict[str, Any], body: bytes, *, secret: str = CONFIG["app_secret"]) -> Any:
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return client.post(path(line), data=body, headers={"X-Hub-Signature-256": signature})


def test_a_message_moves_up_to_read_and_never_back(api: Any, client: Any, hub: Any, line: dict[str, Any]) -> None:
    message = sent_message(api, client, hub)
    for state, shown in [("delivered", "delivered"), ("read", "read"), ("delivered", "read"), ("failed", "read")]:
        assert report(client, line, status_report(state)).status_code == 200
        assert api.get(f"/messages/{message}").json["state"] == shown


def test_a_late_refusal_makes_a_sent_message_undelivered_with_the_reason(
    api: Any, client: Any, hub: Any, line: dict[str, Any]
) -> None:
    message = sent_message(api, client, hub)
    report(client, line, status_report("failed"))
    shown = api.get(f"/messages/{message}").json
    assert shown["state"] == "undelivered"
    assert "undeliverable" in shown["error"]["message"].lower()


def test_a_repeated_report_of_a_sending_before_the_last_changes_nothing(
    api: Any, client: Any, hub: Any, line: dict[str, Any]
) -> None:
    message = sent_message(api, client, hub)
    again = "UPDATE message SET provider_id = 'wamid.2', sent_parts = ?"
    hub.db.writer.run(lambda sql: sql.run(again, ('["wamid.2"]',)))
    report(client, line, status_report("failed", biz_opaque_callback_data=message))
    assert api.get(f"/messages/{message}").json["state"] == "sent"
    report(client, line, status_report("delivered", biz_opaque_callback_data=message, id="wamid.2"))
    assert api.get(f"/messages/{message}").json["state"] == "delivered"


def test_a_report_settles_a_message_that_nobody_was_sure_of(
    api: Any, client: Any, hub: Any, line: dict[str, Any]
) -> None:
    message = sent_message(api, client, hub)
    hub.db.writer.run(lambda sql: sql.run("UPDATE message SET state = 'unconfirmed'"))
    report(client, line, status_report("delivered"))
    assert api.get(f"/messages/{message}").json["state"] == "delivered"


def test_a_report_about_a_message_that_is_being_sent_is_asked_for_again(
    api: Any, client: Any, hub: Any, line: dict[str, Any]
) -> None:
    sent_message(api, client, hub)
    hub.db.writer.run(lambda sql: sql.run("UPDATE message SET state = 'sending', owner = 'somebody'"))
    answer = report(client, line, status_report("delivered"))
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"


def test_a_report_that_is_not_signed_by_the_provider_is_refused(
    api: Any, client: Any, hub: Any, line: dict[str, Any]
) -> None:
    message = sent_message(api, client, hub)
    assert report(client, line, status_report("read"), secret="another").status_code == 403
    assert api.get(f"/messages/{message}").json["state"] == "sent"


def test_the_address_answers_the_providers_challenge_and_hides_unknown_lines(client: Any, line: dict[str, Any]) -> None:
    query = "?hub.mode=subscribe&hub.verify_token=verify+me&hub.challenge=1158201444"
    answer = client.get(path(line) + query)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert client.get(path(line) + query.replace("verify+me", "wrong")).status_code == 403
    assert client.post("/channels/nothing", data=b"{}").status_code == 404


def test_phones_of_every_spelling_reach_whatsapp_in_one_form(api: Any, client: Any, line: dict[str, Any]) -> None:
    scenario = api.post("/scenarios", SCENARIO).json
    link = scenario["links"]["token_only"].removeprefix("https://hub.test")
    for phone in ("89999999999", "+7 (999) 999-99-99", "9999999999"):
        assert client.post(link, json={"phone": phone}).json["status"] == "accepted"
    messages = api.get("/messages").json["items"]
    assert [message["chat_id"] for message in messages] == ["79999999999"] * 3


def test_max_reports_with_the_secret_of_the_subscription(api: Any, client: Any) -> None:
    config = {"token": "f9LH", "secret": "a-secret"}
    line = api.post("/lines", {"name": "MAX", "channel": "max", "config": config}).json
    started = {"update_type": "bot_started", "chat_id": 9001, "user": {"user_id": 42, "first_name": "Anna"}}
    for secret, status in (("a-secret", 200), ("another", 403)):
        answer = client.post(path(line), json=started, headers={"X-Max-Bot-Api-Secret": secret})
        assert answer.status_code == status
