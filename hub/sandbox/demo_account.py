"""Who the demo belongs to: the portal that the simulator has, a person who can sign in there, a key of its API.

All of it is put into the database before the product starts, so that nobody is asked to make the first account.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import click

from hub.sandbox.bitrix24.server import FIRST_MEMBER

EMAIL = "demo@example.com"
KEY_FILE = "api_key"
PASSWORD_FILE = "password"  # noqa: S105 - the name of a file


@dataclass(frozen=True)
class Account:
    """What opens the demo: an administrator's e-mail and password, a key of the management API."""

    email: str
    password: str
    key: str


def database_url(folder: Path) -> str:
    """Where the demo's database is."""
    return f"sqlite:///{folder / 'hub.db'}"


def open_account(folder: Path) -> Account:
    """The account of the demo in `folder`, the same at every start; made when it is missing.

    A demo whose portal removed the application starts anew: the simulated portal has forgotten everything, too.
    """
    account = _open(folder)
    if account is None:
        click.echo("The application was removed from the demo's portal, so its data are made anew.")
        for file in folder.glob("hub.db*"):
            file.unlink()
        account = _open(folder)
        assert account is not None
    return account


def _open(folder: Path) -> Account | None:
    """None when the application was removed from the portal."""
    # Slow to import, so not before somebody starts a demo.
    from sqlmodel import select

    from hub.accounts import keys, users
    from hub.accounts.models import User
    from hub.clock import now_us
    from hub.core import make_hub
    from hub.portals.models import Portal, Stamp
    from hub.portals.service import key_of
    from hub.schema import migrate
    from hub.settings import Settings

    url = database_url(folder)
    hub = make_hub(Settings(instance_dir=folder, database_url=url, log_level="warning").with_secrets())
    try:
        migrate(hub.db.engine)
        with hub.db.write() as session:
            portal = session.exec(select(Portal).where(Portal.member_id == FIRST_MEMBER)).one_or_none()
            if portal is None:
                portal = Portal(member_id=FIRST_MEMBER, installed_at=now_us(), time_zone=hub.settings.time_zone)
                session.add(portal)
                session.flush()
                session.add(Stamp(portal_id=key_of(portal)))
            elif portal.state == "uninstalled":
                return None
            portal_id = key_of(portal)
            password = _kept(folder / PASSWORD_FILE) or secrets.token_urlsafe(9)
            person = session.exec(select(User).where(User.email == EMAIL)).one_or_none()
            if person is None:
                users.create_user(session, portal_id, email=EMAIL, password=password, role="admin")
            elif users.verify(session, EMAIL, password) is None:
                users.set_password(session, person, password)
            key = _kept(folder / KEY_FILE)
            if not key or keys.portal_of_key(session, key) != portal_id:
                key = keys.create_key(session, portal_id, "demo")
    finally:
        hub.close()
    _keep(folder / PASSWORD_FILE, password)
    _keep(folder / KEY_FILE, key)
    return Account(EMAIL, password, key)


def _kept(file: Path) -> str:
    return file.read_text().strip() if file.is_file() else ""


def _keep(file: Path, text: str) -> None:
    if _kept(file) == text:
        return
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as opened:
        opened.write(text)
