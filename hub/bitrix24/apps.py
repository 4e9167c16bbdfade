"""The applications that Bitrix24 knows this installation as: the one of the settings, and local ones entered here.

The pair of the settings serves all portals. A local application is valid on one portal, so each brings its own pair.
"""

import re
from collections.abc import Sequence

from sqlmodel import Session, col, select

from connectors.bitrix24.oauth import Pair
from hub.bitrix24.models import App, Connection
from hub.clock import now_us, rfc3339
from hub.core import Hub
from hub.errors import Conflict, Invalid, NotFound
from hub.sql import Sql
from hub.values import Value

_ID = re.compile(r"(?:local|app)\.[0-9a-z]{6,40}\.[0-9]{1,20}\Z")


def pair(hub: Hub, sql: Sql, client_id: str) -> Pair | None:
    """The pair with this client id; None when it is none of ours."""
    settings = hub.settings
    if settings.bitrix24_client_id and client_id == settings.bitrix24_client_id:
        return Pair(client_id, settings.bitrix24_client_secret)
    row = sql.one("SELECT client_secret_sealed FROM bitrix24_app WHERE client_id = ?", (client_id,))
    return None if row is None else Pair(client_id, hub.box.open(row[0], **_place(client_id)))


def anything(hub: Hub, sql: Sql) -> bool:
    """Whether there is any application that a portal could install."""
    return bool(hub.settings.bitrix24_client_id) or sql.one("SELECT 1 FROM bitrix24_app LIMIT 1") is not None


def every(session: Session) -> Sequence[App]:
    """All pairs entered here, the oldest first."""
    return session.exec(select(App).order_by(col(App.created_at), col(App.client_id))).all()


def add(session: Session, hub: Hub, *, client_id: str, client_secret: str, title: str) -> App:
    """Keep a pair, or give a known one a new secret. Raises Invalid for what cannot be an id or a secret, Conflict for
    the id of the settings."""
    client_id, client_secret = client_id.strip(), client_secret.strip()
    errors = []
    if not _ID.match(client_id):
        message = "The id of an application looks like local.6a1b2c3d4e5f60.71829304."
        errors.append({"pointer": "/client_id", "code": "not_an_id", "message": message})
    if not 8 <= len(client_secret) <= 200 or not client_secret.isprintable():
        message = "The secret of an application has 8 to 200 characters."
        errors.append({"pointer": "/client_secret", "code": "not_a_secret", "message": message})
    if errors:
        raise Invalid("The application cannot be kept like this.", errors=errors)
    if client_id == hub.settings.bitrix24_client_id:
        raise Conflict("This application stands in the settings.", code="app_taken")
    app = session.get(App, client_id) or App(client_id=client_id, client_secret_sealed="", created_at=now_us())
    app.client_secret_sealed = hub.box.seal(client_secret, **_place(client_id))
    app.title = title.strip()
    session.add(app)
    session.flush()
    return app


def remove(session: Session, client_id: str) -> None:
    """Forget a pair. Raises NotFound, and Conflict while a portal is connected with it."""
    app = session.get(App, client_id)
    if app is None:
        raise NotFound("There is no such application.")
    live = select(Connection).where(col(Connection.client_id) == client_id, col(Connection.uninstalled_at).is_(None))
    if session.exec(live).first() is not None:
        raise Conflict("A portal is connected with this application; remove it there first.", code="app_in_use")
    session.delete(app)


def to_dict(app: App, member_id: str | None) -> dict[str, Value]:
    """A pair as the API shows it: without its secret."""
    return {
        "client_id": app.client_id,
        "client_secret": "•••",
        "title": app.title,
        "portal": member_id,
        "created_at": rfc3339(app.created_at),
    }


def _place(client_id: str) -> dict[str, str]:
    return {"table": "bitrix24_app", "column": "client_secret", "row": client_id}
