"""What the demo starts with, put in through the management API as a person would: a line and a scenario."""

from dataclasses import dataclass
from typing import Any

import requests

LINE = "Продажи"
SCENARIO = "Заказ готов"
TOKEN = "100200300:simulated-bot"  # noqa: S105 - only the simulator knows this bot
DOCUMENT = """\
format: 1
name: Заказ готов
blocks:
  - {id: start, type: incoming_webhook, title: Входящий webhook, position: {x: 40, y: 40},
     config: {fields: [chat_id, id], event_key: tranid}}
  - {id: greet, type: send_message, title: Приветствие, position: {x: 40, y: 160},
     config: {chat_id: "{{chat_id}}", line: Продажи, messenger: telegram, wait_for: sent,
              text: "Здравствуйте, {{name_client | default: 'друг'}}! Ваш заказ готов."}}
  - {id: answer, type: return_result, title: Ответ, position: {x: 40, y: 280},
     config: {values: {message_id: "{{blocks.greet.message_id}}", status: "{{blocks.greet.status}}",
                       chat_id: "{{chat_id}}"},
              types: {message_id: string, status: string, chat_id: string}}}
links:
  - {from: start, port: next, to: greet}
  - {from: greet, port: next, to: answer}
"""


class SeedError(Exception):
    """The product refused what the demo wanted to put in."""


@dataclass(frozen=True)
class Seeded:
    """The sample scenario: its number and its links by name (`request`, `token_only`, `result`)."""

    scenario_id: int
    links: dict[str, str]


class Api:
    """The management API of a running product."""

    def __init__(self, base_url: str, key: str) -> None:
        self._base = f"{base_url}/api/v1"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {key}"

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def key_works(self) -> bool:
        """Whether the product knows the key."""
        return self._session.get(f"{self._base}/lines", timeout=10).status_code == 200

    def call(self, method: str, path: str, **options: Any) -> Any:
        """One call; returns the answer's JSON. Raises SeedError with the product's own words when it refuses."""
        answer = self._session.request(method, self._base + path, timeout=10, **options)
        if not answer.ok:
            raise SeedError(f"{method} {path} was refused with {answer.status_code}: {answer.text[:500]}")
        return answer.json()


def seed(api: Api, messengers_url: str) -> Seeded:
    """Make sure that the line and the scenario are there. What a person changed about the scenario stays.

    Raises SeedError when the product refuses, or when the scenario has no links any more.
    """
    _line(api, f"{messengers_url}/telegram")
    found = [item for item in api.call("GET", "/scenarios")["items"] if item["name"] == SCENARIO]
    yaml = {"Content-Type": "application/yaml"}
    if not found:
        scenario = api.call("POST", "/scenarios", data=DOCUMENT.encode(), headers=yaml)
    elif found[0]["published_version"] is None:
        # An earlier start could not publish it; what stood in its way may be gone.
        scenario = api.call("PUT", f"/scenarios/{found[0]['id']}", data=DOCUMENT.encode(), headers=yaml)
    else:
        scenario = found[0]
    if scenario["published_version"] is None:
        told = "; ".join(f"{problem['block']}: {problem['message']}" for problem in scenario["problems"])
        raise SeedError(f"The sample scenario was not published. {told}")
    if not scenario["links"]:
        raise SeedError(f"The scenario “{SCENARIO}” does not start by a link any more.")
    return Seeded(scenario["id"], scenario["links"])


def _line(api: Api, api_url: str) -> None:
    found = [item for item in api.call("GET", "/lines")["items"] if item["name"] == LINE]
    config = {"token": TOKEN, "api_url": api_url}
    if not found:
        api.call("POST", "/lines", json={"name": LINE, "channel": "telegram", "config": config})
    elif found[0]["channel"] == "telegram" and found[0]["config"].get("api_url") != api_url:
        # The demo was started on other ports than last time.
        api.call("PATCH", f"/lines/{found[0]['id']}", json={"config": config})
