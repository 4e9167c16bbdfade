"""How often a scenario would run: told from the requests that are kept of the last week."""

import time
from typing import Any

import time_machine

from tests.conftest import Api
from tests.web.documents import LINE, document, without_start

DAY_S = 86_400


def bring(api: Api, made: dict[str, Any], times: int, *, days_ago: float = 0, body: str = '{"id": "7"}') -> None:
    link = made["links"]["token_only"].removeprefix("https://hub.test")
    with time_machine.travel(time.time() - days_ago * DAY_S, tick=True):
        for _ in range(times):
            api.client.post(link, data=body, content_type="application/json")


def how_often(api: Api, made: dict[str, Any]) -> tuple[int, int]:
    found = api.get(f"/scenarios/{made['id']}/frequency").get_json()
    return found["count"], found["days"]


def test_requests_of_the_last_week_are_counted_over_the_days_since_the_first_of_them(api: Api) -> None:
    api.post("/lines", LINE)
    made = api.post("/scenarios", document()).get_json()
    assert how_often(api, made) == (0, 0)
    bring(api, made, 2)
    assert how_often(api, made) == (2, 1)
    bring(api, made, 3, days_ago=2.5)
    assert how_often(api, made) == (5, 3)
    bring(api, made, 4, days_ago=30)
    assert how_often(api, made) == (5, 3)


def test_what_would_have_started_it_counts_and_what_was_refused_does_not(api: Api) -> None:
    api.post("/lines", LINE)
    made = api.post("/scenarios", document()).get_json()
    api.patch(f"/scenarios/{made['id']}", {"enabled": False})
    bring(api, made, 2)
    api.patch(f"/scenarios/{made['id']}", {"enabled": True})
    bring(api, made, 1, body='{"id": ')
    assert how_often(api, made) == (2, 1)


def test_requests_at_a_link_tell_nothing_of_a_scenario_that_starts_by_cards_now(api: Api) -> None:
    api.post("/lines", LINE)
    made = api.post("/scenarios", document()).get_json()
    bring(api, made, 2)
    api.put(f"/scenarios/{made['id']}?draft=true", without_start(made["name"]))
    assert how_often(api, made) == (0, 0)
