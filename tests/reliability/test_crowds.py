"""Very many requests at once: an event told a hundred times, a chat begun by ten messages, thousands in seconds."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.sandbox.server import Sandbox
from hub.settings import Settings
from tests.journeys.installation import Scenario, assign, new_chat, send
from tests.journeys.plant import Plant, standing
from tests.processes import Running
from tests.reliability.callers import Call, burst, crowding, p99, statuses

pytestmark = pytest.mark.xdist_group("crowds")
KEYS = 20
AT_ONCE = 100
CHATS = 50
IN_TWO_SECONDS = 2000
LATER = """
import datetime, sys, time_machine
time_machine.travel(datetime.datetime.now(datetime.UTC) + datetime.timedelta(days={days}), tick=True).start()
sys.argv = ["gunicorn", "--config", "hub/web/gunicorn_conf.py", "wsgi:app"]
from gunicorn.app.wsgiapp import run
run()
"""


@pytest.fixture
def plant(settings: Settings, tmp_path: Path, sandbox: Sandbox) -> Iterator[Plant]:
    """Two web processes and a worker."""
    with standing(settings, tmp_path, sandbox, HUB_WEB_WORKERS="2") as made:
        made.product.worker()
        made.web.wait_ready()
        yield made


def tell(plant: Plant, web: Running, scenario: Scenario, key: str) -> tuple[Counter[str], set[str]]:
    """Tell one event as often as `AT_ONCE` at once; how it was answered, and which runs were named."""
    link = scenario.short.replace(plant.at.url, web.url)
    calls = asyncio.run(burst([(link, {"id": key})] * AT_ONCE))
    assert statuses(calls) == {200: AT_ONCE}
    return Counter(call.json["status"] for call in calls), {call.json["run"] for call in calls}


def test_f23_an_event_told_a_hundred_times_at_once_to_four_processes_happens_once(plant: Plant) -> None:
    chat = new_chat()
    scenario = plant.at.scenario(send("{{id}}", chat), event_key="id")
    once, again, anew = {"accepted": 1, "duplicate": AT_ONCE - 1}, {"duplicate": AT_ONCE}, plant.product.start
    runs: dict[str, set[str]] = {}
    four = plant.product.web(HUB_WEB_WORKERS="4").wait_ready()
    for key in (f"event {n}" for n in range(KEYS)):
        told, runs[key] = tell(plant, four, scenario, key)
        assert (told, len(runs[key])) == (once, 1)
    assert sorted(plant.at.received(chat, KEYS)) == sorted(runs)
    four.kill()
    for web in (plant.product.web(), anew("-c", LATER.format(days=6))):
        web.wait_ready("/healthz")
        assert all(tell(plant, web, scenario, key) == (again, runs[key]) for key in list(runs)[:5])
        web.kill()
    after = anew("-c", LATER.format(days=8)).wait_ready("/healthz")
    told, named = tell(plant, after, scenario, "event 0")
    assert (told, len(named), named & runs["event 0"]) == (once, 1, set()), "a key is known for seven days"


def test_f24_ten_messages_that_begin_a_chat_at_once_all_arrive_in_the_order_they_came(plant: Plant) -> None:
    scenario = plant.at.scenario(send("{{id}}", "{{chat_id}}"))
    chats = [new_chat() for _ in range(CHATS)]
    bodies = [{"chat_id": chat, "id": str(n)} for chat in chats for n in range(10)]
    calls = asyncio.run(burst([(scenario.short, body) for body in bodies], within_s=1))
    assert statuses(calls) == {200: len(bodies)}
    came: dict[str, dict[str, Call]] = defaultdict(dict)
    for body, call in zip(bodies, calls, strict=True):
        came[body["chat_id"]][body["id"]] = call
    for chat in chats:
        texts = plant.at.received(chat, 10)
        assert sorted(texts) == sorted(came[chat])
        assert [one["text"] for one in plant.at.messages_to(chat)] == texts
        for place, text in enumerate(texts):
            # Of two that were under way at once either may be first; but none overtakes one already answered.
            begun = came[chat][text].at
            assert all(came[chat][later].at + came[chat][later].seconds > begun for later in texts[place + 1 :])


def test_f25_two_thousand_requests_within_two_seconds_are_all_taken_soon(plant: Plant) -> None:
    link = plant.at.scenario(assign("note", seen="{{id}}")).short
    bodies = [(link, {"id": str(n), "text": "x" * 900}) for n in range(IN_TWO_SECONDS)]
    crowded = crowding()
    calls = asyncio.run(burst(bodies, within_s=2))
    crowded = max(crowded, crowding())
    assert statuses(calls) == {200: IN_TWO_SECONDS}
    assert len({call.json["run"] for call in calls}) == IN_TWO_SECONDS
    print(f"p99 {p99(calls):.2f} s, the slowest {max(call.seconds for call in calls):.2f} s, crowding {crowded:.1f}")
    assert p99(calls) <= 3 * crowded
