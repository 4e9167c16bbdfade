"""The way from the portal's button to the first scenario, in a browser, counted in clicks and typed characters."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import shop as fixtures
from tests.browser.looking import cut_off, violations
from tests.browser.shop import Shop

pytestmark = pytest.mark.databases("sqlite")
shop, settings = fixtures.shop, fixtures.settings
simulator, _simulator = fixtures.simulator, fixtures._simulator
CARDS = ["Сообщение при смене стадии", "Заявка с сайта", "Пустой сценарий"]


def test_one_click_installs_six_green_lines_stay_until_somebody_goes_on_and_three_cards_follow(shop: Shop) -> None:
    page = shop.desk()
    page.click("#install")
    frame = page.frame_locator("#app")
    onwards = frame.get_by_role("button", name="Дальше")
    expect(onwards).to_be_visible(timeout=60_000)
    expect(frame.locator("[data-step]")).to_have_count(6)
    expect(frame.locator("[data-step][data-state=ok]")).to_have_count(6)
    expect(frame.locator("[data-step=fields]")).to_contain_text("сделка")
    expect(frame.locator("[data-step=events]")).to_contain_text("зарегистрировано: ")
    expect(frame.locator("[data-step=test_event]")).to_contain_text(re.compile(r"\d(,\d)? с"))
    assert violations(page.frames[1]) == []
    assert cut_off(page.frames[1]) == []
    assert "finished=Y" not in page.url
    onwards.click()
    page.wait_for_url("**finished=Y*")
    expect(frame.get_by_role("heading", name="С чего начнём?")).to_be_visible()
    cards = frame.locator(".begin-card .begin-title")
    assert [card.inner_text() for card in cards.all()] == CARDS
