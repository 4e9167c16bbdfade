"""What the demo starts with, put in through the management API as a person would: two lines and three scenarios."""

from dataclasses import dataclass
from typing import Any

import requests

from hub.sandbox.demo_cards import READY_STAGE

TOKEN = "100200300:simulated-bot"  # noqa: S105 - only the simulator knows this bot
BY_LINK, READY, DISCOUNT = "Сообщение по ссылке", "Заказ готов", "Скидка для робота"
DOCUMENTS = {
    BY_LINK: """\
format: 1
name: Сообщение по ссылке
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
""",
    READY: f"""\
format: 1
name: Заказ готов
blocks:
  - {{id: start, type: bitrix24_event, title: Сделка успешна, position: {{x: 40, y: 40}},
     config: {{entity: deal, on: stage, stage: {READY_STAGE}, merge_s: 1}}}}
  - {{id: tell, type: send_message, title: Заказ готов, position: {{x: 40, y: 160}},
     config: {{chat_id: "{{{{phone}}}}", line: WhatsApp, messenger: whatsapp,
              text: "{{{{client_name}}}}, заказ {{{{order_title}}}} на {{{{sum}}}} готов"}}}}
links:
  - {{from: start, port: next, to: tell}}
""",
    DISCOUNT: """\
format: 1
name: Скидка для робота
blocks:
  - {id: start, type: bitrix24_robot, title: Робот, position: {x: 40, y: 40},
     config: {title: Посчитать скидку, wait: true, timeout_s: 60,
              inputs: [{name: amount, title: Сумма, type: double}]}}
  - {id: answer, type: return_result, title: Ответ, position: {x: 40, y: 160},
     config: {values: {discount: "{{amount | times: 0.1}}", words: "Скидка {{amount | times: 0.1 | money: 'RUB'}}"},
              types: {discount: number, words: string}}}
links:
  - {from: start, port: next, to: answer}
""",
}


class SeedError(Exception):
    """The product refused what the demo wanted to put in."""


@dataclass(frozen=True)
class Seeded:
    """The sample scenarios: the number of the one with links, its links by name (`request`, `token_only`, `result`),
    and the number of the one that a robot starts."""

    scenario_id: int
    links: dict[str, str]
    robot_id: int


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

    def call(self, method: str, path: str, **options: Any) -> Any:
        """One call; returns the answer's JSON. Raises SeedError with the product's own words when it refuses."""
        answer = self._session.request(method, self._base + path, timeout=10, **options)
        if not answer.ok:
            raise SeedError(f"{method} {path} was refused with {answer.status_code}: {answer.text[:500]}")
        return answer.json()


def seed(api: Api, messengers_url: str) -> Seeded:
    """Make sure that the lines and the scenarios are there. What a person changed about a scenario stays.

    Raises SeedError when the product refuses, or when the scenario with links has none any more.
    """
    telegram = {"token": TOKEN, "api_url": f"{messengers_url}/telegram"}
    whatsapp = {"token": "EAA-simulated", "phone_number_id": "1122", "api_url": f"{messengers_url}/graph"}
    for name, channel, config in (("Продажи", "telegram", telegram), ("WhatsApp", "whatsapp", whatsapp)):
        _line(api, name, channel, config)
    known = {item["name"]: item for item in api.call("GET", "/scenarios")["items"]}
    scenarios = {name: _scenario(api, known.get(name), document) for name, document in DOCUMENTS.items()}
    by_link = scenarios[BY_LINK]
    if not by_link["links"]:
        raise SeedError(f"The scenario “{BY_LINK}” does not start by a link any more.")
    return Seeded(by_link["id"], by_link["links"], scenarios[DISCOUNT]["id"])


def _line(api: Api, name: str, channel: str, config: dict[str, str]) -> None:
    found = next((item for item in api.call("GET", "/lines")["items"] if item["name"] == name), None)
    if found is None:
        api.call("POST", "/lines", json={"name": name, "channel": channel, "config": config})
    elif found["channel"] == channel and found["config"].get("api_url") != config["api_url"]:
        # The demo was started on other ports than last time.
        api.call("PATCH", f"/lines/{found['id']}", json={"config": config})


def _scenario(api: Api, found: dict[str, Any] | None, document: str) -> dict[str, Any]:
    """A scenario that has been published once, so that a person who switches it off finds it off again."""
    if found is not None and found["published_version"] is not None:
        return found
    # An earlier start could not publish it; what stood in its way may be gone.
    method, path = ("POST", "/scenarios") if found is None else ("PUT", f"/scenarios/{found['id']}")
    yaml = {"Content-Type": "application/yaml"}
    made: dict[str, Any] = api.call(method, path, data=document.encode(), headers=yaml)
    if any(problem["severity"] == "error" for problem in made["problems"]):
        told = "; ".join(f"{problem['block']}: {problem['message']}" for problem in made["problems"])
        raise SeedError(f"The sample scenario “{made['name']}” was not published. {told}")
    if not made["enabled"]:
        api.call("PATCH", f"/scenarios/{made['id']}", json={"enabled": True})
    return made
