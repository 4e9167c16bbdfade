"""Health: the ten checks in the order of an event's way, each with what to do and, where we can, a button for it."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response, redirect, render_template, request
from flask_babel import LazyString
from flask_babel import lazy_gettext as _
from sqlmodel import Session
from werkzeug.wrappers import Response as AnyResponse

from hub.bitrix24 import connections, install, unshown
from hub.bitrix24.install import Step
from hub.clock import now_us
from hub.delivery import lines, probing
from hub.errors import NotFound
from hub.notices import book
from hub.notices.book import Finding
from hub.notices.models import Notice
from hub.portals import service
from hub.portals.models import LOCAL
from hub.upkeep.checks import Check, State
from hub.upkeep.health import checks_of, portals_of
from hub.upkeep.telling import place
from hub.values import loads
from hub.web.pages import line_words
from hub.web.pages.shell import hub, me, needs, page, runtime, screens

blueprint = screens("health_page")
MOST = 50
TITLES = {
    "database": _("Database"),
    "worker": _("Worker"),
    "oldest_due_message": _("Oldest waiting message"),
    "lines": _("Lines"),
    "public_address": _("Public address"),
    "bitrix24_token": _("Access to Bitrix24"),
    "bitrix24_events": _("Events of Bitrix24"),
    "bitrix24_handlers": _("Robots, placements, senders"),
    "last_sweep": _("Last full check"),
    "disk": _("Disk and retention"),
}
REPAIRS: dict[str, tuple[Step, ...]] = {
    "bitrix24_token": ("access",),
    "bitrix24_events": ("events",),
    "bitrix24_handlers": ("events", "robots", "senders"),
}
"""The steps of the installation that mend a check. What is there already is left as it is."""
BY_HAND: dict[str, tuple[LazyString, str]] = {
    "worker": (_("Start it on the server:"), "hub worker"),
    "public_address": (_("Put your address into the server's settings and restart it:"), "HUB_PUBLIC_URL=https://…"),
    "last_sweep": (_("Start it on the server:"), "hub serve"),
    "disk": (_("Free some space, or put this into the server's settings and restart it:"), "HUB_RETENTION_DAYS=14"),
}
"""What only whoever runs the server can mend, and what to enter there."""
STATES = {
    "ok": (_("works"), "ok", "check"),
    "warning": (_("needs attention"), "wait", "alert-triangle"),
    "failed": (_("not working"), "bad", "x"),
    "not_installed": (_("not installed"), "off", "ban"),
}


@dataclass(frozen=True)
class Told:
    """A notice as people read it: `where` something can be done about it."""

    notice: Notice
    text: str
    where: str
    is_open: bool


@blueprint.get("/health")
def show() -> Response:
    """All ten; our own address is called, so this may take some seconds. For the operator also how every portal of
    this server stands."""
    person = me()
    checks = checks_of(hub(), person.portal_id)
    with hub().db.read() as session:
        operator = service.by_id(session, person.portal_id).member_id == LOCAL and person.may("admin")
    html = render_template(
        "health/show.html",
        checks=checks,
        titles=TITLES,
        states=STATES,
        by_hand=BY_HAND,
        repairable=_repairable(person.portal_id) if person.may("admin") else set(),
        repaired=request.args.get("repaired", ""),
        worst=_worst(checks),
        portals=[
            {"name": portal.name, "worst": _worst(portal.checks), "checks": portal.checks}
            for portal in (portals_of(hub()) if operator else ())
            if portal.member_id != LOCAL
        ],
    )
    return page(html)


@blueprint.post("/health/repair/<name>")
@needs("admin")
def repair(name: str) -> AnyResponse:
    """Do what mends a check, as far as we can; the page that follows shows how it stands now."""
    portal_id = me().portal_id
    if name not in _repairable(portal_id):
        raise NotFound("Nothing can be repaired here.")
    if name == "lines":
        with hub().db.read() as session:
            broken = [line.id for line in lines.all_of(session, portal_id) if line.state in lines.OUT_OF_ORDER]
        for line_id in broken:
            probing.check(hub(), portal_id, line_id)
    for step in REPAIRS.get(name, ()):
        install.take(runtime().bitrix24, portal_id, step)
    if name == "bitrix24_handlers":
        hub().db.writer.run(lambda sql: unshown.show_again(sql, portal_id, now=now_us()))
    return redirect(f"/health?repaired={name}", 303)


@blueprint.get("/notices")
def notices() -> Response:
    """What people had to be told, the newest first; what still holds stands above what is over."""
    below = request.args.get("cursor")
    with hub().db.read() as session:
        found = book.find(session, me().portal_id, is_open=None, below=below, limit=MOST + 1)
        now = [] if below else book.find(session, me().portal_id, is_open=True, below=None, limit=MOST)
        html = render_template(
            "health/notices.html",
            now=[told(notice) for notice in now],
            over=[told(notice) for notice in found[:MOST] if notice.closed_at is not None],
            cursor=found[MOST - 1].id if len(found) > MOST else "",
        )
    return page(html)


def told(notice: Notice) -> Told:
    """A notice with its sentence in English, which pages translate."""
    params = loads(notice.params)
    if notice.cause in ("line_auth_failed", "line_unreachable") and "code" in params:
        state = notice.cause.removeprefix("line_")
        params["reason"] = f"{line_words.trouble(params['channel'], params['code'], state).what}."
    finding = Finding(notice.cause, notice.portal_id, notice.subject, params)
    return Told(notice, finding.words, place(finding), notice.closed_at is None)


def open_notices(session: Session, portal_id: int) -> dict[str, list[Told]]:
    """What has to be told now, by cause."""
    found: dict[str, list[Told]] = {}
    for notice in book.find(session, portal_id, is_open=True, below=None, limit=MOST):
        found.setdefault(notice.cause, []).append(told(notice))
    return found


def _worst(checks: Sequence[Check]) -> State:
    """How they stand as a whole."""
    order: tuple[State, ...] = ("not_installed", "ok", "warning", "failed")
    return max((check.state for check in checks), key=order.index)


def _repairable(portal_id: int) -> set[str]:
    with hub().db.sql() as sql:
        connection = connections.of_portal(sql, portal_id)
    connected = connection is not None and connection.uninstalled_at is None
    return {"lines", *(REPAIRS if connected else ())}
