"""The main menu: the same seven places on every page, with the numbers that call for somebody."""

from dataclasses import dataclass

from flask import Flask, request
from flask_babel import lazy_gettext as _
from flask_babel import ngettext

from hub.scenarios import failed_runs
from hub.web.pages.shell import hub, me

_ITEMS = (
    ("/", "layout-dashboard", _("Overview")),
    ("/scenarios", "sitemap", _("Scenarios")),
    ("/journal", "list-details", _("Journal")),
    ("/undelivered", "mail-exclamation", _("Undelivered")),
    ("/lines", "message-circle", _("Lines")),
    ("/fields", "forms", _("CRM fields")),
    ("/settings", "settings", _("Settings")),
)


@dataclass(frozen=True)
class Item:
    """One entry of the menu."""

    address: str
    icon: str
    title: str
    current: bool
    count: int = 0
    count_label: str = ""


def register(app: Flask) -> None:
    """Offer `navigation()` to templates."""
    app.jinja_env.globals.update(navigation=navigation)


def navigation() -> list[Item]:
    """The menu as the current page shows it."""
    with hub().db.read() as session:
        undelivered = failed_runs.count_undelivered(session, me().portal_id)
    return [
        Item(
            address,
            icon,
            str(title),
            current=request.path == address or (address != "/" and request.path.startswith(address + "/")),
            count=undelivered if address == "/undelivered" else 0,
            count_label=ngettext("%(num)d undelivered", "%(num)d undelivered", undelivered) if undelivered else "",
        )
        for address, icon, title in _ITEMS
    ]
