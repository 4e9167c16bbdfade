"""Pictures of every screen: `python -m tests.browser.pictures FOLDER [NAME…]`.

With little in it and with trouble, and in the portal's frame: at 700 and 1280 px, light and dark; empty and full: at
1280 px, light.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from hub.sandbox.bitrix24.server import Bitrix24 as Simulator
from hub.sandbox.server import Sandbox
from hub.settings import Settings
from tests.bitrix24.conftest import control, portal_settings
from tests.browser.filled import fill
from tests.browser.in_portal import walk
from tests.browser.moments import MOMENTS
from tests.browser.screens import SCREENS
from tests.browser.shop import serve_shop
from tests.browser.site import Site, serve_site
from tests.conftest import CHROMIUM_FLAGS, chromium
from tests.databases import migrate_url

STATES = {"empty": 0, "few": 8, "full": 400}
SIZES = (700, 1280)
PAINTED = """async () => {
  const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  let last = -1;
  while (last !== window.innerHeight) { last = window.innerHeight; for (let n = 0; n < 10; n++) await painted(); }
}"""
"""A frame takes its new height some moments after its page has got it."""
SCHEMES: tuple[Any, ...] = ("light", "dark")


class Camera:
    """Takes pictures into a folder, those that were asked for; all if none was named."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._folder, self._names = folder, names
        folder.mkdir(parents=True, exist_ok=True)

    def wants(self, name: str) -> bool:
        """Whether a picture of this name was asked for."""
        return not self._names or name in self._names

    def take(self, page: Any, name: str, state: str, scheme: str, sizes: Sequence[int] = SIZES) -> None:
        """The page as it is now, at each width."""
        for width in sizes:
            page.set_viewport_size({"width": width, "height": 900})
            for frame in page.frames:
                frame.evaluate(PAINTED)
            # The window as high as the page: a frame that reaches beyond it is not painted to its end.
            page.set_viewport_size({"width": width, "height": max(900, page.evaluate("document.body.scrollHeight"))})
            for frame in page.frames:
                frame.evaluate(PAINTED)
            page.screenshot(path=self._folder / f"{name}-{state}-{width}-{scheme}.png", full_page=True)


def main(folder: Path, names: list[str]) -> None:
    """Take them all, or those named."""
    camera = Camera(folder, names)
    sandbox = Sandbox().start()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        for state, requests in STATES.items():
            _outside(browser, sandbox, camera, state, requests)
        if camera.wants("portal"):
            simulator = Simulator().start()
            for scheme in SCHEMES:
                _inside(browser, sandbox, simulator, camera, scheme)
            simulator.stop()
        browser.close()
    sandbox.stop()


def _outside(browser: Any, sandbox: Sandbox, camera: Camera, state: str, requests: int) -> None:
    with tempfile.TemporaryDirectory(prefix="hubline-pictures-") as kept:
        settings = Settings(
            instance_dir=Path(kept) / "instance",
            database_url=f"sqlite:///{kept}/hub.db",
            egress_allow=(f"127.0.0.1:{sandbox.port}",),
            testing=True,
        ).with_secrets()
        migrate_url(settings.database_url)
        with serve_site(browser, settings, sandbox, Path(kept)) as site:
            if requests:
                fill(site.at, requests)
            _screens(site, state, camera)
            _complain(state, site)


def _screens(site: Site, state: str, camera: Camera) -> None:
    few = state == "few"
    for scheme in SCHEMES if few else SCHEMES[:1]:
        options = {"color_scheme": scheme, "viewport": {"width": 1280, "height": 900}}
        page = site.page(**options)
        for screen in SCREENS:
            if camera.wants(screen.name) and (state != "empty" or not screen.needs_content):
                page.goto(screen.address(site.at), wait_until="networkidle")
                camera.take(page, screen.name, state, scheme, SIZES if few else SIZES[1:])
        for moment in MOMENTS if few else ():
            if camera.wants(moment.name):
                page.set_viewport_size({"width": 1280, "height": 900})
                moment.come(page, site)
                camera.take(page, moment.name, state, scheme)
        if few and camera.wants("login"):
            stranger = site.page(None, **options)
            stranger.goto("/login")
            camera.take(stranger, "login", state, scheme)


def _inside(browser: Any, sandbox: Sandbox, simulator: Simulator, camera: Camera, scheme: str) -> None:
    control(simulator, "reset")
    control(simulator, "portal", burst=0, modern=True, plan="pro", moved_to="", operating_cost_s=0.0)
    with tempfile.TemporaryDirectory(prefix="hubline-pictures-") as kept:
        settings = portal_settings(simulator, f"sqlite:///{kept}/hub.db", Path(kept), sandbox.port)
        migrate_url(settings.database_url)
        with serve_shop(browser, settings, sandbox, simulator, Path(kept)) as shop:
            walk(shop, scheme, lambda page, name: camera.take(page, f"portal-{name}", "few", scheme))
            _complain("portal", shop.site)


def _complain(state: str, site: Site) -> None:
    for complaint in site.complaints:
        sys.stderr.write(f"{state}: {complaint}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
