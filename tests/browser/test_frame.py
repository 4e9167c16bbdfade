"""The portal's frame: links stay inside of it, and all that is in it is reached by scrolling the portal's window."""

from typing import Any
from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import expect

from hub.clock import now_us
from hub.notices.book import Finding
from hub.portals.service import key_of
from hub.upkeep import telling
from tests.browser import shop as fixtures
from tests.browser.shop import Shop
from tests.processes import wait_until

pytestmark = pytest.mark.databases("sqlite")
shop, settings = fixtures.shop, fixtures.settings
simulator, _simulator = fixtures.simulator, fixtures._simulator


def tell(shop: Shop, finding: Finding) -> None:
    """A notice is told as the watch tells it."""
    hub = shop.site.hub
    hub.db.writer.run(lambda sql: telling.tell(sql, hub.settings.base_url, [finding], now=now_us()))


def test_a_link_in_a_notice_opens_its_page_inside_the_portal(shop: Shop) -> None:
    page = shop.desk()
    shop.install(page)
    tell(shop, Finding("undelivered", key_of(shop.site.portal), params={"count": 3, "minutes": 10}))
    page.goto(f"{shop.portal_url}/")
    link = page.locator("#notices").get_by_role("link", name="Hubline")
    assert not str(link.get_attribute("href")).startswith(shop.site.url)
    link.click()
    expect(page.frame_locator("#app").get_by_role("heading", name="Недоставленные")).to_be_visible()
    assert page.url.startswith(f"{shop.portal_url}/marketplace/view/")


def test_a_link_that_names_no_page_of_ours_opens_the_first_one(shop: Shop) -> None:
    """What the API answers repeats what was asked: read as a page, it would act for whoever opened the link."""
    page = shop.desk()
    shop.install(page)
    with shop.site.hub.db.sql() as sql:
        (client_id,) = sql.all("SELECT client_id FROM bitrix24_connection")[0]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method + request.url.removeprefix(shop.site.url)))
    form = (
        "<div id=app><form hx-post=&sol;settings&sol;people hx-trigger=load><input name=role value=admin></form></div>"
    )
    for place in (f"/api/v1/lines?{quote(form)}=1", f"/lines/../api/v1/lines?{quote(form)}=1", "//elsewhere.test/"):
        page.goto(f"{shop.portal_url}/marketplace/view/{client_id}/?{urlencode({'params[place]': place})}")
        expect(page.frame_locator("#app").locator(".side-nav [aria-current=page]")).to_be_visible()
    assert not [one for one in asked if one.startswith(("POST/settings", "GET/api/v1/lines"))]


def test_what_is_no_page_is_not_put_into_one(shop: Shop) -> None:
    page = shop.desk()
    shop.install(page)
    frame = page.frames[1]
    before = frame.locator("#app").inner_html()
    with page.expect_response(lambda response: "/api/v1/lines" in response.url):
        frame.evaluate("""async () => { await htmx.ajax("GET", "/api/v1/lines", {target: "#app"}) }""")
    assert frame.locator("#app").inner_html() == before


def go(page: Any, section: str) -> None:
    """Open a section of the product and wait for its page."""
    frame = page.frame_locator("#app")
    frame.locator(".side-nav").get_by_role("link", name=section).click()
    expect(frame.locator(".side-nav [aria-current=page]")).to_contain_text(section)


def height(page: Any) -> int:
    """The frame's height."""
    return int(page.locator("#app").evaluate("frame => frame.clientHeight"))


def press(page: Any, selector: str) -> None:
    """Press something in the frame without scrolling to it."""
    page.frames[1].locator(selector).dispatch_event("click")


def scrolls_itself(page: Any) -> bool:
    """Whether the frame's page is longer than the frame."""
    return bool(page.frames[1].evaluate("document.scrollingElement.scrollHeight > innerHeight"))


@pytest.mark.parametrize("width", [1280, 400])
def test_the_frame_grows_with_a_page_and_shrinks_with_it(shop: Shop, width: int) -> None:
    page = shop.desk(viewport={"width": width, "height": 700})
    shop.install(page)
    go(page, "Поля CRM")
    wait_until(lambda: height(page) > 1500, what="a high frame")
    assert not scrolls_itself(page)
    go(page, "Недоставленные")
    wait_until(lambda: height(page) < 900, what="a low frame")
    assert not scrolls_itself(page)


def test_another_page_begins_at_its_top_wherever_the_portals_window_was(shop: Shop) -> None:
    page = shop.desk(viewport={"width": 1280, "height": 300})
    person = shop.install(page)
    go(page, "Поля CRM")
    wait_until(lambda: height(page) > 1500, what="a high frame")
    page.evaluate("scrollTo(0, 900)")
    press(page, ".side-nav a[href='/settings']")
    expect(person.place.locator("h1")).to_be_in_viewport()


def test_what_opens_over_a_long_page_is_in_sight_wherever_the_portals_window_was(shop: Shop) -> None:
    page = shop.desk()
    person = shop.install(page)
    go(page, "Поля CRM")
    wait_until(lambda: height(page) > 1500, what="a high frame")
    page.evaluate("scrollTo(0, 900)")
    press(page, "[data-behavior~=search]")
    field = person.place.get_by_role("dialog").get_by_role("searchbox")
    expect(field).to_be_in_viewport()


def test_a_dialogue_longer_than_the_portals_window_is_in_the_frame_as_a_whole(shop: Shop) -> None:
    page = shop.desk(viewport={"width": 700, "height": 500})
    person = shop.install(page)
    person.place.get_by_role("button", name="Заявка с сайта").click()
    person.place.get_by_role("button", name="Блок", exact=True).click()
    dialog = person.place.get_by_role("dialog")
    wait_until(lambda: height(page) > dialog.bounding_box()["height"], what="a frame for the dialogue")
    assert dialog.evaluate("dialog => dialog.scrollHeight <= dialog.clientHeight")
    assert dialog.bounding_box()["height"] > 500
    dialog.locator("button").last.scroll_into_view_if_needed()
    expect(dialog.locator("button").last).to_be_in_viewport()
