"""Drawing a scenario that cards start, while the portal's own names and cards are at hand."""

from typing import Any

import pytest

from hub.accounts.keys import create_key
from hub.bitrix24 import fields
from tests.bitrix24.scene import Scene
from tests.bitrix24.test_fields_page import sign_in
from tests.conftest import Api

RU = {"Accept-Language": "ru"}
STAGE = "PREPARATION"


@pytest.fixture
def theirs(scene: Scene, api: Api) -> Api:
    """The API with a key of the connected portal."""
    with scene.hub.db.write() as session:
        return Api(api.client, create_key(session, scene.portal_id, "theirs"))


def drawn(**start: Any) -> dict[str, Any]:
    message = {"line": "Sales", "chat_id": "{{phone}}", "text": "{{client_name}}, {{order}}"}
    return {
        "format": 1,
        "name": "On a card",
        "blocks": [
            {"id": "start", "type": "bitrix24_event", "config": {"entity": "deal", "on": "stage", **start}},
            {"id": "greet", "type": "send_message", "config": message},
        ],
        "links": [{"from": "start", "port": "next", "to": "greet"}],
    }


def checked(theirs: Api, doc: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = theirs.post("/scenarios/check", {"document": doc}, headers=RU).get_json()
    return found


def test_a_start_without_a_stage_says_so_at_its_field_and_shows_the_last_deals_all_the_same(
    scene: Scene, theirs: Api
) -> None:
    scene.change("add", TITLE="Заказ 7", STAGE_ID=STAGE)
    problems = checked(theirs, drawn())["problems"]
    assert [(one["path"], one["message"]) for one in problems] == [
        ("stage", "Выберите стадию, на которую переходит карточка.")
    ]
    made = theirs.post("/scenarios?draft=true", drawn()).get_json()
    items = theirs.get(f"/scenarios/{made['id']}/examples").get_json()["items"]
    assert {one["kind"] for one in items} == {"card"}
    example = {"query": {}, "body": items[0]["event"]}
    asked = {"document": drawn(), "block": "greet", "example": example}
    shown = theirs.post("/scenarios/preview", asked).get_json()["fields"]
    assert shown["text"]["text"]
    assert theirs.patch(f"/scenarios/{made['id']}", {"enabled": True}).status_code == 422


def test_a_text_that_is_just_being_written_is_previewed_and_its_place_says_what_is_missing(
    scene: Scene, theirs: Api
) -> None:
    scene.change("add", TITLE="Заказ 7", STAGE_ID=STAGE)
    doc = drawn(stage=STAGE)
    made = theirs.post("/scenarios?draft=true", doc).get_json()
    items = theirs.get(f"/scenarios/{made['id']}/examples").get_json()["items"]
    doc["blocks"][1]["config"]["text"] = "Заказ {{"
    asked = {"document": doc, "block": "greet", "example": {"query": {}, "body": items[0]["event"]}}
    answer = theirs.post("/scenarios/preview", asked)
    assert answer.status_code == 200
    assert answer.get_json()["fields"]["text"]["problems"][0]["code"] == "bad_template"
    (problem,) = [one for one in checked(theirs, doc)["problems"] if one["path"] == "text"]
    assert problem["message"] == "Скобки {{ не закрыты скобками }}. Это знак 7."


def test_stages_and_fields_are_called_on_the_block_what_the_portal_calls_them(scene: Scene, theirs: Api) -> None:
    known = fields.catalogue(scene.connected.bitrix24, scene.portal_id, "deal")
    summary = checked(theirs, drawn(stage=STAGE))["blocks"]["start"]["summary"]
    assert known.stages[STAGE]["name"] in summary
    assert STAGE not in summary
    watched = checked(theirs, drawn(on="field", fields=["OPPORTUNITY", "TITLE"]))["blocks"]["start"]["summary"]
    assert f"{known.fields['OPPORTUNITY'].title}, {known.fields['TITLE'].title}" in watched


def test_the_list_of_scenarios_names_stages_as_the_portal_does_without_asking_it_and_by_code_until_they_are_known(
    scene: Scene, theirs: Api
) -> None:
    sign_in(theirs.client, scene.connected, "editor")
    theirs.post("/scenarios?draft=true", drawn(stage=STAGE))
    assert STAGE in theirs.client.get("/scenarios", headers=RU).text
    known = fields.catalogue(scene.connected.bitrix24, scene.portal_id, "deal")
    asked = len(scene.connected.calls())
    listed = theirs.client.get("/scenarios", headers=RU).text
    assert known.stages[STAGE]["name"] in listed
    assert STAGE not in listed
    assert len(scene.connected.calls()) == asked


def test_a_variable_of_a_scenarios_own_mapping_is_called_what_the_portal_calls_its_field(
    scene: Scene, theirs: Api
) -> None:
    known = fields.catalogue(scene.connected.bitrix24, scene.portal_id, "deal")
    mapping = [{"variable": "total", "field": "OPPORTUNITY"}, {"variable": "who", "field": "CONTACT.NAME"}]
    found = checked(theirs, drawn(stage=STAGE, mapping=mapping))["variables"]
    titles = {one["path"]: one["title"] for one in found if one["from"] == "start"}
    assert titles == {"total": known.fields["OPPORTUNITY"].title, "who": "who"}


def test_a_variable_of_a_linked_card_is_called_by_that_card_and_its_field(scene: Scene, theirs: Api) -> None:
    known = fields.catalogue(scene.connected.bitrix24, scene.portal_id, "contact")
    fields.catalogue(scene.connected.bitrix24, scene.portal_id, "deal")
    found = checked(theirs, drawn(stage=STAGE))["variables"]
    titles = {one["path"]: one["title"] for one in found if one["from"] == "start"}
    assert titles["client_name"] == f"Контакт · {known.fields['NAME'].title}"
    assert titles["manager"] == "Ответственный · Имя"


def test_a_stage_is_named_with_its_funnel_where_the_portal_has_several(scene: Scene, theirs: Api) -> None:
    known = fields.catalogue(scene.connected.bitrix24, scene.portal_id, "deal")
    assert len(known.categories) > 1
    stage = known.stages[STAGE]
    summary = checked(theirs, drawn(stage=STAGE))["blocks"]["start"]["summary"]
    assert f"{known.categories[stage['category']]} · {stage['name']}" in summary
