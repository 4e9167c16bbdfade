"""Events of a portal's cards: proven, then one row says that a card has to be looked at, and the portal gets its 200.

What changed is not in an event, and Bitrix24 never repeats one. So nothing is read here; the worker does that, and a
sweep finds what never came.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import structlog

from hub.bitrix24 import watching
from hub.bitrix24.connections import Connection
from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.errors import StorageUnavailable
from hub.scenarios.library import STALE_TRIES, Library, PortalView, is_current
from hub.sql import Sql
from hub.values import Value, as_number, dumps

log = structlog.get_logger(__name__)
MERGE_S = 5.0
_CARD = re.compile(r"ONCRM(DEAL|CONTACT|LEAD|COMPANY)(ADD|UPDATE|DELETE|MOVETOCATEGORY)\Z")
_ITEM = re.compile(r"ONCRMDYNAMICITEM(ADD|UPDATE|DELETE)(?:_(\d{1,9}))?\Z")
_FIELD = re.compile(r"ONCRM(DEAL|CONTACT|LEAD|COMPANY)USERFIELD(?:ADD|UPDATE|DELETE|SETENUMVALUES)\Z")


@dataclass(frozen=True)
class CardEvent:
    """Something happened to one card. `what`: ADD, UPDATE, DELETE or MOVETOCATEGORY; `user_id` is 0 where automation
    did it."""

    name: str
    what: str
    entity: str
    entity_id: int
    ts: str
    user_id: int


def read(fields: Mapping[str, Value]) -> CardEvent | None:
    """The event of a card in what a portal posted; None for an event of anything else, or one without an id."""
    name = fields.get("event")
    data, auth = fields.get("data"), fields.get("auth")
    inner = data.get("FIELDS") if isinstance(data, dict) else None
    if not isinstance(name, str) or not isinstance(inner, dict):
        return None
    name = name.upper()
    entity_id = _id(inner.get("ID"))
    card, item = _CARD.match(name), _ITEM.match(name)
    if card is not None:
        entity, what = card[1].lower(), card[2]
    elif item is not None:
        kind = _id(inner.get("ENTITY_TYPE_ID")) or _id(item[2])
        entity, what = f"dynamic:{kind}" if kind else "", item[1]
    else:
        return None
    if not entity or not entity_id:
        return None
    user = auth.get("user_id") if isinstance(auth, dict) else None
    ts = fields.get("ts")
    return CardEvent(name, what, entity, entity_id, ts[:20] if isinstance(ts, str) else "", _id(user) or 0)


def accept(hub: Hub, library: Library, connection: Connection, fields: Mapping[str, Value]) -> str:
    """Take an event that is proven to come from this portal. Returns what became of it: `kept`, `removed`, `unwatched`,
    `fields` or `ignored`. Raises StorageUnavailable."""
    portal_id = connection.portal_id
    event = read(fields)
    if event is None:
        return _catalogue(hub, portal_id, fields.get("event"))
    if event.what == "DELETE":
        hub.db.writer.run(lambda sql: forget(sql, portal_id, event))
        return "removed"
    for attempt in range(STALE_TRIES):
        view = library.portal(portal_id, fresh=attempt > 0)
        merge_s = watched_after_s(library, view, event.entity)
        kept = hub.db.writer.run(partial(_keep, view=view, event=event, merge_s=merge_s))
        if kept == "kept":
            hub.ring()
        if kept != "stale":
            return kept
    raise StorageUnavailable("The portal's scenarios change all the time; try again.")


def watched_after_s(library: Library, view: PortalView, entity: str) -> float | None:
    """How many seconds a burst of events may last before the first scenario that watches this kind of card wants to
    look; None when none does."""
    waits = []
    for watcher in watching.watchers(library, view, entity):
        number = as_number(getattr(watcher.config, "merge_s", MERGE_S))
        waits.append(MERGE_S if number is None else max(0.0, float(number)))
    return min(waits, default=None)


def note(sql: Sql, portal_id: int, event: CardEvent, *, due_at: int, now: int, recovered: bool = False) -> None:
    """Inside a job: one card waits to be looked at, however many events it has. A later one does not put it off."""
    last = dumps({"event": event.name, "ts": event.ts, "user_id": event.user_id})
    sql.run(
        "INSERT INTO bitrix24_change (portal_id, entity, entity_id, created, recovered, first_at, due_at, seen, last,"
        " attempts, error) VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, 0, '')"
        " ON CONFLICT (portal_id, entity, entity_id) DO UPDATE SET seen = bitrix24_change.seen + 1,"
        " last = excluded.last, created = bitrix24_change.created OR excluded.created",
        (portal_id, event.entity, event.entity_id, event.what == "ADD", recovered, now, due_at, last),
    )


def _keep(sql: Sql, view: PortalView, event: CardEvent, merge_s: float | None) -> str:
    if not is_current(sql, view):
        return "stale"
    if merge_s is None or not view.active:
        return "unwatched"
    now = now_us()
    note(sql, view.id, event, due_at=now + int(merge_s * SECOND), now=now)
    return "kept"


def forget(sql: Sql, portal_id: int, event: CardEvent) -> None:
    """Inside a job: a card is not there any more, so nothing of it has to be looked at."""
    for table in ("change", "snapshot"):
        sql.run(
            f"DELETE FROM bitrix24_{table} WHERE portal_id = ? AND entity = ? AND entity_id = ?",  # noqa: S608
            (portal_id, event.entity, event.entity_id),
        )


def _catalogue(hub: Hub, portal_id: int, name: Value) -> str:
    """A field was added, renamed or removed: what is known of the fields is out of date."""
    field = _FIELD.match(name.upper()) if isinstance(name, str) else None
    if field is None:
        return "ignored"
    hub.db.writer.run(
        lambda sql: sql.run(
            "UPDATE bitrix24_catalogue SET read_at = NULL WHERE portal_id = ? AND entity = ?",
            (portal_id, field[1].lower()),
        )
    )
    return "fields"


def _id(value: Value) -> int | None:
    text = value if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdecimal() and 0 < len(text) < 16 else None
