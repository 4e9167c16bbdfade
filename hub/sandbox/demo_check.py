"""`hub demo --check`: uses a running demo as people and callers would, and looks at what arrives."""

import re
from typing import TYPE_CHECKING, Any

import click
import requests

from hub.sandbox.demo_cards import ORDER, PHONE, PRICE, READY_STAGE, ROBOT_STAGE, TEXT, WRITTEN_PHONE
from hub.sandbox.demo_person import Person, somebody
from hub.sandbox.demo_seed import READY
from hub.sandbox.demo_waiting import CheckFailed, wait_for

if TYPE_CHECKING:
    from hub.sandbox.demo import Demo

ARRIVES_WITHIN_S = 30.0
USUAL_CHAT = "79991234567"
RESULT_CHAT = "79997654320"
WRITTEN = "Курьер будет в 15:00"


def check_demo(demo: "Demo") -> None:
    """Install the application, move the deal, answer a robot, call both links, sign in. Says what came of each step.

    Raises CheckFailed for the first thing that is not as it must be.
    """
    with requests.Session() as session:
        session.trust_env = False
        with somebody(demo.portal_url) as person:
            click.echo(f"Somebody uses the portal {person.way}.")
            _install(person, session, demo)
            _robot(person, session, demo)
            _deal(person, session, demo)
        _call_links(session, demo)
        _await_messages(session, demo.messengers_url)
        _sign_in(session, demo)
        _open_page(session, f"{demo.messengers_url}/", "Телефон клиента")


def _install(person: Person, session: requests.Session, demo: "Demo") -> None:
    person.install()
    (one,) = _portal(session, demo)["installations"]
    _demand(one["installed"] and one["handlers"] and one["senders"], "the installation", one)
    click.echo(
        f"Installed through the portal's frame: {len(one['handlers'])} events, {len(one['placements'])} places, "
        f"{len(one['activities'])} robots and actions, {len(one['senders'])} senders."
    )


def _robot(person: Person, session: requests.Session, demo: "Demo") -> None:
    """A robot on a stage waits for what our scenario returns, and gets values of the declared types."""
    person.put_robot(f"hub_{demo.seeded.robot_id}", ROBOT_STAGE, "amount={=Document:OPPORTUNITY}")
    person.move(demo.cards.deal, ROBOT_STAGE)

    def ended() -> Any:
        return next((one for one in _state(session, demo)["processes"] if one["state"] == "completed"), None)

    results = wait_for(ended, ARRIVES_WITHIN_S, "the end of the robot's process")["results"]
    (given,) = results.values()
    named = {name.lower(): value for name, value in given.items()}
    right = named.get("discount") == PRICE / 10 and not isinstance(named["discount"], str)
    _demand(right and "4 500 ₽" in _spaced(str(named.get("words"))), "the waiting robot", given)
    click.echo(f"A waiting robot was answered: discount {named['discount']} (a number), “{_spaced(named['words'])}”.")


def _deal(person: Person, session: requests.Session, demo: "Demo") -> None:
    """The deal's stage starts a scenario; its message arrives, and stands in the deal's timeline and tab."""
    person.move(demo.cards.deal, READY_STAGE)
    click.echo(f"The deal {ORDER} was moved to the stage {READY_STAGE}.")

    def arrived() -> Any:
        return [entry for entry in _sent(session, demo.messengers_url) if entry["service"] == "whatsapp"]

    messages = wait_for(arrived, ARRIVES_WITHIN_S, "the message of the deal")
    got = [(entry["chat"], _spaced(entry["text"])) for entry in messages]
    _demand(got == [(PHONE, TEXT)], "the customer's phone", got)
    click.echo(f"Arrived: whatsapp {PHONE} (in the portal: {WRITTEN_PHONE}): {TEXT}")

    def written() -> Any:
        card = session.get(f"{demo.portal_url}/_control/card/2/{demo.cards.deal}", timeout=10).json()
        texts = [_spaced(row["text"]) for row in card["comments"]]
        return len(texts) == 1 and "(WhatsApp)" in texts[0] and TEXT in texts[0]

    wait_for(written, ARRIVES_WITHIN_S, "the message in the deal's timeline")
    click.echo("The deal's timeline shows the message.")

    person.write_in_tab("CRM_DEAL_DETAIL_TAB", demo.cards.deal, READY, WRITTEN)

    def answered() -> Any:
        return [entry for entry in arrived() if (entry["chat"], entry["text"]) == (PHONE, WRITTEN)]

    _demand(len(wait_for(answered, ARRIVES_WITHIN_S, "what was written in the tab")) == 1, "the tab", arrived())
    click.echo(f"The deal's tab shows it, too, and sent another text from there: {WRITTEN}")


def _call_links(session: requests.Session, demo: "Demo") -> None:
    usual, result = demo.seeded.links["token_only"], demo.seeded.links["result"]
    body = {"chat_id": USUAL_CHAT, "name_client": "Анна", "tranid": "order-1"}
    status, answer = _post(session, usual, body)
    _demand(status == 200 and answer.get("status") == "accepted", "the usual link", (status, answer))
    click.echo(f"The usual link took a request: {answer['status']}, run {answer['run']}.")
    run = answer["run"]

    status, answer = _post(session, usual, body)
    same = answer.get("status") == "duplicate" and answer.get("run") == run
    _demand(status == 200 and same, "the usual link, called again with the same event,", (status, answer))
    click.echo("The same event once more: duplicate.")

    status, answer = _post(session, result, {"chat_id": RESULT_CHAT, "name_client": "Пётр", "id": 7})
    data: Any = answer.get("data") or {}
    done = answer.get("status") == "done" and data.get("status") == "sent" and data.get("message_id")
    _demand(status == 200 and bool(done), "the results link", (status, answer))
    click.echo(f"The results link answered: message {data['message_id']} is {data['status']}.")

    status, answer = _post(session, f"{usual}&template_id={demo.seeded.scenario_id + 100}", body)
    _demand(status == 404, "a link with another scenario's template_id", (status, answer))
    click.echo("A link with another scenario's template_id: 404.")

    status, answer = _post(session, f"{demo.url}/get/?token=unknown", body)
    _demand(status == 404, "a link with an unknown token", (status, answer))
    click.echo("A link with an unknown token: 404.")


def _await_messages(session: requests.Session, messengers_url: str) -> None:
    """The messages of both links at the simulated messenger, each once."""
    wanted = {USUAL_CHAT: "Анна", RESULT_CHAT: "Пётр"}

    def arrived() -> Any:
        entries = [entry for entry in _sent(session, messengers_url) if entry["service"] == "telegram"]
        return entries if wanted.keys() <= {entry["chat"] for entry in entries} else None

    entries = wait_for(arrived, ARRIVES_WITHIN_S, "a message of the links")
    for entry in entries:
        click.echo(f"Arrived: {entry['service']} chat {entry['chat']}: {entry['text']}")
    for chat, name in wanted.items():
        texts = [entry["text"] for entry in entries if entry["chat"] == chat]
        _demand(len(texts) == 1 and name in texts[0], f"chat {chat}", texts)


def _sign_in(session: requests.Session, demo: "Demo") -> None:
    form = {"email": demo.account.email, "password": demo.account.password}
    answer = session.post(f"{demo.url}/login", data=form, headers={"Origin": demo.url}, timeout=30)
    _demand(answer.ok and answer.url == f"{demo.url}/", "signing in", (answer.status_code, answer.url))
    click.echo(f"The login that the demo prints opens {answer.url}.")


def _open_page(session: requests.Session, url: str, words: str) -> None:
    answer = session.get(url, timeout=10)
    if answer.status_code != 200 or words not in answer.content.decode():
        raise CheckFailed(f"the page {url} does not show what it should ({answer.status_code}).")
    click.echo(f"The page {url} opens.")


def _state(session: requests.Session, demo: "Demo") -> Any:
    return session.get(f"{demo.portal_url}/_control/state", timeout=10).json()


def _portal(session: requests.Session, demo: "Demo") -> Any:
    return _state(session, demo)["portals"][0]


def _sent(session: requests.Session, messengers_url: str) -> list[dict[str, Any]]:
    sent = session.get(f"{messengers_url}/_control/sent", timeout=10).json()["sent"]
    return [entry for entry in sent if entry["accepted"]]


def _post(session: requests.Session, link: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = session.post(link, json=body, timeout=60)
    try:
        shown = answer.json()
    except ValueError:
        shown = {}
    return answer.status_code, shown if isinstance(shown, dict) else {}


def _spaced(text: str) -> str:
    """With plain spaces in place of those that do not break a line."""
    return re.sub(r"\s", " ", text)


def _demand(as_it_must_be: Any, what: str, found: Any) -> None:
    if not as_it_must_be:
        raise CheckFailed(f"{what} gave {found}.")
