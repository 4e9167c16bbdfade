"""The portal's own list of what happened, beside the search: one run of each change, whoever tells of it."""

from dataclasses import replace
from typing import Any

import pytest

from connectors.errors import ConnectorError
from hub.bitrix24 import offline, sweep, sweep_desk
from hub.bitrix24.client import PortalClient
from hub.clock import now_us
from hub.sandbox.faults import Fault
from tests.bitrix24.conftest import control
from tests.bitrix24.scene import SMART, Scene
from tests.bitrix24.test_sweep import Sweeping

NAMES = {"ONCRMDEALADD", "ONCRMDEALUPDATE", "ONCRMDEALDELETE", "ONCRMDEALMOVETOCATEGORY"}


@pytest.fixture
def sweeping(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Sweeping:
    monkeypatch.setattr(sweep_desk, "PULL_S", 0.0)
    return Sweeping(scene)


def installation(scene: Scene) -> Any:
    (found,) = scene.connected.portal.installations.values()
    return found


def bound(scene: Scene) -> set[str]:
    return {row.event for row in installation(scene).handlers if row.offline}


def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search whose lists show nothing, so that only the portal's list can tell."""
    monkeypatch.setattr(sweep, "_pages", lambda *_: iter(()))


def test_the_list_holds_what_scenarios_watch_and_nothing_else(sweeping: Sweeping, scene: Scene) -> None:
    deals = scene.scenario(on="updated")
    sweeping.sweep()
    assert bound(scene) == NAMES
    scene.scenario(entity="contact", on="updated", name="On a contact")
    scene.switch(deals, on=False)
    sweeping.sweep()
    assert bound(scene) == {f"ONCRMCONTACT{what}" for what in ("ADD", "UPDATE", "DELETE")}


def test_a_change_that_only_the_list_tells_of_starts_one_run(
    sweeping: Sweeping, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.scenario(on="stage", stage="PREPARATION")
    sweeping.sweep()
    blind(monkeypatch)
    scene.change(number=1, STAGE_ID="PREPARATION")
    for _ in range(3):
        sweeping.sweep()
    assert len(scene.results()) == 1
    assert scene.requests() == [("run", ["recovered"])]
    assert installation(scene).offline == []


@pytest.mark.parametrize("told", [True, False])
def test_a_change_that_event_search_and_list_tell_of_starts_one_run(
    sweeping: Sweeping, scene: Scene, told: bool
) -> None:
    scene.scenario(on="updated")
    sweeping.sweep()
    scene.change(number=1, TITLE="Told by three")
    if told:
        scene.tell(1)
        scene.work()
    for _ in range(3):
        sweeping.sweep()
    assert len(scene.results()) == 1
    assert len(scene.requests()) == 1


def test_a_creation_that_only_the_list_tells_of_starts_one_run(
    sweeping: Sweeping, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.scenario(entity=f"dynamic:{SMART}", on="created", values={"text": "{{bitrix.item.TITLE}}"})
    sweeping.sweep()
    blind(monkeypatch)
    scene.change("add", kind=SMART, TITLE="Bike")
    sweeping.sweep()
    sweeping.sweep()
    assert scene.results() == [{"text": "Bike"}]


def test_a_deletion_whose_event_was_lost_is_learned(sweeping: Sweeping, scene: Scene) -> None:
    scene.scenario(on="updated")
    number = scene.deal(TITLE="Soon gone")
    sweeping.sweep()
    scene.change(number=number, TITLE="Going")
    sweeping.sweep()
    known = "SELECT count(*) FROM bitrix24_snapshot WHERE entity_id = ?"
    assert scene.rows(known, number) == [(1,)]
    scene.change("delete", number=number)
    sweeping.sweep()
    assert scene.rows(known, number) == [(0,)]


def test_a_plan_without_such_a_list_is_searched_all_the_same(sweeping: Sweeping, scene: Scene) -> None:
    control(scene.connected.simulator, "portal", features=[])
    try:
        scene.scenario(on="updated")
        sweeping.sweep()
        scene.change(number=1, TITLE="Found by the search")
        sweeping.sweep()
    finally:
        control(scene.connected.simulator, "portal", features=["rest_offline_extended", "rest_auth_connector"])
    assert len(scene.results()) == 1
    assert bound(scene) == set()
    assert sweeping.watches() == [("deal", None, "")]


@pytest.mark.parametrize(
    "odd", [[], None, "", {"events": {}}, {"events": [[]]}, {"events": [{"EVENT_DATA": []}], "process_id": None}]
)
def test_an_odd_answer_instead_of_the_list_is_an_empty_list(
    sweeping: Sweeping, scene: Scene, monkeypatch: pytest.MonkeyPatch, odd: Any
) -> None:
    scene.scenario(on="updated")
    sweeping.sweep()
    answer = PortalClient.call

    def call(client: PortalClient, method: str, params: Any = None, **more: Any) -> Any:
        told = answer(client, method, params, **more)
        return replace(told, result=odd) if method == "event.offline.get" else told

    monkeypatch.setattr(PortalClient, "call", call)
    assert offline.pull(scene.runtime.bitrix24, scene.portal_id, now_us()) == 0


@pytest.mark.parametrize("odd", [[], None, "none", {}, [[]], [None]])
def test_an_odd_answer_about_what_is_bound_is_nothing_bound(
    sweeping: Sweeping, scene: Scene, monkeypatch: pytest.MonkeyPatch, odd: Any
) -> None:
    scene.scenario(on="updated")
    sweeping.sweep()
    answer = PortalClient.batch

    def batch(client: PortalClient, commands: Any, **more: Any) -> Any:
        told = answer(client, commands, **more)
        return replace(told, results={**told.results, "bound": odd}) if "bound" in commands else told

    monkeypatch.setattr(PortalClient, "batch", batch)
    assert offline.pull(scene.runtime.bitrix24, scene.portal_id, now_us()) == 0
    assert bound(scene) == NAMES


def test_an_entry_is_struck_off_only_after_it_was_noted(
    sweeping: Sweeping, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.scenario(on="updated")
    sweeping.sweep()
    blind(monkeypatch)
    scene.change(number=1, TITLE="Noted first")
    control(scene.connected.simulator, "clock", advance_s=120)
    board = scene.connected.simulator.cloud.board
    board.add(Fault("error", service="bitrix24", chat="event.offline.clear", code="INTERNAL_SERVER_ERROR", status=500))
    later = now_us() + 86_400 * 1_000_000
    with pytest.raises(ConnectorError):
        offline.pull(scene.runtime.bitrix24, scene.portal_id, later)
    assert scene.waiting() == 1
    scene.work()
    assert len(scene.results()) == 1
