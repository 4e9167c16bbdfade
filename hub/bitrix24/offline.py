"""The portal's own list of what happened, which larger plans keep: a second source beside the search, and the only one
that tells of a deletion whose event was lost.

An entry is taken, noted here and only then struck off there. What it names is compared with what is known of the card,
as the search does, so a change whose event came is not looked at twice. Entries whose process died in between stay
reserved in the portal; the search finds those changes.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import structlog

from connectors.bitrix24.errors import Denied, NoSuchMethod
from connectors.bitrix24.php import as_map
from connectors.bitrix24.rest import PAGE, Command
from hub.bitrix24 import events, sweep
from hub.bitrix24.client import Bitrix24, PortalClient
from hub.bitrix24.events import CardEvent
from hub.sql import Sql
from hub.values import as_text

log = structlog.get_logger(__name__)
FEATURE = "rest_offline_extended"
"""Without it entries are gone as soon as they are read, so a process that dies would lose them."""


def pull(bitrix24: Bitrix24, portal_id: int, until: int) -> int:
    """Note what the list of a portal tells of the kinds of cards that are searched; how many changes that were. Those
    later than `until` (µs, the portal's clock) are left to the next search: their events may be on their way.

    Raises ConnectorError, StorageUnavailable.
    """
    client, hub = bitrix24.client(portal_id), bitrix24.hub
    with hub.db.sql() as sql:
        rows = sql.all("SELECT entity, swept_to FROM bitrix24_watch WHERE portal_id = ?", (portal_id,))
    searched = {str(entity): int(swept_to) for entity, swept_to in rows if swept_to is not None}
    if not _bind(client, {str(entity) for entity, _ in rows}):
        return 0
    noted = 0
    while True:
        batch = as_map(client.call("event.offline.get", {"clear": 0, "limit": PAGE}).result)
        entries = _maps(batch.get("events"))
        if not entries or not batch.get("process_id"):
            return noted
        noted += _note(bitrix24, portal_id, [_event(entry) for entry in entries], searched, until)
        done = [as_text(entry.get("MESSAGE_ID")) for entry in entries]
        client.call("event.offline.clear", {"process_id": batch.get("process_id"), "message_id": done})
        if len(entries) < PAGE:
            return noted


def _bind(client: PortalClient, watched: Iterable[str]) -> bool:
    """Have the list hold what is watched and nothing else; False where the portal keeps none that would do."""
    answer = client.batch({"feature": ("feature.get", {"CODE": FEATURE}), "bound": ("event.get", {})})
    try:
        feature, bound = answer["feature"], answer["bound"]
    except (Denied, NoSuchMethod):
        return False
    if not isinstance(feature, Mapping) or feature.get("value") != "Y":
        return False
    wanted = {name for entity in watched for name in _names(entity)}
    there = {as_text(row.get("event")).upper() for row in _maps(bound) if as_text(row.get("offline")) == "1"}
    plan: dict[str, Command] = {}
    for name in sorted(wanted ^ there):
        method = "event.bind" if name in wanted else "event.unbind"
        plan[name] = (method, {"event": name, "event_type": "offline"})
    errors = client.many(plan).errors if plan else {}
    refused = {name: error.code for name, error in errors.items() if "already binded" not in error.message}
    if refused:
        log.warning("offline_events_refused", portal_id=client.portal_id, codes=refused)
    return bool((wanted & there) | (wanted - refused.keys()))


def _maps(told: Any) -> list[Mapping[str, Any]]:
    """The rows of a list, which an answer in another form has none of."""
    return [row for row in as_map(told).values() if isinstance(row, Mapping)]


def _names(entity: str) -> set[str]:
    """The events of a kind of card; those of smart processes are for all of them together."""
    if entity.startswith("dynamic:"):
        return {f"ONCRMDYNAMICITEM{what}" for what in ("ADD", "UPDATE", "DELETE")}
    more = {"ONCRMDEALMOVETOCATEGORY"} if entity == "deal" else set()
    return more | {f"ONCRM{entity.upper()}{what}" for what in ("ADD", "UPDATE", "DELETE")}


def _event(entry: Mapping[str, Any]) -> CardEvent | None:
    """An entry as the event that it stands for. Its ids are numbers, those of a post are texts."""
    data = entry.get("EVENT_DATA")
    inner = data.get("FIELDS") if isinstance(data, Mapping) else None
    if not isinstance(inner, Mapping):
        return None
    fields = {str(name): as_text(value) for name, value in inner.items()}
    return events.read({"event": as_text(entry.get("EVENT_NAME")), "data": {"FIELDS": fields}})


def _note(
    bitrix24: Bitrix24, portal_id: int, told: Iterable[CardEvent | None], searched: Mapping[str, int], until: int
) -> int:
    noted = 0
    ids: dict[str, set[int]] = {}
    gone: list[CardEvent] = []
    for event in told:
        if event is None or event.entity not in searched:
            continue
        if event.what == "DELETE":
            gone.append(event)
        else:
            ids.setdefault(event.entity, set()).add(event.entity_id)

    def forget(sql: Sql) -> None:
        for event in gone:
            events.forget(sql, portal_id, event)

    if gone:
        bitrix24.hub.db.writer.run(forget)
    for entity, numbers in ids.items():
        noted += sweep.note_named(bitrix24, portal_id, entity, sorted(numbers), searched[entity], until)
    if noted:
        bitrix24.hub.ring()
    return noted
