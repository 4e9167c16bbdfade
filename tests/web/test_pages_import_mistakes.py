"""What keeps a brought document from being read, and what is said of blocks that nobody knows here."""

from typing import Any

import pytest

from hub.core import Hub
from tests.conftest import Api
from tests.web.people import Person


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("format: 1\n\tname: x", "Строка начинается с табуляции, нужны пробелы. Это строка 2, знак 1."),
        ("name: a: b", "Лишнее двоеточие: возьмите текст в кавычки или проверьте отступ строки. Это строка 1, знак 8."),
        ('{"name": "x"', "Не хватает запятой, или скобка не закрыта. Это строка 1, знак 13."),
        ("{name: 1}", "Не хватает имени в прямых двойных кавычках, или одна запятая лишняя. Это строка 1, знак 2."),
    ],
)
def test_a_text_that_is_no_document_is_refused_in_the_language_of_the_page_with_line_and_column(
    editor: Person, text: str, said: str
) -> None:
    refused = editor.send("/scenarios/import", text=text)
    assert refused.status_code == 422
    assert said in refused.text


def checked(api: Api, *blocks: dict[str, Any]) -> list[str]:
    links = [{"from": blocks[0]["id"], "port": "next", "to": blocks[1]["id"]}]
    drawn = {"format": 1, "name": "x", "blocks": list(blocks), "links": links}
    answer = api.post("/scenarios/check", {"document": drawn}, headers={"Accept-Language": "en"})
    return [one["message"] for one in answer.get_json()["problems"]]


def test_a_block_of_an_unknown_type_is_one_remark_wherever_it_stands(api: Api) -> None:
    start, stop = {"id": "a", "type": "incoming_webhook"}, {"id": "b", "type": "stop"}
    assert checked(api, start, {"id": "b", "type": "teleport"}) == ["There is no block of type “teleport”."]
    assert checked(api, {"id": "a", "type": "teleport"}, stop) == ["There is no block of type “teleport”."]
    assert checked(api, start, {"id": "b"}) == ["“blocks[1].type” is missing."]


def test_what_all_scenarios_share_is_offered_by_the_path_that_works(api: Api, hub: Hub) -> None:
    api.put("/constants/address", {"value": "Тверь"})
    api.put("/variables/counter", {"value": 1})
    drawn = {"format": 1, "name": "x", "blocks": [], "links": []}
    found = api.post("/scenarios/check", {"document": drawn}, headers={"Accept-Language": "ru"}).get_json()["variables"]
    shared = [(one["path"], one["title"]) for one in found if one["from"] in ("constant", "global")]
    assert shared == [("const.address", "Константа · address"), ("global.counter", "Общая переменная · counter")]
