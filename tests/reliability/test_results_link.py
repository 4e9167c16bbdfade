"""What whoever waits at the results link is told when the database goes away: never to send the request again."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from hub.sandbox.server import Sandbox
from hub.settings import Settings
from tests.databases import PostgresSource, Source
from tests.journeys.installation import answer, new_chat, pause, send
from tests.journeys.plant import Plant, standing
from tests.processes import wait_until
from tests.reliability.cluster import Cluster

pytestmark = pytest.mark.xdist_group("storage")


@dataclass(frozen=True)
class Cut:
    """A product whose database can be taken away and given back."""

    plant: Plant
    take: Callable[[], object]
    give: Callable[[], object]


@pytest.fixture
def cut(
    database: str,
    source: Source,
    settings: Settings,
    tmp_path: Path,
    sandbox: Sandbox,
    request: pytest.FixtureRequest,
) -> Iterator[Cut]:
    """One web process and a worker."""
    if database == "sqlite":
        folder, away = tmp_path / "data", tmp_path / "away"
        folder.mkdir()
        url = source.fresh(folder)
        take, give = (lambda: folder.rename(away)), (lambda: away.rename(folder))
    else:
        cluster: Cluster = request.getfixturevalue("cluster")
        url = PostgresSource(cluster.url, uuid4().hex[:8]).fresh(tmp_path)
        take, give = cluster.stop, cluster.start  # type: ignore[assignment]
    with standing(settings.model_copy(update={"database_url": url}), tmp_path, sandbox) as plant:
        plant.product.worker()
        plant.web.wait_ready()
        yield Cut(plant, take, give)


def test_whoever_waits_while_the_database_goes_away_is_told_where_the_result_will_be(cut: Cut) -> None:
    at, chat = cut.plant.at, new_chat()
    waits = at.scenario(pause(2), answer(id="{{id}}"), result_wait_s=3)
    sends = at.scenario(send("{{id}}", chat), answer(id="{{id}}"), result_wait_s=3)
    at.fault("slow", chat, seconds=2)
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(requests.post, one.result, json={"id": "7"}, timeout=60) for one in (waits, sends)]
        wait_until(lambda: bool(at.asked(chat)) and bool(at.runs_of(waits)), what="a run that waits and one that sends")
        cut.take()
        answers = [call.result() for call in calls]
        cut.give()
    assert [(got.status_code, got.json()["status"]) for got in answers] == [(202, "running")] * 2
    for got in answers:
        link = got.json()["result_url"]
        link = at.url + link[link.index("/", 8) :]
        wait_until(lambda: at.get(link).status_code == 200, within_s=30, what="the result")  # noqa: B023
        assert at.get(link).json()["data"] == {"id": "7"}
    assert cut.plant.end(chat) == ["sent"]
    assert at.received(chat) == ["7"]
    assert [len(at.runs_of(one)) for one in (waits, sends)] == [1, 1]
