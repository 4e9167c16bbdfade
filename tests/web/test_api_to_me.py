"""“Send to me”: what a scenario would send really goes, but to the portal's own numbers and to nobody else."""

from itertools import pairwise
from typing import Any

import pytest

from tests.conftest import Api
from tests.web.documents import LINE, document

WHATSAPP = {
    "name": "Ватсап",
    "channel": "whatsapp",
    "config": {"token": "EAA-simulated", "phone_number_id": "1122"},
}
CUSTOMER = {"chat_id": "89999999999", "id": "1042"}


@pytest.fixture
def made(api: Api) -> dict[str, Any]:
    """A scenario that runs, with its line."""
    api.post("/lines", LINE)
    found: dict[str, Any] = api.post("/scenarios", document()).get_json()
    return found


def own(api: Api, *numbers: str) -> None:
    assert api.patch("/portals/local", {"own_numbers": list(numbers)}).status_code == 200


def to_me(api: Api, made: dict[str, Any], **asked: Any) -> Any:
    return api.post(
        f"/scenarios/{made['id']}/send-to-me", {"body": CUSTOMER, **asked}, headers={"Accept-Language": "ru"}
    )


def messages(api: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.get("/messages").get_json()["items"]
    return found


def test_the_text_of_an_unsaved_drawing_goes_to_the_own_numbers_and_not_to_the_customer(
    api: Api, made: dict[str, Any]
) -> None:
    own(api, "777001", "777002")
    drawn = document()
    drawn["blocks"][1]["config"] |= {"text": "Готов {{id}}", "buttons": [{"label": "Да"}]}
    answer = to_me(api, made, document=drawn).get_json()
    assert [(one["chat_id"], one["error"]) for one in answer["items"]] == [("777001", None), ("777002", None)]
    stored = {one["id"]: one for one in messages(api)}
    assert set(stored) == {one["message"] for one in answer["items"]}
    assert {(one["chat_id"], one["text"], one["run"]) for one in stored.values()} == {
        ("777001", "Готов 1042", None),
        ("777002", "Готов 1042", None),
    }
    assert api.get("/runs").get_json()["items"] == []


def test_phones_are_for_lines_of_phones_and_chats_for_lines_of_chats(api: Api, made: dict[str, Any]) -> None:
    assert api.post("/lines", WHATSAPP).status_code == 201
    own(api, "+7 999 000-00-01", "9123456789")
    by_phone = document(line="Ватсап")
    assert [one["chat_id"] for one in to_me(api, made, document=by_phone).get_json()["items"]] == ["+7 999 000-00-01"]
    assert [one["chat_id"] for one in to_me(api, made).get_json()["items"]] == ["9123456789"]
    assert sorted(one["chat_id"] for one in messages(api)) == ["79990000001", "9123456789"]
    own(api, "9123456789")
    (refused,) = to_me(api, made, document=by_phone).get_json()["items"]
    assert refused["message"] is None
    assert refused["error"] == "Среди ваших номеров нет подходящего для этой линии."


def test_without_own_numbers_nothing_goes_and_it_is_said_where_to_enter_them(api: Api, made: dict[str, Any]) -> None:
    answer = to_me(api, made)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "no_own_numbers")
    assert answer.get_json()["detail"] == "There are no own numbers yet: an administrator enters them in the settings."
    assert messages(api) == []


def test_one_block_can_be_tried_and_a_flood_is_refused(api: Api, made: dict[str, Any]) -> None:
    own(api, *(f"77700{number}" for number in range(6)))
    drawn = document()
    for name in ("m2", "m3", "m4"):
        drawn["blocks"].append({**drawn["blocks"][1], "id": name})
    names = ["greet", "m2", "m3", "m4"]
    drawn["links"] += [{"from": one, "port": "next", "to": two} for one, two in pairwise(names)]
    flood = to_me(api, made, document=drawn)
    assert (flood.status_code, flood.get_json()["code"]) == (409, "too_many_messages")
    assert messages(api) == []
    one = to_me(api, made, document=drawn, block="m3").get_json()
    assert {item["block"] for item in one["items"]} == {"m3"}
    assert len(messages(api)) == 6


def test_a_run_that_fails_before_its_message_says_why_and_sends_nothing(api: Api, made: dict[str, Any]) -> None:
    own(api, "777001")
    answer = to_me(api, made, body={"id": "1"}).get_json()
    assert (answer["items"], answer["status"]) == ([], "failed")
    assert answer["error"]["message"]
    assert messages(api) == []


def test_the_scenario_of_another_portal_is_nobodys(api: Api, made: dict[str, Any], stranger: Api) -> None:
    assert stranger.post(f"/scenarios/{made['id']}/send-to-me", {}).status_code == 404
    assert messages(api) == []
