"""The ten checks say what works, what does not, and what to do about it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.clock import SECOND, now_us
from hub.core import Hub, make_hub
from hub.delivery import processes
from hub.portals.models import Portal
from hub.settings import Settings
from hub.upkeep import address, chores, retention, watch
from hub.upkeep.address import reach
from hub.upkeep.checks import Check
from hub.upkeep.health import checks_of
from tests.conftest import Api
from tests.delivery.queue import Queue
from tests.processes import Product

NAMES = [
    "database",
    "worker",
    "oldest_due_message",
    "lines",
    "public_address",
    "bitrix24_token",
    "bitrix24_events",
    "bitrix24_handlers",
    "last_sweep",
    "disk",
]


@pytest.fixture
def here(settings: Settings) -> Iterator[Hub]:
    """A Hub whose public address is this machine."""
    made = make_hub(settings.model_copy(update={"public_url": "http://127.0.0.1:8000"}))
    yield made
    made.close()


def checks(hub: Hub, portal: Portal) -> dict[str, Check]:
    assert portal.id is not None
    return {check.name: check for check in checks_of(hub, portal.id)}


def test_there_are_ten_checks_in_the_order_of_an_events_way(here: Hub, portal: Portal) -> None:
    assert list(checks(here, portal)) == NAMES


def test_a_healthy_installation_is_healthy(here: Hub, portal: Portal) -> None:
    here.db.writer.run(lambda sql: processes.register(sql, owner="h:1:w", kind="worker", now=now_us()))
    assert watch.turn(here)
    found = checks(here, portal)
    assert {name for name, check in found.items() if check.state != "ok"} == {
        "public_address",
        "bitrix24_token",
        "bitrix24_events",
        "bitrix24_handlers",
    }
    assert all(check.ok for check in found.values())


def test_whatever_is_wrong_comes_with_what_to_do(here: Hub, portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    assert portal.id is not None
    queue = Queue(here, portal.id)
    queue.put(due_at=now_us() - 90 * SECOND)
    found = checks(here, portal)
    assert (found["worker"].state, found["oldest_due_message"].state) == ("failed", "failed")
    here.db.writer.run(lambda sql: sql.run("UPDATE line SET state = 'auth_failed', state_reason = 'No.'"))
    monkeypatch.setattr(watch, "disk", lambda _folder: (1, 100))
    found = checks(here, portal)
    assert found["oldest_due_message"].state == "ok"
    assert (found["lines"].state, found["disk"].state) == ("failed", "failed")
    for check in found.values():
        assert check.detail.endswith(".")
        assert check.state == "ok" or check.action.endswith(".")


def test_a_sweep_that_is_long_ago_is_missed(here: Hub, portal: Portal) -> None:
    assert checks(here, portal)["last_sweep"].state == "warning"
    watch.turn(here)
    assert checks(here, portal)["last_sweep"].state == "ok"
    here.db.writer.run(lambda sql: sql.run("UPDATE chore SET done_at = done_at - ?", (130 * SECOND,)))
    assert checks(here, portal)["last_sweep"].state == "failed"


def test_health_says_how_long_texts_are_kept_and_when_they_were_last_deleted(here: Hub, portal: Portal) -> None:
    assert checks(here, portal)["disk"].more["last_pruned"] is None
    here.db.writer.run(lambda sql: chores.take(sql, retention.NAME, every_s=0, owner="t", now=now_us()))
    here.db.writer.run(lambda sql: chores.finish(sql, retention.NAME, now=1_800_000_000 * SECOND, result={}))
    disk = checks(here, portal)["disk"]
    assert (disk.more["last_pruned"], disk.more["retention_days"]) == ("2027-01-15T08:00:00Z", 30)


def test_a_database_that_does_not_answer_is_named(tmp_path: Path) -> None:
    settings = Settings(database_url="postgresql://u:PASSWORD@127.0.0.1:9/shop", instance_dir=tmp_path)
    made = make_hub(settings.with_secrets())
    try:
        database, disk = checks_of(made, 1)
    finally:
        made.close()
    assert (database.state, disk.name) == ("failed", "disk")
    assert database.detail.startswith("PostgreSQL at 127.0.0.1:9/shop cannot be used: ")
    assert "PASSWORD" not in str(database)


def test_health_over_the_api_has_the_open_notices(api: Api, hub: Hub, portal: Portal) -> None:
    assert portal.id is not None
    Queue(hub, portal.id)
    hub.db.writer.run(lambda sql: sql.run("UPDATE line SET state = 'auth_failed'"))
    assert watch.turn(hub)
    health = api.get("/health").get_json()
    assert health["ok"] is False
    assert [check["name"] for check in health["checks"]] == NAMES
    assert [(one["cause"], one["params"]["line"]) for one in health["notices"]] == [("line_auth_failed", "Sales")]


# ---------------------------------------------------------------- the public address


@pytest.mark.databases("sqlite")
def test_the_public_address_is_really_called(
    settings: Settings, tmp_path: Path, sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Product(settings, tmp_path) as product:
        web = product.web().wait_ready("/healthz")
        assert reach(web.url).local
        # A name of this machine stands in for one that others would use.
        monkeypatch.setattr(address, "_is_here", lambda _address: False)
        reached = reach(web.url)
        assert (reached.ok, reached.local) == (True, False)
        elsewhere = reach(sandbox.url)
        assert not elsewhere.ok
        assert "something else answers" in elsewhere.detail
    gone = reach(web.url)
    assert not gone.ok
    assert "cannot be reached" in gone.detail


def test_an_address_without_a_server_or_a_name_is_not_reached() -> None:
    assert not reach("https://hub.invalid").ok
