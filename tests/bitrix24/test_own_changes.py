"""What scenarios write does not start them again, and no chain of them goes on for ever."""

from functools import partial
from typing import Any

from hub.bitrix24 import about, own_writes
from hub.bitrix24.own_writes import OwnWrite
from hub.clock import now_us
from hub.sql import Sql
from hub.upkeep import watch
from hub.values import loads
from tests.bitrix24.scene import Scene


def write(scene: Scene, scenario: int, run_id: str = "none", **fields: str) -> None:
    """A run of this scenario changes the deal 1: marked first, then done."""

    def job(sql: Sql) -> None:
        own = about.of_run(sql, run_id)
        chain = [*(own.chain if own is not None else ()), scenario]
        write = OwnWrite(fields, chain, 1 if own is None else own.depth + 1)
        own_writes.mark(sql, scene.portal_id, "deal", 1, write, now=now_us())

    scene.hub.db.writer.run(job)
    scene.change(number=1, **fields)


def look(scene: Scene) -> None:
    scene.tell(1)
    scene.work()


def runs(scene: Scene) -> list[Any]:
    return [row[0] for row in scene.rows("SELECT scenario_id FROM run ORDER BY id")]


def test_a_scenario_that_writes_its_card_does_not_start_again_and_another_does(scene: Scene) -> None:
    writer = scene.scenario(on="updated", name="Writes")
    other = scene.scenario(on="updated", name="Another")
    look(scene)
    assert sorted(runs(scene)) == [writer, other]
    write(scene, writer, STAGE_ID="PREPARATION", OPPORTUNITY="500")
    look(scene)
    assert runs(scene)[2:] == [other]
    ((raw,),) = scene.rows("SELECT raw FROM request ORDER BY id DESC LIMIT 1")
    kept = loads(bytes(raw))
    assert ([int(one) for one in kept["chain"]], int(kept["depth"])) == ([writer], 1)


def test_somebody_elses_change_beside_an_own_one_starts_the_scenario(scene: Scene) -> None:
    writer = scene.scenario(on="updated")
    look(scene)
    write(scene, writer, OPPORTUNITY="500")
    scene.change(number=1, TITLE="A person's title")
    look(scene)
    assert runs(scene) == [writer, writer]


def test_a_person_who_changes_a_written_field_to_something_else_starts_the_scenario(scene: Scene) -> None:
    writer = scene.scenario(on="field", fields=["OPPORTUNITY"])
    look(scene)
    write(scene, writer, OPPORTUNITY="500")
    look(scene)
    assert runs(scene) == []
    assert scene.requests()[-1] == ("unchanged", ["own_change"])
    scene.change(number=1, OPPORTUNITY="501")
    look(scene)
    assert runs(scene) == [writer]


def test_an_own_change_of_a_card_that_was_never_looked_at_is_known_by_its_values(scene: Scene) -> None:
    writer = scene.scenario(on="stage", stage="PREPARATION")
    write(scene, writer, STAGE_ID="PREPARATION")
    look(scene)
    assert runs(scene) == []


def test_scenarios_that_start_each_other_end_after_five_changes(scene: Scene) -> None:
    scenarios = [scene.scenario(on="updated", name=f"Number {number}") for number in range(8)]
    look(scene)
    first = scene.rows("SELECT id, scenario_id FROM run ORDER BY scenario_id")
    run_id, scenario = first[0]
    for number in range(8):
        write(scene, scenario, run_id, TITLE=f"Written {number}")
        look(scene)
        found = scene.rows("SELECT r.id, r.scenario_id FROM run r ORDER BY r.id")
        fresh = [row for row in found if row[0] not in {one[0] for one in first}]
        if not fresh:
            break
        first = found
        run_id, scenario = fresh[0]
    assert number == own_writes.DEEPEST - 1
    assert scene.requests()[-1] == ("ignored", ["loop"])
    assert len(scenarios) > own_writes.DEEPEST
    job = partial(watch.look, now=now_us(), lease_s=60, free=1, total=1)
    told = [finding for finding in scene.hub.db.writer.run(job) if finding.cause == "loop"]
    assert [(finding.portal_id, finding.params) for finding in told] == [(scene.portal_id, {"count": 1})]
