"""Vectors 17 to 19, 23 and 24: what saving does to the links, and who is let in by them."""

from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from tests.journeys.installation import Installation, codes, document, new_chat, send


class From(HTTPAdapter):
    """Calls from another local address, so that its refusals do not touch the other tests."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **more: Any) -> None:
        super().init_poolmanager(*arguments, **more, source_address=(self._address, 0))


@pytest.mark.parametrize("name", ["email", "Email", " EMAIL ", "token"])
def test_v17_a_reserved_name_is_refused_as_a_field(installation: Installation, name: str) -> None:
    made = document(send("-", new_chat()), fields=[name])
    refused = installation.api("POST", "/scenarios", made)
    assert refused.status_code == 422
    assert refused.json()["code"] == "reserved_name"
    assert made["name"] not in [kept["name"] for kept in installation.read("/scenarios")["items"]]


@pytest.mark.parametrize("name", ["Email1", "id"])
def test_v17_a_name_that_only_resembles_one_is_taken(installation: Installation, name: str) -> None:
    scenario = installation.scenario(send("-", new_chat()), fields=[name])
    assert f"&{name}=&template_id={scenario.id}" in scenario.link


@pytest.mark.parametrize("link", ["short", "bare_result"])
def test_v18_the_number_of_another_scenario_is_refused_and_the_request_kept(
    installation: Installation, link: str
) -> None:
    scenario = installation.scenario(send("-", new_chat()))
    refused = installation.post(f"{getattr(scenario, link)}&template_id={scenario.id + 1}", {"id": 1})
    assert (refused.status_code, refused.json()["code"]) == (404, "scenario_mismatch")
    (kept,) = installation.requests_of(scenario)
    assert (kept["id"], kept["outcome"], kept["body"]) == (refused.json()["request"], "refused", {"id": 1})
    assert installation.runs_of(scenario) == []


def test_v19_one_event_is_one_run_however_often_it_comes(installation: Installation) -> None:
    chat = new_chat()
    scenario = installation.scenario(send("{{tranid}}", chat), event_key="tranid")
    answers = [installation.post(scenario.short, {"tranid": "a-1", "n": n}).json() for n in (1, 1, 2)]
    assert [answer["status"] for answer in answers] == ["accepted", "duplicate", "duplicate"]
    assert len({answer["run"] for answer in answers}) == 1
    assert installation.post(scenario.short, {"tranid": "a-2"}).json()["status"] == "accepted"
    assert installation.received(chat, 2) == ["a-1", "a-2"]
    kept = installation.requests_of(scenario)
    assert [one["outcome"] for one in kept] == ["run", "duplicate", "duplicate", "run"]
    assert [codes(one) for one in kept[1:3]] == [[], ["duplicate_differs"]]


def test_v23_a_scenario_has_its_links_from_the_first_save_on_and_they_work_at_once(installation: Installation) -> None:
    chat = new_chat()
    nameless = document(send("{{id}}", chat)) | {"name": ""}
    assert installation.api("POST", "/scenarios", nameless).status_code == 422
    made = document(send("{{id}}", chat))
    before = [kept["name"] for kept in installation.read("/scenarios")["items"]]
    assert made["name"] not in before
    assert "" not in before
    scenario = installation.shown(installation.api("POST", "/scenarios", made).json())
    assert installation.get(scenario.link.replace("&id=", "&id=42")).json()["status"] == "accepted"
    assert installation.received(chat, 1) == ["42"]


def test_v24_what_is_not_published_never_goes_out(installation: Installation) -> None:
    chat = new_chat()
    made = document(send("old", chat))
    scenario = installation.shown(installation.api("POST", "/scenarios", made).json())
    changed = made | {"blocks": [made["blocks"][0], send("new", chat)]}
    path = f"/scenarios/{scenario.id}"
    assert installation.api("PUT", f"{path}?draft=true", changed).json()["published"] is False
    installation.run(installation.post(scenario.short))
    assert installation.received(chat, 1) == ["old"]
    assert installation.api("PUT", path, changed).json()["published"] is True
    installation.run(installation.post(scenario.short))
    assert installation.received(chat, 2) == ["old", "new"]


def test_a_field_that_is_added_leaves_the_token_as_it_was(installation: Installation) -> None:
    made = document(send("-", new_chat()))
    scenario = installation.shown(installation.api("POST", "/scenarios", made).json())
    made["blocks"][0]["config"]["fields"].append("sum")
    longer = installation.shown(installation.api("PUT", f"/scenarios/{scenario.id}", made).json())
    assert longer.short == scenario.short
    assert longer.link == scenario.link.replace("&id=", "&id=&sum=")


def test_a_rotated_link_lives_on_for_its_grace_and_no_longer(installation: Installation) -> None:
    first = installation.scenario(send("-", new_chat()))
    rotate = f"/scenarios/{first.id}/rotate-token"
    assert installation.post(first.short).status_code == 200
    second = installation.shown(installation.api("POST", rotate, {"grace_days": 1}).json())
    assert installation.post(first.short).status_code == 200
    assert installation.post(second.short).status_code == 200
    third = installation.shown(installation.api("POST", rotate, {"grace_days": 0}).json())
    assert installation.post(second.short).status_code == 404
    assert installation.post(third.short).status_code == 200


def test_requests_to_a_scenario_that_is_off_are_kept_and_start_nothing(installation: Installation) -> None:
    scenario = installation.scenario(send("-", new_chat()))
    assert installation.api("PATCH", f"/scenarios/{scenario.id}", {"enabled": False}).status_code == 200
    usual = installation.post(scenario.short, {"id": 1})
    assert (usual.status_code, usual.json()["status"]) == (200, "captured")
    waiting = installation.post(scenario.bare_result, {"id": 2})
    assert (waiting.status_code, waiting.json()["code"]) == (409, "scenario_off")
    kept = installation.requests_of(scenario)
    assert [one["outcome"] for one in kept] == ["captured", "captured"]
    assert [one["id"] for one in kept] == [usual.json()["request"], waiting.json()["request"]]
    assert installation.runs_of(scenario) == []


def test_a_scenario_that_was_never_published_keeps_its_requests(installation: Installation) -> None:
    made = installation.api("POST", "/scenarios?draft=true", document(send("-", new_chat()))).json()
    scenario = installation.shown(made)
    assert installation.post(scenario.short).json()["status"] == "captured"


@pytest.mark.parametrize("path", ["/get/", "/get", "/api/request/", "/api/request", "/api/request/get_result/"])
def test_an_unknown_token_is_told_nothing(installation: Installation, path: str) -> None:
    with requests.Session() as stranger:
        stranger.mount("http://", From("127.0.0.11"))
        refused = stranger.post(f"{installation.url}{path}?token=00000000-0000-4000-8000-000000000000", timeout=10)
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert "request" not in refused.json()


def test_whoever_tries_many_tokens_is_slowed_down_and_a_known_link_is_not(installation: Installation) -> None:
    scenario = installation.scenario(send("-", new_chat()))
    with requests.Session() as stranger:
        stranger.mount("http://", From("127.0.0.12"))
        seen: list[int] = []
        # Should the minute turn meanwhile, the count begins anew once.
        while len(seen) < 125 and 429 not in seen:
            seen.append(stranger.get(f"{installation.url}/get/?token=guess-{len(seen)}", timeout=10).status_code)
        assert seen[:60] == [404] * 60
        assert seen[-1] == 429
        refused = stranger.get(f"{installation.url}/get/?token=guess", timeout=10)
        assert int(refused.headers["Retry-After"]) > 0
        assert stranger.get(scenario.short, timeout=10).status_code == 200


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("path", ["/get", "/api/request"])
def test_both_paths_work_with_and_without_the_last_slash(installation: Installation, path: str, slash: str) -> None:
    scenario = installation.scenario(send("-", new_chat()))
    token = scenario.short.partition("?")[2]
    assert installation.post(f"{installation.url}{path}{slash}?{token}").json()["status"] == "accepted"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "DELETE"])
def test_methods_that_carry_no_request_start_nothing(installation: Installation, method: str) -> None:
    scenario = installation.scenario(send("-", new_chat()))
    for link in (scenario.short, scenario.bare_result):
        assert installation.http.request(method, link, timeout=10).status_code < 500
    assert installation.requests_of(scenario) == []
    assert installation.runs_of(scenario) == []


def test_a_body_that_is_too_large_is_refused(installation: Installation) -> None:
    scenario = installation.scenario(send("-", new_chat()))
    large = b'{"x":"' + b"a" * (1024 * 1024) + b'"}'
    refused = installation.post(scenario.short, large)
    assert (refused.status_code, refused.json()["code"]) == (413, "body_too_large")
    assert installation.runs_of(scenario) == []
    largest = b'{"x":"1"'.ljust(1024 * 1024 - 1) + b"}"
    assert installation.post(scenario.short, largest).json()["status"] == "accepted"
