"""A PostgreSQL server that is cut off, again and again, or has no room: callers wait a little, nothing is lost."""

import asyncio
import itertools
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from hub.sandbox.server import Sandbox
from hub.settings import Settings
from tests.databases import PostgresSource, wanted
from tests.journeys.installation import assign, new_chat, send
from tests.journeys.plant import Plant, standing
from tests.processes import Running, wait_until
from tests.reliability.callers import Call, Caller, burst, crowding, statuses
from tests.reliability.cluster import Cluster

pytestmark = [
    pytest.mark.databases("postgresql"),
    pytest.mark.xdist_group("storage"),
    pytest.mark.skipif("postgresql" not in wanted(), reason="this run is not about PostgreSQL"),
]
CUTS = int(os.environ.get("RELIABILITY_CUTS", "6"))
CHATS = 30
CALLERS = 8


@pytest.fixture
def url(cluster: Cluster, tmp_path: Path) -> str:
    """A database of a test's own on that server."""
    return PostgresSource(cluster.url, uuid4().hex[:8]).fresh(tmp_path)


@pytest.fixture
def plant(url: str, settings: Settings, tmp_path: Path, sandbox: Sandbox) -> Iterator[Plant]:
    """One web process there."""
    with standing(settings.model_copy(update={"database_url": url}), tmp_path, sandbox) as made:
        yield made


@pytest.fixture
def worker(plant: Plant) -> Running:
    """A worker beside it, at work."""
    started = plant.product.worker()
    plant.web.wait_ready()
    return started


async def insist(link: str, bodies: Iterator[dict[str, str]]) -> list[list[Call]]:
    """Callers that repeat each request until it is taken; all tries of each."""

    async def work() -> list[list[Call]]:
        caller, done = Caller(link), []
        for body in bodies:
            tries = [await caller.post(body)]
            while tries[-1].status != 200:
                await asyncio.sleep(0.05)
                tries.append(await caller.post(body))
            done.append(tries)
            await asyncio.sleep(0.05)
        await caller.close()
        return done

    return [tries for part in await asyncio.gather(*(work() for _ in range(CALLERS))) for tries in part]


def test_a_server_cut_off_again_and_again_delays_requests_and_nothing_is_lost(
    cluster: Cluster, plant: Plant, worker: Running
) -> None:
    chats = [new_chat() for _ in range(CHATS)]
    scenario = plant.at.scenario(send("{{id}}", "{{chat_id}}"), event_key="id")
    over = threading.Event()

    def events() -> Iterator[dict[str, str]]:
        for n in itertools.count():
            if over.is_set():
                return
            yield {"chat_id": chats[n % CHATS], "id": f"event {n}"}

    def cut() -> None:
        for _ in range(CUTS):
            over.wait(2)
            cluster.stop()
            over.wait(0.5)
            cluster.start()
        over.set()

    cutting = threading.Thread(target=cut)
    cutting.start()
    tried = asyncio.run(insist(scenario.short, events()))
    cutting.join()
    count = len(tried)
    first = [tries[0] for tries in tried]
    assert set(statuses(call for tries in tried for call in tries)) <= {200, 503}
    assert max(call.seconds for call in first) <= 10
    # A commit whose answer was lost is the one case in which waiting would not help.
    assert statuses(first).get(503, 0) <= CUTS * CALLERS
    assert Counter(plant.ends(count, within_s=120)) == {"sent": count}
    received = Counter(text for chat in chats for text in plant.at.received(chat))
    assert received == {f"event {n}": 1 for n in range(count)}
    assert [plant.at.api("GET", "/lines").status_code for _ in range(30)] == [200] * 30
    slowest = max(call.seconds for call in first)
    print(f"{CUTS} cuts among {count} events, first answers {statuses(first)}, the slowest {slowest:.1f} s")


def test_a_request_waits_for_a_server_that_comes_back_and_is_sent_soon_after(
    cluster: Cluster, plant: Plant, worker: Running
) -> None:
    chat = new_chat()
    scenario = plant.at.scenario(send("{{id}}", chat))
    assert plant.at.post(scenario.short, {"id": "before"}).status_code == 200
    plant.at.received(chat, 1)
    cluster.stop()
    answers: list[int] = []
    call = partial(plant.at.post, scenario.short, {"id": "while"})
    calling = threading.Thread(target=lambda: answers.append(call().status_code))
    calling.start()
    wait_until(lambda: '"database_unavailable"' in worker.output(), what="the worker's notice")
    cluster.start()
    back = time.monotonic()
    assert plant.at.received(chat, 2) == ["before", "while"]
    took = time.monotonic() - back
    calling.join()
    assert answers == [200]
    assert took <= 2
    print(f"sent {took:.2f} s after the server was back")


def test_a_server_that_stays_away_is_told_after_eight_seconds(cluster: Cluster, plant: Plant) -> None:
    link = plant.at.scenario(assign("note", seen="{{id}}")).short
    cluster.stop()
    calls = asyncio.run(burst([(link, {"id": str(n)}) for n in range(20)], within_s=2))
    cluster.start()
    assert statuses(calls) == {503: 20}
    assert {call.headers["retry-after"] for call in calls} == {"5"}
    assert all(6 <= call.seconds <= 10 for call in calls), [call.seconds for call in calls]
    wait_until(lambda: plant.at.post(link, {"id": "after"}).status_code == 200, within_s=3, what="its return")


def test_a_server_without_room_is_told_after_five_seconds(cluster: Cluster, plant: Plant) -> None:
    link = plant.at.scenario(assign("note", seen="{{id}}")).short
    hogs: list[psycopg.Connection[tuple[object, ...]]] = []
    with suppress(psycopg.OperationalError):
        while True:
            hogs.append(psycopg.connect(cluster.url))
    assert plant.at.post(link, {"id": "meanwhile"}).status_code == 200, "the writer has a session of its own"
    began = time.monotonic()
    with ThreadPoolExecutor(40) as pool:
        pages = list(pool.map(lambda _: plant.at.api("GET", "/messages").status_code, range(40)))
    assert set(pages) <= {200, 503}
    assert time.monotonic() - began <= 8
    unknown = plant.at.get(f"{plant.web.url}/get/?token=6f1c1b62-3b0f-4f5e-9d7c-1f2e3d4c5b6a")
    assert unknown.status_code in (404, 503)
    for hog in hogs:
        hog.close()
    assert plant.at.post(link, {"id": "after"}).status_code == 200
    assert plant.at.api("GET", "/messages").status_code == 200
    assert '"level": "error"' not in plant.web.output()


def test_f13_a_session_that_sleeps_in_a_transaction_is_waited_for_a_little_and_told(url: str, plant: Plant) -> None:
    link = plant.at.scenario(send("{{id}}", new_chat())).short
    with psycopg.connect(url) as sleeper:
        sleeper.execute("LOCK TABLE message IN ACCESS EXCLUSIVE MODE")

        def page(_: int) -> tuple[int, float]:
            began = time.monotonic()
            return plant.at.api("GET", "/messages").status_code, time.monotonic() - began

        with ThreadPoolExecutor(41) as pool:
            calls = pool.submit(lambda: asyncio.run(burst([(link, {"id": str(n)}) for n in range(20)], within_s=1)))
            pages = list(pool.map(page, range(40)))
        assert {status for status, _ in pages} == {503}
        assert statuses(calls.result()) == {503: 20}
        assert {call.headers["retry-after"] for call in calls.result()} == {"5"}
        slowest = max(seconds for _, seconds in pages), max(call.seconds for call in calls.result())
        print(f"pages after {slowest[0]:.1f} s, links after {slowest[1]:.1f} s")
        # Waiting for a connection, for the writer and for the lock together; the last of them gets half a second.
        assert max(slowest) <= 5 + 0.5 + crowding()
        assert plant.at.get(f"{plant.web.url}/healthz").status_code == 200
    assert plant.at.post(link, {"id": "after"}).status_code == 200
    assert [one["text"] for one in plant.at.read("/messages")["items"]] == ["after"]
    assert '"level": "error"' not in plant.web.output()
