"""Lines as connectors of the portal's open lines: what customers write is shown to its operators, what these answer
goes out through the line, and they see that it arrived. Switched on for each line by its setting `open_line`.

The chat at the portal has the id that the messenger gives it, so an answer names its recipient.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import structlog

from connectors.bitrix24.errors import Refused
from connectors.channel import ChannelEvent
from connectors.errors import ConnectorError, Rejected
from connectors.registry import channels
from hub.bitrix24 import calls, registrations
from hub.bitrix24.calls import NewCall
from hub.bitrix24.client import PortalClient
from hub.bitrix24.connections import Connection
from hub.bitrix24.registrations import Wanted
from hub.bitrix24.untold import Untold
from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.delivery import outbox
from hub.delivery.lines import LineSettings
from hub.delivery.outbox import Entry
from hub.ids import new_id
from hub.sql import Sql
from hub.values import Value, as_text

log = structlog.get_logger(__name__)
EVENT = "ONIMCONNECTORMESSAGEADD"
BLOCK = "bitrix24_openline"
PREFIX, MARK = "hub_line_", "im:"
LONGEST = 20_000
_NAME = 25
_SVG = "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E%3Cpath d='M3 4h18v12H8l-5 5z'/%3E%3C/svg%3E"
_ICON = {"DATA_IMAGE": f"data:image/svg+xml;charset=US-ASCII,{_SVG}", "COLOR": "#2b7de9", "SIZE": "80%"}
_LINK = re.compile(r"\[url=([^\]]*)\](.*?)\[/url\]", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"\[/?(?:b|i|u|s|url|quote|code|user(?:=\d+)?|size=\d+|color=#?\w+)\]", re.IGNORECASE)
_BREAK = re.compile(r" ?\[br\] ?", re.IGNORECASE)


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
            title = f"{name} ({channels()[channel].title})"[:100]
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
        "SELECT l.portal_id, l.channel, l.settings FROM line l JOIN portal p ON p.id = l.portal_id"
        " JOIN bitrix24_connection c ON c.portal_id = p.id"
        " WHERE l.id = ? AND p.state <> 'uninstalled' AND c.uninstalled_at IS NULL",
        (line_id,),
    )
    number = None if row is None else LineSettings.model_validate_json(row[2]).open_line
    if row is None or number is None:
        return 0
    passed = 0
    for event in events:
        said, key = event.text.strip()[:LONGEST], event.event_id or event.provider_id
        if event.kind != "message" or not event.chat_id or not said or not key:
            continue
        message = {"id": event.provider_id or key, "date": now // SECOND, "text": said}
        by_phone = channels()[row[1]].carries.recipients == "phone"
        shown = {"user": _user(event, by_phone), "message": message, "chat": {"id": event.chat_id}}
        params = {"CONNECTOR": f"{PREFIX}{line_id}", "LINE": number, "MESSAGES": [shown]}
        name, order = f"openline:{line_id}:{key}"[:200], f"openline:{line_id}:{event.chat_id}"[:200]
        passed += calls.enqueue(sql, row[0], NewCall(name, "imconnector.send.messages", params, order), now=now)
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


# ---------------------------------------------------------------- from the operator


def accept(hub: Hub, connection: Connection, fields: Mapping[str, Value]) -> str:
    """Put what operators of a proven portal answered into the outbox, each message once; `queued`, `duplicate` or
    `ignored`. Raises StorageUnavailable."""
    name, data = fields.get("event"), fields.get("data")
    if not isinstance(name, str) or name.upper() != EVENT or not isinstance(data, dict):
        return "ignored"
    line_id = as_text(data.get("CONNECTOR")).lower().removeprefix(PREFIX)
    messages = data.get("MESSAGES")
    rows = list(messages.values()) if isinstance(messages, dict) else messages
    job = partial(_keep, hub=hub, portal_id=connection.portal_id, line_id=line_id, rows=rows)
    became: str = hub.db.writer.run(job, lines=[line_id], rings=True)
    return became


def _keep(sql: Sql, hub: Hub, portal_id: int, line_id: str, rows: Value) -> str:
    line = sql.one(
        "SELECT channel, settings FROM line WHERE id = ? AND portal_id = ? AND deleted_at IS NULL", (line_id, portal_id)
    )
    if line is None or LineSettings.model_validate_json(line[1]).open_line is None or not isinstance(rows, list):
        return "ignored"
    became, now = "ignored", now_us()
    for row in rows:
        im, message, chat = (row.get(part) if isinstance(row, dict) else None for part in ("im", "message", "chat"))
        if not isinstance(im, dict) or not isinstance(message, dict) or not isinstance(chat, dict):
            continue
        number = f"{MARK}{as_text(im.get('chat_id'))}:{as_text(im.get('message_id'))}"
        chat_id, text = as_text(chat.get("id"))[:255], plain(as_text(message.get("text")))[:LONGEST]
        if not chat_id or not text or len(number) > 64:
            continue
        message_id = new_id()
        first = sql.run(
            "INSERT INTO bitrix24_sms (portal_id, provider_id, message_id, code, told, created_at)"
            " VALUES (?, ?, ?, ?, '', ?) ON CONFLICT (portal_id, provider_id) DO NOTHING",
            (portal_id, number, message_id, f"{PREFIX}{line_id}", now),
        )
        if not first:
            became = "duplicate" if became == "ignored" else became
            continue
        entry = Entry(
            id=message_id,
            portal_id=portal_id,
            line_id=line_id,
            run_id=None,
            block=BLOCK,
            iteration=0,
            messenger=line[0],
            chat_id=chat_id,
            chat_id_raw=chat_id,
            text=text,
            extra={},
            due_at=now,
            expires_at=now + int(hub.settings.message_ttl_s * SECOND),
        )
        outbox.enqueue(sql, entry, now=now)
        sql.run("UPDATE message SET told = 'queued' WHERE id = ?", (message_id,))
        became = "queued"
    return became


def plain(text: str) -> str:
    """An operator's text without the BB codes that a portal writes."""
    return _TAG.sub("", _LINK.sub(_linked, _BREAK.sub("\n", text))).strip()


def _linked(found: re.Match[str]) -> str:
    address, words = found[1].strip(), found[2].strip()
    return address if words in ("", address) else f"{words} ({address})"


def tell(sql: Sql, message: Untold, *, now: int) -> bool:
    """Inside a job: have the operator shown that the answer arrived, or was read; False when it is none of theirs.
    A portal knows no word for an answer that did not arrive."""
    row = sql.one(
        "SELECT s.provider_id, s.code, s.told, m.chat_id_raw, m.provider_id, l.settings FROM bitrix24_sms s"
        " JOIN message m ON m.id = s.message_id JOIN line l ON l.id = m.line_id"
        " WHERE s.portal_id = ? AND s.message_id = ?",
        (message.portal_id, message.id),
    )
    if row is None or not str(row[0]).startswith(MARK):
        return False
    number, code, told, chat_id, provider_id, settings = row
    status = {"sent": "delivery", "delivered": "delivery", "read": "reading"}.get(message.state)
    open_line = LineSettings.model_validate_json(settings).open_line
    if status is None or status == told or open_line is None:
        return True
    _, im_chat, im_message = str(number).split(":", 2)
    shown = {
        "im": {"chat_id": im_chat, "message_id": im_message},
        "message": {"id": [provider_id or message.id], "date": now // SECOND},
        "chat": {"id": chat_id},
    }
    params = {"CONNECTOR": code, "LINE": open_line, "MESSAGES": [shown]}
    order = f"openline:{number}"
    call = NewCall(f"{order}:{status}", f"imconnector.send.status.{status}", params, order)
    calls.enqueue(sql, message.portal_id, call, now=now)
    sql.run(
        "UPDATE bitrix24_sms SET told = ? WHERE portal_id = ? AND provider_id = ?", (status, message.portal_id, number)
    )
    return True


registrations.WANTED["connector"] = wanted
registrations.MORE_EVENTS.append(wanted_events)
registrations.CARRIED["connector"] = carry
