"""What is drawn is never lost in silence: without a network, signed out, in two windows, when an answer is lost."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.looking import violations
from tests.browser.site import PASSWORD, Site
from tests.browser.test_editor import drawn, show, stored
from tests.journeys.installation import Scenario
from tests.processes import wait_until

pytestmark = pytest.mark.databases("sqlite")
__all__ = ["drawn"]
REFUSED = re.compile(r"Failed to load resource.*(ERR_INTERNET_DISCONNECTED|ERR_FAILED|\b401\b|\b409\b)")

GO = """(address) => htmx.ajax("GET", address, { target: "#app", select: "#app", swap: "outerHTML" })"""
"""How the portal's frame goes from page to page."""


@pytest.fixture(autouse=True)
def only_expected_complaints(site: Site) -> Iterator[None]:
    """A browser writes down each call that fails, and here calls are meant to."""
    yield
    site.complaints[:] = [one for one in site.complaints if not REFUSED.search(one)]


def rename(page: Any, name: str) -> None:
    page.get_by_label("Название сценария").fill(name)


def state(page: Any, kind: str) -> None:
    page.locator(f".editor-state-{kind}").wait_for(timeout=20_000)


def name_is(site: Site, scenario: Scenario, name: str) -> None:
    wait_until(lambda: stored(site, scenario)["name"] == name, within_s=20, what=f"the saved name {name}")


def kept_names(site: Site, scenario: Scenario) -> list[str]:
    """What the scenario is called in each version, the newest first."""
    path = f"/scenarios/{scenario.id}"
    versions = [one["version"] for one in site.at.read(f"{path}/versions")["items"]]
    return [site.at.read(f"{path}/document?format=json&version={n}")["name"] for n in versions]


def test_what_is_drawn_while_the_network_is_away_is_saved_when_it_is_back(
    site: Site, drawn: Scenario, page: Any
) -> None:
    show(page, drawn)
    page.context.set_offline(True)
    rename(page, "В поезде")
    state(page, "offline")
    rename(page, "В поезде, дальше")
    state(page, "offline")
    page.context.set_offline(False)
    state(page, "saved")
    assert stored(site, drawn)["name"] == "В поезде, дальше"
    assert page.get_by_role("alert").count() == 0


def test_who_comes_back_to_the_network_after_somebody_else_has_saved_is_asked(
    site: Site, drawn: Scenario, page: Any
) -> None:
    other = site.page("editor")
    show(page, drawn)
    show(other, drawn)
    page.context.set_offline(True)
    rename(page, "Заказ Ольги")
    state(page, "offline")
    rename(other, "Заказ Артёма")
    name_is(site, drawn, "Заказ Артёма")
    page.context.set_offline(False)
    page.get_by_role("alert").get_by_text("editor@shop.test").wait_for(timeout=20_000)
    rename(page, "Заказ Ольги, дальше")
    page.get_by_role("button", name="Отменить", exact=True).click()
    assert page.get_by_label("Название сценария").input_value() == "Заказ Ольги"
    assert stored(site, drawn)["name"] == "Заказ Артёма", "undoing in a conflict saves nothing"
    page.get_by_role("button", name="Оставить моё").click()
    state(page, "saved")
    assert kept_names(site, drawn)[:2] == ["Заказ Ольги", "Заказ Артёма"]


def test_an_answer_that_was_lost_is_no_conflict_with_oneself(site: Site, drawn: Scenario, page: Any) -> None:
    show(page, drawn)

    def lose(route: Any) -> None:
        route.fetch()
        route.abort()

    page.route("**/api/v1/scenarios/*?draft=true", lose, times=1)
    rename(page, "Ответ потерян")
    state(page, "offline")
    assert stored(site, drawn)["name"] == "Ответ потерян"
    rename(page, "Ответ потерян, дальше")
    state(page, "saved")
    name_is(site, drawn, "Ответ потерян, дальше")
    assert page.get_by_role("alert").count() == 0


@pytest.mark.parametrize("way", ["Оставить моё", "Показать чужое"])
def test_two_windows_of_one_person_keep_what_each_has_drawn(site: Site, drawn: Scenario, page: Any, way: str) -> None:
    second = page.context.new_page()
    show(page, drawn)
    show(second, drawn)
    rename(page, "Первое окно")
    name_is(site, drawn, "Первое окно")
    rename(second, "Второе окно")
    second.get_by_role("alert").get_by_role("button", name=way).click()
    if way == "Показать чужое":
        name = second.get_by_label("Название сценария")
        wait_until(lambda: name.input_value() == "Первое окно", what="what the other window has saved")
        second.get_by_role("button", name="Отменить", exact=True).click()
    name_is(site, drawn, "Второе окно")
    assert kept_names(site, drawn)[:2] == ["Второе окно", "Первое окно"]


def test_whoever_is_signed_out_is_told_and_what_was_drawn_is_saved_after_signing_in(
    site: Site, drawn: Scenario, page: Any
) -> None:
    show(page, drawn)
    page.context.clear_cookies()
    rename(page, "После выхода")
    notice = page.get_by_role("alert").filter(has_text="Вы вышли из системы")
    notice.wait_for()
    assert violations(page) == []
    with page.context.expect_page() as opened:
        notice.get_by_role("link", name="Войти").click()
    signing = opened.value
    signing.locator("input[name=email]").fill("admin@shop.test")
    signing.locator("input[name=password]").fill(PASSWORD)
    signing.locator("form[action='/login'] button").click()
    signing.wait_for_url(lambda address: "/login" not in address)
    state(page, "saved")
    assert stored(site, drawn)["name"] == "После выхода"
    notice.wait_for(state="detached")


def test_what_could_not_be_saved_when_the_page_was_left_as_in_the_frame_is_there_again(
    site: Site, drawn: Scenario, page: Any
) -> None:
    other = site.page("editor")
    show(page, drawn)
    show(other, drawn)
    rename(other, "Заказ Артёма")
    name_is(site, drawn, "Заказ Артёма")
    rename(page, "Заказ Ольги")
    page.get_by_role("alert").get_by_role("button", name="Оставить моё").wait_for()
    page.evaluate(GO, "/scenarios")
    page.get_by_test_id("block-start").wait_for(state="detached")
    page.evaluate(GO, f"/scenarios/{drawn.id}")
    page.get_by_test_id("block-start").wait_for()
    assert page.get_by_label("Название сценария").input_value() == "Заказ Ольги"
    page.get_by_role("alert").get_by_role("button", name="Оставить моё").click()
    state(page, "saved")
    assert kept_names(site, drawn)[:2] == ["Заказ Ольги", "Заказ Артёма"]
