"""Vector 28 and what surrounds it: processes are killed outright, and every accepted request is still accounted for."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from hub.sandbox.server import Sandbox
from hub.settings import Settings
from tests.journeys.installation import new_chat, pause, send
from tests.journeys.plant import Plant, accept, rule, standing
from tests.processes import wait_until


@pytest.fixture
def plant(settings: Settings, tmp_path: Path, sandbox: Sandbox) -> Iterator[Plant]:
    """Web and worker are started and killed one by one."""
    with standing(settings, tmp_path, sandbox) as made:
        yield made


def test_v28_what_was_accepted_before_the_worker_died_is_sent_once_it_is_back(plant: Plant) -> None:
    chat, first = new_chat(), plant.product.worker()
    scenario = plant.at.scenario(send("{{id}}", chat))
    accept(plant, scenario, "before")
    assert plant.at.received(chat, 1) == ["before"]
    plant.end(chat)
    first.kill()
    accept(plant, scenario, "between")
    plant.product.worker()
    assert plant.end(chat, 2) == ["sent", "sent"]
    assert plant.at.received(chat) == ["before", "between"]


@pytest.mark.parametrize(
    ("point", "on_unconfirmed", "state", "times"),
    [
        ("after_claim", "hold", "unconfirmed", 0),
        ("after_claim", "resend", "sent", 1),
        ("after_send", "hold", "unconfirmed", 1),
        ("after_send", "resend", "sent", 2),
    ],
)
def test_a_worker_that_dies_within_an_attempt_leaves_the_choice_to_the_line(
    plant: Plant, point: str, on_unconfirmed: str, state: str, times: int
) -> None:
    chat = new_chat()
    rule(plant, on_unconfirmed)
    scenario = plant.at.scenario(send("{{id}}", chat))
    accept(plant, scenario, "one")
    assert plant.product.worker(HUB_CRASH_AT=point).wait() < 0
    assert plant.at.messages_to(chat)[0]["state"] == "sending"
    plant.product.worker()
    assert plant.end(chat) == [state]
    assert plant.at.received(chat) == ["one"] * times


@pytest.mark.parametrize("on_unconfirmed", ["hold", "resend"])
def test_a_worker_killed_among_many_sends_loses_none_and_repeats_only_what_it_was_told_to(
    plant: Plant, on_unconfirmed: str
) -> None:
    rule(plant, on_unconfirmed)
    chats = [new_chat() for _ in range(40)]
    scenario = plant.at.scenario(send("{{id}}", "{{chat_id}}"))
    for chat in chats:
        plant.at.fault("slow", chat, seconds=0.1)
        assert plant.at.post(scenario.short, {"chat_id": chat, "id": chat}).status_code == 200
    worker = plant.product.worker(HUB_WORKER_THREADS="16")
    wait_until(lambda: any(plant.at.received(chat) for chat in chats), what="the first message")
    worker.kill()
    plant.product.worker()
    ends = {chat: plant.end(chat)[0] for chat in chats}
    assert plant.at.read(f"/lines/{plant.at.line}")["state"] == "active", "our own crash is not the line's failure"
    taken = {chat: len(plant.at.received(chat)) for chat in chats}
    if on_unconfirmed == "hold":
        assert all(ends[chat] == "unconfirmed" or taken[chat] == 1 for chat in chats), (ends, taken)
        assert max(taken.values()) == 1
    else:
        assert Counter(ends.values()) == {"sent": len(chats)}
        assert set(taken.values()) <= {1, 2}
        repeated = sum(count == 2 for count in taken.values())
        assert repeated <= 16, "more messages were repeated than one worker sends at once"


def test_requests_accepted_by_a_web_server_that_is_killed_right_after_are_all_carried_out(plant: Plant) -> None:
    chat = new_chat()
    scenario = plant.at.scenario(send("{{id}}", chat))
    accepted: list[str] = []
    enough = threading.Event()

    def call(number: int) -> None:
        try:
            answered = requests.post(scenario.short, json={"id": str(number)}, timeout=10)
        except requests.RequestException:
            return
        if answered.status_code == 200:
            accepted.append(str(number))
        if len(accepted) >= 20:
            enough.set()

    with ThreadPoolExecutor(8) as pool:
        for number in range(200):
            pool.submit(call, number)
        assert enough.wait(20)
        plant.web.kill()
    plant.product.worker()
    plant.web = plant.product.web(PORT=str(plant.web.port)).wait_ready()
    received = plant.at.received(chat, len(accepted))
    plant.end(chat, len(plant.at.messages_to(chat)))
    received = plant.at.received(chat)
    assert set(accepted) <= set(received)
    assert len(received) == len(set(received))
    assert 20 <= len(accepted) < 200


def test_a_pause_survives_the_death_of_every_process(plant: Plant) -> None:
    chat = new_chat()
    worker = plant.product.worker()
    scenario = plant.at.scenario(send("before", chat, "first"), pause(4), send("after", chat, "second"))
    began = time.time()
    run = plant.at.post(scenario.short).json()["run"]
    assert plant.at.received(chat, 1) == ["before"]
    wait_until(lambda: plant.at.read(f"/runs/{run}")["status"] == "waiting", what="the pause")
    worker.kill()
    plant.web.kill()
    plant.web = plant.product.web(PORT=str(plant.web.port))
    plant.product.worker()
    assert plant.at.received(chat, 2, within_s=30) == ["before", "after"]
    plant.web.wait_ready()
    assert plant.at.asked(chat)[1].at - began >= 4
    assert plant.at.read(f"/runs/{run}")["status"] == "completed"
