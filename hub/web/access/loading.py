"""Finding out who is asking: by the session's cookie outside, by the signed token inside Bitrix24's frame."""

from typing import cast

from flask import Flask, Request, current_app
from flask_login import LoginManager
from sqlmodel import Session

from hub.accounts.models import User
from hub.accounts.users import fingerprint
from hub.core import Hub
from hub.ids import same
from hub.portals.models import Portal
from hub.web.access import frame
from hub.web.access.identity import Identity, Role


def register(app: Flask) -> None:
    """Set up Flask-Login for an application."""
    hub: Hub = app.extensions["hub"]
    secure = hub.settings.base_url.startswith("https://")
    app.config.update(
        SESSION_COOKIE_NAME="hubline",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
    )
    manager = LoginManager(app)
    manager.session_protection = None  # the address of a phone changes all the time; the fingerprint ends sessions
    manager.user_loader(_by_session)
    manager.request_loader(_by_token)


def session_key(user: User) -> str:
    """What a session holds of a person: a changed password or role ends it everywhere."""
    return f"user:{user.id}:{fingerprint(user)}"


def identity_of(user: User) -> Identity:
    """A person with a password, as the pages know one."""
    return Identity(session_key(user), user.portal_id, cast(Role, user.role), user.email)


def _by_session(key: str) -> Identity | None:
    kind, _, rest = key.partition(":")
    number, _, mark = rest.partition(":")
    if kind != "user" or not number.isdigit():
        return None
    hub: Hub = current_app.extensions["hub"]
    with hub.db.read() as session:
        user = session.get(User, int(number))
        known = user is not None and same(fingerprint(user), mark) and _is_open(session, user.portal_id)
        return identity_of(user) if user is not None and known else None


def _by_token(request: Request) -> Identity | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return None
    hub: Hub = current_app.extensions["hub"]
    person = frame.read(hub.settings.secret_key, token.strip())
    if person is None:
        return None
    with hub.db.read() as session:
        return person if _is_open(session, person.portal_id) else None


def _is_open(session: Session, portal_id: int) -> bool:
    """Whether a portal still uses the application: its removal ends every session at once."""
    portal = session.get(Portal, portal_id)
    return portal is not None and portal.state != "uninstalled"
