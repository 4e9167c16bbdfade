"""Ctrl+K in a browser: opened, typed into, and walked through by the keyboard alone."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.looking import violations
from tests.browser.site import Site

pytestmark = pytest.mark.databases("sqlite")


def test_a_page_is_found_and_opened_by_the_keyboard_alone(site: Site, page: Any) -> None:
    page.goto("/", wait_until="networkidle")
    page.keyboard.press("Control+k")
    found = page.locator("dialog.search #found a")
    found.first.wait_for()
    assert violations(page) == []
    page.keyboard.type("поля")
    expect(found).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/fields")
    assert page.locator("h1").inner_text() == "Поля CRM"
    assert page.locator("dialog.search").count() == 0
    page.keyboard.press("Control+k")
    page.locator("dialog.search #found a").first.wait_for()
    page.keyboard.press("Escape")
    page.locator("dialog.search").wait_for(state="detached")
