"""From an empty product to messages of a deal's stage: drawn, tried out, switched on and looked at, counted."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import shop as fixtures
from tests.browser.counted import ByKeys, Counted
from tests.browser.shop import DEAL, Shop
from tests.processes import wait_until

pytestmark = pytest.mark.databases("sqlite")
shop, settings = fixtures.shop, fixtures.settings
simulator, _simulator = fixtures.simulator, fixtures._simulator
PHONE = "79991234567"
MOST_CLICKS = 12
KEEPS_COOKIES = "() => (document.cookie = 'kept=1; SameSite=None; Secure', document.cookie !== '')"


def first_scenario(person: Counted) -> None:
    """Begin with the card for deals, choose the stage, save and switch on."""
    person.press(person.place.get_by_role("button", name=re.compile("^Сообщение при смене стадии")))
    person.place.get_by_test_id("block-start").wait_for()
    person.open_block("start")
    person.choose(person.place.get_by_label("Стадия", exact=True), "Успешна")
    person.press(person.place.locator(".editor-head").get_by_role("button", name="Сохранить и включить"))
    dialog = person.place.get_by_role("dialog")
    person.press(dialog.get_by_role("button", name="Сохранить и включить"))
    dialog.wait_for(state="detached")


def arrived(shop: Shop) -> list[tuple[str, str]]:
    """The messages that customers' phones got."""
    return [(one.chat, re.sub(r"\s", " ", one.text)) for one in shop.messages("whatsapp")]


def test_a_deals_stage_becomes_a_message_within_twelve_clicks_and_the_overview_counts_it(shop: Shop) -> None:
    shop.add_line()
    page = shop.desk()
    person = shop.install(page)
    first_scenario(person)
    print(f"from the portal's button to the scenario that is on: {person.clicks} clicks, {person.typed} characters")
    assert person.clicks <= MOST_CLICKS
    assert person.typed == 0
    shop.move(1, "WON")
    wait_until(lambda: len(arrived(shop)) == 1, within_s=30, what="the message")
    assert arrived(shop) == [(PHONE, "Анна, ваш заказ готов к выдаче.")]

    def tiles() -> list[str]:
        person.place.get_by_role("link", name="Обзор").click()
        expect(person.place.get_by_role("heading", name="Обзор")).to_be_visible()
        return [one.inner_text() for one in person.place.locator(".tile-number").all()]

    wait_until(lambda: tiles() == ["1", "1", "0", "0"], within_s=20, every_s=0.5, what="the numbers of today")
    last = person.place.locator(".rows .row-link")
    expect(last).to_have_count(1)
    expect(last).to_contain_text("Сообщение при смене стадии")
    expect(last).to_contain_text(PHONE[1:])
    assert page.frames[1].url.startswith(shop.site.url)
    assert not page.frames[1].evaluate(KEEPS_COOKIES), "the frame must go without cookies"
    assert page.context.cookies(shop.site.url) == []


def test_the_keyboard_alone_makes_the_first_scenario(shop: Shop) -> None:
    shop.add_line()
    page = shop.desk()
    place = shop.install(page).place
    person = ByKeys(page, place)
    first_scenario(person)
    assert person.typed == 0
    shop.move(1, "WON")
    wait_until(lambda: len(arrived(shop)) == 1, within_s=30, what="the message")


def test_a_dry_run_on_a_deal_tells_where_values_come_from_and_why_a_place_is_empty(shop: Shop) -> None:
    shop.add_line()
    shop.card(do="add", entityTypeId=DEAL, fields={"TITLE": "Без контакта"})
    person = shop.install(shop.desk())
    first_scenario(person)
    frame = person.place
    person.press(frame.locator(".editor-head").get_by_role("button", name="Проверить"))
    pane = frame.locator(".side-pane")
    _try_on(person, "Заказ 1001")
    expect(frame.get_by_test_id("run-step-message")).to_be_visible()
    expect(pane.get_by_test_id("trace").locator(".bubble")).to_have_text("Анна, ваш заказ готов к выдаче.")
    person.press(frame.get_by_test_id("block-message").locator(".block-title"))
    filled = pane.locator(".places li").filter(has=frame.locator("[title=client_name]"))
    expect(filled.first).to_contain_text("Контакт · Имя: Анна")
    expect(filled.first).to_contain_text("переменная")
    _try_on(person, "Без контакта")
    empty = pane.locator(".place-empty").first
    expect(empty).to_contain_text("К карточке не привязано")
    assert shop.messages("whatsapp") == [], "a dry run sends nothing"


def _try_on(person: Counted, deal: str) -> None:
    choice: Any = person.place.get_by_label("Пример", exact=True)
    option = choice.locator("option").filter(has_text=deal)
    option.wait_for(state="attached")
    person.choose(choice, option.inner_text())
    person.press(person.place.locator(".side-pane").get_by_role("button", name="Проверить"))
