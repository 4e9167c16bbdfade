"""What a brought scenario needs and this portal does not have: fields that the portal makes, variables to be filled."""

from typing import Any

from hub.bitrix24 import fields
from hub.bitrix24.call_desk import CallDesk
from tests.bitrix24.scene import DEAL, Scene
from tests.bitrix24.test_calls import work
from tests.bitrix24.test_import import CHOSEN, RU, from_there, olga, theirs
from tests.conftest import Api

__all__ = ["olga", "theirs"]
BY_GENERAL_FIELDS = """
format: 1
name: Without own fields
blocks:
- {id: start, type: bitrix24_event, config: {entity: deal, on: created}}
- {id: keep, type: set_variable, config: {variables: [{name: mine, value: "1"}]}}
- {id: greet, type: send_message, config: {line: Sales, chat_id: "{{phone}}",
   text: "{{client_name}} {{mine}} {{delivery_day | default: 'soon'}} {{delivery_day}}"}}
links: [{from: start, port: next, to: keep}, {from: keep, port: next, to: greet}]
"""


def test_a_missing_field_is_made_in_the_portal_and_the_scenario_uses_it(scene: Scene, theirs: Api, olga: Any) -> None:
    sheet = olga.post("/scenarios/import", data={"text": from_there(theirs)}, headers=RU)
    assert "создать в портале: строка текста" in sheet.text
    wanted = CHOSEN | {"field:deal:UF_CRM_TOTAL": "+", "text": from_there(theirs)}
    number = olga.post("/scenarios/import", data=wanted, headers=RU).location.rpartition("/")[2]
    assert "UF_CRM_TOTAL" not in scene.connected.portal.crm.fields[DEAL]
    work(CallDesk(scene.connected.bitrix24))
    assert "UF_CRM_TOTAL" in scene.connected.portal.crm.fields[DEAL]
    fields.catalogue(scene.connected.bitrix24, scene.portal_id, "deal", fresh=True)
    document = theirs.get(f"/scenarios/{number}/document").get_json()
    assert document["blocks"][0]["config"]["mapping"][0]["field"] == "UF_CRM_TOTAL"
    assert theirs.post("/scenarios/check", {"document": document}).get_json()["problems"] == []


def test_a_variable_that_the_general_fields_of_the_other_portal_have_filled_is_asked_for(
    scene: Scene, theirs: Api, olga: Any
) -> None:
    sheet = olga.post("/scenarios/import", data={"text": BY_GENERAL_FIELDS}, headers=RU).text
    assert sheet.count("Сделка: поле для переменной «delivery_day»") == 1
    assert "«client_name»" not in sheet
    assert "«mine»" not in sheet
    chosen = {"name": "Here", "text": BY_GENERAL_FIELDS, "variable:deal:delivery_day": "CLOSEDATE"}
    number = olga.post("/scenarios/import", data=chosen, headers=RU).location.rpartition("/")[2]
    document = theirs.get(f"/scenarios/{number}/document").get_json()
    rows = {row["variable"]: row["field"] for row in document["blocks"][0]["config"]["mapping"]}
    assert (rows["delivery_day"], rows["client_name"]) == ("CLOSEDATE", "CONTACT.NAME")
    problems = theirs.post("/scenarios/check", {"document": document}).get_json()["problems"]
    assert [one for one in problems if one["code"] == "unknown_name"] == []
