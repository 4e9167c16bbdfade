"""A running product with an account for each role, and browsers on it that write down every complaint."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import Session

from hub.accounts import users
from hub.accounts.keys import create_key
from hub.clock import now_us
from hub.core import Hub, make_hub
from hub.portals.models import Portal, Stamp
from hub.portals.service import key_of, local_portal
from hub.sandbox.server import Sandbox
from hub.settings import Settings
from tests.conftest import free_port
from tests.journeys.conftest import QUICK_RETRIES
from tests.journeys.installation import Installation
from tests.processes import Product

PASSWORD = "correct horse"


@dataclass
class Site:
    """A running product: web and worker, with the simulated messengers beside it. `at` talks to its API and links;
    `complaints` are errors of pages' consoles, breaches of the content policy, requests to other hosts."""

    url: str
    hub: Hub
    portal: Portal
    at: Installation
    complaints: list[str]
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


@contextmanager
def serve_site(
    browser: Any,
    settings: Settings,
    sandbox: Sandbox,
    folder: Path,
    *,
    member_id: str = "",
    beside: Sequence[str] = (),
    **more: str,
) -> Iterator[Site]:
    """`hub serve` on a migrated database, for the portal `local` or one that Bitrix24 knows as `member_id`.

    `beside`: origins that pages may ask, too. `more`: further settings by the names of their variables.
    """
    port = free_port()
    own = settings.model_copy(update={"public_url": f"http://127.0.0.1:{port}", "port": port})
    contexts: list[Any] = []
    complaints: list[str] = []

    def new_context(**options: Any) -> Any:
        context = browser.new_context(**options)
        contexts.append(context)
        context.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        context.on("weberror", lambda error: complaints.append(error.error.stack or str(error.error)))
        context.on("request", lambda asked: _own(asked.url, [own.base_url, *beside], complaints))
        return context

    hub = make_hub(own)
    try:
        with hub.db.write() as session:
            portal = _future_portal(session, own, member_id) if member_id else local_portal(session, own)
            key = create_key(session, key_of(portal), "tests")
            for role in users.ROLES:
                users.create_user(session, key_of(portal), email=f"{role}@shop.test", password=PASSWORD, role=role)
        addresses = {"HUB_PUBLIC_URL": own.base_url, "HUB_RETRY_SCHEDULE_S": QUICK_RETRIES}
        with Product(own, folder, addresses | more) as product:
            running = product.serve(PORT=str(port)).wait_ready()
            at = Installation(running.url, key, sandbox)
            yield Site(running.url, hub, portal, at, complaints, new_context)
            at.close()
            for context in contexts:
                context.close()
    finally:
        hub.close()


def _future_portal(session: Session, settings: Settings, member_id: str) -> Portal:
    """A portal that will install the application, so that there are accounts and a key of it before."""
    portal = Portal(member_id=member_id, installed_at=now_us(), time_zone=settings.time_zone)
    session.add(portal)
    session.flush()
    session.add(Stamp(portal_id=key_of(portal)))
    return portal


def _own(address: str, bases: Sequence[str], complaints: list[str]) -> None:
    known = address.startswith(tuple(f"{base}/" for base in bases))
    if address.startswith(("http:", "https:", "ws:")) and not known:
        complaints.append(f"it asked another host: {address}")
