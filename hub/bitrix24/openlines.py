"""Lines as connectors of the portal's open lines, in which what customers write is shown to its operators. Switched on
for each line by its setting `open_line`. What operators answer: `operators`.

The chat at the portal has the id that the messenger gives it, so an answer names its recipient.
"""

from collections.abc import Iterable, Mapping, Sequence

import structlog

from connectors.bitrix24.errors import Refused
from connectors.channel import ChannelEvent
from connectors.errors import ConnectorError, Rejected
from connectors.registry import channels, with_title
from hub.bitrix24 import calls, registrations
from hub.bitrix24.calls import NewCall
from hub.bitrix24.client import PortalClient
from hub.bitrix24.codes import literal
from hub.bitrix24.connections import Connection
from hub.bitrix24.registrations import Wanted
from hub.clock import SECOND
from hub.core import Hub
from hub.delivery.lines import LineSettings
from hub.sql import Sql
from hub.values import Value, as_text

log = structlog.get_logger(__name__)
EVENT = "ONIMCONNECTORMESSAGEADD"
SHOW = "imconnector.send.messages"
PREFIX = "hub_line_"
LONGEST = 20_000
_NAME = 25
_NO_TEXT = {"ru": "[вложение – смотрите в мессенджере]", "en": "[attachment: see it in the messenger]"}
_SVG = "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E%3Cpath d='M3 4h18v12H8l-5 5z'/%3E%3C/svg%3E"
_ICON = {"DATA_IMAGE": f"data:image/svg+xml;charset=US-ASCII,{_SVG}", "COLOR": "#2b7de9", "SIZE": "80%"}


# ---------------------------------------------------------------- what stands in the portal


def wanted(hub: Hub, connection: Connection) -> Iterable[Wanted]:
    """The connectors that a portal should have; `open_line` in their parameters is the open line that each serves."""
    handler = connection.address(hub, "openlines")
    with hub.db.sql() as sql:
        rows = sql.all(
            "SELECT id, name, channel, settings FROM line WHERE portal_id = ? AND deleted_at IS NULL ORDER BY id",
            (connection.portal_id,),
        )
    for line_id, name, channel, settings in rows:
        number = LineSettings.model_validate_json(settings).open_line
        if number is not None and channel in channels():
            title = with_title(name, channel)[:100]
            yield Wanted(f"{PREFIX}{line_id}", handler, {"open_line": number, "title": title})


def wanted_events(hub: Hub, connection: Connection) -> Iterable[Wanted]:
    """The event of operators' answers, where there is a connector."""
    if any(True for _ in wanted(hub, connection)):
        yield Wanted(EVENT, connection.address(hub, "openlines"))


def carry(hub: Hub, client: PortalClient, wants: Sequence[Wanted], known: Sequence[str]) -> dict[str, ConnectorError]:
    """Register these connectors and switch them on; remove those of the known ones that nobody wants. What the portal
    refuses, by code. Raises ConnectorError when it cannot be asked."""
    refused: dict[str, ConnectorError] = {}
    for code in set(known) - {one.code for one in wants}:
        try:
            client.call("imconnector.unregister", {"ID": code})
        except Rejected as error:
            log.warning("connector_not_removed", portal_id=client.portal_id, code=error.code)
    for one in wants:
        try:
            _register(hub, client, one)
        except Rejected as error:
            refused[one.code] = error
    return refused


def _register(hub: Hub, client: PortalClient, one: Wanted) -> None:
    title = as_text(one.params["title"])
    page = f"{hub.settings.base_url}/bitrix24/app"
    made = client.call(
        "imconnector.register",
        {"ID": one.code, "NAME": title, "ICON": _ICON, "PLACEMENT_HANDLER": page, "CHAT_GROUP": "N"},
    ).result
    # What is wrong is told inside the result, with status 200.
    if not isinstance(made, Mapping) or made.get("result") is not True:
        said = made if isinstance(made, Mapping) else {}
        raise Refused(as_text(said.get("error_description")), code=as_text(said.get("error")))
    at = {"CONNECTOR": one.code, "LINE": one.params["open_line"]}
    client.call("imconnector.activate", {**at, "ACTIVE": 1})
    client.call("imconnector.connector.data.set", {**at, "DATA": {"ID": one.code, "NAME": title}})
    try:
        client.call("event.bind", {"event": EVENT, "handler": one.handler})
    except Rejected as error:
        if "already binded" not in error.message:
            raise


# ---------------------------------------------------------------- from the customer


def pass_on(sql: Sql, line_id: str, events: Sequence[ChannelEvent], *, now: int) -> int:
    """Inside a job: have what customers wrote shown in the line's open line, each once and in its order; how many."""
    if not any(event.kind == "message" for event in events):
        return 0
    row = sql.one(
        "SELECT l.portal_id, l.channel, l.settings, p.language FROM line l JOIN portal p ON p.id = l.portal_id"
        " JOIN bitrix24_connection c ON c.portal_id = p.id"
        " WHERE l.id = ? AND p.state <> 'uninstalled' AND c.uninstalled_at IS NULL",
        (line_id,),
    )
    number = None if row is None else LineSettings.model_validate_json(row[2]).open_line
    if row is None or number is None:
        return 0
    passed = 0
    for event in events:
        said, key = literal(event.text.strip()[:LONGEST]), event.event_id or event.provider_id
        if event.kind != "message" or not event.chat_id or not key:
            continue
        said = said or _NO_TEXT.get(row[3], _NO_TEXT["en"])
        message = {"id": event.provider_id or key, "date": now // SECOND, "text": said}
        by_phone = channels()[row[1]].carries.recipients == "phone"
        shown = {"user": _user(event, by_phone), "message": message, "chat": {"id": event.chat_id}}
        params = {"CONNECTOR": f"{PREFIX}{line_id}", "LINE": number, "MESSAGES": [shown]}
        name, order = f"openline:{line_id}:{key}"[:200], f"openline:{line_id}:{event.chat_id}"[:200]
        passed += calls.enqueue(sql, row[0], NewCall(name, SHOW, params, order), now=now)
    return passed


def _user(event: ChannelEvent, by_phone: bool) -> dict[str, Value]:
    """Who writes. A portal refuses names with anything but letters, spaces, hyphens and apostrophes."""
    plain = "".join(sign if sign.isalpha() or sign in " -'" else " " for sign in event.sender)
    first, _, last = " ".join(plain.split()).partition(" ")
    user: dict[str, Value] = {"id": event.chat_id}
    user |= {name: text[:_NAME] for name, text in (("name", first), ("last_name", last)) if text}
    if by_phone:
        user |= {"phone": f"+{event.chat_id.lstrip('+')}", "skip_phone_validate": "Y"}
    return user


registrations.WANTED["connector"] = wanted
registrations.MORE_EVENTS.append(wanted_events)
registrations.CARRIED["connector"] = carry
