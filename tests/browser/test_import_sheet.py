"""A scenario of another portal brought along: what is missing here is chosen by clicks, in both languages."""

from typing import Any

import pytest

from hub.bitrix24 import fields
from hub.scenarios import versions
from hub.scenarios.document import to_dict
from tests.bitrix24.conftest import Connected
from tests.browser import test_editor_cards as cards
from tests.browser.looking import cut_off, violations
from tests.browser.site import Site

pytestmark = pytest.mark.databases("sqlite")
settings, simulator, connected = cards.settings, cards.simulator, cards.connected
_simulator, shop = cards._simulator, cards.shop
TEXT = """
format: 1
name: Theirs
blocks:
- id: start
  type: bitrix24_event
  config: {entity: deal, on: created, mapping: [{variable: total, field: UF_CRM_TOTAL}]}
- {id: greet, type: send_message, config: {line: Theirs, chat_id: "{{phone}}", text: "{{const.brand}} {{total}}"}}
links: [{from: start, port: next, to: greet}]
"""
WORDS = {
    "ru": (
        "Импорт",
        "или его текст, YAML или JSON",
        "Линия вместо «Theirs»",
        "Сделка: поле вместо «UF_CRM_TOTAL»",
        "Значение константы «brand»",
        "создать в портале: строка текста",
    ),
    "en": (
        "Import",
        "or its text, YAML or JSON",
        "Line in place of “Theirs”",
        "Deal: field in place of “UF_CRM_TOTAL”",
        "Value of the constant “brand”",
        "create it in the portal: a line of text",
    ),
}


@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_line_a_constant_and_a_field_are_put_in_place_by_clicks(
    shop: Site, connected: Connected, language: str
) -> None:
    known = fields.catalogue(connected.bitrix24, connected.portal_id, "deal").fields["OPPORTUNITY"].title
    bring, text, line, field, constant, make = WORDS[language]
    page = shop.page("olga", language=language, viewport={"width": 700, "height": 900})
    page.goto("/scenarios")
    page.get_by_role("link", name=bring).click()
    page.get_by_label(text).fill(TEXT)
    page.get_by_role("button", name=bring).click()
    page.get_by_label(line).select_option("Продажи")
    assert make in page.get_by_label(field).inner_text()
    page.get_by_label(field).select_option(f"{known} · OPPORTUNITY")
    page.get_by_label(constant).fill("Мебель")
    assert violations(page) == []
    assert cut_off(page) == []
    page.get_by_role("button", name=bring).click()
    page.get_by_test_id("block-greet").wait_for()
    start, greet = blocks(connected, int(page.url.rpartition("/")[2]))
    assert start["config"]["mapping"] == [{"variable": "total", "field": "OPPORTUNITY"}]
    assert greet["config"]["line"] == "Продажи"
    page.get_by_test_id("block-greet").locator(".block-title").click()
    title = {"ru": "Константа · brand", "en": "Constant · brand"}[language]
    page.locator("#inspector [data-path=text] .chip").get_by_text(title).wait_for()


def blocks(connected: Connected, number: int) -> Any:
    with connected.hub.db.read() as session:
        scenario = versions.get(session, connected.portal_id, number)
        document: Any = to_dict(versions.document_of(versions.version(session, scenario)))
        return document["blocks"]
