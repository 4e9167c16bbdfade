"""The versions of a scenario in the editor: what bringing one back changes, said before and undone after."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.looking import violations
from tests.browser.site import Site
from tests.browser.test_editor import drawn, show, stored, text_of
from tests.journeys.installation import Scenario
from tests.processes import wait_until

pytestmark = pytest.mark.databases("sqlite")
__all__ = ["drawn"]


def test_what_bringing_a_version_back_changes_is_said_before_and_one_click_undoes_it(
    site: Site, drawn: Scenario, page: Any
) -> None:
    doc = stored(site, drawn)
    doc["blocks"][1]["config"]["text"] = "Заказ в пути"
    assert site.at.api("PUT", f"/scenarios/{drawn.id}", doc).status_code == 200
    show(page, drawn)
    page.get_by_role("button", name="Ещё").click()
    page.get_by_role("button", name="Версии").click()
    pane = page.get_by_role("complementary", name="Версии")
    pane.get_by_text("Что изменит возврат").click()
    expect(pane.locator(".changes[open] li")).to_contain_text("Заказ готов")
    assert violations(page) == []
    pane.get_by_role("button", name="Вернуть v1").click()
    wait_until(lambda: text_of(stored(site, drawn)) == "Заказ готов ", within_s=20, what="the version before")
    page.locator(".toast-line").get_by_role("button", name="Отменить").click()
    wait_until(lambda: text_of(stored(site, drawn)) == "Заказ в пути", within_s=20, what="the version that ran")
    assert site.at.read(f"/scenarios/{drawn.id}")["published_version"] == 4
