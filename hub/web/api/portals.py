"""Routes about portals. A key belongs to one and sees that one; the operator's, of the portal `local`, sees all."""

from pydantic import Field
from sqlmodel import Session

from hub.delivery import interventions, lines, quieting
from hub.errors import NotFound
from hub.portals import service
from hub.portals.models import LOCAL, Portal
from hub.values import Value
from hub.web.api.base import Call, Input, route


class NoticeChat(Input):
    """Where notices go besides Bitrix24; an empty line: nowhere."""

    line: str = Field("", max_length=32)
    chat_id: str = Field("", max_length=255)


class QuietHours(Input):
    """Hours of the portal's zone, `HH:MM`; both empty: none."""

    from_: str = Field("", alias="from", max_length=5)
    to: str = Field("", max_length=5)


class PortalChange(Input):
    """What may change of a portal; fields that are left out stay."""

    time_zone: str | None = Field(None, max_length=64)
    language: str | None = Field(None, max_length=8)
    retention_days: int | None = None
    quiet_hours: QuietHours | None = None
    notices: NoticeChat | None = None
    own_numbers: list[str] | None = None


@route("GET", "/portals", summary="The portals that the key opens", shape="Portal", page=True)
def list_portals(call: Call) -> Value:
    """One, or all of them for the operator."""
    with call.hub.db.read() as session:
        own = service.by_id(session, call.portal_id)
        seen = service.every(session) if own.member_id == LOCAL else [own]
        return {"items": [service.to_dict(portal) for portal in seen], "next": None}


@route("GET", "/portals/{member_id}", summary="One portal", shape="Portal")
def read_portal(call: Call, member_id: str) -> Value:
    """404 for any other than the key's own, unless it is the operator's."""
    with call.hub.db.read() as session:
        own = service.by_id(session, call.portal_id)
        return service.to_dict(service.get(session, member_id) if own.member_id == LOCAL else _own(own, member_id))


@route("PATCH", "/portals/{member_id}", summary="Change a portal", body=PortalChange, shape="Portal", role="admin")
def change_portal(call: Call, member_id: str) -> Value:
    """Time zone, language, and how many days texts are kept."""
    given: PortalChange = call.body
    with call.hub.db.write() as session:
        portal = _own(service.by_id(session, call.portal_id), member_id)
        before = service.quiet_of(portal)
        service.change(
            session,
            portal,
            time_zone=given.time_zone,
            language=given.language,
            retention_days=given.retention_days,
        )
        if given.quiet_hours is not None:
            service.set_quiet_hours(session, portal, given.quiet_hours.from_, given.quiet_hours.to)
        if given.own_numbers is not None:
            service.set_own_numbers(session, portal, given.own_numbers)
        if given.notices is not None:
            _tell_in_chat(session, call, portal, given.notices)
        after, shown = service.quiet_of(portal), service.to_dict(portal)
    quieting.follow(call.hub, call.portal_id, before, after)
    return shown


def _tell_in_chat(session: Session, call: Call, portal: Portal, wanted: NoticeChat) -> None:
    if not wanted.line:
        service.tell_in_chat(session, portal, None, None)
        return
    line = lines.get(session, call.portal_id, wanted.line)
    service.tell_in_chat(session, portal, line.id, interventions.address(line, wanted.chat_id))


def _own(portal: Portal, member_id: str) -> Portal:
    if portal.member_id != member_id:
        raise NotFound("There is no such portal.")
    return portal
