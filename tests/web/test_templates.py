"""A template from the drawing to the messenger, to somebody whose 24 hours are over."""

from typing import Any

from hub.sandbox.server import Sandbox
from tests.conftest import Api

CLOSED = "79990001047"


def scenario(**config: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "name": f"Order ready {sorted(config)}",
        "blocks": [
            {"id": "start", "type": "incoming_webhook", "config": {"fields": ["chat_id", "client"]}},
            {"id": "tell", "type": "send_message", "config": {"chat_id": "{{chat_id}}", "line": "WA", **config}},
            {"id": "answer", "type": "return_result", "config": {"values": {"status": "{{blocks.tell.status}}"}}},
        ],
        "links": [
            {"from": "start", "port": "next", "to": "tell"},
            {"from": "tell", "port": "next", "to": "answer"},
        ],
    }


def result(api: Api, document: dict[str, Any]) -> Any:
    made = api.post("/scenarios", document).get_json()
    assert made.get("published"), made
    link = made["links"]["result"].removeprefix("https://hub.test")
    return api.client.post(link, json={"chat_id": CLOSED, "client": "Anna"})


def test_a_text_is_refused_and_a_template_arrives(api: Api, sandbox: Sandbox) -> None:
    config = {"token": "EAA", "phone_number_id": "1122", "api_url": f"{sandbox.url}/whatsapp"}
    assert api.post("/lines", {"name": "WA", "channel": "whatsapp", "config": config}).status_code == 201
    refused = result(api, scenario(text="Order ready, {{client}}"))
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (502, "window_closed")
    template = {"name": "order_ready", "language": "ru", "parameters": {"name": "{{client}}", "number": "77"}}
    sent = result(api, scenario(template=template))
    assert (sent.status_code, sent.get_json()["data"]) == (200, {"status": "sent"})
    newest = api.get("/messages").get_json()["items"][0]
    assert (newest["text"], newest["state"]) == ("[order_ready] Anna, 77", "sent")
    assert sandbox.board.entries()[-1].text == "order_ready, Anna, 77"
