"""Web processes that are told to stop or to renew themselves while requests are under way: none of those is cut."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.core import Hub
from hub.sandbox.server import Sandbox
from hub.settings import Settings
from tests.journeys.installation import answer, assign, pause
from tests.journeys.plant import Plant, standing
from tests.processes import wait_until
from tests.reliability.callers import Call, burst, crowding, statuses, steady

pytestmark = pytest.mark.xdist_group("signals")
WEB_PROCESSES = 2
STOPS = {"sqlite": 20, "postgresql": 6}
LATE_S = 2.0
UNDER_LOAD = 5000


@pytest.fixture
def plant(settings: Settings, tmp_path: Path, sandbox: Sandbox) -> Iterator[Plant]:
    """Two web processes and a worker."""
    with standing(settings, tmp_path, sandbox, HUB_WEB_WORKERS=str(WEB_PROCESSES)) as made:
        made.product.worker()
        yield made


def all_at_work(plant: Plant, hub: Hub) -> list[int]:
    """The pids of the web processes, once each of them has started and entered itself."""

    def started() -> bool:
        with hub.db.sql() as sql:
            entered = {pid for (pid,) in sql.all("SELECT pid FROM process WHERE kind = 'web'")}
        return len(plant.web_processes()) == WEB_PROCESSES and set(plant.web_processes()) <= entered

    wait_until(started, within_s=60, what="the start of all web processes")
    return plant.web_processes()


async def stop_amid(hub: Hub, links: list[str], pids: list[int]) -> tuple[list[Call], float]:
    """Call these links four times each and stop these processes while the calls wait; when that was."""

    def runs() -> int:
        with hub.db.sql() as sql:
            return (sql.one("SELECT count(*) FROM run") or (0,))[0]

    before = runs()
    calls = asyncio.create_task(burst([(link, {"id": "1"}) for link in links * 4]))
    while runs() < before + 4 * len(links):
        await asyncio.sleep(0.02)
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    stopped_at = time.monotonic()
    return await calls, stopped_at


def test_web_processes_told_to_stop_answer_all_they_have_taken(plant: Plant, hub: Hub, database: str) -> None:
    scenarios = [plant.at.scenario(pause(seconds), answer(id="{{id}}")) for seconds in (0.1, 0.4, 0.7, 1, 3, 6)]
    rounds = STOPS[database] // WEB_PROCESSES
    for _ in range(rounds):
        old = all_at_work(plant, hub)
        calls, at = asyncio.run(stop_amid(hub, [one.result for one in scenarios], old))
        assert set(statuses(calls)) <= {200, 202}, [call for call in calls if call.status not in (200, 202)]
        assert max(call.at + call.seconds for call in calls) - at <= LATE_S * crowding()
        assert {call.json["status"] for call in calls if call.status == 202} <= {"running"}
        wait_until(lambda before=old: not set(before) & set(plant.web_processes()), what="the end of the old ones")  # type: ignore[misc]
    assert [len(plant.at.runs_of(one)) for one in scenarios] == [4 * rounds] * len(scenarios)
    assert '"level": "error"' not in plant.web.output()


def test_a_web_server_told_to_stop_answers_and_ends_well(plant: Plant, hub: Hub) -> None:
    all_at_work(plant, hub)
    scenario = plant.at.scenario(pause(6), answer(id="{{id}}"))
    calls, at = asyncio.run(stop_amid(hub, [scenario.result] * 6, [plant.web.pid]))
    assert statuses(calls) == {202: 24}
    assert max(call.at + call.seconds for call in calls) - at <= LATE_S * crowding()
    assert plant.web.wait(10) == 0


def test_renewing_all_web_processes_under_load_fails_no_request(plant: Plant, hub: Hub) -> None:
    scenario = plant.at.scenario(assign("note", seen="{{id}}"))
    done = threading.Event()
    renewed: list[int] = []

    def renew() -> None:
        for _ in range(3):
            old = set(all_at_work(plant, hub))
            plant.web.send(signal.SIGHUP)
            wait_until(lambda: not old & set(plant.web_processes()), within_s=60, what="the end of the old ones")  # noqa: B023
            renewed.extend(old)
        done.set()

    thread = threading.Thread(target=renew)
    thread.start()
    calls: list[Call] = []
    while not done.is_set() or len(calls) < UNDER_LOAD:
        for keep in (True, False):
            calls += asyncio.run(steady(scenario.short, [{"id": str(n)} for n in range(500)], callers=8, keep=keep))
    thread.join()
    assert len(renewed) == 3 * WEB_PROCESSES
    assert statuses(calls) == {200: len(calls)}, [call for call in calls if call.status != 200][:5]
    print(f"renewed {len(renewed)} web processes under {len(calls)} requests")
