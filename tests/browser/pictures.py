"""Pictures of every screen: `python -m tests.browser.pictures FOLDER [NAME…]`.

With little in it and with trouble: at 700 and 1280 px, light and dark; empty and full: at 1280 px, light.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from hub.sandbox.server import Sandbox
from hub.settings import Settings
from tests.browser.filled import fill
from tests.browser.screens import SCREENS
from tests.browser.site import Site, serve_site
from tests.conftest import CHROMIUM_FLAGS, chromium
from tests.databases import migrate_url

STATES = {"empty": 0, "few": 8, "full": 400}


def main(folder: Path, names: list[str]) -> None:
    """Take them all, or those named."""
    folder.mkdir(parents=True, exist_ok=True)
    sandbox = Sandbox().start()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        for state, requests in STATES.items():
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
                    _take(site, state, folder, names)
        browser.close()
    sandbox.stop()


def _take(site: Site, state: str, folder: Path, names: list[str]) -> None:
    sizes = (700, 1280) if state == "few" else (1280,)
    schemes: tuple[Any, ...] = ("light", "dark") if state == "few" else ("light",)
    for scheme in schemes:
        page = site.page(color_scheme=scheme, viewport={"width": 1280, "height": 900})
        for screen in SCREENS:
            if (names and screen.name not in names) or (state == "empty" and screen.needs_content):
                continue
            page.goto(screen.address(site.at), wait_until="networkidle")
            for width in sizes:
                page.set_viewport_size({"width": width, "height": 900})
                page.screenshot(path=folder / f"{screen.name}-{state}-{width}-{scheme}.png", full_page=True)
    for complaint in site.complaints:
        sys.stderr.write(f"{state}: {complaint}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
