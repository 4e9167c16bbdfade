"""CRM fields in a browser, on the cards of a simulated portal: by clicks only."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from hub.accounts import users
from hub.bitrix24 import mappings
from hub.sandbox.server import Sandbox
from hub.settings import Settings
from tests.bitrix24 import conftest as bitrix24
from tests.bitrix24.conftest import Connected, bitrix24_environment
from tests.browser.looking import cut_off, violations
from tests.browser.site import PASSWORD, Site, serve_site

pytestmark = pytest.mark.databases("sqlite")
settings, simulator, connected = bitrix24.settings, bitrix24.simulator, bitrix24.connected
_simulator = bitrix24._simulator

AT_REST = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  let last = -1;
  while (last !== scrollY) { last = scrollY; for (let n = 0; n < 5; n++) await frame(); }
  return scrollY;
}"""
"""Where the window stands when nothing scrolls it any more."""


@pytest.fixture
def shop(browser: Any, settings: Settings, sandbox: Sandbox, connected: Connected, tmp_path: Path) -> Iterator[Site]:
    """A product that is connected with a portal; somebody of the portal may sign in as `olga`."""
    with connected.hub.db.write() as session:
        users.create_user(session, connected.portal_id, email="olga@shop.test", password=PASSWORD, role="editor")
    with serve_site(browser, settings, sandbox, tmp_path, **bitrix24_environment(settings)) as served:
        yield served
    assert served.complaints == [], served.complaints


def test_a_field_found_by_its_value_becomes_a_variable_by_one_click_and_can_be_taken_away_and_brought_back(
    shop: Site, connected: Connected
) -> None:
    def stored() -> list[str]:
        with connected.hub.db.sql() as sql:
            return [row.variable for row in mappings.rows_of(sql, connected.portal_id, "deal")]

    before = stored()
    page: Any = shop.page("olga", viewport={"width": 1280, "height": 900})
    page.goto("/fields", wait_until="networkidle")
    page.get_by_label("Найти по названию или значению").fill("золото")
    found = page.locator("button.field:visible")
    assert found.count() == 1
    found.click()
    page.locator("#row-лояльность").wait_for()
    assert page.locator("#row-лояльность .variable-value").inner_text() == "Золото"
    assert stored() == [*before, "лояльность"]
    page.locator("#row-лояльность summary").click()
    page.locator("#row-лояльность").get_by_role("button", name="Убрать").click()
    page.get_by_role("button", name="Вернуть").click()
    page.locator("#row-лояльность").wait_for()
    assert stored() == [*before, "лояльность"]


def test_who_adds_a_field_far_down_stays_there_and_sees_it_taken(shop: Site) -> None:
    page: Any = shop.page("olga", viewport={"width": 1280, "height": 500})
    page.goto("/fields", wait_until="networkidle")
    field = page.locator("button.field:visible").last
    name = field.locator(".field-name").inner_text()
    field.evaluate("e => e.scrollIntoView({block: 'center', behavior: 'instant'})")
    before = page.evaluate("scrollY")
    assert before > 500
    field.click()
    page.get_by_role("status").filter(has_text="добавлена").wait_for(state="attached")
    taken = page.locator("a.field").filter(has_text=name).last
    taken.wait_for()
    assert abs(page.evaluate(AT_REST) - before) < 200
    expect(taken).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_used_by_everybody_at_every_width(shop: Site, scheme: str) -> None:
    page: Any = shop.page("olga", color_scheme=scheme)
    page.goto("/fields")
    page.locator("#row-sum summary").click()
    for width in (360, 700, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        assert cut_off(page) == [], width
    assert violations(page) == []


def test_a_script_that_comes_when_its_page_has_been_left_does_nothing(shop: Site) -> None:
    page: Any = shop.page("olga")
    held: list[Any] = []
    page.route("**/behaviors/filter.js*", lambda route: held.append(route))
    with page.expect_request("**/behaviors/filter.js*"):
        page.goto("/fields")
    page.locator(".side-nav a[href='/lines']").click()
    page.locator("h1", has_text="Линии").wait_for()
    held[0].continue_()
    page.evaluate("url => import(url).then(() => new Promise(requestAnimationFrame))", held[0].request.url)
    assert shop.complaints == []
