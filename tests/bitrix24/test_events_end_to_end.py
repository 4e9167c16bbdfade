"""From a click in the portal to a message at the messenger, through real processes and real posts."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.bitrix24 import registrations
from hub.delivery import lines
from hub.sandbox.faults import Fault
from hub.sandbox.server import Sandbox
from hub.settings import Settings
from tests.bitrix24.conftest import Connected, control
from tests.bitrix24.scene import Scene, make_scene
from tests.conftest import free_port
from tests.processes import Product, Running, wait_until

SEND = {
    "id": "greet",
    "type": "send_message",
    "config": {"chat_id": "{{order}}00", "line": "Messages", "text": "{{client_name}}: {{sum}}, {{stage}}"},
}
STAGE = "PREPARATION"


class Live:
    """A product at work that a simulated portal posts its events to."""

    def __init__(self, scene: Scene, product: Product, settings: dict[str, str]) -> None:
        self.scene, self.product, self.settings = scene, product, settings
        self.serving: Running | None = None

    def start(self) -> Running:
        self.serving = self.product.serve(**self.settings).wait_ready()
        return self.serving

    def click(self, **fields: Any) -> None:
        """A person changes the deal in the portal, which tells of it by itself."""
        self.scene.change(number=1, **fields)

    def messages(self) -> list[str]:
        return [row[0].replace("\xa0", " ") for row in self.scene.rows("SELECT text FROM message ORDER BY seq")]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The portal posts to where the product really is."""
    return settings.model_copy(update={"public_url": f"http://127.0.0.1:{free_port()}"})


@pytest.fixture
def live(connected: Connected, tmp_path: Path, sandbox: Sandbox) -> Iterator[Live]:
    """The product is not started yet."""
    hub = connected.hub
    registrations.sync(connected.bitrix24, connected.portal_id, ("event",))
    scene = make_scene(connected)
    with hub.db.write() as session:
        config = {"token": "1:AAAA", "api_url": f"{sandbox.url}/telegram"}
        lines.create(session, hub, connected.portal_id, name="Messages", channel="telegram", config=config)
    settings = {
        "PORT": hub.settings.base_url.rpartition(":")[2],
        "HUB_PUBLIC_URL": hub.settings.base_url,
        "HUB_BITRIX24_CLIENT_ID": hub.settings.bitrix24_client_id,
        "HUB_BITRIX24_CLIENT_SECRET": hub.settings.bitrix24_client_secret,
        "HUB_BITRIX24_OAUTH_URLS": ",".join(hub.settings.bitrix24_oauth_urls),
        "HUB_SWEEP_INTERVAL_S": "1",
    }
    with Product(hub.settings, tmp_path) as product:
        yield Live(scene, product, settings)


def test_a_click_in_the_portal_becomes_a_message(live: Live) -> None:
    live.scene.scenario(SEND, on="stage", stage=STAGE)
    live.start()
    live.click(STAGE_ID=STAGE, OPPORTUNITY="45000")
    wait_until(lambda: bool(live.scene.rows("SELECT 1 FROM message WHERE state = 'sent'")), what="the message")
    (text,) = live.messages()
    assert text.startswith("Анна: 45 000 ₽, ")
    assert control(live.scene.connected.simulator, "wait", within_s=10)["idle"]
    posted = [row for row in live.scene.connected.simulator.cloud.queue.deliveries(0) if row.name == "ONCRMDEALUPDATE"]
    assert [row.status for row in posted] == [200]


def test_a_lost_event_is_found_and_becomes_one_message(live: Live) -> None:
    live.scene.scenario(SEND, on="stage", stage=STAGE)
    live.start()
    swept = "SELECT 1 FROM bitrix24_watch WHERE swept_to IS NOT NULL"
    wait_until(lambda: bool(live.scene.rows(swept)), within_s=30, what="the first search")
    live.scene.connected.simulator.board.add(Fault("lost", service="bitrix24_events", chat="ONCRMDEALUPDATE"))
    live.click(STAGE_ID=STAGE)
    wait_until(lambda: bool(live.messages()), within_s=40, what="the message")
    before = live.scene.rows("SELECT swept_to FROM bitrix24_watch")
    wait_until(lambda: live.scene.rows("SELECT swept_to FROM bitrix24_watch") != before, what="another search")
    assert len(live.messages()) == 1
    assert live.scene.requests() == [("run", ["recovered"])]


def test_processes_killed_between_events_and_their_runs_start_each_once(live: Live) -> None:
    live.scene.scenario(SEND, on="created", merge_s=1)
    live.start()
    numbers = [live.scene.deal(TITLE=f"Deal {number}", CONTACT_ID=1) for number in range(20)]
    assert control(live.scene.connected.simulator, "wait", within_s=30)["idle"]
    assert live.serving is not None
    live.serving.kill()
    assert live.scene.waiting() > 0
    live.start()
    wait_until(lambda: live.scene.waiting() == 0, within_s=120, what="all changes looked at")
    cards = live.scene.rows("SELECT query FROM request WHERE outcome = 'run'")
    told = {query.partition("&recovered")[0] for (query,) in cards}
    assert (len(cards), told) == (20, {f"entity=deal&id={number}" for number in numbers})


def test_a_scenario_that_writes_the_deal_that_started_it_runs_once(live: Live) -> None:
    write = {"id": "write", "type": "bitrix24_write", "config": {"action": "update", "fields": {"TITLE": "Seen"}}}
    scenario = live.scene.scenario(write, on="updated")
    live.start()
    live.click(OPPORTUNITY="777")
    # Its own change is told like any other, looked at, and known again.
    wait_until(
        lambda: ("unchanged", ["own_change"]) in live.scene.requests(),
        within_s=60,
        what="its own change to be looked at",
    )
    wait_until(lambda: live.scene.waiting() == 0, within_s=30, what="all changes looked at")
    assert live.scene.rows("SELECT scenario_id, status FROM run") == [(scenario, "completed")]
    assert live.scene.connected.portal.crm.items[2][1]["TITLE"] == "Seen"


def test_a_second_after_the_removal_nothing_is_called_with_the_old_tokens(live: Live) -> None:
    live.scene.scenario(SEND, on="updated")
    cloud = live.scene.connected.simulator.cloud
    live.start()
    searches = "SELECT swept_to FROM bitrix24_watch WHERE swept_to IS NOT NULL"
    wait_until(lambda: bool(live.scene.rows(searches)), within_s=30, what="the first search")
    live.click(OPPORTUNITY="778")
    control(live.scene.connected.simulator, "uninstall", clean=0)
    told = [row for row in cloud.queue.deliveries() if row.name == "ONAPPUNINSTALL"]
    wait_until(lambda: all(row.status for row in told), within_s=10, what="the removal to be told")
    assert [row.status for row in told] == [200]
    removed = told[0].sent_at + told[0].ms / 1000
    live.click(OPPORTUNITY="779")
    # Searches would come every second, and changes were waiting: there is time enough for several of either.
    wait_until(lambda: time.time() > removed + 5, within_s=10, what="five seconds")
    late = [call for call in cloud.calls if call.at > removed + 1]
    assert [(call.method, call.error) for call in late] == []
    assert live.scene.connected.state() == "uninstalled"
