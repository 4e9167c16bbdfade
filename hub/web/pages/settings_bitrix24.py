"""The connection with Bitrix24: how it stands, registering again, and the applications that the operator enters."""

from collections import Counter

from flask import Response, redirect, render_template, request
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlmodel import Session
from werkzeug.wrappers import Response as AnyResponse

from hub.bitrix24 import apps, connections, install
from hub.errors import Conflict, Forbidden, HubError
from hub.portals import service
from hub.portals.models import LOCAL, Portal
from hub.web.pages.shell import hub, me, needs, page, runtime, screens

blueprint = screens("settings_bitrix24")
STEPS = {
    "access": _("Access"),
    "events": _("Events of cards"),
    "robots": _("Robots"),
    "fields": _("CRM fields"),
    "senders": _("Senders of messages"),
    "test_event": _("Test event"),
}
_REGISTERED = {
    "event": _("events"),
    "placement": _("placements"),
    "robot": _("robots"),
    "activity": _("activities"),
    "sender": _("senders"),
    "connector": _("connectors"),
}
_STATES = {
    "active": (_("connected"), "ok", "check"),
    "needs_reauth": (_("does not let us in"), "bad", "key-off"),
    "suspended": (_("plan is over"), "wait", "clock-off"),
    "uninstalled": (_("removed"), "off", "ban"),
}


@blueprint.get("/settings/bitrix24")
def show() -> Response:
    """The portal's own connection; for the operator also the applications and all portals."""
    return _show()


@blueprint.post("/settings/bitrix24/renew")
@needs("admin")
def renew() -> AnyResponse:
    """Take every step of the installation again; what is there already is left as it is."""
    portal_id = me().portal_id
    with hub().db.sql() as sql:
        connection = connections.of_portal(sql, portal_id)
    if connection is None or connection.uninstalled_at is not None:
        raise Conflict("No Bitrix24 portal is connected here.", code="not_connected")
    install.take_all(runtime().bitrix24, portal_id)
    return redirect("/settings/bitrix24?done=1", 303)


@blueprint.post("/settings/bitrix24")
@needs("admin")
def add() -> Response | AnyResponse:
    """Keep the pair of a local application; afterwards its portal can install it."""
    given = request.form
    try:
        with hub().db.write() as session:
            _operator(session)
            apps.add(
                session,
                hub(),
                client_id=given.get("client_id", ""),
                client_secret=given.get("client_secret", ""),
                title=given.get("title", "")[:100],
            )
    except HubError as error:
        return _show(problem=error.sentences[0])
    return redirect("/settings/bitrix24?done=1", 303)


@blueprint.post("/settings/bitrix24/forget")
@needs("admin")
def forget() -> Response | AnyResponse:
    """Forget a pair that no portal is connected with."""
    try:
        with hub().db.write() as session:
            _operator(session)
            apps.remove(session, request.form.get("client_id", ""))
    except HubError as error:
        return _show(problem=error.message)
    return redirect("/settings/bitrix24?done=1", 303)


def _show(problem: str = "") -> Response:
    person = me()
    with hub().db.sql() as sql:
        connection = connections.of_portal(sql, person.portal_id)
        kinds = sql.all(
            "SELECT kind FROM bitrix24_registration WHERE portal_id = ? AND registered_at IS NOT NULL",
            (person.portal_id,),
        )
    counted = Counter(kind for (kind,) in kinds)
    registered = ", ".join(f"{_REGISTERED[kind]} – {n}" for kind, n in counted.items() if kind in _REGISTERED)
    with hub().db.read() as session:
        operator = service.by_id(session, person.portal_id).member_id == LOCAL and person.may("admin")
        portals: dict[int | None, Portal] = {}
        if operator:
            portals = {portal.id: portal for portal in service.every(session) if portal.member_id != LOCAL}
        html = render_template(
            "settings/bitrix24.html",
            connection=connection if connection is not None and connection.uninstalled_at is None else None,
            steps=STEPS,
            taken=install.steps(hub(), person.portal_id),
            registered=registered or gettext("nothing"),
            operator=operator,
            apps=apps.every(session) if operator else [],
            portals=portals,
            states=_STATES,
            base=hub().settings.base_url,
            client_id=request.form.get("client_id", ""),
            problem=problem,
            done=gettext("Done.") if "done" in request.args and not problem else "",
        )
    return page(html, 422 if problem else 200)


def _operator(session: Session) -> None:
    if service.by_id(session, me().portal_id).member_id != LOCAL:
        raise Forbidden("Applications are entered by the operator of this installation.")
