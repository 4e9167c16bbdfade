"""Robots: what of a scenario stands in the portal, and what a process that comes to it gets back."""

import signal
import statistics
import time
from pathlib import Path
from typing import Any

import pytest

from hub.bitrix24 import robot_values
from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.endpoints.replay import replay
from hub.endpoints.taking_up import cancel
from hub.sandbox.faults import Fault
from hub.scenarios import versions
from tests.bitrix24.conftest import Visitor, bitrix24_environment
from tests.bitrix24.robots import GIVE, Portal
from tests.processes import Product, wait_until

FAIL = {"id": "end", "type": "stop", "config": {"outcome": "failure", "reason": "No such customer."}}
PAUSE = {"id": "pause", "type": "pause", "config": {"for_s": 3600}}


@pytest.fixture
def portal(visitor: Visitor, hub: Hub) -> Portal:
    return Portal(visitor, hub)


def robot(code: Any, **properties: Any) -> dict[str, Any]:
    return {"kind": "robot", "code": f"hub_{code}", "properties": properties}


def result(process: Any) -> dict[str, Any]:
    assert process.state == "completed", (process.state, process.log)
    found: dict[str, Any] = process.results[0]
    return found


# ---------------------------------------------------------------- what stands in the portal


def test_publishing_puts_a_robot_and_a_process_action_with_the_contract_into_the_portal(portal: Portal) -> None:
    scenario = portal.scenario(GIVE)
    portal.work()
    assert set(portal.installation.activities) == {("robot", f"hub_{scenario}"), ("activity", f"hub_{scenario}_bp")}
    fields = portal.installation.activities["robot", f"hub_{scenario}"].fields
    assert fields["NAME"] == {"ru": "Count the discount", "en": "Count the discount"}
    assert fields["USE_SUBSCRIPTION"] == "Y"
    assert fields["PROPERTIES"]["sum"]["Type"] == "double"
    returned = fields["RETURN_PROPERTIES"]
    assert returned["status"]["Type"] == returned["error"]["Type"] == "string"
    assert returned["discount"]["Name"] == "discount"
    # The portal takes Latin keys only; the name stays readable.
    (latin,) = [key for key in returned if key.startswith("r_")]
    assert returned[latin]["Name"] == "текст"
    assert returned[latin]["Type"] == "string"
    assert "/bitrix24/robot/" in portal.installation.activities["robot", f"hub_{scenario}"].handler


def test_a_changed_title_reaches_the_portal_and_a_draft_does_not_trouble_it(portal: Portal) -> None:
    scenario = portal.scenario(GIVE)
    portal.work()
    made = len(portal.cloud.calls)
    with portal.hub.db.write() as session:
        kept = versions.get(session, portal.portal_id, scenario)
        document = versions.document_of(versions.version(session, kept))
        start = document.blocks[0].model_copy(update={"config": {**document.blocks[0].config, "title": "Renamed"}})
        changed = document.model_copy(update={"blocks": [start, *document.blocks[1:]]})
        versions.save(session, portal.hub, portal.portal_id, changed, scenario_id=scenario, draft=True)
    portal.work()
    assert len(portal.cloud.calls) == made
    with portal.hub.db.write() as session:
        versions.save(session, portal.hub, portal.portal_id, changed, scenario_id=scenario)
    portal.work()
    assert portal.installation.activities["robot", f"hub_{scenario}"].fields["NAME"]["ru"] == "Renamed"


def test_switching_a_scenario_off_takes_its_robot_out_of_the_portal(portal: Portal) -> None:
    scenario = portal.scenario(GIVE)
    portal.work()
    with portal.hub.db.write() as session:
        versions.set_enabled(session, portal.hub, versions.get(session, portal.portal_id, scenario), False)
    portal.work()
    assert portal.installation.activities == {}


def test_a_portal_that_is_away_gets_its_robots_later(portal: Portal) -> None:
    portal.scenario(GIVE)
    board = portal.cloud.board
    board.add(Fault("status", service="bitrix24", chat="bizproc.robot.list", status=502))
    portal.work()
    assert portal.installation.activities == {}
    portal.hub.db.writer.run(lambda sql: sql.run("UPDATE bitrix24_connection SET sync_at = NULL"))
    portal.work()
    assert len(portal.installation.activities) == 2


def test_settings_that_have_nothing_to_do_with_robots_cause_no_call(portal: Portal) -> None:
    portal.work()
    made = len(portal.cloud.calls)
    portal.hub.db.writer.run(lambda sql: sql.run("UPDATE stamp SET config = config + 1"))
    portal.work()
    assert len(portal.cloud.calls) == made


# ---------------------------------------------------------------- answers


def test_a_waiting_process_gets_the_result_with_its_types(portal: Portal) -> None:
    scenario = portal.scenario(GIVE)
    portal.work()
    process = portal.process(robot(scenario, sum="150.5"))
    assert process.state == "waiting"
    portal.work()
    values = result(process)
    assert (values["status"], values["error"], values["discount"]) == ("completed", "", 150.5)
    assert [value for key, value in values.items() if key.startswith("r_")] == ["Скидка 150.5"]
    assert "Discount" in process.log[-1]


def test_the_run_knows_its_document_and_card(portal: Portal) -> None:
    give = {"id": "give", "type": "return_result", "config": {"values": {"doc": "{{blocks.start.document_id}}"}}}
    scenario = portal.scenario(give)
    portal.work()
    deal = portal.deal()
    process = portal.process(robot(scenario), deal=deal)
    portal.work()
    assert result(process)["doc"] == f"DEAL_{deal}"
    assert portal.one("SELECT entity || entity_id FROM bitrix24_run") == f"deal{deal}"


@pytest.mark.parametrize(("node", "status", "said"), [(FAIL, "failed", "No such customer"), (PAUSE, "cancelled", "")])
def test_a_run_that_does_not_end_well_lets_the_process_go_on(
    portal: Portal, node: dict[str, Any], status: str, said: str
) -> None:
    scenario = portal.scenario(node)
    portal.work()
    process = portal.process(robot(scenario))
    portal.work()
    if status == "cancelled":
        assert process.state == "waiting"
        cancel(portal.runtime, portal.portal_id, portal.one("SELECT id FROM run"))
        portal.work()
    assert result(process)["status"] == status
    assert said in result(process)["error"]


def test_a_result_ends_the_wait_while_the_run_goes_on(portal: Portal) -> None:
    scenario = portal.scenario(GIVE, PAUSE)
    portal.work()
    process = portal.process(robot(scenario, sum="5"))
    portal.work()
    assert result(process)["status"] == "completed"
    assert portal.one("SELECT status FROM run") == "waiting"
    cancel(portal.runtime, portal.portal_id, portal.one("SELECT id FROM run"))
    portal.work()
    assert process.ignored == 0


def test_when_its_time_is_over_the_process_is_told_and_never_again(portal: Portal) -> None:
    scenario = portal.scenario(PAUSE, GIVE, timeout_s=60)
    portal.work()
    process = portal.process(robot(scenario))
    portal.work()
    assert process.state == "waiting"
    portal.hub.db.writer.run(lambda sql: sql.run("UPDATE bitrix24_robot_run SET deadline_at = ?", (now_us(),)))
    portal.work()
    assert result(process)["status"] == "timeout"
    portal.hub.db.writer.run(lambda sql: sql.run("UPDATE run SET wake_at = ?", (now_us(),)))
    portal.carry_on(now_us() + 7200 * SECOND)
    portal.hub.db.writer.run(
        lambda sql: sql.run(
            "UPDATE run SET status = 'completed', ended_at = ? WHERE status <> 'completed'", (now_us(),)
        )
    )
    portal.work()
    assert len([call for call in portal.cloud.calls if call.method == "bizproc.event.send"]) == 1


def test_a_scenario_that_is_off_answers_at_once_and_keeps_the_request(portal: Portal) -> None:
    scenario = portal.scenario(GIVE)
    portal.work()
    with portal.hub.db.write() as session:
        versions.set_enabled(session, portal.hub, versions.get(session, portal.portal_id, scenario), False)
    process = portal.process(robot(scenario))
    portal.work(only=["bitrix24-call"])
    assert process.state == "completed"
    assert portal.column("SELECT outcome FROM request") == ["captured"]


def test_a_robot_that_does_not_wait_is_not_answered(portal: Portal) -> None:
    scenario = portal.scenario(GIVE, wait=False)
    portal.work()
    process = portal.process(robot(scenario, sum="5"))
    assert process.state == "completed"
    portal.work()
    assert portal.one("SELECT status FROM run") == "completed"
    assert portal.one("SELECT count(*) FROM bitrix24_call") == 0


def test_a_process_that_ended_meanwhile_is_noted_and_not_called_again(portal: Portal) -> None:
    scenario = portal.scenario(GIVE)
    portal.work()
    process = portal.process(robot(scenario, sum="5"))
    portal.cloud.automation.processes.remove(process)
    portal.work()
    assert portal.column("SELECT state FROM bitrix24_call") == ["failed"]
    assert "ACCESS_DENIED" in portal.one("SELECT error FROM bitrix24_call")
    assert portal.work() == 0


def test_an_answer_that_the_portal_did_not_take_comes_later(portal: Portal) -> None:
    scenario = portal.scenario(GIVE)
    portal.work()
    process = portal.process(robot(scenario, sum="5"))
    portal.cloud.board.add(Fault("status", service="bitrix24", chat="bizproc.event.send", status=502, times=2))
    for _ in range(3):
        portal.hub.db.writer.run(lambda sql: sql.run("UPDATE bitrix24_call SET due_at = 1 WHERE state = 'queued'"))
        portal.work()
    assert result(process)["discount"] == 5


def test_a_worker_that_is_killed_in_the_middle_of_the_run_leaves_no_process_without_its_answer(
    portal: Portal, tmp_path: Path
) -> None:
    short = {"id": "pause", "type": "pause", "config": {"for_s": 1}}
    scenario = portal.scenario(short, GIVE)
    portal.work()
    process = portal.process(robot(scenario, sum="7"))
    settings = portal.hub.settings
    with Product(settings, tmp_path, bitrix24_environment(settings)) as product:
        first = product.worker(HUB_CRASH_AT="between_advances")
        assert first.wait() == -signal.SIGKILL
        assert process.state == "waiting"
        product.worker()
        wait_until(lambda: process.state == "completed", within_s=30, what="the answer")
    assert (result(process)["status"], result(process)["discount"]) == ("completed", 7)
    assert process.ignored == 0


# ---------------------------------------------------------------- what is posted


def test_the_same_post_twice_is_one_run_and_one_answer(portal: Portal) -> None:
    scenario = portal.scenario(GIVE)
    portal.work()
    process = portal.process(robot(scenario, sum="5"))
    posted = portal.cloud.queue.deliveries()[-1]
    assert portal.post(posted).status_code == 200
    portal.work()
    assert portal.post(posted).status_code == 200
    portal.work()
    assert portal.one("SELECT count(*) FROM run") == 1
    assert result(process)["discount"] == 5
    assert process.ignored == 0


@pytest.mark.parametrize("name", ["auth[application_token]", "auth[member_id]"])
def test_a_post_that_does_not_prove_itself_is_refused_and_starts_nothing(portal: Portal, name: str) -> None:
    scenario = portal.scenario(GIVE)
    portal.work()
    portal.process(robot(scenario, sum="5"))
    posted = portal.cloud.queue.deliveries()[-1]
    for value in ("", "x" * 32):
        answer = portal.post(posted, **{name: value, "event_token": "another|token"})
        assert answer.status_code == 403
    assert portal.one("SELECT count(*) FROM run") == 1


def test_no_token_of_the_portal_is_kept_in_the_clear(portal: Portal) -> None:
    scenario = portal.scenario(GIVE)
    portal.work()
    portal.process(robot(scenario, sum="5"))
    portal.work()
    posted = portal.cloud.queue.deliveries()[-1].fields
    for name in ("event_token", "auth[access_token]", "auth[application_token]", "auth[refresh_token]"):
        secret = posted[name]
        kept = portal.column("SELECT raw FROM request") + portal.column("SELECT params FROM bitrix24_call")
        kept += portal.column("SELECT event_token_sealed FROM bitrix24_robot_run")
        assert not [one for one in kept if secret in (one.decode() if isinstance(one, bytes) else str(one))]


def test_a_robots_request_can_be_replayed_and_answers_nobody(portal: Portal) -> None:
    scenario = portal.scenario(GIVE)
    portal.work()
    portal.process(robot(scenario, sum="5"))
    portal.work()
    again = replay(
        portal.runtime,
        portal.portal_id,
        portal.one("SELECT id FROM request"),
        version="same",
        dry=False,
        only_undelivered=False,
    )
    portal.work()
    assert portal.one("SELECT result FROM run WHERE id = ?", again["run"]) == portal.one("SELECT result FROM run")
    assert portal.one("SELECT count(*) FROM bitrix24_call") == 1


def test_a_post_is_answered_at_once(portal: Portal) -> None:
    scenario = portal.scenario(GIVE)
    portal.work()
    portal.process(robot(scenario, sum="5"))
    posted = portal.cloud.queue.deliveries()[-1]
    took = []
    for number in range(20):
        begun = time.monotonic()
        assert portal.post(posted, event_token=f"1|{number}").status_code == 200
        took.append(time.monotonic() - begun)
    assert statistics.median(took) < 0.2


# ---------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("kind", "posted", "wanted"),
    [
        ("double", "150,5", "150,5"),
        ("int", "007", 7),
        ("bool", "Y", True),
        ("bool", "N", False),
        ("user", "user_12", "12"),
        ("string", "", ""),
    ],
)
def test_inputs_have_the_types_that_the_scenario_declares(kind: str, posted: str, wanted: Any) -> None:
    from hub.scenarios.blocks.bitrix24_robot import Input

    one = Input.model_validate({"name": "a", "type": kind})
    assert robot_values.given([one], {"a": posted}) == {"a": wanted}
