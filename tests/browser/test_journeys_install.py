"""The way from the portal's button to the first scenario, in a browser, counted in clicks and typed characters."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import shop as fixtures
from tests.browser.looking import cut_off, violations
from tests.browser.shop import Shop

pytestmark = pytest.mark.databases("sqlite")
shop, settings = fixtures.shop, fixtures.settings
simulator, _simulator = fixtures.simulator, fixtures._simulator
CARDS = ["Сообщение при смене стадии", "Заявка с сайта", "Пустой сценарий"]


def test_one_click_installs_six_lines_turn_green_and_three_cards_ask_how_to_begin(shop: Shop) -> None:
    page = shop.desk()
    held: list[Any] = []
    page.route("**/setInstallFinish", lambda route: held.append(route))
    with page.expect_request("**/setInstallFinish", timeout=60_000):
        page.click("#install")
    frame = page.frame_locator("#app")
    expect(frame.locator("[data-step]")).to_have_count(6)
    expect(frame.locator("[data-step][data-state=ok]")).to_have_count(6)
    expect(frame.locator("[data-step=fields]")).to_contain_text("сделка")
    expect(frame.locator("[data-step=test_event]")).to_contain_text(" с")
    assert violations(page.frames[1]) == []
    assert cut_off(page.frames[1]) == []
    held[0].continue_()
    page.wait_for_url("**finished=Y*")
    expect(frame.get_by_role("heading", name="С чего начнём?")).to_be_visible()
    cards = frame.locator(".begin-card .begin-title")
    assert [card.inner_text() for card in cards.all()] == CARDS
