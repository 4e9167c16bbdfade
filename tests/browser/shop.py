"""A product beside a simulated portal that can install it: the portal's own pages, and the product in their frame."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import expect

from hub.sandbox.bitrix24.server import DEMO_CLIENT_ID
from hub.sandbox.bitrix24.server import Bitrix24 as Simulator
from hub.sandbox.faults import Entry
from hub.sandbox.server import Sandbox
from hub.settings import Settings
from tests.bitrix24 import conftest as bitrix24
from tests.bitrix24.conftest import bitrix24_environment, control
from tests.browser.counted import Counted
from tests.browser.site import Site, serve_site
from tests.journeys.installation import LINE

settings, simulator = bitrix24.settings, bitrix24.simulator
_simulator = bitrix24._simulator
DEAL = 2
CHANNELS: dict[str, dict[str, str]] = {
    "telegram": {"token": "1:AAAA"},
    "whatsapp": {"token": "EAA-simulated", "phone_number_id": "1122"},
}
PATHS = {"telegram": "telegram", "whatsapp": "graph"}


@dataclass
class Shop:
    """A product and the portal of the shop that uses it."""

    site: Site
    simulator: Simulator

    @property
    def portal_url(self) -> str:
        """Where the portal's pages are."""
        return self.simulator.portal.url

    def desk(self, **options: Any) -> Any:
        """A page with the portal's desk, of a browser that has not been here before."""
        page = self.site.page(None, **({"viewport": {"width": 1280, "height": 900}} | options))
        page.goto(f"{self.portal_url}/")
        return page

    def install(self, page: Any, look: Callable[[], None] | None = None) -> Counted:
        """Press the desk's button, look at the six lines and go on: somebody at the frame of the application. `look` is
        called when the lines are all green."""
        page.click("#install")
        if look is not None:
            expect(page.frame_locator("#app").locator("[data-step][data-state=ok]")).to_have_count(6, timeout=60_000)
            look()
        person = Counted(page, page.frame_locator("#app"))
        person.clicks = 1
        person.press(person.place.locator("[data-part=go-on]"))
        page.wait_for_url("**finished=Y*", timeout=60_000)
        person.place.locator(".side-nav").wait_for()
        return person

    def add_line(self, channel: str = "whatsapp") -> None:
        """The shop's only line."""
        config = CHANNELS[channel] | {"api_url": f"{self.site.at.sandbox.url}/{PATHS[channel]}"}
        made = self.site.at.api("POST", "/lines", {"name": LINE, "channel": channel, "config": config})
        assert made.status_code == 201, made.text

    def card(self, **asked: Any) -> int:
        """Add or change a card as a person of the portal does; its number."""
        return int(control(self.simulator, "card", **({"user": 1} | asked))["id"])

    def move(self, deal: int, stage: str) -> None:
        """Bring a deal to a stage."""
        self.card(entityTypeId=DEAL, id=deal, fields={"STAGE_ID": stage})

    def messages(self, service: str) -> list[Entry]:
        """What a messenger took, oldest first."""
        return [entry for entry in self.site.at.sandbox.board.entries() if entry.service == service and entry.accepted]

    def read_card(self, kind: int, number: int) -> Any:
        """A card with its timeline."""
        return requests.get(f"{self.portal_url}/_control/card/{kind}/{number}", timeout=10).json()

    def state(self) -> Any:
        """What the portal has: what is registered there, its processes."""
        return requests.get(f"{self.portal_url}/_control/state", timeout=10).json()


@contextmanager
def serve_shop(
    browser: Any, settings: Settings, sandbox: Sandbox, simulator: Simulator, folder: Path
) -> Iterator[Shop]:
    """The product, known to the portal as the application that it may install."""
    environment = bitrix24_environment(settings) | {"HUB_BITRIX24_JS_URL": settings.bitrix24_js_url}
    del environment["HUB_PUBLIC_URL"]
    portal = simulator.portal
    with serve_site(
        browser, settings, sandbox, folder, member_id=portal.member_id, beside=[portal.url], **environment
    ) as site:
        addresses = {"app_url": f"{site.url}/bitrix24/app", "install_url": f"{site.url}/bitrix24/install"}
        control(simulator, "app", client_id=DEMO_CLIENT_ID, **addresses)
        yield Shop(site, simulator)


@pytest.fixture
def shop(browser: Any, settings: Settings, sandbox: Sandbox, simulator: Simulator, tmp_path: Path) -> Iterator[Shop]:
    """A product that the portal has not installed yet. A test that takes it needs this module's other fixtures, too."""
    with serve_shop(browser, settings, sandbox, simulator, tmp_path) as served:
        yield served
    assert served.site.complaints == [], served.site.complaints
