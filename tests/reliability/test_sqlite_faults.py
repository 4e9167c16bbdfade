"""What SQLite's file may meet: a foreign writer, a full disk, a folder that goes away. Nothing accepted is lost."""

import asyncio
import sqlite3
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.sandbox.server import Sandbox
from hub.settings import Settings
from tests.databases import Source
from tests.journeys.installation import assign, new_chat, send
from tests.journeys.plant import Plant, standing
from tests.processes import wait_until
from tests.reliability.callers import Call, Caller, burst, statuses
from tests.reliability.disks import fill, small_disk

pytestmark = [pytest.mark.databases("sqlite"), pytest.mark.xdist_group("storage")]
LONG_S = 20


def opened(settings: Settings) -> sqlite3.Connection:
    """A connection of somebody who knows nothing of the product."""
    path = settings.database_url.removeprefix("sqlite:///")
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


@contextmanager
def locked(settings: Settings, seconds: float) -> Iterator[None]:
    """The file is written to by somebody else, for so long from now."""
    foreign = opened(settings)
    foreign.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(seconds, lambda: foreign.execute("ROLLBACK"))
    timer.start()
    yield
    timer.join()
    foreign.close()


def integrity(settings: Settings) -> str:
    """What SQLite says of the file."""
    connection = opened(settings)
    found = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    connection.close()
    return found


@pytest.fixture
def plant(settings: Settings, tmp_path: Path, sandbox: Sandbox) -> Iterator[Plant]:
    """One web process and a worker."""
    with standing(settings, tmp_path, sandbox) as made:
        made.product.worker()
        yield made


def test_a_database_locked_for_three_seconds_delays_requests_and_refuses_none(plant: Plant, settings: Settings) -> None:
    link = plant.at.scenario(assign("note", seen="{{id}}")).short
    with locked(settings, 3):
        calls = asyncio.run(burst([(link, {"id": str(n)}) for n in range(60)], within_s=3))
    assert statuses(calls) == {200: 60}
    assert max(call.seconds for call in calls) <= 5
    assert integrity(settings) == "ok"


async def under_lock(plant: Plant, link: str) -> tuple[list[Call], list[Call]]:
    """Requests of ten seconds, and how the process itself answers meanwhile."""
    calls = asyncio.create_task(burst([(link, {"id": str(n)}) for n in range(60)], within_s=10))
    watching = Caller(f"{plant.web.url}/healthz")
    probes = []
    while not calls.done():
        probes.append(await watching.get())
        await asyncio.sleep(0.1)
    await watching.close()
    return await calls, probes


def test_a_database_locked_for_long_is_told_to_callers_in_time(plant: Plant, settings: Settings) -> None:
    link = plant.at.scenario(assign("note", seen="{{id}}")).short
    pages: list[int] = []
    page = threading.Thread(target=lambda: pages.append(plant.at.api("PUT", "/variables/x", {"value": 1}).status_code))
    with locked(settings, LONG_S):
        page.start()
        calls, probes = asyncio.run(under_lock(plant, link))
    page.join()
    assert statuses(calls) == {503: 60}
    assert {call.headers["retry-after"] for call in calls} == {"5"}
    assert {call.json["code"] for call in calls} == {"storage_unavailable"}
    assert max(call.seconds for call in calls) <= 10
    assert pages == [503]
    assert statuses(probes) == {200: len(probes)}
    assert statistics.median(probe.seconds for probe in probes) <= 0.05
    assert max(probe.seconds for probe in probes) <= 2
    assert plant.at.post(link, {"id": "after"}).status_code == 200
    assert integrity(settings) == "ok"
    print(f"503 after {max(call.seconds for call in calls):.1f} s; /healthz {max(p.seconds for p in probes):.3f} s")


def test_a_full_disk_is_told_what_is_kept_can_be_read_and_it_goes_on_once_there_is_room(
    settings: Settings, source: Source, tmp_path: Path, sandbox: Sandbox
) -> None:
    with small_disk(tmp_path, megabytes=8) as place:
        settings = settings.model_copy(update={"database_url": source.fresh(place)})
        with standing(settings, tmp_path, sandbox) as plant:
            plant.product.worker()
            chat = new_chat()
            scenario = plant.at.scenario(send("{{id}}", chat))
            accepted = [str(n) for n in range(20)]
            assert [plant.at.post(scenario.short, {"id": n}).status_code for n in accepted] == [200] * 20
            plant.at.received(chat, 20)
            filling = fill(place)
            calls = asyncio.run(burst([(scenario.short, {"id": "x" * 5000})] * 10, within_s=1))
            refused = [call for call in calls if call.status == 503]
            assert set(statuses(calls)) <= {200, 503}
            assert len(refused) >= 5, statuses(calls)
            assert {call.json["code"] for call in refused} == {"storage_full"}
            assert max(call.seconds for call in calls) <= 10
            assert len(plant.at.messages_to(chat)) >= 20
            assert plant.at.api("PUT", "/variables/x", {"value": "x" * 5000}).status_code == 503
            filling.unlink()
            wait_until(
                lambda: plant.at.post(scenario.short, {"id": "after"}).status_code == 200, within_s=5, what="its return"
            )
            count = 21 + statuses(calls).get(200, 0)
            assert plant.ends(count) == ["sent"] * count
            assert [text for text in plant.at.received(chat) if len(text) < 5000] == [*accepted, "after"]
            assert integrity(settings) == "ok"


def test_a_folder_that_goes_away_is_told_and_nothing_is_lost_when_it_is_back(
    settings: Settings, source: Source, tmp_path: Path, sandbox: Sandbox
) -> None:
    folder, away = tmp_path / "data", tmp_path / "away"
    folder.mkdir()
    settings = settings.model_copy(update={"database_url": source.fresh(folder)})
    with standing(settings, tmp_path, sandbox, HUB_LEASE_S="2") as plant:
        worker = plant.product.worker()
        plant.web.wait_ready()
        chat = new_chat()
        scenario = plant.at.scenario(send("{{id}}", chat))
        assert plant.at.post(scenario.short, {"id": "before"}).status_code == 200
        plant.at.received(chat, 1)
        folder.rename(away)
        refused = plant.at.post(scenario.short, {"id": "meanwhile"})
        assert refused.status_code == 503, refused.text
        assert refused.json()["code"] == "storage_unavailable"
        assert refused.headers["Retry-After"] == "5"
        wait_until(lambda: plant.at.get(f"{plant.web.url}/readyz").status_code == 503, what="not being ready")
        wait_until(lambda: '"beat_failed"' in worker.output(), what="a line in the log")
        away.rename(folder)
        wait_until(
            lambda: plant.at.post(scenario.short, {"id": "after"}).status_code == 200, within_s=5, what="its return"
        )
        plant.web.wait_ready()
        assert plant.at.received(chat, 2) == ["before", "after"]
        assert integrity(settings) == "ok"
