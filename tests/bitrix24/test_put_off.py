"""Calls of blocks that a portal does not take now: the run waits for its turn, and the scenario is told of no error."""

from typing import Any

import pytest

from hub.bitrix24 import performer
from hub.clock import SECOND, now_us
from hub.values import loads
from tests.bitrix24.conftest import Connected
from tests.bitrix24.test_blocks import card, deal, fault, write
from tests.scenarios.site import Site


@pytest.fixture
def site(connected: Connected, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(performer, "PAUSES_S", (0.0, 0.0))
    return Site(connected.hub, connected.portal_id)


def shown(site: Site, run_id: str | None) -> dict[str, Any]:
    return site.run(run_id) | {"id": run_id}


def start(site: Site, node: dict[str, Any]) -> dict[str, Any]:
    """Run this block on a request as far as it goes."""
    outcome = site.post(site.token(site.scenario(node)), {})
    site.carry_on()
    return shown(site, outcome.run_id)


def again(site: Site, run_id: str) -> dict[str, Any]:
    """The run when its time has come."""
    site.hub.db.writer.run(lambda sql: sql.run("UPDATE run SET wake_at = 1 WHERE id = ?", (run_id,)))
    site.carry_on()
    return shown(site, run_id)


def test_a_method_that_used_up_its_time_makes_the_run_wait_and_is_no_error(connected: Connected, site: Site) -> None:
    before = len(connected.portal.crm.items[2])
    fault(connected, "429", "crm.deal.add")
    found = start(site, write("create", entity="deal", fields={"TITLE": "Later"}))
    assert (found["status"], found["error"]) == ("waiting", None)
    assert found["wake_at"] > now_us()
    made = len(connected.calls("crm.deal.add"))
    assert again(site, found["id"])["status"] == "waiting"
    assert len(connected.calls("crm.deal.add")) == made
    connected.hub.db.writer.run(lambda sql: sql.run("DELETE FROM bitrix24_blocked"))
    assert again(site, found["id"])["status"] == "completed"
    assert len(connected.portal.crm.items[2]) == before + 1


def test_a_run_waits_until_somebody_lets_the_application_in_again(connected: Connected, site: Site) -> None:
    number = deal(connected)
    fault(connected, "error", "batch", code="NOT_INSTALLED", status=401)
    found = start(site, write("update", entity="deal", id=number, fields={"TITLE": "Mine"}))
    assert (found["status"], connected.state()) == ("waiting", "needs_reauth")
    assert again(site, found["id"])["status"] == "waiting"
    connected.give_tokens()
    assert again(site, found["id"])["status"] == "completed"
    assert card(connected, number)["TITLE"] == "Mine"


def test_a_run_does_not_wait_for_ever(connected: Connected, site: Site) -> None:
    fault(connected, "error", "crm.deal.add", code="NOT_INSTALLED", status=401)
    found = start(site, write("create", entity="deal", fields={"TITLE": "Never"}))
    assert found["status"] == "waiting"
    began = int(loads(found["state"])["frames"][0]["step_started_at"])
    old = found["state"].replace(str(began), str(began - int(site.runtime.runner.message_ttl_s * SECOND)))
    connected.hub.db.writer.run(lambda sql: sql.run("UPDATE run SET state = ?", (old,)))
    assert again(site, found["id"])["error"]["code"] == "b24.auth"
