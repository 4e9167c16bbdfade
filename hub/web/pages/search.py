"""Search: one field for everything that has a name, a number or a phone; opened by Ctrl+K on every page."""

from dataclasses import dataclass
from urllib.parse import quote

from flask import Response, render_template, request
from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from hub.web.finding import Found, find
from hub.web.pages import navigation
from hub.web.pages.shell import hub, me, page, screens

blueprint = screens("search")
LONGEST = 100
_KINDS = {
    "scenario": (_("Scenarios"), "sitemap", "/scenarios/{}"),
    "chat": (_("Recipients"), "user", "/journal/messages?chat={}"),
    "run": (_("Runs"), "player-play", "/journal/runs/{}"),
    "message": (_("Messages"), "message-circle", "/journal/messages/{}"),
    "request": (_("Requests"), "world-download", "/journal/requests/{}"),
}
_MORE_PAGES = (
    ("/health", "heartbeat", _("Health")),
    ("/notices", "bell", _("Notices")),
    ("/settings/people", "users", _("People")),
    ("/settings/keys", "key", _("API keys")),
    ("/settings/values", "braces", _("Constants and variables")),
    ("/settings/bitrix24", "plug", _("Bitrix24")),
)


@dataclass(frozen=True)
class Entry:
    """One line of what was found, and where it leads."""

    address: str
    icon: str
    title: str
    more: str
    at: int | None = None


@blueprint.get("/search")
def show() -> Response:
    """What was found, by kinds; pages first."""
    text = request.args.get("q", "").strip()[:LONGEST]
    groups: dict[str, list[Entry]] = {}
    pages = _pages(text)
    if pages:
        groups[str(_("Pages"))] = pages
    with hub().db.read() as session:
        for found in find(session, me().portal_id, text):
            groups.setdefault(str(_KINDS[found.kind][0]), []).append(_entry(found))
    return page(render_template("search/show.html", search=text, groups=groups))


def _pages(text: str) -> list[Entry]:
    """Pages whose names hold the words; all of the menu while nothing was asked for."""
    menu = [(item.address, item.icon, item.title) for item in navigation.navigation()]
    known: list[tuple[str, str, str | LazyString]] = [*menu, *(_MORE_PAGES if text else ())]
    return [
        Entry(address, icon, str(title), "")
        for address, icon, title in known
        if text.casefold() in str(title).casefold()
    ]


def _entry(found: Found) -> Entry:
    _title, icon, address = _KINDS[found.kind]
    return Entry(address.format(quote(found.id, safe="")), icon, found.title, found.more, found.at)
