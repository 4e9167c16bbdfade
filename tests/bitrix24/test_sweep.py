"""Events that never came: found by a regular search, once each, and told apart from those that came."""

from typing import Any

import pytest

from hub.bitrix24.sweep_desk import SweepDesk
from hub.clock import now_us
from hub.sandbox.faults import Fault
from tests.bitrix24.conftest import control
from tests.bitrix24.scene import SMART, Scene


class Sweeping:
    """A scene with the desk that searches; the portal's clock is set forward instead of waiting."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.desk = SweepDesk(scene.runtime.bitrix24, scene.runtime.library)

    def sweep(self, *, forward_s: int = 120) -> int:
        """Some time passes; then what is watched is searched, and what was found is looked at. Gives the searches."""
        control(self.scene.connected.simulator, "clock", advance_s=forward_s)
        self.scene.hub.db.writer.run(lambda sql: sql.run("UPDATE bitrix24_watch SET next_at = ?", (now_us(),)))
        self.desk.sync(now_us())
        found = self.desk.hand_out(8)
        for work in found:
            work()
        self.scene.work()
        return len(found)

    def watches(self) -> list[Any]:
        return self.scene.rows("SELECT entity, owner, error FROM bitrix24_watch ORDER BY entity")


@pytest.fixture
def sweeping(scene: Scene) -> Sweeping:
    return Sweeping(scene)


def test_the_first_search_learns_and_starts_nothing(sweeping: Sweeping, scene: Scene) -> None:
    scene.scenario(on="updated")
    scene.deal(TITLE="Made just now")
    assert sweeping.sweep(forward_s=15) == 1
    sweeping.sweep()
    sweeping.sweep()
    assert (scene.results(), scene.requests()) == ([], [])
    assert sweeping.watches() == [("deal", None, "")]


def test_a_change_whose_event_was_lost_starts_one_run_that_is_marked_recovered(
    sweeping: Sweeping, scene: Scene
) -> None:
    scene.scenario(on="stage", stage="PREPARATION")
    sweeping.sweep()
    scene.change(number=1, STAGE_ID="PREPARATION")
    for _ in range(3):
        sweeping.sweep()
    assert len(scene.results()) == 1
    assert scene.requests() == [("run", ["recovered"])]
    assert scene.rows("SELECT query FROM request") == [("entity=deal&id=1&recovered=1",)]


def test_a_lost_creation_starts_one_run_and_the_late_event_of_it_none(sweeping: Sweeping, scene: Scene) -> None:
    scene.scenario(on="created")
    sweeping.sweep()
    number = scene.deal(TITLE="Nobody told of it")
    sweeping.sweep()
    scene.tell(number, "ADD")
    scene.work()
    sweeping.sweep()
    assert len(scene.results()) == 1


def test_a_change_whose_event_came_is_not_found_again(sweeping: Sweeping, scene: Scene) -> None:
    scene.scenario(on="updated")
    sweeping.sweep()
    scene.change(number=1, TITLE="Told")
    scene.tell(1)
    scene.work()
    sweeping.sweep()
    sweeping.sweep()
    assert [outcome for outcome, _ in scene.requests()] == ["run"]


def test_whatever_changed_while_the_portal_was_away_is_found_when_it_is_back(sweeping: Sweeping, scene: Scene) -> None:
    scene.scenario(on="field", fields=["TITLE"])
    numbers = [scene.deal(TITLE=f"Deal {number}") for number in range(60)]
    sweeping.sweep(forward_s=15)
    for number in numbers:
        scene.change(number=number, TITLE=f"Changed {number}")
    scene.connected.simulator.board.add(Fault("status", status=502, service="bitrix24", chat="server.time", times=2))
    sweeping.sweep()
    sweeping.sweep()
    assert scene.results() == []
    assert sweeping.watches()[0][2]
    sweeping.sweep()
    sweeping.sweep()
    assert len(scene.results()) == 60
    assert {code for _, codes in scene.requests() for code in codes} == {"recovered"}


def test_smart_processes_are_searched_by_their_own_time_of_change(sweeping: Sweeping, scene: Scene) -> None:
    scene.scenario(on="updated", entity=f"dynamic:{SMART}", values={"title": "{{bitrix.item.TITLE}}"})
    sweeping.sweep()
    scene.change(kind=SMART, number=1, TITLE="Nobody told of it")
    sweeping.sweep()
    sweeping.sweep()
    assert scene.results() == [{"title": "Nobody told of it"}]


def test_what_no_scenario_watches_any_more_is_neither_searched_nor_remembered(sweeping: Sweeping, scene: Scene) -> None:
    scenario = scene.scenario(on="updated")
    sweeping.sweep()
    scene.tell(1)
    scene.work()
    assert scene.rows("SELECT 1 FROM bitrix24_snapshot")
    scene.switch(scenario, on=False)
    assert sweeping.sweep() == 0
    assert (sweeping.watches(), scene.rows("SELECT 1 FROM bitrix24_snapshot")) == ([], [])
