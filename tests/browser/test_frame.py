"""The portal's frame: its links stay inside of it."""

import pytest
from playwright.sync_api import expect

from hub.clock import now_us
from hub.notices.book import Finding
from hub.portals.service import key_of
from hub.upkeep import telling
from tests.browser import shop as fixtures
from tests.browser.shop import Shop

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
