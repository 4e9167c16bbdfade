"""Bringing a scenario from another portal: a sheet asks for what this one does not have, and it is kept with that."""

import json
from typing import Any

import pytest

from hub.accounts.keys import create_key
from tests.bitrix24.conftest import Connected
from tests.bitrix24.test_fields_page import OWN, sign_in
from tests.conftest import Api

RU = OWN | {"Accept-Language": "ru"}
MAPPING = [
    {"variable": "total", "field": "UF_CRM_TOTAL"},
    {"variable": "who", "field": "CONTACT.UF_CRM_WHO"},
    {"variable": "title", "field": "TITLE"},
]
THERE: dict[str, Any] = {
    "format": 1,
    "name": "From there",
    "blocks": [
        {
            "id": "start",
            "type": "bitrix24_event",
            "config": {"entity": "deal", "on": "stage", "category": 7, "stage": "C7:READY", "mapping": MAPPING},
        },
        {
            "id": "greet",
            "type": "send_message",
            "config": {"line": "Theirs", "chat_id": "{{total}}", "text": "{{const.brand | upper}}: {{who}}"},
        },
        {
            "id": "note",
            "type": "bitrix24_write",
            "config": {"action": "update", "fields": {"UF_CRM_TOTAL": "{{total}}"}},
        },
    ],
    "links": [{"from": "start", "to": "greet"}, {"from": "greet", "to": "note"}],
}
CHOSEN = {
    "name": "From there",
    "line:Theirs": "Sales",
    "constant:brand": "Shop",
    "stage:deal:C7:READY": "PREPARATION",
    "field:deal:UF_CRM_TOTAL": "OPPORTUNITY",
    "field:contact:UF_CRM_WHO": "NAME",
}


@pytest.fixture
def theirs(scene: Any, api: Api) -> Api:
    """The API with a key of the connected portal, which has one line."""
    with scene.hub.db.write() as session:
        return Api(api.client, create_key(session, scene.portal_id, "theirs"))


@pytest.fixture
def olga(client: Any, connected: Connected) -> Any:
    """A browser of an editor of the portal."""
    return sign_in(client, connected, "editor")


def exported(theirs: Api, number: object) -> str:
    return str(theirs.get(f"/scenarios/{number}/document?format=yaml").text)


def from_there(theirs: Api) -> str:
    made = theirs.post("/scenarios?draft=true", THERE).get_json()["id"]
    text = exported(theirs, made)
    theirs.delete(f"/scenarios/{made}")
    return text


def test_the_sheet_names_each_thing_that_is_missing_once_and_offers_what_there_is_by_its_name(
    theirs: Api, olga: Any
) -> None:
    asked = olga.post("/scenarios/import", data={"text": from_there(theirs)}, headers=RU)
    assert asked.status_code == 200
    for words in (
        "Линия вместо «Theirs»",
        "Сделка: стадия вместо «C7:READY»",
        "Сделка: поле вместо «UF_CRM_TOTAL»",
        "Контакт: поле вместо «UF_CRM_WHO»",
        "Значение константы «brand»",
    ):
        assert asked.text.count(words) == 1, words
    assert "«TITLE»" not in asked.text
    assert "Сумма · OPPORTUNITY" in asked.text
    assert theirs.get("/scenarios").get_json()["items"] == []


def test_what_was_chosen_stands_in_the_scenario_and_the_constant_in_the_portal(theirs: Api, olga: Any) -> None:
    taken = olga.post("/scenarios/import", data=CHOSEN | {"text": from_there(theirs)}, headers=RU)
    assert taken.status_code == 303
    number = taken.location.rpartition("/")[2]
    start, greet, note = theirs.get(f"/scenarios/{number}/document").get_json()["blocks"]
    assert start["config"] == {
        "entity": "deal",
        "on": "stage",
        "stage": "PREPARATION",
        "mapping": [MAPPING[0] | {"field": "OPPORTUNITY"}, MAPPING[1] | {"field": "CONTACT.NAME"}, MAPPING[2]],
    }
    assert greet["config"]["line"] == "Sales"
    assert note["config"]["fields"] == {"OPPORTUNITY": "{{total}}"}
    assert theirs.get("/constants/brand").get_json()["value"] == "Shop"
    assert (
        theirs.post(
            "/scenarios/check", {"document": theirs.get(f"/scenarios/{number}/document").get_json()}
        ).get_json()["problems"]
        == []
    )


def test_an_exported_scenario_that_lacks_nothing_comes_back_as_it_was(theirs: Api, olga: Any) -> None:
    first = olga.post("/scenarios/import", data=CHOSEN | {"text": from_there(theirs)}, headers=RU)
    number = first.location.rpartition("/")[2]
    text = exported(theirs, number)
    theirs.delete(f"/scenarios/{number}")
    again = olga.post("/scenarios/import", data={"text": text}, headers=RU)
    assert again.status_code == 303
    assert exported(theirs, again.location.rpartition("/")[2]) == text


def test_what_is_left_for_later_stays_as_it_was_written(theirs: Api, olga: Any) -> None:
    taken = olga.post("/scenarios/import", data={"name": "Later", "text": from_there(theirs)}, headers=RU)
    start, greet, note = theirs.get(f"/scenarios/{taken.location.rpartition('/')[2]}/document").get_json()["blocks"]
    assert [start["config"], greet["config"], note["config"]] == [one["config"] for one in THERE["blocks"]]
    assert theirs.get("/constants/brand").status_code == 404


def test_kinds_of_cards_that_no_portal_has_do_not_hinder_an_import(theirs: Api, olga: Any) -> None:
    writes = [
        {
            "id": f"write{n}",
            "type": "bitrix24_write",
            "config": {"action": "update", "entity": entity, "fields": {"X": "1"}},
        }
        for n, entity in enumerate(["nonsense", "invoice"])
    ]
    brought = THERE | {"blocks": [*THERE["blocks"], *writes]}
    assert olga.post("/scenarios/import", data={"text": json.dumps(brought)}, headers=RU).status_code == 200
