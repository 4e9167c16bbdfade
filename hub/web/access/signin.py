"""Signing in with e-mail and password, and out again."""

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import login_user, logout_user
from werkzeug.wrappers import Response as AnyResponse

from hub.accounts import users
from hub.core import Hub
from hub.web import forms
from hub.web.access import csrf
from hub.web.access.identity import asking
from hub.web.access.loading import identity_of
from hub.web.access.own import is_own
from hub.web.access.throttle import tries
from hub.web.pages.shell import page

blueprint = Blueprint("signin", __name__)
blueprint.before_request(csrf.check)
blueprint.before_request(forms.check)


@blueprint.get("/login")
def form() -> Response | AnyResponse:
    """The form; whoever is in already goes on, and where nobody can sign in yet the first account is made."""
    if asking() is not None:
        return redirect(_next())
    hub: Hub = current_app.extensions["hub"]
    with hub.db.read() as session:
        if not users.anybody(session):
            return redirect(url_for("setup.form"))
    return _form()


@blueprint.post("/login")
def enter() -> Response | AnyResponse:
    """Try an e-mail and a password."""
    email, password = request.form.get("email", ""), request.form.get("password", "")
    if not tries().allowed(request.remote_addr or "", email):
        return _form(_("Too many tries. Wait a minute and try again."), status=429)
    hub: Hub = current_app.extensions["hub"]
    with hub.db.read() as session:
        user = users.verify(session, email, password)
        identity = None if user is None else identity_of(user)
    if identity is None:
        return _form(_("Wrong e-mail or password."), status=422)
    login_user(identity)
    return redirect(_next(), 303)


@blueprint.post("/logout")
def leave() -> AnyResponse:
    """Sign out."""
    logout_user()
    return redirect(url_for("signin.form"), 303)


def _form(error: str | None = None, *, status: int = 200) -> Response:
    shown = render_template("access/login.html", error=error, email=request.form.get("email", ""), next=_next())
    return page(shown, status)


def _next() -> str:
    """Where to go on."""
    wanted = request.values.get("next", "")
    return wanted if is_own(wanted) else "/"
