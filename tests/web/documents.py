"""Scenario documents and shortcuts that the tests of the management API share."""

import copy
from typing import Any

DOCUMENT: dict[str, Any] = {
    "format": 1,
    "name": "Заказ готов",
    "blocks": [
        {"id": "start", "type": "incoming_webhook", "config": {"fields": ["chat_id", "id"]}},
        {
            "id": "greet",
            "type": "send_message",
            "config": {"chat_id": "{{chat_id}}", "line": "Продажи", "text": "Заказ {{id}}"},
        },
    ],
    "links": [{"from": "start", "port": "next", "to": "greet"}],
}
LINE: dict[str, Any] = {"name": "Продажи", "channel": "telegram", "config": {"token": "111:SECRET-token"}}


def document(name: str = "Заказ готов", *, line: str = "Продажи", **config: Any) -> dict[str, Any]:
    """A scenario that starts by a link and sends one message; `config` goes to the start block."""
    made = copy.deepcopy(DOCUMENT)
    made["name"] = name
    made["blocks"][0]["config"] |= config
    made["blocks"][1]["config"]["line"] = line
    return made


def without_start(name: str = "По событию") -> dict[str, Any]:
    """A scenario that no link starts."""
    made = document(name)
    made["blocks"][0] = {"id": "start", "type": "bitrix24_event", "config": {"entity": "deal", "on": "created"}}
    return made
