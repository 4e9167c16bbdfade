"""Who may sign in, as what; one's own password; keys of the management API."""

from flask import Response, redirect, render_template, request
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_login import login_user
from werkzeug.wrappers import Response as AnyResponse

from hub.accounts import keys, users
from hub.accounts.models import User
from hub.errors import Forbidden, HubError
from hub.web.access.loading import identity_of
from hub.web.access.throttle import tries
from hub.web.pages.shell import hub, me, needs, page, screens

blueprint = screens("settings_people")
ROLES = {"admin": _("Administrator"), "editor": _("Editor"), "viewer": _("Viewer")}


@blueprint.get("/settings/people")
def people() -> Response:
    """The people of the portal, for administrators; for everybody their own password."""
    return _people()


@blueprint.post("/settings/people")
@needs("admin")
def invite() -> Response:
    """Let somebody in; the answer shows the password this once."""
    email, role = request.form.get("email", ""), request.form.get("role", "")
    try:
        with hub().db.write() as session:
            user, password = users.invite(session, me().portal_id, email=email, role=role)
            invited = user.email
    except HubError as error:
        return _people(problem=error.message, email=email)
    return _people(password=password, password_of=invited)


@blueprint.post("/settings/people/<int:user_id>/role")
@needs("admin")
def give_role(user_id: int) -> Response | AnyResponse:
    """Another role; whoever had the old one has to sign in again."""
    try:
        with hub().db.write() as session:
            user = users.get(session, me().portal_id, user_id)
            users.set_role(session, user, request.form.get("role", ""))
            _stay(user)
    except HubError as error:
        return _people(problem=error.message)
    return redirect("/settings/people?done=1", 303)


@blueprint.post("/settings/people/<int:user_id>/remove")
@needs("admin")
def remove(user_id: int) -> Response | AnyResponse:
    """Take access away, at once."""
    try:
        with hub().db.write() as session:
            users.remove(session, users.get(session, me().portal_id, user_id))
    except HubError as error:
        return _people(problem=error.message)
    return redirect("/settings/people?done=1", 303)


@blueprint.post("/settings/people/password")
@needs("viewer")
def password() -> Response | AnyResponse:
    """Another password of one's own; all other sessions end."""
    number = _own_id()
    if number is None:
        raise Forbidden("You have no password here.")
    if not tries().allowed(request.remote_addr or "", f"password {number}"):
        return _people(problem="Too many tries. Wait a minute and try again.")
    try:
        with hub().db.write() as session:
            user = users.get(session, me().portal_id, number)
            if users.verify(session, user.email, request.form.get("old", "")) is None:
                return _people(problem="The current password is wrong.")
            users.set_password(session, user, request.form.get("new", ""))
            _stay(user)
    except HubError as error:
        return _people(problem=error.message)
    return redirect("/settings/people?done=1", 303)


@blueprint.get("/settings/keys")
@needs("admin")
def list_keys() -> Response:
    """All keys, without themselves."""
    return _keys()


@blueprint.post("/settings/keys")
@needs("admin")
def make_key() -> Response:
    """Make one; the answer shows it this once."""
    try:
        with hub().db.write() as session:
            made = keys.create_key(session, me().portal_id, request.form.get("name", ""))
    except HubError as error:
        return _keys(problem=error.message)
    return _keys(key=made)


@blueprint.post("/settings/keys/<int:key_id>/revoke")
@needs("admin")
def revoke_key(key_id: int) -> AnyResponse:
    """It opens nothing from now on."""
    with hub().db.write() as session:
        keys.revoke(session, me().portal_id, key_id)
    return redirect("/settings/keys?done=1", 303)


def _people(*, problem: str = "", password: str = "", password_of: str = "", email: str = "") -> Response:
    with hub().db.read() as session:
        html = render_template(
            "settings/people.html",
            people=users.all_of(session, me().portal_id),
            roles=ROLES,
            own_id=_own_id(),
            password=password,
            password_of=password_of,
            email=email,
            problem=problem,
            done=_done(problem),
        )
    return page(html, 422 if problem else 200)


def _keys(*, problem: str = "", key: str = "") -> Response:
    with hub().db.read() as session:
        found = keys.all_of(session, me().portal_id)
        html = render_template("settings/keys.html", keys=found, key=key, problem=problem, done=_done(problem))
    return page(html, 422 if problem else 200)


def _done(problem: str) -> str:
    return gettext("Done.") if "done" in request.args and not problem else ""


def _own_id() -> int | None:
    """The number of the account behind the session; None for people who come from Bitrix24."""
    kind, _separator, rest = me().key.partition(":")
    number = rest.partition(":")[0]
    return int(number) if kind == "user" and number.isdecimal() else None


def _stay(user: User) -> None:
    """Whoever changed their own account stays signed in here, though all sessions made before end."""
    if user.id == _own_id():
        login_user(identity_of(user))
