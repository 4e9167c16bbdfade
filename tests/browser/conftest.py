"""What browser tests share: a running product with somebody signed in.

A page that writes an error to its console, breaks the content policy, or asks another host for something fails the
test that opened it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub.accounts import users
from hub.core import Hub
from hub.portals.models import Portal
from hub.sandbox.server import Sandbox
from hub.settings import Settings
from tests.conftest import free_port
from tests.processes import Product

PASSWORD = "correct horse"


@dataclass
class Site:
    """A running product: web and worker, with the simulated messengers beside it."""

    url: str
    hub: Hub
    portal: Portal
    sandbox: Sandbox
    new_context: Callable[..., Any]

    def page(self, role: str | None = "admin", *, language: str = "ru", **options: Any) -> Any:
        """A page of a browser of its own, signed in with this role; `options` are those of playwright's new_context
        (`viewport`, `color_scheme`)."""
        context = self.new_context(
            base_url=self.url, locale="ru-RU" if language == "ru" else "en-GB", timezone_id="Europe/Moscow", **options
        )
        page = context.new_page()
        if role is not None:
            page.goto("/login")
            page.locator("input[name=email]").fill(f"{role}@shop.test")
            page.locator("input[name=password]").fill(PASSWORD)
            page.locator("form[action='/login'] button").click()
            page.wait_for_url(lambda address: "/login" not in address)
        return page


@pytest.fixture
def site_settings(settings: Settings, sandbox: Sandbox) -> Settings:
    """The settings the product runs with: it knows itself by the address the browser opens."""
    port = free_port()
    return settings.model_copy(update={"public_url": f"http://127.0.0.1:{port}", "port": port})


@pytest.fixture
def site(
    browser: Any, site_settings: Settings, hub: Hub, portal: Portal, sandbox: Sandbox, tmp_path: Path
) -> Iterator[Site]:
    """The product on a database of its own, with an account for each role."""
    assert portal.id is not None
    with hub.db.write() as session:
        for role in users.ROLES:
            users.create_user(session, portal.id, email=f"{role}@shop.test", password=PASSWORD, role=role)
    contexts: list[Any] = []
    complaints: list[str] = []

    def new_context(**options: Any) -> Any:
        context = browser.new_context(**options)
        contexts.append(context)
        context.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.on("request", lambda asked: _own(asked.url, site_settings.base_url, complaints))
        return context

    more = {"HUB_PUBLIC_URL": site_settings.base_url, "PORT": str(site_settings.port)}
    with Product(site_settings, tmp_path, more) as product:
        running = product.serve(PORT=str(site_settings.port)).wait_ready()
        yield Site(running.url, hub, portal, sandbox, new_context)
        for context in contexts:
            context.close()
    assert complaints == []


@pytest.fixture
def page(site: Site) -> Any:
    """A page of an administrator, in Russian, at 1280 × 800."""
    return site.page(viewport={"width": 1280, "height": 800})


def _own(address: str, base: str, complaints: list[str]) -> None:
    if address.startswith(("http:", "https:", "ws:")) and not address.startswith(base + "/"):
        complaints.append(f"it asked another host: {address}")
