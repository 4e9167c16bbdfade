"""Signing in, in a browser."""

from typing import Any

import pytest

from tests.browser.looking import cut_off, violations
from tests.browser.site import Site

pytestmark = pytest.mark.databases("sqlite")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sign_in_page_and_the_overview_can_be_used_by_everybody_at_every_width(site: Site, scheme: str) -> None:
    stranger: Any = site.page(None, color_scheme=scheme, viewport={"width": 360, "height": 700})
    stranger.goto("/login")
    assert violations(stranger) == []
    assert cut_off(stranger) == []
    page = site.page("viewer", color_scheme=scheme, viewport={"width": 360, "height": 700})
    assert page.locator("html").get_attribute("lang") == "ru"
    assert violations(page) == []
    for width in (360, 700, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        assert cut_off(page) == [], width
