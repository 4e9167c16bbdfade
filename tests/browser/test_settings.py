"""Settings, health, notices and search in a browser: usable by everybody, in both themes, at every width."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from hub.notices import book
from hub.notices.book import Finding
from tests.browser.looking import cut_off, violations
from tests.browser.site import Site

pytestmark = pytest.mark.databases("sqlite")
PASSWORD = re.compile(r"^[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}$")
PAGES = (
    "/settings",
    "/settings/people",
    "/settings/keys",
    "/settings/values",
    "/settings/bitrix24",
    "/health",
    "/notices",
    "/search?q=7999",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_settings_and_health_can_be_used_by_everybody_at_every_width(site: Site, scheme: str) -> None:
    portal_id = site.portal.id or 0
    trouble = Finding("undelivered", portal_id, params={"count": 12, "minutes": 10})
    site.hub.db.writer.run(lambda sql: book.keep(sql, [trouble], causes=["none"], now=1_790_000_000_000_000))
    page: Any = site.page(color_scheme=scheme)
    found: list[str] = []
    for address in PAGES:
        page.goto(address, wait_until="networkidle")
        for width in (360, 700, 1280, 1920):
            page.set_viewport_size({"width": width, "height": 900})
            found += [f"{address} at {width}: {one}" for one in cut_off(page)]
        found += [f"{address}: {one}" for one in violations(page)]
    assert found == []


def test_a_person_is_invited_and_the_password_shown_once_can_be_copied(site: Site, page: Any) -> None:
    page.goto("/settings", wait_until="networkidle")
    page.get_by_role("link", name="Люди").click()
    page.locator("#email").fill("olga@shop.test")
    page.get_by_role("button", name="Пригласить").click()
    shown = page.get_by_test_id("one-time-password")
    expect(shown).to_have_value(PASSWORD)
    with page.expect_download() as saved:
        page.goto("/settings", wait_until="networkidle")
        page.get_by_role("link", name="Скачать").click()
    assert saved.value.suggested_filename.endswith(".zip")
    page.goto("/settings/people")
    expect(page.get_by_test_id("one-time-password")).to_have_count(0)
