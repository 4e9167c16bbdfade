"""Processes die at named places, five times each: what is left is one of two legal states, and the next process goes
on from there."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from hub.sandbox.server import Sandbox
from hub.settings import Settings
from tests.journeys.installation import ENDED, Scenario, answer, new_chat, send
from tests.journeys.plant import Plant, rule, standing
from tests.processes import wait_until

TIMES = 5


@pytest.fixture
def plant(settings: Settings, tmp_path: Path, sandbox: Sandbox) -> Iterator[Plant]:
    """A web server that lives; the processes that die are started by the tests."""
    with standing(settings, tmp_path, sandbox) as made:
        yield made


def dies(plant: Plant, point: str) -> None:
    """Start a worker that kills itself there."""
    assert plant.product.worker(HUB_CRASH_AT=point).wait() == -9


def call_dying_web(plant: Plant, link: str, bodies: list[dict[str, str]]) -> None:
    """Call a web server whose processes kill themselves once they have stored a request; nobody gets an answer."""
    dying = plant.product.web(HUB_CRASH_AT="after_commit").wait_ready("/healthz")
    there = link.replace(plant.at.url, dying.url)
    assert there != link
    for body in bodies:
        before = stored(plant)
        # While the next process starts nobody answers either; only the one that stored it dies of it.
        wait_until(lambda: stored_now(plant, there, body) > before, within_s=30, what="a request stored")  # noqa: B023
    dying.kill()


def stored_now(plant: Plant, link: str, body: dict[str, str]) -> int:
    """Try once, and count what is stored."""
    with pytest.raises(requests.RequestException):
        requests.post(link, json=body, timeout=10)
    return stored(plant)


def stored(plant: Plant) -> int:
    """How many requests are stored."""
    return len(plant.at.read("/requests?limit=200")["items"])


def ended(plant: Plant, scenario: Scenario, count: int) -> list[str]:
    """How the runs of a scenario ended, once all have."""
    wait_until(
        lambda: [run["status"] in ENDED for run in plant.at.runs_of(scenario)] == [True] * count,
        within_s=30,
        what=f"the end of {count} runs",
    )
    return [run["status"] for run in plant.at.runs_of(scenario)]


def test_what_was_stored_before_its_caller_was_answered_is_a_duplicate_when_the_caller_repeats(plant: Plant) -> None:
    chat = new_chat()
    scenario = plant.at.scenario(send("{{id}}", chat), event_key="id")
    bodies = [{"id": str(n)} for n in range(TIMES)]
    call_dying_web(plant, scenario.short, bodies)
    assert [plant.at.post(scenario.short, body).json()["status"] for body in bodies] == ["duplicate"] * TIMES
    plant.product.worker()
    assert plant.end(chat, TIMES) == ["sent"] * TIMES
    assert plant.at.received(chat) == [body["id"] for body in bodies]


@pytest.mark.parametrize(("on_unconfirmed", "state", "times"), [("hold", "unconfirmed", 0), ("resend", "sent", 1)])
def test_a_message_claimed_for_a_waiting_caller_is_settled_after_the_web_process_has_died(
    plant: Plant, on_unconfirmed: str, state: str, times: int
) -> None:
    rule(plant, on_unconfirmed)
    scenario = plant.at.scenario(send("{{id}}", "{{chat_id}}", wait_for="queued"), answer(ok="1"), event_key="id")
    chats = [new_chat() for _ in range(TIMES)]
    call_dying_web(plant, scenario.bare_result, [{"id": chat, "chat_id": chat} for chat in chats])
    plant.product.worker()
    for chat in chats:
        assert plant.end(chat) == [state]
        assert plant.at.received(chat) == [chat] * times
    assert ended(plant, scenario, TIMES) == ["completed"] * TIMES


@pytest.mark.parametrize(("point", "times"), [("after_claim", 0), ("after_send", 1)])
def test_five_workers_that_die_within_an_attempt_leave_five_messages_to_a_person(
    plant: Plant, point: str, times: int
) -> None:
    rule(plant, "hold")
    scenario = plant.at.scenario(send("{{id}}", "{{chat_id}}"))
    chats = [new_chat() for _ in range(TIMES)]
    for chat in chats:
        assert plant.at.post(scenario.short, {"id": "once", "chat_id": chat}).status_code == 200
        dies(plant, point)
    plant.product.worker()
    for chat in chats:
        assert plant.end(chat) == ["unconfirmed"]
        assert plant.at.received(chat) == ["once"] * times


@pytest.mark.parametrize(("point", "most"), [("after_claim", 1), ("after_send", 2)])
def test_a_worker_that_dies_with_five_attempts_in_hand_has_them_made_again(plant: Plant, point: str, most: int) -> None:
    rule(plant, "resend")
    scenario = plant.at.scenario(send("{{id}}", "{{chat_id}}"))
    chats = [new_chat() for _ in range(TIMES)]
    for chat in chats:
        assert plant.at.post(scenario.short, {"id": "again", "chat_id": chat}).status_code == 200
    dies(plant, point)
    plant.product.worker()
    for chat in chats:
        assert plant.end(chat) == ["sent"]
        assert 1 <= len(plant.at.received(chat)) <= most


def test_a_run_whose_worker_dies_between_two_advances_goes_on_from_the_first(plant: Plant) -> None:
    rule(plant, "resend")  # the dying worker may have another run's message in hand
    blocks = send("first", "{{chat_id}}", "one", wait_for="sent"), send("second", "{{chat_id}}", "two")
    scenario = plant.at.scenario(*blocks)
    chats = [new_chat() for _ in range(TIMES)]
    for chat in chats:
        assert plant.at.post(scenario.short, {"chat_id": chat}).status_code == 200
        dies(plant, "between_advances")
    plant.product.worker()
    for chat in chats:
        assert plant.end(chat, 2) == ["sent"] * 2
        assert list(dict.fromkeys(plant.at.received(chat))) == ["first", "second"]
    assert ended(plant, scenario, TIMES) == ["completed"] * TIMES
