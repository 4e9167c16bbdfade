"""The list of scenarios, and the ways to begin one."""

import re
from io import BytesIO
from typing import Any

import pytest

from hub.scenarios.starting_points import STARTERS
from tests.conftest import Api
from tests.web.documents import LINE, document
from tests.web.people import OWN, Person

# ---------------------------------------------------------------- the list


def test_a_scenario_is_listed_with_what_starts_it_what_runs_and_what_failed(
    editor: Person, api: Api, client: Any
) -> None:
    api.post("/lines", LINE)
    made = api.post("/scenarios", document()).get_json()
    link = made["links"]["token_only"].removeprefix("https://hub.test")
    client.post(link, json={"chat_id": "5", "id": "7"})
    client.post(link, json={"id": "7"})
    page = editor.see("/scenarios")
    assert "Заказ готов" in page
    assert "Входящий webhook · Поля: chat_id, id" in page
    assert "2 запуска" in page
    assert "1 упал" in page
    assert 'aria-checked="true"' in page
    assert "v1" in page
    assert "Incoming webhook · Fields: chat_id, id" in editor.see("/scenarios?lang=en", "en")


def test_a_draft_beside_what_runs_and_its_errors_are_told(editor: Person, api: Api) -> None:
    api.post("/lines", LINE)
    made = api.post("/scenarios", document()).get_json()
    api.put(f"/scenarios/{made['id']}?draft=true", document(line="Нет такой"))
    page = editor.see("/scenarios")
    assert "и черновик" in page
    assert "1 ошибка" in page


def test_a_scenario_that_was_never_published_is_shown_as_off(editor: Person, api: Api) -> None:
    api.post("/lines", LINE)
    taken = editor.send("/scenarios/import", text=exported(api))
    assert taken.status_code == 303
    page = editor.see("/scenarios")
    assert 'aria-checked="false"' in page
    assert 'aria-checked="true"' not in page
    (made,) = api.get("/scenarios").get_json()["items"]
    assert editor.send(f"/scenarios/{made['id']}/switch", enabled="yes").status_code == 303
    assert 'aria-checked="true"' in editor.see("/scenarios")


def test_a_version_that_was_brought_back_says_so_in_the_persons_language(editor: Person, api: Api) -> None:
    api.post("/lines", LINE)
    number = api.post("/scenarios", document()).get_json()["id"]
    api.post(f"/scenarios/{number}/versions/1/restore")
    address = f"/api/v1/scenarios/{number}/versions"
    listed = editor.client.get(address, headers={"Accept-Language": "ru"}).get_json()["items"]
    assert listed[0]["note"] == "Возвращена из версии 1."
    assert api.get(f"/scenarios/{number}/versions").get_json()["items"][0]["note"] == "Restored from version 1."


def test_a_switch_works_without_javascript_and_says_why_it_stays_off(editor: Person, api: Api) -> None:
    made = api.post("/scenarios?draft=true", document()).get_json()
    refused = editor.send(f"/scenarios/{made['id']}/switch", enabled="yes")
    assert refused.status_code == 422
    assert "пока нельзя включить" in refused.text
    assert "Нет линии «Продажи»." in refused.text
    api.post("/lines", LINE)
    assert editor.send(f"/scenarios/{made['id']}/switch", enabled="yes").status_code == 303
    assert api.get(f"/scenarios/{made['id']}").get_json()["published_version"] == 1
    editor.send(f"/scenarios/{made['id']}/switch", enabled="no")
    assert api.get(f"/scenarios/{made['id']}").get_json()["enabled"] is False


def test_a_deleted_scenario_can_be_brought_back_with_its_links_and_its_switch(
    editor: Person, api: Api, client: Any
) -> None:
    api.post("/lines", LINE)
    made = api.post("/scenarios", document()).get_json()
    link = made["links"]["token_only"].removeprefix("https://hub.test")
    gone = editor.send(f"/scenarios/{made['id']}/delete")
    assert client.post(link, json={"chat_id": "5", "id": "7"}).status_code == 404
    page = editor.see(gone.location)
    assert "Сценарий «Заказ готов» удалён." in page
    assert f'href="/scenarios/{made["id"]}"' not in page
    editor.send(f"/scenarios/{made['id']}/bring-back")
    back = api.get(f"/scenarios/{made['id']}").get_json()
    assert (back["enabled"], back["links"]) == (True, made["links"])
    assert client.post(link, json={"chat_id": "5", "id": "7"}).status_code == 200
    assert "удалён" not in editor.see(gone.location)


def test_a_duplicate_is_a_draft_of_its_own_switched_off_with_other_links(editor: Person, api: Api, client: Any) -> None:
    api.post("/lines", LINE)
    first = api.post("/scenarios", document()).get_json()
    assert "Дублировать «Заказ готов»" in editor.see("/scenarios")
    opened = editor.send(f"/scenarios/{first['id']}/duplicate").location
    made = api.get(f"/scenarios/{opened.rpartition('/')[2]}").get_json()
    assert (made["name"], made["enabled"], made["published_version"]) == ("Заказ готов (копия)", False, None)
    blocks = [api.get(f"/scenarios/{one['id']}/document").get_json()["blocks"] for one in (first, made)]
    assert blocks[0] == blocks[1]
    assert made["links"]["token_only"] != first["links"]["token_only"]
    link = first["links"]["token_only"].removeprefix("https://hub.test")
    assert client.post(link, json={"chat_id": "5", "id": "7"}).get_json()["status"] == "accepted"
    again = api.post(f"/scenarios/{first['id']}/duplicate", headers={"Accept-Language": "en"})
    assert (again.status_code, again.get_json()["name"]) == (201, "Заказ готов (copy)")
    editor.send(f"/scenarios/{first['id']}/duplicate")
    assert "Заказ готов (копия) 2" in editor.see("/scenarios")


def test_a_scenario_is_not_brought_back_under_a_name_that_another_has_taken(editor: Person, api: Api) -> None:
    made = api.post("/scenarios", document()).get_json()
    editor.send(f"/scenarios/{made['id']}/delete")
    api.post("/scenarios", document())
    assert editor.send(f"/scenarios/{made['id']}/bring-back").status_code == 422


def test_a_viewer_sees_the_scenarios_and_changes_none(viewer: Person, api: Api) -> None:
    assert "Сценариев ещё нет" in viewer.see("/scenarios")
    made = api.post("/scenarios", document()).get_json()
    page = viewer.see("/scenarios")
    assert "Заказ готов" in page
    assert "/delete" not in page
    assert "/scenarios/new" not in page
    for act in ("switch", "delete", "bring-back"):
        assert viewer.send(f"/scenarios/{made['id']}/{act}", enabled="no").status_code == 403
    assert viewer.send("/scenarios/new", starter="empty").status_code == 403
    assert viewer.drawn(f"/scenarios/{made['id']}")["me"]["role"] == "viewer"


def test_the_scenarios_of_another_portal_are_not_there(editor: Person, stranger: Api) -> None:
    made = stranger.post("/scenarios", document("Чужой")).get_json()
    assert "Чужой" not in editor.see("/scenarios")
    assert editor.client.get(f"/scenarios/{made['id']}").status_code == 404
    for act in ("switch", "delete", "bring-back"):
        assert editor.send(f"/scenarios/{made['id']}/{act}", enabled="no").status_code == 404
    assert "Чужой" not in editor.see(f"/scenarios?deleted={made['id']}")


# ---------------------------------------------------------------- beginning


TELEGRAM = {"name": "Бот", "channel": "telegram", "config": {"token": "1:A"}}
WHATSAPP = {"name": "Номер", "channel": "whatsapp", "config": {"token": "t", "phone_number_id": "1"}}


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("which", STARTERS)
def test_a_card_begins_a_draft_in_the_language_of_the_person_and_opens_it(
    editor: Person, api: Api, which: str, language: str
) -> None:
    api.post("/lines", WHATSAPP)
    begun = editor.send("/scenarios/new", language, starter=which)
    assert begun.status_code == 303
    data = editor.drawn(begun.location)
    assert data["scenario"]["published_version"] is None
    assert bool(re.search("[а-я]", data["document"]["name"])) == (language == "ru")
    errors = {problem["code"] for problem in data["checked"]["problems"]}
    assert errors <= {"bad_config", "no_start", "stage_missing"}, data["checked"]["problems"]
    assert all(block["position"] for block in data["document"]["blocks"])
    again = editor.drawn(editor.send("/scenarios/new", language, starter=which).location)
    assert again["document"]["name"] == f"{data['document']['name']} 2"


def test_the_card_for_a_form_is_ready_to_be_switched_on_where_there_is_one_line(
    editor: Person, api: Api, client: Any
) -> None:
    api.post("/lines", WHATSAPP)
    data = editor.drawn(editor.send("/scenarios/new", starter="site_form").location)
    assert data["checked"]["problems"] == []
    assert api.patch(f"/scenarios/{data['scenario']['id']}", {"enabled": True}).status_code == 200
    link = data["scenario"]["links"]["token_only"].removeprefix("https://hub.test")
    form = {"Name": "Анна", "Phone": "+7 999 123-45-67", "tranid": "1:2"}
    assert client.post(link, data=form).status_code == 200
    message = api.get("/messages").get_json()["items"][0]
    assert (message["chat_id"], message["text"]) == ("79991234567", "Анна, спасибо за заявку! Скоро вам ответим.")


@pytest.mark.parametrize("which", ["deal_stage", "site_form"])
def test_a_card_leaves_the_chat_to_the_person_where_no_line_takes_phone_numbers_and_says_why(
    editor: Person, api: Api, which: str
) -> None:
    api.post("/lines", TELEGRAM)
    data = editor.drawn(editor.send("/scenarios/new", "ru", starter=which).location)
    message = data["document"]["blocks"][1]["config"]
    assert (message["line"], message["chat_id"], message["skip_if_empty"]) == ("Бот", "", [])
    said = {problem["path"]: problem["message"] for problem in data["checked"]["problems"]}
    assert "линия «Бот» пишет в чаты по их номерам, а не на номера телефонов" in said["chat_id"]


def test_a_card_takes_the_line_that_takes_phone_numbers_of_several(editor: Person, api: Api) -> None:
    for line in (TELEGRAM, WHATSAPP):
        api.post("/lines", line)
    message = editor.drawn(editor.send("/scenarios/new", starter="deal_stage").location)["document"]["blocks"][1]
    assert (message["config"]["line"], message["config"]["chat_id"]) == ("Номер", "{{phone}}")


# ---------------------------------------------------------------- bringing one along


def exported(api: Api, **changes: Any) -> str:
    made = api.post("/scenarios", document("Из дома", **changes)).get_json()
    text = api.get(f"/scenarios/{made['id']}/document?format=yaml").text
    api.delete(f"/scenarios/{made['id']}")
    return text


def test_an_import_asks_for_the_lines_that_are_missing_here(editor: Person, api: Api) -> None:
    text = exported(api, line="Дом")
    api.post("/lines", LINE)
    asked = editor.send("/scenarios/import", text=text)
    assert asked.status_code == 200
    assert "Линия вместо «Дом»" in asked.text
    taken = editor.send("/scenarios/import", **{"text": text, "name": "Из дома", "line:Дом": "Продажи"})
    data = editor.drawn(taken.location)
    assert data["document"]["blocks"][1]["config"]["line"] == "Продажи"
    assert (data["scenario"]["published"], data["checked"]["problems"]) == (False, [])


def test_an_import_under_a_taken_name_proposes_another(editor: Person, api: Api) -> None:
    api.post("/lines", LINE)
    text = exported(api)
    api.post("/scenarios", document("Из дома"))
    asked = editor.send("/scenarios/import", text=text)
    assert 'value="Из дома 2"' in asked.text
    assert "Это название занято" in asked.text
    assert "не хватает" not in asked.text
    assert editor.send("/scenarios/import", text=text, name="Из дома").status_code == 422
    assert editor.drawn(editor.send("/scenarios/import", text=text, name="Из дома 2").location)


def test_what_was_exported_comes_back_byte_for_byte_from_a_file(editor: Person, api: Api) -> None:
    api.post("/lines", LINE)
    text = exported(api)
    file = (BytesIO(text.encode()), "scenario.yaml")
    taken = editor.client.post(
        "/scenarios/import", data={"file": file}, headers=OWN, content_type="multipart/form-data"
    )
    assert taken.status_code == 303
    number = taken.location.rpartition("/")[2]
    assert api.get(f"/scenarios/{number}/document?format=yaml").text == text


@pytest.mark.parametrize("text", ["", "{", "name: x", "format: 1\nname: x\nblocks: 7", "format: 1\nname: ''"])
def test_an_import_that_cannot_be_kept_says_why_and_keeps_what_was_typed(editor: Person, api: Api, text: str) -> None:
    answer = editor.send("/scenarios/import", text=text)
    assert answer.status_code == 422
    assert "нельзя сохранить" in answer.text
    assert api.get("/scenarios").get_json()["items"] == []


@pytest.mark.parametrize("name", ["Из\tдома", "д" * 5000])
def test_an_import_under_a_name_that_cannot_be_one_is_refused(editor: Person, api: Api, name: str) -> None:
    api.post("/lines", LINE)
    answer = editor.send("/scenarios/import", text=exported(api), name=name)
    assert answer.status_code == 422
    assert "нельзя сохранить" in answer.text
    assert api.get("/scenarios").get_json()["items"] == []
