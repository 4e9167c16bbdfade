"""`hub demo --check`: uses a running demo as its callers would and looks at what arrives."""

import time
from typing import Any

import click
import requests

from hub.sandbox.demo_seed import Seeded

ARRIVES_WITHIN_S = 15.0
USUAL_CHAT = "79991234567"
RESULT_CHAT = "79997654321"


class CheckFailed(Exception):
    """Something did not happen; the message says what."""


def check_demo(url: str, messengers_url: str, portal_url: str, seeded: Seeded) -> None:
    """Call both links, again, and wrongly; wait for the messages; open the pages. Says what came of each step.

    Raises CheckFailed for the first thing that is not as it must be.
    """
    with requests.Session() as session:
        session.trust_env = False
        _call_links(session, url, seeded)
        _await_messages(session, messengers_url)
        _open_page(session, f"{messengers_url}/", "Телефон клиента")
        _open_page(session, f"{portal_url}/", "Учебный портал")


def _call_links(session: requests.Session, url: str, seeded: Seeded) -> None:
    usual, result = seeded.links["token_only"], seeded.links["result"]
    body = {"chat_id": USUAL_CHAT, "name_client": "Анна", "tranid": "order-1"}
    status, answer = _post(session, usual, body)
    _demand(status == 200 and answer.get("status") == "accepted", "the usual link", status, answer)
    click.echo(f"The usual link took a request: {answer['status']}, run {answer['run']}.")
    run = answer["run"]

    status, answer = _post(session, usual, body)
    same = answer.get("status") == "duplicate" and answer.get("run") == run
    _demand(status == 200 and same, "the usual link, called again with the same event,", status, answer)
    click.echo("The same event once more: duplicate.")

    status, answer = _post(session, result, {"chat_id": RESULT_CHAT, "name_client": "Пётр", "id": 7})
    data: Any = answer.get("data") or {}
    done = answer.get("status") == "done" and data.get("status") == "sent" and data.get("message_id")
    _demand(status == 200 and bool(done), "the results link", status, answer)
    click.echo(f"The results link answered: message {data['message_id']} is {data['status']}.")

    status, answer = _post(session, f"{usual}&template_id={seeded.scenario_id + 1}", body)
    _demand(status == 404, "a link with another scenario's template_id", status, answer)
    click.echo("A link with another scenario's template_id: 404.")

    status, answer = _post(session, f"{url}/get/?token=unknown", body)
    _demand(status == 404, "a link with an unknown token", status, answer)
    click.echo("A link with an unknown token: 404.")


def _await_messages(session: requests.Session, messengers_url: str) -> None:
    """Both messages at the simulated messenger, each once."""
    wanted = {USUAL_CHAT: "Анна", RESULT_CHAT: "Пётр"}
    deadline = time.monotonic() + ARRIVES_WITHIN_S
    arrived: list[dict[str, Any]] = []
    while not wanted.keys() <= {entry["chat"] for entry in arrived}:
        if time.monotonic() > deadline:
            missing = ", ".join(sorted(wanted.keys() - {entry["chat"] for entry in arrived}))
            raise CheckFailed(f"nothing arrived in chat {missing} within {ARRIVES_WITHIN_S:.0f} seconds.")
        time.sleep(0.1)
        sent = session.get(f"{messengers_url}/_control/sent", timeout=5).json()["sent"]
        arrived = [entry for entry in sent if entry["accepted"]]
    for entry in arrived:
        click.echo(f"Arrived: {entry['service']} chat {entry['chat']}: {entry['text']}")
    for chat, name in wanted.items():
        texts = [entry["text"] for entry in arrived if entry["chat"] == chat]
        if len(texts) != 1 or name not in texts[0]:
            raise CheckFailed(f"chat {chat} should have got one message for {name} and got {texts}.")


def _open_page(session: requests.Session, url: str, words: str) -> None:
    answer = session.get(url, timeout=5)
    if answer.status_code != 200 or words not in answer.content.decode():
        raise CheckFailed(f"the page {url} does not show what it should ({answer.status_code}).")
    click.echo(f"The page {url} opens.")


def _post(session: requests.Session, link: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = session.post(link, json=body, timeout=60)
    try:
        shown = answer.json()
    except ValueError:
        shown = {}
    return answer.status_code, shown if isinstance(shown, dict) else {}


def _demand(as_it_must_be: bool, what: str, status: int, answer: dict[str, Any]) -> None:
    if not as_it_must_be:
        raise CheckFailed(f"{what} answered {status} {answer}.")
