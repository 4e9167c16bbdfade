"""Our lines as the portal's message providers: its people and robots choose one to send a text from a card, and see
there what became of it."""

from collections.abc import Iterable, Mapping
from functools import partial

import structlog

from connectors.registry import channels, with_title
from hub.bitrix24 import calls, registrations
from hub.bitrix24.calls import NewCall
from hub.bitrix24.connections import Connection
from hub.bitrix24.registrations import Wanted
from hub.bitrix24.untold import Untold
from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.delivery import outbox
from hub.delivery.lines import LineSettings
from hub.delivery.outbox import Entry
from hub.ids import new_id
from hub.language import normalise_phone
from hub.sql import Sql
from hub.values import Value

log = structlog.get_logger(__name__)
BLOCK = "bitrix24_sms"
PREFIX = "hub_line_"
LONGEST = 20_000
_STATUSES = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "undelivered",
    "failed": "failed",
    "expired": "failed",
    "cancelled": "failed",
}
"""What the portal is told of our states; of one that nobody knows nothing can be said."""


def wanted(hub: Hub, connection: Connection) -> Iterable[Wanted]:
    """The providers that a portal should have: a line each, unless its switch says otherwise."""
    handler = connection.address(hub, "sms")
    with hub.db.sql() as sql:
        lines = _lines(sql, connection.portal_id)
    for line_id, name, channel, _settings in lines:
        title = with_title(name, channel)[:100]
        params = {"TYPE": "SMS", "NAME": {"ru": title, "en": title}, "DESCRIPTION": f"Hubline: {title}"}
        yield Wanted(f"{PREFIX}{line_id}", handler, params)


def accept(hub: Hub, connection: Connection, fields: Mapping[str, Value]) -> str:
    """Put a text that a proven portal gave to one of our lines into the outbox, once for each message of the portal;
    `queued`, `duplicate`, `refused` or `ignored`. Raises StorageUnavailable."""
    code, number = _text(fields, "code"), _text(fields, "message_id")
    if not code.startswith(PREFIX) or not 0 < len(number) <= 64:
        return "ignored"
    job = partial(_keep, hub=hub, portal_id=connection.portal_id, code=code, number=number, fields=fields)
    became: str = hub.db.writer.run(job, lines=[code.removeprefix(PREFIX)], rings=True)
    return became


def tell(sql: Sql, message: Untold, *, now: int) -> bool:
    """Inside a job: have the portal told what became of its message; False when it is none of a portal's."""
    row = sql.one(
        "SELECT provider_id, code, told FROM bitrix24_sms WHERE portal_id = ? AND message_id = ?",
        (message.portal_id, message.id),
    )
    if row is None:
        return False
    number, code, told = row
    status = _STATUSES.get(message.state)
    if status is None or status == told:
        return True
    _update(sql, message.portal_id, code, number, status, f"{status}:{message.attempts}", now)
    sql.run(
        "UPDATE bitrix24_sms SET told = ? WHERE portal_id = ? AND provider_id = ?", (status, message.portal_id, number)
    )
    return True


def _keep(sql: Sql, hub: Hub, portal_id: int, code: str, number: str, fields: Mapping[str, Value]) -> str:
    now, message_id = now_us(), new_id()
    first = sql.run(
        "INSERT INTO bitrix24_sms (portal_id, provider_id, message_id, code, told, created_at)"
        " VALUES (?, ?, ?, ?, '', ?) ON CONFLICT (portal_id, provider_id) DO NOTHING",
        (portal_id, number, message_id, code, now),
    )
    if not first:
        return "duplicate"
    line = next((one for one in _lines(sql, portal_id) if one[0] == code.removeprefix(PREFIX)), None)
    raw, text = _text(fields, "message_to"), _text(fields, "message_body")[:LONGEST]
    chat_id = None if line is None else _recipient(raw, line[2], line[3])
    if line is None or chat_id is None or not text.strip():
        log.warning("sms_refused", portal_id=portal_id, line=line is not None, recipient=chat_id is not None)
        _update(sql, portal_id, code, number, "failed", "refused", now)
        return "refused"
    entry = Entry(
        id=message_id,
        portal_id=portal_id,
        line_id=line[0],
        block=BLOCK,
        messenger=line[2],
        chat_id=chat_id,
        chat_id_raw=raw,
        text=text,
        due_at=now,
        expires_at=now + int(hub.settings.message_ttl_s * SECOND),
    )
    outbox.enqueue(sql, entry, now=now)
    sql.run("UPDATE message SET told = 'queued' WHERE id = ?", (message_id,))
    return "queued"


def _update(sql: Sql, portal_id: int, code: str, number: str, status: str, name: str, now: int) -> None:
    params = {"CODE": code, "MESSAGE_ID": number, "STATUS": status}
    call = NewCall(f"sms:{number}:{name}", "messageservice.message.status.update", params, f"sms:{number}")
    calls.enqueue(sql, portal_id, call, now=now)


def _lines(sql: Sql, portal_id: int) -> list[tuple[str, str, str, LineSettings]]:
    rows = sql.all(
        "SELECT id, name, channel, settings FROM line WHERE portal_id = ? AND deleted_at IS NULL ORDER BY id",
        (portal_id,),
    )
    found = [
        (line_id, name, kind, LineSettings.model_validate_json(settings)) for line_id, name, kind, settings in rows
    ]
    return [line for line in found if _serves(line[2], line[3])]


def _serves(channel: str, settings: LineSettings) -> bool:
    kind = channels().get(channel)
    if kind is None:
        return False
    chosen = settings.bitrix24_sender
    return kind.carries.recipients == "phone" if chosen is None else chosen


def _recipient(raw: str, channel: str, settings: LineSettings) -> str | None:
    """The address in the form that the channel wants; None for what is none."""
    if channels()[channel].carries.recipients != "phone":
        return raw.strip()[:255] or None
    try:
        return normalise_phone(raw, settings.country)
    except ValueError:
        return None


def _text(fields: Mapping[str, Value], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


registrations.WANTED["sender"] = wanted
