"""What a run or a test has drawn on the blocks, and the ways there and back where the pane lies above the drawing."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.looking import cut_off, violations
from tests.browser.site import Site
from tests.browser.test_editor import drawn, show
from tests.journeys.installation import Scenario, new_chat
from tests.processes import wait_until

pytestmark = pytest.mark.databases("sqlite")
__all__ = ["drawn"]
NARROW = (390, 700)


def failed_run(site: Site, scenario: Scenario) -> str:
    """The id of a run that failed because nobody was named to write to."""
    site.at.post(scenario.short, {"city": "Омск"})
    failed = f"/runs?scenario={scenario.id}&status=failed"
    wait_until(lambda: bool(site.at.read(failed)["items"]), within_s=20, what="the failed run")
    return str(site.at.read(failed)["items"][0]["id"])


@pytest.mark.parametrize("width", NARROW)
def test_a_run_stays_drawn_when_its_pane_is_closed_and_a_click_on_a_block_leads_back_to_it(
    site: Site, drawn: Scenario, page: Any, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 850})
    page.goto(f"/scenarios/{drawn.id}?run={failed_run(site, drawn)}")
    pane = page.get_by_role("complementary", name="Запуск")
    pane.get_by_role("button", name="Закрыть").click()
    expect(pane).to_have_count(0)
    mark = page.get_by_test_id("run-step-greet")
    expect(mark).to_contain_text("упал")
    assert violations(page) == []
    assert cut_off(page) == []
    mark.click()
    expect(pane.get_by_test_id("trace")).to_contain_text("ChatID пустой.")
    pane.get_by_role("button", name="Закрыть").click()
    mark.click()
    expect(pane.get_by_test_id("trace")).to_be_visible()


@pytest.mark.parametrize("width", NARROW)
def test_a_test_stays_drawn_when_its_pane_is_closed_and_its_button_leads_back_to_it(
    site: Site, drawn: Scenario, page: Any, width: int
) -> None:
    site.at.post(drawn.short, {"chat_id": new_chat()})
    page.set_viewport_size({"width": width, "height": 850})
    show(page, drawn)
    page.locator(".editor-head").get_by_role("button", name="Проверить").click()
    pane = page.get_by_role("complementary", name="Проверить")
    pane.get_by_role("button", name="Проверить").click()
    pane.get_by_test_id("trace").wait_for()
    pane.get_by_role("button", name="Закрыть").click()
    expect(page.get_by_test_id("run-step-greet")).to_contain_text("выполнено")
    page.locator(".editor-head").get_by_role("button", name="Проверить").click()
    expect(pane.get_by_test_id("trace")).to_be_visible()


def test_testing_on_the_request_of_a_run_runs_at_once(site: Site, drawn: Scenario, page: Any) -> None:
    page.goto(f"/scenarios/{drawn.id}?run={failed_run(site, drawn)}")
    page.get_by_role("button", name="Проверить на его запросе").click()
    pane = page.get_by_role("complementary", name="Проверить")
    expect(pane.get_by_test_id("trace")).to_contain_text("Что было бы отправлено")


def test_who_may_only_look_on_is_told_who_runs_tests(site: Site, drawn: Scenario) -> None:
    site.at.post(drawn.short, {"chat_id": new_chat()})
    page = site.page("viewer", viewport={"width": 1280, "height": 800})
    show(page, drawn)
    page.locator(".editor-head").get_by_role("button", name="Проверить").click()
    pane = page.get_by_role("complementary", name="Проверить")
    expect(pane.get_by_role("button", name="Проверить")).to_be_disabled()
    expect(pane).to_contain_text("Проверяют редакторы и администраторы, вам доступен просмотр.")
    assert violations(page) == []
