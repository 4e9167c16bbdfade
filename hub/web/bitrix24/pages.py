"""The pages in the portal's frame: the installer, and the main page, which every placement opens too."""

import html
import re
from collections.abc import Callable

from flask import Blueprint, Response, g, render_template, request
from flask_babel import force_locale
from flask_babel import gettext as _

from hub.bitrix24 import apps, customer, inside, install, lifecycle
from hub.bitrix24.connections import Connection
from hub.bitrix24.verify import Claim, Forged, Proof, claim_of_page, prove
from hub.errors import HubError
from hub.scenarios import queries
from hub.values import Value, as_text, dumps, loads
from hub.web.access import frame
from hub.web.access.identity import Identity
from hub.web.access.own import is_page
from hub.web.bitrix24 import received
from hub.web.bitrix24.session import identity, shown
from hub.web.pages.shell import framed, page
from hub.web.sentences import said

_SCRIPT = re.compile(r"https?://[^\s;,'\"]+\Z")
METHODS = ["GET", "HEAD", "POST"]


def register(blueprint: Blueprint) -> None:
    """Add the addresses."""
    for view in (installer, main):
        blueprint.add_url_rule(
            "/install" if view is installer else "/app", view.__name__, _spoken(view), methods=METHODS
        )


def installer() -> Response:
    """Store the portal, then show the six steps while they are taken. An application without a page posts its
    ONAPPINSTALL here."""
    if request.method == "GET":
        return _waiting()
    posted: dict[str, Value] = {}
    try:
        received.admit()
        posted = received.fields()
        if str(posted.get("event", "")).upper() == "ONAPPINSTALL":
            lifecycle.installed_without_page(received.bitrix24(), posted)
            return Response("ok", content_type="text/plain; charset=utf-8")
        claim, proof = _proven(posted)
        return _installing(claim, proof, from_start=True)
    except HubError as error:
        if "event" in posted:
            raise
        return _refused(error)


def main() -> Response:
    """Open the application for whoever is looking. A portal that has no connection yet is installed on the way."""
    if request.method == "GET":
        return framed("/")
    try:
        received.admit()
        posted = received.fields()
        claim, proof = _proven(posted)
        connection = install.find(received.hub(), proof)
        if connection is None:
            return _installing(claim, proof)
        install.heal(received.bitrix24(), claim, proof)
        if not connection.finished:
            # Only an installed application has its main page opened.
            install.note_finished(received.hub(), connection.portal_id)
        found = shown(connection.portal_id)
        if proof.admin and found["next"] is not None:
            return _steps(connection, proof, finish=False)
        person = identity(connection, proof, _language())
        address = wanted(claim, proof, person, posted)
        return framed(address, token=frame.issue(received.hub().settings.secret_key, person), portal=proof.origin)
    except HubError as error:
        return _refused(error)


def wanted(claim: Claim, proof: Proof, person: Identity, posted: dict[str, Value]) -> str:
    """The address of ours that a placement opens: the card's, or the one that a link within the portal names.

    Raises Invalid, Forbidden, Unproven.
    """
    entity = customer.TABS.get(str(posted.get("PLACEMENT", "")))
    if entity is None:
        named = as_text(placement_options(posted).get(inside.PARAM))
        return named if is_page(named, "hub.web.pages") else _first_page(person)
    card = customer.read(received.bitrix24(), claim, proof, entity, placement_options(posted))
    return f"/customer/{customer.ticket(received.hub(), person.portal_id, person.key, card)}"


def placement_options(posted: dict[str, Value]) -> dict[str, Value]:
    """The context of a placement: a JSON string on the wire, HTML-escaped by very old portals; {} when it has none."""
    text = posted.get("PLACEMENT_OPTIONS")
    if isinstance(text, dict):
        return text
    for spelling in (text, html.unescape(text)) if isinstance(text, str) else ():
        try:
            value = loads(spelling)
        except ValueError:
            continue
        return value if isinstance(value, dict) else {}
    return {}


# ---------------------------------------------------------------- parts


def _first_page(person: Identity) -> str:
    """The overview; the ways to begin a scenario for whoever may, as long as there is none to look at."""
    with received.hub().db.read() as session:
        begun = queries.any_scenario(session, person.portal_id)
    return "/" if begun or not person.may("editor") else "/scenarios"


def _proven(posted: dict[str, Value]) -> tuple[Claim, Proof]:
    with received.hub().db.sql() as sql:
        if not apps.anything(received.hub(), sql):
            message = "This server does not know the application: enter its id and its secret first."
            raise HubError(message, code="no_application")
    try:
        claim = claim_of_page(posted, received.query())
        return claim, prove(received.bitrix24(), claim)
    except Forged:
        received.note_failure()
        raise


def _installing(claim: Claim, proof: Proof, *, from_start: bool = False) -> Response:
    g.frame_ancestors = proof.origin
    connection = install.install(received.bitrix24(), claim, proof, language=_language(), from_start=from_start)
    return _steps(connection, proof, finish=True)


def _steps(connection: Connection, proof: Proof, *, finish: bool) -> Response:
    """The page with the six lines; with `finish` it tells the portal at the end that the installation is over."""
    token = frame.issue(received.hub().settings.secret_key, identity(connection, proof, _language()))
    titles = (
        ("access", _("Access received")),
        ("events", _("Events of deals and contacts connected")),
        ("robots", _("Robots added")),
        ("fields", _("CRM fields read")),
        ("senders", _("Message sender registered")),
        ("test_event", _("Test event arrived")),
    )
    return _with_portal_script(
        render_template(
            "bitrix24/install.html",
            titles=titles,
            token=token,
            finish=finish,
            found=dumps(shown(connection.portal_id)),
            portal_script=received.hub().settings.bitrix24_js_url,
        ),
        proof.origin,
    )


def _spoken(view: Callable[[], Response]) -> Callable[[], Response]:
    """A view that speaks the language the portal shows its own pages in."""

    def speak() -> Response:
        language = _language()
        if not language:
            return view()
        with force_locale(language):
            return view()

    return speak


def _waiting() -> Response:
    """A reload inside the frame brings no proof, so there is nothing to show but where to begin."""
    with received.hub().db.sql() as sql:
        known = apps.anything(received.hub(), sql)
    text = (
        _("Open this page in Bitrix24: the portal installs the application there.")
        if known
        else _("This server does not know the application: enter its id and its secret first.")
    )
    g.frame_ancestors = "*"  # it holds nothing
    return page(render_template("bitrix24/message.html", title="Hubline", text=text))


def _refused(error: HubError) -> Response:
    g.setdefault("frame_ancestors", "*")  # it holds nothing, and it has to be read inside the frame
    status = 200 if error.code == "no_application" else error.status
    made = page(
        render_template("bitrix24/message.html", title=_("This did not work"), text=said(error.message)), status
    )
    if "retry_after" in error.members:
        made.headers["Retry-After"] = str(error.members["retry_after"])
    return made


def _with_portal_script(text: str, origin: str) -> Response:
    g.frame_ancestors = origin
    made = page(text)
    script = received.hub().settings.bitrix24_js_url
    if _SCRIPT.match(script):
        policy = made.headers["Content-Security-Policy"]
        made.headers["Content-Security-Policy"] = policy.replace("script-src 'self'", f"script-src 'self' {script}")
    return made


def _language() -> str:
    wanted_language = str(request.args.get("LANG", "")).lower()[:2]
    if not wanted_language:
        return ""
    return "ru" if wanted_language in ("ru", "kz", "by", "ua") else "en"
