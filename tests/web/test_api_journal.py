"""Requests and runs over the management API."""

import pytest

from tests.conftest import Api
from tests.web.documents import LINE, document


@pytest.fixture
def link(api: Api) -> str:
    """The long link of a live scenario."""
    api.post("/lines", LINE)
    made = api.post("/scenarios", document()).get_json()
    return str(made["links"]["request"].removeprefix("https://hub.test"))


def test_a_request_shows_what_came_without_its_secrets(api: Api, link: str) -> None:
    raw = b'{"chat_id": "5", "sum": 150000.00, "user": {"Password": "hunter2"}, "access_token": "tell-nobody"}'
    sent = api.client.post(f"{link}&foo=x", data=raw, content_type="application/json").get_json()
    answer = api.get(f"/requests/{sent['request']}")
    text = answer.get_data(as_text=True)
    shown = answer.get_json()
    assert (shown["outcome"], shown["run"], shown["method"], shown["size"]) == ("run", sent["run"], "POST", len(raw))
    assert shown["undeclared"] == ["foo"]
    assert (shown["query"]["token"], shown["query"]["foo"]) == ("•••", "x")
    assert shown["body"]["user"] == {"Password": "•••"}
    assert '"sum":150000.00' in text
    assert "hunter2" not in text
    assert "tell-nobody" not in text
    assert link.partition("token=")[2].partition("&")[0] not in text


def test_a_refused_request_is_kept_as_it_came(api: Api, link: str) -> None:
    refused = api.client.post(link, data=b'{"a":1, "password": "hunter2"', content_type="application/json")
    assert refused.status_code == 400
    listed = api.get("/requests?outcome=refused").get_json()["items"]
    assert [one["error"]["code"] for one in listed] == ["invalid_json"]
    shown = api.get(f"/requests/{listed[0]['id']}").get_json()
    assert shown["body"] is None
    assert shown["raw"] == '{"a":1, "password": "•••"'


def test_requests_and_runs_are_listed_by_scenario_and_page(api: Api, link: str) -> None:
    for number in range(3):
        api.client.get(f"{link}&chat_id={number}")
    scenario = api.get("/scenarios").get_json()["items"][0]["id"]
    for path in ("/requests", "/runs"):
        page = api.get(f"{path}?scenario={scenario}&limit=2").get_json()
        rest = api.get(f"{path}?scenario={scenario}&limit=2&cursor={page['next']}").get_json()
        ids = [one["id"] for one in page["items"] + rest["items"]]
        assert (len(ids), sorted(ids, reverse=True), rest["next"]) == (3, ids, None)
        assert api.get(f"{path}?scenario={scenario + 1}").get_json()["items"] == []
        assert api.get(f"{path}?before=2020-01-01T00:00:00Z").get_json()["items"] == []
    assert len(api.get("/runs?status=completed,partial,waiting,queued,running").get_json()["items"]) == 3
    assert api.get("/runs?status=lost").status_code == 422


def test_a_status_that_is_named_again_and_again_is_one(api: Api, link: str) -> None:
    for number in range(3):
        api.client.get(f"{link}&chat_id={number}")
    scenario, status = (
        api.get("/scenarios").get_json()["items"][0]["id"],
        api.get("/runs").get_json()["items"][0]["status"],
    )
    for times in (2, 600):
        page = api.get(f"/runs?scenario={scenario}&limit=2&status={','.join([status] * times)}").get_json()
        assert (len(page["items"]), page["next"] is None) == (2, False)


def test_a_run_shows_its_steps_and_messages(api: Api, link: str) -> None:
    sent = api.client.post(link, json={"chat_id": "5", "id": "7"}).get_json()
    run = api.get(f"/runs/{sent['run']}").get_json()
    assert (run["request"], run["version"], run["dry"]) == (sent["request"], 1, False)
    assert [step["block"] for step in run["steps"]] == ["start", "greet"]
    assert api.get(f"/messages/{run['messages'][0]}").get_json()["run"] == run["id"]


def test_a_strangers_requests_and_runs_do_not_exist(api: Api, stranger: Api, link: str) -> None:
    sent = api.client.post(link, json={"chat_id": "5"}).get_json()
    assert stranger.get(f"/requests/{sent['request']}").status_code == 404
    assert stranger.get(f"/runs/{sent['run']}").status_code == 404
    assert stranger.get("/requests").get_json()["items"] == stranger.get("/runs").get_json()["items"] == []
