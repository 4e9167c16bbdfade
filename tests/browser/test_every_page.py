"""Every screen, in both themes and at every width: usable by everybody, nothing cut off, everything in Russian."""

import re
from typing import Any

import pytest

from tests.browser.filled import fill
from tests.browser.looking import cut_off, violations
from tests.browser.moments import MOMENTS
from tests.browser.screens import SCREENS
from tests.browser.site import Site

pytestmark = pytest.mark.databases("sqlite")
WIDTHS = (360, 700, 1280, 1920)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_screen_can_be_used_by_everybody_and_shows_all_of_itself_at_every_width(site: Site, scheme: str) -> None:
    fill(site.at)
    page = site.page(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    found: list[str] = []
    for screen in SCREENS:
        page.goto(screen.address(site.at), wait_until="networkidle")
        found += _seen(page, screen.name)
        found += [f"{screen.name} at {WIDTHS[0]}: {one}" for one in _narrow(page)]
        page.set_viewport_size({"width": 1280, "height": 900})
        _forgive(site, screen.name)
    assert found == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_pages_open_on_demand_can_be_used_by_everybody_and_shows_all_of_itself(site: Site, scheme: str) -> None:
    fill(site.at)
    page = site.page(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    found: list[str] = []
    for moment in MOMENTS:
        page.set_viewport_size({"width": 1280, "height": 900})
        moment.come(page, site)
        found += _seen(page, moment.name)
    assert found == []


def _seen(page: Any, name: str) -> list[str]:
    """What is wrong with it for anybody, and what is cut off at any width."""
    found = [f"{name}: {one}" for one in violations(page)]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        found += [f"{name} at {width}: {one}" for one in cut_off(page)]
    return found


def _forgive(site: Site, name: str) -> None:
    """A page that is not there is a 404 in the console, too."""
    if name == "nothing-here":
        site.complaints[:] = [one for one in site.complaints if "404" not in one]


def _narrow(page: Any) -> list[str]:
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    return violations(page)


def test_an_empty_product_explains_every_screen(site: Site) -> None:
    page = site.page(viewport={"width": 700, "height": 900})
    for screen in SCREENS:
        if screen.needs_content:
            continue
        page.goto(screen.address(site.at), wait_until="networkidle")
        assert violations(page) == [], screen.name
        assert cut_off(page) == [], screen.name
        words = page.locator("main").inner_text()
        english = re.findall(r"\b(?:[A-Z][a-z]+ )?[a-z]{3,} [a-z]{3,} [a-z]{3,}\b", words)
        assert english == [], screen.name
        _forgive(site, screen.name)
