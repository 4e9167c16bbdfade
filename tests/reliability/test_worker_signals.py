"""Workers that are told to stop or frozen while they send: nothing twice, nothing lost, nothing overwritten."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.sandbox.server import Sandbox
from hub.settings import Settings
from tests.journeys.installation import new_chat, send
from tests.journeys.plant import Plant, standing
from tests.processes import wait_until

pytestmark = pytest.mark.xdist_group("signals")
CYCLES = {"sqlite": 20, "postgresql": 6}
CHATS = 12
LEASE_S = 3
FREEZES = int(os.environ.get("RELIABILITY_FREEZES", "1"))


@pytest.fixture
def plant(settings: Settings, tmp_path: Path, sandbox: Sandbox) -> Iterator[Plant]:
    """A web process; workers are started one by one."""
    with standing(settings, tmp_path, sandbox, HUB_LEASE_S=str(LEASE_S)) as made:
        yield made


def test_a_worker_told_to_stop_finishes_what_it_sends_and_begins_nothing_new(
    plant: Plant, hub: Hub, database: str
) -> None:
    scenario = plant.at.scenario(send("{{id}}", "{{chat_id}}"))
    chats = [new_chat() for _ in range(CHATS)]
    last_begun, took = [], []
    for cycle in range(CYCLES[database]):
        for chat in chats:
            for n in (1, 2):
                plant.at.fault("slow", chat, seconds=0.15)
                assert plant.at.post(scenario.short, {"chat_id": chat, "id": f"{cycle}.{n}"}).status_code == 200
        before = len(plant.at.sandbox.board.entries())
        worker = plant.product.worker()
        wait_until(lambda so_far=before: len(plant.at.sandbox.board.entries()) > so_far, what="a send")  # type: ignore[misc]
        told_at = now_us()
        worker.send(signal.SIGTERM)
        assert worker.wait(25) == 0
        took.append((now_us() - told_at) / SECOND)
        with hub.db.sql() as sql:
            last_begun.append(((sql.one("SELECT max(started_at) FROM attempt") or (0,))[0] - told_at) / SECOND)
            assert sql.one("SELECT count(*) FROM message WHERE state = 'sending'") == (0,)
            assert sql.one("SELECT count(*) FROM process WHERE kind = 'worker'") == (0,)
    plant.product.worker()
    assert Counter(plant.ends(2 * CHATS * CYCLES[database])) == {"sent": 2 * CHATS * CYCLES[database]}
    wanted = [f"{cycle}.{n}" for cycle in range(CYCLES[database]) for n in (1, 2)]
    assert {chat: plant.at.received(chat) for chat in chats} == dict.fromkeys(chats, wanted)
    assert max(last_begun) <= 0.5
    print(f"{len(took)} stops: at most {max(took):.1f} s; the last attempt began {max(last_begun):.2f} s after")


@pytest.mark.databases("sqlite")
def test_a_worker_told_to_stop_does_not_wait_for_ever_for_a_send_that_hangs(plant: Plant) -> None:
    chat = new_chat()
    scenario = plant.at.scenario(send("{{id}}", chat))
    plant.at.fault("slow", chat, seconds=10)
    assert plant.at.post(scenario.short, {"id": "1"}).status_code == 200
    impatient = "import hub.worker; hub.worker.STOP_WITHIN_S = 0.5; from hub.cli import hub; hub(['worker'])"
    worker = plant.product.start("-c", impatient)
    plant.at.received(chat, 1)
    worker.send(signal.SIGTERM)
    assert worker.wait(6) == 1
    assert plant.states() == ["sending"]
    plant.product.worker()
    assert plant.ends(1) == ["unconfirmed"]
    assert plant.at.received(chat) == ["1"]


@pytest.mark.parametrize("_round", range(FREEZES))
def test_what_a_frozen_worker_held_is_taken_over_and_its_late_outcome_changes_nothing(
    plant: Plant, hub: Hub, _round: int
) -> None:
    changed = plant.at.api("PATCH", f"/lines/{plant.at.line}", {"settings": {"on_unconfirmed": "resend"}})
    assert changed.status_code == 200, changed.text
    scenario = plant.at.scenario(send("{{id}}", "{{chat_id}}"))
    chats = [new_chat() for _ in range(6)]
    for chat in chats:
        # The first try ends without an answer; what the frozen worker makes of that comes after the second was sent.
        plant.at.fault("hang", chat, seconds=1)
        for n in ("1", "2"):
            assert plant.at.post(scenario.short, {"chat_id": chat, "id": n}).status_code == 200
    frozen = plant.product.worker()
    wait_until(lambda: all(plant.at.asked(chat) for chat in chats), what="the first tries")
    frozen.send(signal.SIGSTOP)
    frozen_at = time.monotonic()
    other = plant.product.worker()
    assert plant.ends(12) == ["sent"] * 12
    wait_until(lambda: time.monotonic() > frozen_at + 3 * LEASE_S, what="three leases")
    frozen.send(signal.SIGCONT)
    wait_until(lambda: frozen.output().count('"claim_lost"') == len(chats), what="the refusal of the late outcomes")
    wait_until(lambda: '"taken_for_dead"' in frozen.output(), what="its entering anew")
    assert plant.states() == ["sent"] * 12
    assert {chat: plant.at.received(chat) for chat in chats} == {chat: ["1", "2"] for chat in chats}
    for worker in (frozen, other):
        assert plant.at.post(scenario.short, {"chat_id": chats[0], "id": "3"}).status_code == 200
        plant.at.received(chats[0], 3)
        worker.send(signal.SIGTERM)
        assert worker.wait(25) == 0
    with hub.db.sql() as sql:
        assert sql.one("SELECT count(*) FROM process WHERE kind = 'worker'") == (0,)
