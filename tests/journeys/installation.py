"""A running product as its users see it: scenarios through the management API, requests at the links, and what the
simulated messenger received."""

import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests

from hub.sandbox.faults import Entry, Fault
from hub.sandbox.server import Sandbox
from tests.processes import wait_until

LINE = "Продажи"
ENDED = ("completed", "partial", "failed", "cancelled", "expired")
_numbers = itertools.count(os.getpid() % 10_000 * 100_000 + 1)


def new_chat() -> str:
    """A chat that no other test uses; its ending asks the simulator for nothing special."""
    return f"{next(_numbers)}7777"


def send(text: str, chat: str, block: str = "greet", **config: Any) -> dict[str, Any]:
    """A block that sends a text on the line of every installation."""
    fixed = {"chat_id": chat, "line": LINE, "messenger": "telegram", "text": text}
    return {"id": block, "type": "send_message", "config": fixed | config}


def pause(seconds: float) -> dict[str, Any]:
    """A block that waits."""
    return {"id": "wait", "type": "pause", "config": {"for_s": seconds}}


def assign(block: str, **values: str) -> dict[str, Any]:
    """A block that sets local variables."""
    variables = [{"name": name, "value": value} for name, value in values.items()]
    return {"id": block, "type": "set_variable", "config": {"variables": variables}}


def answer(**values: str) -> dict[str, Any]:
    """A block that returns these values to whoever waits."""
    return {"id": "answer", "type": "return_result", "config": {"values": values}}


def document(
    *blocks: Mapping[str, Any], name: str = "", fields: Sequence[str] = ("chat_id", "id"), **start: Any
) -> dict[str, Any]:
    """A scenario that starts by a link and runs these blocks one after the other."""
    chain = [{"id": "start", "type": "incoming_webhook", "config": {"fields": list(fields), **start}}, *blocks]
    return {
        "format": 1,
        "name": name or f"Сценарий {next(_numbers)}",
        "blocks": chain,
        "links": [{"from": a["id"], "port": "next", "to": b["id"]} for a, b in itertools.pairwise(chain)],
    }


@dataclass(frozen=True)
class Scenario:
    """A stored scenario: its number and its three links, at the address where the product listens."""

    id: int
    link: str
    short: str
    result: str

    @property
    def bare_result(self) -> str:
        """The results link with nothing but the token."""
        return self.result.partition("&")[0]


class Installation:
    """Talks to one running product. `line` is the id of its only line; `key` the header that opens the API."""

    def __init__(self, url: str, key: str, sandbox: Sandbox, line: str = "") -> None:
        self.url = url
        self.sandbox = sandbox
        self.line = line
        self.http = requests.Session()
        self.key = f"Bearer {key}"

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    # ---------------------------------------------------------------- the management API

    def api(self, method: str, path: str, body: Any = None) -> requests.Response:
        """A call of `/api/v1…`."""
        headers = {"Authorization": self.key}
        return self.http.request(method, f"{self.url}/api/v1{path}", json=body, headers=headers, timeout=30)

    def read(self, path: str) -> Any:
        """What a GET gives; it must succeed."""
        got = self.api("GET", path)
        assert got.status_code == 200, got.text
        return got.json()

    def add_line(self, **settings: Any) -> str:
        """Add the line that every scenario here sends by."""
        config = {"token": "1:AAAA", "api_url": f"{self.sandbox.url}/telegram"}
        body = {"name": LINE, "channel": "telegram", "config": config, "settings": settings}
        made = self.api("POST", "/lines", body)
        assert made.status_code == 201, made.text
        self.line = made.json()["id"]
        return self.line

    def scenario(self, *blocks: Mapping[str, Any], **more: Any) -> Scenario:
        """Keep a scenario made of these blocks; it must be published."""
        made = self.api("POST", "/scenarios", document(*blocks, **more))
        assert made.status_code == 201, made.text
        shown = made.json()
        assert shown["published"], shown["problems"]
        return self.shown(shown)

    def shown(self, scenario: Mapping[str, Any]) -> Scenario:
        """A scenario as the API shows it."""
        links = {name: self.url + link[link.index("/", 8) :] for name, link in scenario["links"].items()}
        return Scenario(scenario["id"], links["request"], links["token_only"], links["result"])

    def requests_of(self, scenario: Scenario) -> list[dict[str, Any]]:
        """The requests that came to a scenario's links, oldest first, whole."""
        items = self.read(f"/requests?scenario={scenario.id}")["items"]
        return [self.read(f"/requests/{item['id']}") for item in reversed(items)]

    def runs_of(self, scenario: Scenario) -> list[dict[str, Any]]:
        """The runs of a scenario, newest first."""
        items: list[dict[str, Any]] = self.read(f"/runs?scenario={scenario.id}")["items"]
        return items

    def run(self, accepted: requests.Response) -> dict[str, Any]:
        """The run that an accepted request began, once it is over."""
        assert accepted.status_code == 200, accepted.text
        path = f"/runs/{accepted.json()['run']}"
        wait_until(lambda: self.read(path)["status"] in ENDED, what="the end of the run")
        run: dict[str, Any] = self.read(path)
        return run

    def message(self, message_id: str, *states: str, within_s: float = 15) -> dict[str, Any]:
        """A message, once it is in one of these states."""
        path = f"/messages/{message_id}"
        wait_until(lambda: self.read(path)["state"] in states, within_s=within_s, what=f"{states} of a message")
        message: dict[str, Any] = self.read(path)
        return message

    def messages_to(self, chat: str) -> list[dict[str, Any]]:
        """The messages to a chat, oldest first."""
        items: list[dict[str, Any]] = self.read(f"/messages?chat={chat}&limit=200")["items"]
        return items[::-1]

    # ---------------------------------------------------------------- the links

    def post(self, url: str, body: Any = None, *, kind: str = "application/json", **options: Any) -> requests.Response:
        """POST to a link; `body` as bytes or text goes as it is, anything else as JSON."""
        method = options.pop("method", "POST")
        if isinstance(body, str):
            body = body.encode()
        if body is not None and not isinstance(body, bytes):
            return self.http.request(method, url, json=body, timeout=30, **options)
        headers = {"Content-Type": kind, **options.pop("headers", {})}
        return self.http.request(method, url, data=body, headers=headers, timeout=30, **options)

    def get(self, url: str) -> requests.Response:
        """GET a link."""
        return self.http.get(url, timeout=30)

    # ---------------------------------------------------------------- the messenger

    def asked(self, chat: str) -> list[Entry]:
        """Every request the messenger got for a chat."""
        return [entry for entry in self.sandbox.board.entries() if entry.chat == chat]

    def received(self, chat: str, count: int | None = None, within_s: float = 15) -> list[str]:
        """The texts that the messenger took for a chat; with `count`, once there are so many."""

        def texts() -> list[str]:
            return [entry.text for entry in self.asked(chat) if entry.accepted]

        if count is not None:
            wait_until(lambda: len(texts()) >= count, within_s=within_s, what=f"{count} messages to {chat}")
        return texts()

    def fault(self, kind: str, chat: str, **more: Any) -> None:
        """Play a fault for a chat."""
        self.sandbox.board.add(Fault(kind, chat=chat, **more))


def codes(run: Mapping[str, Any]) -> list[str]:
    """The codes of a run's or a request's warnings."""
    return [warning["code"] for warning in run["warnings"]]


def repairs(run: Mapping[str, Any]) -> set[str]:
    """Which repairs of JSON a run reports."""
    return {warning["path"] for warning in run["warnings"] if warning["code"] == "json_repaired"}
