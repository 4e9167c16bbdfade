"""What the editor asks the server: the blocks there are, and what a document comes to while it is drawn."""

import copy
import re
from typing import Any

import pytest
from sqlmodel import select

from hub.core import Hub
from hub.portals.models import Portal, Stamp
from hub.scenarios.form import Marked, form_of, texts_of
from hub.scenarios.registry import blocks
from hub.web.access import frame
from hub.web.access.identity import Identity
from tests.conftest import Api
from tests.web.documents import LINE, document

RU = {"Accept-Language": "ru"}
EN = {"Accept-Language": "en"}


def check(api: Api, drawn: Any, **headers: str) -> dict[str, Any]:
    answer = api.post("/scenarios/check", {"document": drawn}, headers={"Accept-Language": "en", **headers})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def test_every_block_is_offered_with_its_form_in_the_language_of_whoever_asks(api: Api) -> None:
    items = api.get("/blocks", headers=EN).get_json()["items"]
    assert {item["type"] for item in items} == set(blocks())
    assert [item["group"] for item in items][:4] == ["start"] * 3 + ["message"]
    send = next(item for item in items if item["type"] == "send_message")
    assert (send["title"], send["trigger"]) == ("Send a message", False)
    text = send["schema"]["properties"]["text"]
    assert (text["title"], text["x-widget"], text["x-order"]) == ("Text", "template_multiline", 2)
    russian = next(
        item for item in api.get("/blocks", headers=RU).get_json()["items"] if item["type"] == "send_message"
    )
    assert russian["title"] == "Отправка сообщения"
    assert russian["schema"]["properties"]["text"]["title"] == "Текст"
    assert russian["schema"]["properties"]["wait_for"]["x-titles"]["delivered"] == "доставлено"
    assert [port["title"] for port in russian["ports"]] == ["дальше", "ошибка"]


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("kind", sorted(blocks()))
def test_a_form_names_each_field_shows_few_at_first_and_refers_to_nothing_outside_itself(kind: str, api: Api) -> None:
    block = blocks()[kind]
    form = form_of(block.Config, lambda text: text)
    for path, part in texts_of(form):
        assert isinstance(part["title"], Marked), path
        assert "$ref" not in str(part), path
        if part["x-widget"] == "choice" and kind != "http_request":
            assert set(part["x-titles"]) == set(part["enum"]), path
    first = [name for name, part in form["properties"].items() if not part.get("x-more")]
    assert len(first) <= 7, first
    assert block.about
    assert block.icon


def test_only_the_line_there_is_stands_in_a_new_message_block(api: Api) -> None:
    def line_of_new() -> str | None:
        items = api.get("/blocks").get_json()["items"]
        found = next(item for item in items if item["type"] == "send_message")["default"].get("line")
        return str(found) if found else None

    assert line_of_new() is None
    api.post("/lines", LINE)
    assert line_of_new() == "Продажи"
    api.post("/lines", {**LINE, "name": "Вторая"})
    assert line_of_new() is None


def test_a_check_tells_exits_results_names_and_problems_and_saves_nothing(api: Api) -> None:
    drawn = document()
    drawn["blocks"].append(
        {
            "id": "which",
            "type": "condition",
            "config": {"branches": [{"port": "много", "all": [{"left": "{{id}}", "op": "gt", "right": "5"}]}]},
        }
    )
    drawn["links"].append({"from": "greet", "port": "next", "to": "which"})
    found = check(api, drawn)
    assert [(one["code"], one["block"], one["path"]) for one in found["problems"]] == [
        ("line_missing", "greet", "line")
    ]
    assert [port["id"] for port in found["blocks"]["which"]["ports"]] == ["много", "else"]
    assert found["blocks"]["greet"]["outputs"][0] == {
        "path": "blocks.greet.message_id",
        "name": "message_id",
        "title": "number of the message",
        "type": "string",
    }
    assert found["blocks"]["greet"]["summary"] == "Продажи: Заказ {{id}}"
    names = {one["path"]: one["from"] for one in found["variables"]}
    assert (names["chat_id"], names["day_of_week"]) == ("start", "system")
    assert api.get("/scenarios").get_json()["items"] == []


def test_the_problems_of_a_check_are_told_in_the_language_of_whoever_asks(api: Api) -> None:
    found = check(api, document(), **RU)
    assert found["problems"][0]["message"] == "Нет линии «Продажи»."


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("kind", sorted(blocks()))
def test_whatever_a_config_cannot_be_is_told_in_russian(kind: str, api: Api) -> None:
    block = blocks()[kind]
    wrong = (None, "", "x" * 70_000, -1, 10**12, True, {}, [], ["", 1, {}], {"a": 1}, "{{", 1.5, [{}] * 120)
    configs = [{name: value} for name in block.Config.model_json_schema()["properties"] for value in wrong]
    for config in ({}, {"zzz": 1}, *configs):
        drawn = {"format": 1, "name": "n", "blocks": [{"id": "b", "type": kind, "config": {**block.first, **config}}]}
        told = [one["message"] for one in check(api, {**drawn, "links": []}, **RU)["problems"]]
        assert [message for message in told if not re.search("[а-яё]{3}", message)] == [], str(config)[:200]


def test_a_problem_calls_a_field_as_the_form_does(api: Api) -> None:
    drawn = document()
    del drawn["blocks"][1]["config"]["line"]
    assert [one["message"] for one in check(api, drawn, **RU)["problems"]] == ["Заполните поле «Линия»."]


def broken(change: str) -> dict[str, Any]:
    drawn = copy.deepcopy(document())
    match change:
        case "no name":
            drawn["name"] = "  "
        case "an unreadable block":
            drawn["blocks"].append({"id": "odd", "type": 7})
        case "a reserved field":
            drawn["blocks"][0]["config"]["fields"] = ["email"]
        case "an unknown member":
            drawn["blocks"][1]["colour"] = "red"
        case "two blocks of one id":
            drawn["blocks"].append(dict(drawn["blocks"][1]))
    return drawn


@pytest.mark.parametrize(
    ("change", "code", "block"),
    [
        ("no name", "name_required", None),
        ("an unreadable block", "schema", "odd"),
        ("a reserved field", "reserved_name", "start"),
        ("an unknown member", "schema", "greet"),
        ("two blocks of one id", "duplicate_id", "greet"),
    ],
)
def test_a_document_that_could_not_be_kept_is_checked_as_far_as_it_can_be_read(
    api: Api, change: str, code: str, block: str | None
) -> None:
    found = check(api, broken(change))
    assert (code, block) in [(one["code"], one["block"]) for one in found["problems"]]
    assert found["blocks"]["start"]["ports"] == [{"id": "next", "title": "next"}]


def test_a_branch_keeps_its_exit_while_its_comparison_is_not_finished(api: Api) -> None:
    drawn = document()
    drawn["blocks"][1] = {"id": "greet", "type": "condition", "config": {"branches": [{"port": "да"}]}}
    found = check(api, drawn)
    assert [port["id"] for port in found["blocks"]["greet"]["ports"]] == ["да", "else"]
    assert found["blocks"]["greet"]["summary"] == ""


# ---------------------------------------------------------------- drafts


@pytest.fixture
def people(api: Api, hub: Hub, portal: Portal) -> dict[str, Api]:
    """Two who draw, each by the token of the frame."""
    assert portal.id is not None
    return {
        name: Api(
            api.client, frame.issue(hub.settings.secret_key, Identity(f"b24:{name}", portal.id, "editor", name, "ru"))
        )
        for name in ("Ольга", "Артём")
    }


def drafted(who: Api, scenario: int, seen: str, **config: Any) -> Any:
    return who.put(f"/scenarios/{scenario}?draft=true", document(**config), headers={"If-Match": f'"{seen}"'})


def test_drafts_that_one_person_saves_in_a_row_are_one_version(people: dict[str, Api]) -> None:
    olga = people["Ольга"]
    made = olga.post("/scenarios", document()).get_json()
    first = drafted(olga, made["id"], "1", event_key="a").get_json()
    assert (first["version"], first["revision"]) == (2, "2")
    second = drafted(olga, made["id"], "2", event_key="b")
    assert (second.get_json()["version"], second.headers["ETag"]) == (2, '"2.1"')
    third = drafted(olga, made["id"], "2.1", event_key="c").get_json()
    assert (third["version"], third["revision"]) == (2, "2.2")
    assert olga.get(f"/scenarios/{made['id']}/document").get_json()["blocks"][0]["config"]["event_key"] == "c"
    kept = olga.get(f"/scenarios/{made['id']}/versions").get_json()["items"]
    assert [(one["version"], one["draft"], one["by"]) for one in kept] == [(2, True, "Ольга"), (1, False, "Ольга")]


def test_a_draft_that_is_kept_apart_leaves_the_one_before_among_the_versions(people: dict[str, Api]) -> None:
    olga = people["Ольга"]
    made = olga.post("/scenarios", document()).get_json()
    drafted(olga, made["id"], "1", event_key="a")
    path = f"/scenarios/{made['id']}"
    apart = olga.put(f"{path}?draft=true&apart=true", document(event_key="b"), headers={"If-Match": '"2"'})
    assert (apart.get_json()["version"], apart.get_json()["revision"]) == (3, "3")
    before = olga.get(f"{path}/document?version=2").get_json()
    assert before["blocks"][0]["config"]["event_key"] == "a"


def test_a_draft_that_is_published_as_it_is_is_one_version_and_one_that_differs_stays(
    api: Api, people: dict[str, Api]
) -> None:
    api.post("/lines", LINE)
    olga = people["Ольга"]
    path = f"/scenarios/{olga.post('/scenarios', document()).get_json()['id']}"
    olga.put(f"{path}?draft=true", document(event_key="a"), headers={"If-Match": '"1"'})
    placed = document(event_key="a")
    placed["blocks"][0]["position"] = {"x": 40, "y": 60}
    published = olga.put(path, placed, headers={"If-Match": '"2"'}).get_json()
    assert (published["version"], published["published_version"]) == (2, 2)
    assert olga.get(f"{path}/document").get_json()["blocks"][0]["position"] == {"x": 40, "y": 60}
    olga.put(f"{path}?draft=true", document(event_key="b"))
    assert olga.put(path, document(event_key="c")).get_json()["published_version"] == 4
    kept = olga.get(f"{path}/versions").get_json()["items"]
    assert [(one["version"], one["draft"]) for one in kept] == [(4, False), (3, True), (2, False), (1, False)]


def test_nobody_overwrites_a_draft_that_he_has_not_seen_and_is_told_whose_it_is(people: dict[str, Api]) -> None:
    olga, artem = people["Ольга"], people["Артём"]
    made = olga.post("/scenarios", document()).get_json()
    drafted(olga, made["id"], "1", event_key="a")
    drafted(olga, made["id"], "2", event_key="b")
    for seen in ("1", "2"):
        lost = drafted(artem, made["id"], seen, event_key="mine")
        assert lost.status_code == 409
        told = lost.get_json()
        assert (told["code"], told["version"], told["revision"], told["by"]) == (
            "version_conflict",
            2,
            "2.1",
            "Ольга",
        )
        assert told["at"].endswith("Z")
    assert drafted(artem, made["id"], "2.1", event_key="mine").get_json()["version"] == 3
    assert drafted(olga, made["id"], "2.1", event_key="c").status_code == 409


def test_a_draft_that_has_been_published_or_saved_by_a_program_stays_a_version(
    api: Api, people: dict[str, Api]
) -> None:
    api.post("/lines", LINE)
    olga = people["Ольга"]
    made = olga.post("/scenarios", document()).get_json()
    drafted(olga, made["id"], "1", event_key="a")
    assert olga.patch(f"/scenarios/{made['id']}", {"enabled": True}).get_json()["published_version"] == 2
    assert drafted(olga, made["id"], "2", event_key="b").get_json()["version"] == 3
    assert drafted(api, made["id"], "3", event_key="c").get_json()["version"] == 4
    assert drafted(api, made["id"], "4", event_key="d").get_json()["version"] == 5
    assert olga.get(f"/scenarios/{made['id']}").get_json()["published_version"] == 2


def test_a_draft_beside_a_version_that_runs_leaves_running_processes_alone(
    api: Api, people: dict[str, Api], hub: Hub
) -> None:
    def stamp() -> int:
        with hub.db.read() as session:
            return session.exec(select(Stamp.config)).one()

    api.post("/lines", LINE)
    olga = people["Ольга"]
    made = olga.post("/scenarios", document()).get_json()
    before = stamp()
    drafted(olga, made["id"], "1", event_key="a")
    assert stamp() == before
    olga.put(f"/scenarios/{made['id']}", document(event_key="b"))
    assert stamp() > before


def test_a_person_is_told_in_his_language_what_changed_and_what_is_wrong_and_a_program_in_english(
    api: Api, people: dict[str, Api]
) -> None:
    olga = people["Ольга"]
    made = olga.post("/scenarios", document()).get_json()
    olga.put(f"/scenarios/{made['id']}", document(event_key="tranid"))
    path = f"/scenarios/{made['id']}/versions/1/diff/2"
    assert api.get(path).get_json()["changes"] == ["Block start: event_key was added: “tranid”."]
    assert olga.get(path).get_json()["changes"] == ["Блок Входящий webhook: Ключ события – добавлено “tranid”."]
    assert api.post("/scenarios", document()).get_json()["detail"] == "There is already a scenario with this name."
    told = olga.post("/scenarios", document()).get_json()
    assert told["detail"] == told["errors"][0]["message"] != "There is already a scenario with this name."
    refused = olga.patch(f"/scenarios/{made['id']}", {"enabled": True}).get_json()
    assert refused["problems"][0]["message"] == "Нет линии «Продажи»."


def test_a_name_is_doubted_until_a_request_has_brought_it(api: Api) -> None:
    api.post("/lines", LINE)
    drawn = document()
    drawn["blocks"][1]["config"]["text"] = "{{Email1}} {{utm_source}} {{order.total}}"
    made = api.post("/scenarios", drawn).get_json()
    assert (made["published"], [one["code"] for one in made["problems"]]) == (True, ["unknown_name"] * 3)
    link = made["links"]["token_only"].partition("/get/")[2]
    api.client.post(
        f"/get/{link}",
        data=b'{"Email1": "a@b.c", \xe2\x80\x9cutm_source\xe2\x80\x9d: "x"}',
        content_type="application/json",
    )
    asked = {"document": drawn, "scenario": made["id"]}
    told = api.post("/scenarios/check", asked, headers=RU).get_json()["problems"]
    assert [(one["path"], one["message"]) for one in told] == [
        ("text", "«order» – не поле, не переменная и не константа: значение появится, только если его пришлёт запрос.")
    ]
