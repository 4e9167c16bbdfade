"""What of ours is in a portal, held equal to what should be there: events, placements, robots, senders.

The portal is asked first; then what is missing is added, what points elsewhere is moved, what nobody wants is removed.
So it may be done again at any time: an update of the application wipes all of it, and so may a person.

Whoever wants something registered puts a function into WANTED; it says what a portal should have of a kind.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import structlog

from connectors.bitrix24.errors import Denied, NoSuchMethod, Refused
from connectors.bitrix24.rest import Command
from connectors.errors import ConnectorError, Rejected
from hub.bitrix24 import connections, inside
from hub.bitrix24.client import Bitrix24, PortalClient
from hub.bitrix24.connections import Connection
from hub.clock import now_us
from hub.core import Hub
from hub.sql import Sql

log = structlog.get_logger(__name__)
Kind = Literal["event", "placement", "robot", "activity", "sender", "connector"]
KINDS: tuple[Kind, ...] = ("event", "placement", "robot", "activity", "sender", "connector")

LIFECYCLE_EVENTS = ("ONAPPINSTALL", "ONAPPUNINSTALL", "ONAPPUPDATE", "ONAPPPAYMENT", "ONAPPTEST")
ENTITIES = ("DEAL", "CONTACT", "LEAD", "COMPANY")
CRM_EVENTS = (
    *(f"ONCRM{entity}{what}" for entity in ENTITIES for what in ("ADD", "UPDATE", "DELETE")),
    "ONCRMDEALMOVETOCATEGORY",
    *(f"ONCRMDYNAMICITEM{what}" for what in ("ADD", "UPDATE", "DELETE")),
    *(f"ONCRM{entity}USERFIELD{what}" for entity in ENTITIES for what in ("ADD", "UPDATE", "DELETE", "SETENUMVALUES")),
)
PLACEMENTS = ("CRM_DEAL_DETAIL_TAB", "CRM_CONTACT_DETAIL_TAB", inside.PLACEMENT)


@dataclass(frozen=True)
class Wanted:
    """Something that should be in a portal. `code`: the name of an event or placement, the CODE of all else; `params`:
    what the method that adds it takes beside code and handler."""

    code: str
    handler: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Synced:
    """How it went: how many are there now, and what the portal refused, by code."""

    there: int = 0
    refused: dict[str, str] = field(default_factory=dict)


Wants = Callable[[Hub, Connection], Iterable[Wanted]]
MORE_EVENTS: list[Wants] = []
"""Events that only some portals need."""
Carry = Callable[[Hub, PortalClient, Sequence[Wanted], Sequence[str]], dict[str, ConnectorError]]
CARRIED: dict[Kind, Carry] = {}
"""Kinds that take more than a list and a call each: `(hub, client, wanted, known codes)`, what was refused by code."""


def _events(hub: Hub, connection: Connection) -> Iterable[Wanted]:
    handler = connection.address(hub, "event")
    yield from (Wanted(name, handler) for name in (*LIFECYCLE_EVENTS, *CRM_EVENTS))
    for more in MORE_EVENTS:
        yield from more(hub, connection)


def _placements(hub: Hub, _connection: Connection) -> Iterable[Wanted]:
    titles = {"en": {"TITLE": "Hubline"}, "ru": {"TITLE": "Hubline"}}
    params = {"TITLE": "Hubline", "LANG_ALL": titles}
    return (Wanted(name, f"{hub.settings.base_url}/bitrix24/app", params) for name in PLACEMENTS)


WANTED: dict[Kind, Wants] = {"event": _events, "placement": _placements}


@dataclass(frozen=True)
class _Methods:
    """How a kind is listed, added, moved and removed."""

    get: str
    add: str
    remove: str
    update: str | None = None


_METHODS: dict[Kind, _Methods] = {
    "event": _Methods("event.get", "event.bind", "event.unbind"),
    "placement": _Methods("placement.get", "placement.bind", "placement.unbind"),
    "robot": _Methods("bizproc.robot.list", "bizproc.robot.add", "bizproc.robot.delete", "bizproc.robot.update"),
    "activity": _Methods(
        "bizproc.activity.list", "bizproc.activity.add", "bizproc.activity.delete", "bizproc.activity.update"
    ),
    "sender": _Methods(
        "messageservice.sender.list",
        "messageservice.sender.add",
        "messageservice.sender.delete",
        "messageservice.sender.update",
    ),
}


def sync(bitrix24: Bitrix24, portal_id: int, kinds: Sequence[Kind] = KINDS) -> Synced:
    """Make a portal have what it should have. What it refuses is noted and told, and does not stop the rest.

    Raises ConnectorError when the portal cannot be asked at all, or does not know the first of these kinds.
    """
    hub = bitrix24.hub
    with hub.db.sql() as sql:
        connection = connections.of_portal(sql, portal_id)
    if connection is None:
        raise Refused("This portal is not connected.", code="not_connected")
    client, synced = bitrix24.client(portal_id), Synced()
    for kind in kinds:
        should = wanted(hub, connection, kind)
        if kind in CARRIED:
            _carried(hub, client, kind, should, synced)
            continue
        try:
            there = client.call(_METHODS[kind].get).result
        except (NoSuchMethod, Denied) as error:
            if kind == kinds[0]:
                raise
            synced.refused[kind] = error.message
            continue
        plan = _plan(kind, should, there if isinstance(there, list) else [])
        errors = _carry_out(client, plan)
        refused = {code: error for code, error in _refused(plan, errors) if not _is_there(error)}
        _note(hub, portal_id, kind, should, refused)
        synced.there += sum(1 for item in should if item.code not in refused)
        synced.refused |= {code: error.message for code, error in refused.items()}
        if refused:
            log.warning("registrations_refused", portal_id=portal_id, kind=kind, codes=sorted(refused))
    return synced


def _carried(hub: Hub, client: PortalClient, kind: Kind, should: Sequence[Wanted], synced: Synced) -> None:
    """A kind out of CARRIED. A portal that has none and is to have none is not asked."""
    with hub.db.sql() as sql:
        rows = sql.all(
            "SELECT code FROM bitrix24_registration WHERE portal_id = ? AND kind = ?", (client.portal_id, kind)
        )
    known = [str(code) for (code,) in rows]
    if not should and not known:
        return
    refused = CARRIED[kind](hub, client, should, known)
    _note(hub, client.portal_id, kind, should, refused)
    synced.there += len(should) - len(refused)
    synced.refused |= {code: error.message for code, error in refused.items()}


def wanted(hub: Hub, connection: Connection, kind: Kind) -> list[Wanted]:
    """All of a kind that should be in a portal."""
    wants = WANTED.get(kind)
    return [] if wants is None else list(wants(hub, connection))


def _plan(kind: Kind, wanted: Sequence[Wanted], there: Sequence[Any]) -> dict[str, Command]:
    """The calls that make the difference. Their keys are `add:<code>`, `update:<code>` and `remove<n>:<code>`."""
    methods, plan = _METHODS[kind], dict[str, Command]()
    away: dict[str, Command] = {}
    if kind in ("event", "placement"):
        named, address = ("event", "handler") if kind == "event" else ("PLACEMENT", "HANDLER")
        have = [(str(row.get(kind, "")).upper(), str(row.get("handler", ""))) for row in there if _is_online(row)]
        for item in wanted:
            if (item.code, item.handler) not in have:
                plan[f"add:{item.code}"] = (methods.add, {named: item.code, address: item.handler, **item.params})
        keep = {(item.code, item.handler) for item in wanted}
        for number, (code, handler) in enumerate(dict.fromkeys(have)):
            if (code, handler) not in keep:
                away[f"remove{number}:{code}"] = (methods.remove, {named: code, address: handler})
        # A place may have room for one handler only; an event must at no time have none.
        return away | plan if kind == "placement" else plan | away
    codes = {str(code) for code in there}
    for item in wanted:
        if item.code not in codes:
            plan[f"add:{item.code}"] = (methods.add, {"CODE": item.code, "HANDLER": item.handler, **item.params})
        elif methods.update is not None:
            changed = {"HANDLER": item.handler, **item.params}
            changed.pop("TYPE", None)
            fields = changed if kind == "sender" else {"FIELDS": changed}
            plan[f"update:{item.code}"] = (methods.update, {"CODE": item.code, **fields})
    for code in sorted(codes - {item.code for item in wanted}):
        plan[f"remove:{code}"] = (methods.remove, {"CODE": code})
    return plan


def _carry_out(client: PortalClient, plan: Mapping[str, Command]) -> dict[str, ConnectorError]:
    """Make these calls; the errors by key. A batch is written with PHP's brackets, in which an empty map cannot be
    written and would be no change: what empties something is called by itself, as JSON."""
    alone = {key: command for key, command in plan.items() if _empties(command)}
    together = {key: command for key, command in plan.items() if key not in alone}
    errors = dict(client.many(together).errors) if together else {}
    for key, (method, params) in alone.items():
        try:
            client.call(method, params)
        except Rejected as error:
            errors[key] = error
    return errors


def _empties(command: Command) -> bool:
    fields = command[1].get("FIELDS")
    return isinstance(fields, Mapping) and any(value == {} for value in fields.values())


def _is_online(row: Any) -> bool:
    return isinstance(row, Mapping) and str(row.get("offline", 0)) != "1"


def _refused(plan: Mapping[str, Command], errors: Mapping[str, ConnectorError]) -> Iterable[tuple[str, ConnectorError]]:
    for key, error in errors.items():
        what, _, code = key.partition(":")
        if not what.startswith("remove"):
            yield code, error
        else:
            log.warning("registration_not_removed", method=plan[key][0], code=code, error=error.code)


def _is_there(error: ConnectorError) -> bool:
    """Somebody has been quicker, which is as good."""
    already = error.code in ("ERROR_ACTIVITY_ALREADY_INSTALLED", "ERROR_SENDER_ALREADY_INSTALLED")
    return already or "already binded" in error.message


def _without_token(handler: str) -> str:
    """`https://hub.example.com/bitrix24/event` of a handler's address: what follows is a secret."""
    base, separator, rest = handler.partition("/bitrix24/")
    return f"{base}{separator}{rest.partition('/')[0]}"[:500]


def _note(
    hub: Hub, portal_id: int, kind: Kind, wanted: Sequence[Wanted], refused: Mapping[str, ConnectorError]
) -> None:
    now = now_us()

    def job(sql: Sql) -> None:
        sql.run("DELETE FROM bitrix24_registration WHERE portal_id = ? AND kind = ?", (portal_id, kind))
        sql.many(
            "INSERT INTO bitrix24_registration (portal_id, kind, code, handler, registered_at, error)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    portal_id,
                    kind,
                    item.code,
                    _without_token(item.handler),
                    None if item.code in refused else now,
                    refused[item.code].message[:500] if item.code in refused else "",
                )
                for item in wanted
            ],
        )

    hub.db.writer.run(job)
