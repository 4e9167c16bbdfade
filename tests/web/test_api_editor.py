"""What the editor asks the server: the blocks there are, and what a document comes to while it is drawn."""

import copy
from typing import Any

import pytest

from hub.scenarios.form import Marked, form_of, texts_of
from hub.scenarios.registry import blocks
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
