"""The first account: whoever reads the server's own folder or log may make it, nobody else."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

import structlog
from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import login_user
from sqlmodel import Session
from werkzeug.wrappers import Response as AnyResponse

from hub.accounts import users
from hub.core import Hub
from hub.errors import Invalid
from hub.ids import same
from hub.portals.service import key_of, local_portal
from hub.settings import Settings
from hub.web import forms
from hub.web.access import csrf
from hub.web.access.loading import identity_of
from hub.web.access.throttle import tries
from hub.web.pages.shell import page

log = structlog.get_logger(__name__)
blueprint = Blueprint("setup", __name__)
blueprint.before_request(csrf.check)
blueprint.before_request(forms.check)


def code_file(settings: Settings) -> Path:
    """Where the code is that proves the first person to be the owner of this server."""
    return settings.instance_dir / "setup_code"


def setup_code(settings: Settings, session: Session) -> str | None:
    """The code to make the first account with, made when it is asked for; None once there is an account."""
    file = code_file(settings)
    if users.anybody(session):
        file.unlink(missing_ok=True)
        return None
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = file.with_suffix(f".{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(12))
        with suppress(FileExistsError):  # of two processes that start at once, one makes the code
            os.link(draft, file)
        draft.unlink()
    return file.read_text().strip()


def announce(hub: Hub) -> None:
    """Say in the log where the first account is made, as long as there is none; the code itself stays in its file."""
    with hub.db.read() as session:
        missing = setup_code(hub.settings, session) is not None
    if missing:
        address = f"{hub.settings.base_url}/setup"
        log.warning("first_account_missing", open=address, code_is_in=str(code_file(hub.settings)))


@blueprint.get("/setup")
def form() -> Response | AnyResponse:
    """The form, while there is no account."""
    return _form() if _code() is not None else redirect(url_for("signin.form"))


@blueprint.post("/setup")
def make() -> Response | AnyResponse:
    """Make the first account and sign it in."""
    code = _code()
    if code is None:
        return redirect(url_for("signin.form"), 303)
    if not tries().allowed(request.remote_addr or "", "setup"):
        return _form(_("Too many tries. Wait a minute and try again."), status=429)
    if not same(request.form.get("code", "").strip(), code):
        return _form(_("This is not the code of this server."), status=422)
    hub: Hub = current_app.extensions["hub"]
    try:
        with hub.db.write() as session:
            portal = local_portal(session, hub.settings)
            user = users.create_user(
                session,
                key_of(portal),
                email=request.form.get("email", ""),
                password=request.form.get("password", ""),
                role="admin",
            )
            identity = identity_of(user)
    except Invalid as error:
        return _form(error.message, status=422)
    code_file(hub.settings).unlink(missing_ok=True)
    login_user(identity)
    return redirect("/", 303)


def _code() -> str | None:
    hub: Hub = current_app.extensions["hub"]
    with hub.db.read() as session:
        return setup_code(hub.settings, session)


def _form(error: str | None = None, *, status: int = 200) -> Response:
    given = {name: request.values.get(name, "") for name in ("code", "email")}
    return page(render_template("access/setup.html", error=error, **given), status)
