"""Taking up a run that is over without having worked: where it failed or from the start, as it was or as it is now."""

import copy
from typing import Any

import pytest

from tests.conftest import Api
from tests.scenarios.site import Site
from tests.web.documents import LINE, document


def version_with(text: str, chat: str = "{{chat_id}}") -> dict[str, Any]:
    """A scenario that says who is speaking, and to which chat."""
    made = copy.deepcopy(document("Retry"))
    made["blocks"][1]["config"] |= {"text": text, "chat_id": chat}
    return made


@pytest.fixture
def site(api: Api, hub: Any, portal: Any) -> Site:
    api.post("/lines", LINE)
    return Site(hub, portal.id)


@pytest.fixture
def scenario(api: Api, site: Site) -> dict[str, Any]:
    made = api.post("/scenarios", version_with("one"))
    assert made.get_json()["published"], made.get_json()
    return dict(made.get_json())


def failed_run(api: Api, scenario: dict[str, Any]) -> str:
    """A run that failed for want of a chat."""
    link = scenario["links"]["token_only"].removeprefix("https://hub.test")
    run = api.client.post(link, json={"id": 7}).get_json()["run"]
    assert api.get(f"/runs/{run}").get_json()["status"] == "failed"
    return str(run)


def publish(api: Api, scenario: dict[str, Any], text: str, chat: str = "5") -> None:
    saved = api.put(f"/scenarios/{scenario['id']}", version_with(text, chat))
    assert saved.get_json()["published"], saved.get_json()


def texts(api: Api) -> list[str]:
    return [one["text"] for one in api.get("/messages").get_json()["items"]]


def test_from_the_failed_block_the_same_run_goes_on_with_the_current_version(
    api: Api, scenario: dict[str, Any], site: Site
) -> None:
    run = failed_run(api, scenario)
    publish(api, scenario, "two")
    taken = api.post(f"/runs/{run}/retry", {"from": "failed", "version": "current"})
    assert (taken.status_code, taken.get_json()["run"]) == (202, run)
    assert site.carry_on() == 1
    shown = api.get(f"/runs/{run}").get_json()
    assert (shown["status"], shown["version"], shown["error"]) == ("completed", 2, None)
    assert [(step["block"], step["status"]) for step in shown["steps"]] == [
        ("start", "done"),
        ("greet", "failed"),
        ("greet", "done"),
    ]
    assert texts(api) == ["two"]


def test_from_the_failed_block_the_same_version_fails_the_same_way(
    api: Api, scenario: dict[str, Any], site: Site
) -> None:
    run = failed_run(api, scenario)
    publish(api, scenario, "two")
    assert api.post(f"/runs/{run}/retry").status_code == 202
    site.carry_on()
    shown = api.get(f"/runs/{run}").get_json()
    assert (shown["status"], shown["version"], shown["error"]["code"]) == ("failed", 1, "chat_id_empty")


def test_from_the_start_a_new_run_begins_on_the_current_version(api: Api, scenario: dict[str, Any], site: Site) -> None:
    run = failed_run(api, scenario)
    publish(api, scenario, "two")
    taken = api.post(f"/runs/{run}/retry", {"from": "start", "version": "current"})
    assert taken.status_code == 202
    site.carry_on()
    new = api.get(f"/runs/{taken.get_json()['run']}").get_json()
    old = api.get(f"/runs/{run}").get_json()
    assert new["id"] != old["id"]
    assert (new["status"], new["version"], new["request"]) == ("completed", 2, old["request"])
    assert old["status"] == "failed"
    assert texts(api) == ["two"]


def test_the_same_version_is_the_one_of_the_run_and_not_of_the_requests_first_run(
    api: Api, scenario: dict[str, Any], site: Site
) -> None:
    first = failed_run(api, scenario)
    publish(api, scenario, "two", chat="{{chat_id}}")
    second = api.post(f"/runs/{first}/retry", {"from": "start", "version": "current"}).get_json()["run"]
    publish(api, scenario, "three")
    third = api.post(f"/runs/{second}/retry", {"from": "start", "version": "same"}).get_json()["run"]
    assert api.get(f"/runs/{third}").get_json()["version"] == 2


def test_a_run_whose_block_is_gone_is_only_taken_up_from_the_start(
    api: Api, scenario: dict[str, Any], site: Site
) -> None:
    run = failed_run(api, scenario)
    changed = version_with("two", "5")
    changed["blocks"][1]["id"] = "welcome"
    changed["links"][0]["to"] = "welcome"
    assert api.put(f"/scenarios/{scenario['id']}", changed).get_json()["published"]
    refused = api.post(f"/runs/{run}/retry", {"from": "failed", "version": "current"})
    assert refused.status_code == 409
    assert "from the start" in refused.get_json()["detail"]
    assert api.post(f"/runs/{run}/retry", {"from": "start", "version": "current"}).status_code == 202


def test_only_a_run_that_is_over_without_having_worked_is_taken_up(
    api: Api, scenario: dict[str, Any], stranger: Api, site: Site
) -> None:
    publish(api, scenario, "two")
    link = scenario["links"]["token_only"].removeprefix("https://hub.test")
    done = api.client.post(link, json={"id": 7}).get_json()["run"]
    site.carry_on()
    for start in ("failed", "start"):
        assert api.post(f"/runs/{done}/retry", {"from": start}).status_code == 409
        assert stranger.post(f"/runs/{done}/retry", {"from": start}).status_code == 404
    assert api.post(f"/runs/{done}/retry", {"from": "middle"}).status_code == 422
    assert api.post(f"/runs/{done}/retry", {"version": "draft"}).status_code == 422
    assert texts(api) == ["two"]


def test_a_cancelled_run_is_taken_up_where_it_stood(api: Api, site: Site) -> None:
    made = version_with("later", "5")
    made["name"] = "Waiting"
    made["blocks"].insert(1, {"id": "rest", "type": "pause", "config": {"for_s": 600}})
    made["links"] = [
        {"from": "start", "port": "next", "to": "rest"},
        {"from": "rest", "port": "next", "to": "greet"},
    ]
    link = api.post("/scenarios", made).get_json()["links"]["token_only"].removeprefix("https://hub.test")
    run = api.client.post(link, json={"id": 7}).get_json()["run"]
    assert api.post(f"/runs/{run}/cancel").get_json()["status"] == "cancelled"
    assert api.post(f"/runs/{run}/retry").status_code == 202
    site.carry_on()
    assert api.get(f"/runs/{run}").get_json()["status"] == "waiting"
