"""Routes about the local applications of Bitrix24: the pairs of id and secret that this installation knows.

They belong to the installation, so only the portal `local`, its operator's, may see and change them.
"""

from pydantic import Field
from sqlmodel import col, select

from hub.bitrix24 import apps
from hub.errors import Forbidden
from hub.portals import service
from hub.portals.models import LOCAL, Portal
from hub.values import Value
from hub.web.api.base import Call, Input, route


class AppInput(Input):
    """What the portal shows when a local application is added there."""

    client_id: str = Field(max_length=100)
    client_secret: str = Field(max_length=200)
    title: str = Field("", max_length=100)


@route(
    "GET", "/bitrix24/apps", summary="The local applications known here", shape="Bitrix24App", page=True, role="admin"
)
def list_apps(call: Call) -> Value:
    """All of them; their secrets stay hidden."""
    _operator(call)
    with call.hub.db.read() as session:
        members = {
            service.key_of(portal): portal.member_id for portal in session.exec(select(Portal).order_by(col(Portal.id)))
        }
        return {
            "items": [apps.to_dict(app, members.get(app.portal_id or 0)) for app in apps.every(session)],
            "next": None,
        }


@route(
    "POST",
    "/bitrix24/apps",
    summary="Enter a local application, or a new secret of one",
    body=AppInput,
    status=201,
    shape="Bitrix24App",
    role="admin",
)
def add_app(call: Call) -> Value:
    """Afterwards the portal can install it."""
    _operator(call)
    given: AppInput = call.body
    with call.hub.db.write() as session:
        app = apps.add(
            session, call.hub, client_id=given.client_id, client_secret=given.client_secret, title=given.title
        )
        return apps.to_dict(app, _member(session.get(Portal, app.portal_id) if app.portal_id else None))


@route("DELETE", "/bitrix24/apps/{client_id}", summary="Forget a local application", status=204, role="admin")
def remove_app(call: Call, client_id: str) -> Value:
    """409 while a portal is connected with it."""
    _operator(call)
    with call.hub.db.write() as session:
        apps.remove(session, client_id)
    return None


def _operator(call: Call) -> None:
    with call.hub.db.read() as session:
        if service.by_id(session, call.portal_id).member_id != LOCAL:
            raise Forbidden("Applications are entered by the operator of this installation.")


def _member(portal: Portal | None) -> str | None:
    return portal.member_id if portal is not None else None
