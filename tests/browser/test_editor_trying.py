"""Trying a scenario out in the editor: what is sent to oneself, and what stands where something is empty."""

import os
from typing import Any

import pytest

from tests.browser.looking import cut_off, violations
from tests.browser.site import Site
from tests.browser.test_editor import drawn, show
from tests.journeys.installation import Scenario, new_chat

pytestmark = pytest.mark.databases("sqlite")
__all__ = ["drawn"]


def own_numbers(site: Site, *numbers: str) -> None:
    assert site.at.api("PATCH", "/portals/local", {"own_numbers": list(numbers)}).status_code == 200


def open_to_me(page: Any) -> Any:
    """The pane for what is sent to oneself."""
    page.locator(".editor-head").get_by_role("button", name="Проверить").click()
    page.get_by_role("tab", name="На примере").focus()
    page.keyboard.press("ArrowRight")
    return page.get_by_role("tabpanel", name="Отправить себе")


def test_what_is_sent_to_oneself_arrives_at_the_own_numbers_and_a_refusal_is_shown(
    site: Site, drawn: Scenario, page: Any
) -> None:
    customer, mine, blocked = new_chat(), f"9{new_chat()[-9:]}", f"9{new_chat()[-9:-4]}0403"
    own_numbers(site, mine, blocked)
    site.at.post(drawn.short, {"chat_id": customer})
    site.at.received(customer, 1)
    show(page, drawn)
    pane = open_to_me(page)
    pane.get_by_role("button", name="Отправить себе").click()
    pane.get_by_test_id("sent-to-me").get_by_text("отправлено", exact=True).wait_for()
    pane.get_by_test_id("sent-to-me").get_by_text("не отправлено", exact=True).wait_for()
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=f"{folder}/to-me.png")
    assert violations(page) == []
    assert site.at.received(mine) == ["Заказ готов "]
    assert len(site.at.received(customer)) == 1, "the customer got nothing more"


def test_without_own_numbers_the_pane_leads_to_where_they_are_entered(site: Site, drawn: Scenario, page: Any) -> None:
    show(page, drawn)
    pane = open_to_me(page)
    pane.get_by_role("link", name="Вписать свои номера в настройках").wait_for()
    assert pane.get_by_role("button", name="Отправить себе").count() == 0
    for width in (360, 700, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert cut_off(page) == [], width
