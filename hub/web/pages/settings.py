"""Settings of a portal: language, time zone, retention, own numbers, where notices go; and the tabs of all settings."""

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo, available_timezones

from flask import Flask, Response, redirect, render_template, request, send_file
from flask_babel import LazyString, gettext
from flask_babel import lazy_gettext as _
from werkzeug.wrappers import Response as AnyResponse

from hub.delivery import interventions, lines, quieting
from hub.errors import HubError, Invalid
from hub.portals import service
from hub.upkeep.export import export
from hub.web.access.identity import Role
from hub.web.i18n import zone
from hub.web.pages.shell import hub, me, needs, page, screens

blueprint = screens("settings")
_SECTIONS: tuple[tuple[str, LazyString, Role], ...] = (
    ("/settings", _("General"), "viewer"),
    ("/settings/people", _("People"), "viewer"),
    ("/settings/keys", _("API keys"), "admin"),
    ("/settings/values", _("Values"), "viewer"),
    ("/settings/bitrix24", _("Bitrix24"), "viewer"),
)


def register(app: Flask) -> None:
    """Offer `sections()` to the templates of the settings."""
    app.jinja_env.globals.update(sections=sections)


def sections() -> list[tuple[str, str]]:
    """The tabs that whoever is asking may open: addresses and titles."""
    person = me()
    return [(address, str(title)) for address, title, role in _SECTIONS if person.may(role)]


@blueprint.get("/settings")
def show() -> Response:
    """The settings as they are."""
    return _show()


@blueprint.post("/settings")
@needs("admin")
def change() -> Response | AnyResponse:
    """Keep them all, or none of them and say why."""
    given = request.form
    try:
        with hub().db.write() as session:
            portal = service.by_id(session, me().portal_id)
            before = service.quiet_of(portal)
            days = given.get("retention_days", "").strip()
            service.change(
                session,
                portal,
                time_zone=given.get("time_zone", "").strip(),
                language=given.get("language"),
                retention_days=_whole(days) if days else None,
            )
            if not days:
                service.keep_as_usual(session, portal)
            service.set_quiet_hours(session, portal, given.get("quiet_from", ""), given.get("quiet_to", ""))
            service.set_own_numbers(session, portal, given.get("own_numbers", "").splitlines())
            line_id = given.get("notice_line", "")
            if line_id:
                line = lines.get(session, me().portal_id, line_id)
                address = interventions.address(line, given.get("notice_chat", "").strip())
                service.tell_in_chat(session, portal, line.id, address)
            else:
                service.tell_in_chat(session, portal, None, None)
            after = service.quiet_of(portal)
    except HubError as error:
        return _show(problem=error.sentences[0])
    quieting.follow(hub(), me().portal_id, before, after)
    return redirect("/settings?done=1", 303)


@blueprint.get("/settings/export")
@needs("admin")
def archive() -> Response:
    """Everything that is kept of the portal, as one file without secrets."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "hubline.zip"
        export(hub(), me().portal_id, file)
        # Open before the folder goes: what is open can still be read to its end.
        opened = file.open("rb")
    name = f"hubline-{datetime.now(zone()):%Y-%m-%d}.zip"
    made = send_file(opened, "application/zip", as_attachment=True, download_name=name)
    made.headers["Cache-Control"] = "no-store"
    return made


def _show(problem: str = "") -> Response:
    portal_id = me().portal_id
    with hub().db.read() as session:
        portal = service.by_id(session, portal_id)
        html = render_template(
            "settings/general.html",
            portal=portal,
            own=service.own_numbers(portal),
            lines=lines.all_of(session, portal_id),
            zones=sorted(available_timezones()),
            now=f"{datetime.now(ZoneInfo(portal.time_zone)):%H:%M}",
            days=hub().settings.retention_days,
            problem=problem,
            done=gettext("Saved.") if "done" in request.args and not problem else "",
        )
    return page(html, 422 if problem else 200)


def _whole(text: str) -> int:
    if not text.isdecimal() or len(text) > 4:
        raise Invalid("The number of days is a whole number.")
    return int(text)
