"""The search for what no event told: Bitrix24 never repeats an event, so cards are also found by their time of change.

Every kind of card that a scenario watches is searched regularly, from where the search before ended and some seconds
earlier, by the portal's own clock. A card whose last known state is as old as the portal says is passed over; any other
is noted as recovered and looked at like one that an event told of. The first search only learns how cards are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC

import structlog

from connectors.bitrix24.rest import PAGE, Command
from hub.bitrix24 import reading
from hub.bitrix24.card_values import normal
from hub.bitrix24.client import Bitrix24, PortalClient, items_of
from hub.bitrix24.entities import Kind, kind_of
from hub.bitrix24.events import CardEvent, note
from hub.bitrix24.fields import catalogue
from hub.clock import SECOND, from_us, now_us, to_us
from hub.language import parse_moment
from hub.sql import Sql, marks
from hub.values import Value, as_text, dumps

log = structlog.get_logger(__name__)
OVERLAP_S = 60
"""A portal writes whole seconds, and a change may be seen in its lists a little after its time."""
GRACE_S = 10
"""What changed so shortly ago is left to the next search: its event may be on its way."""


@dataclass(frozen=True)
class Found:
    """A card that was changed: when, and when it was made, in µs by the portal's clock."""

    id: int
    modified: int
    created: int


def sweep(bitrix24: Bitrix24, portal_id: int, entity: str, swept_to: int | None, age_s: float) -> tuple[int, int]:
    """Search a kind of card from there. Gives how far it was searched (µs, the portal's clock) and how many cards were
    noted. `age_s`: how long ago it began to be watched; whatever came before that only has to be learned, the first
    time. Raises ConnectorError, StorageUnavailable; then nothing is lost, the same search is made again."""
    client, kind = bitrix24.client(portal_id), kind_of(entity)
    told = parse_moment(client.call("server.time").result, UTC)
    now = to_us(told) if told is not None else now_us()
    # The first time all but the last whole second before: what came since may still be told by an event.
    until = now - (GRACE_S * SECOND if swept_to is not None else int(age_s * SECOND) + SECOND)
    until -= until % SECOND
    since = (until if swept_to is None else swept_to) - OVERLAP_S * SECOND
    noted = 0
    for page in _pages(client, kind, since, until):
        if swept_to is None:
            _learn(bitrix24, client, portal_id, entity, page, until)
        else:
            noted += _note(bitrix24, portal_id, entity, page, swept_to)
    if noted:
        bitrix24.hub.ring()
        log.warning("changes_recovered", portal_id=portal_id, entity=entity, count=noted)
    return until, noted


def _pages(client: PortalClient, kind: Kind, since: int, until: int) -> Iterator[list[Found]]:
    """The cards that changed in a time, fifty at a time. By ids and not by offsets, so that cards that are changed
    meanwhile neither move others out of sight nor make the portal count."""
    last = 0
    while True:
        answer = client.call(*_changed(kind, since, until, last))
        page = [_found(normal(row)) for row in items_of(answer.result)]
        if page:
            yield page
            last = page[-1].id
        if len(page) < PAGE:
            return


def note_named(bitrix24: Bitrix24, portal_id: int, entity: str, ids: Sequence[int], swept_to: int, until: int) -> int:
    """Note those of these cards that changed before `until` and that nobody knows of, as a search from `swept_to` on
    would; how many they were. At most fifty. Raises ConnectorError, StorageUnavailable."""
    kind = kind_of(entity)
    number = "id" if kind.smart else "ID"
    answer = bitrix24.client(portal_id).call(*_list(kind, {f"@{number}": list(ids)}))
    page = [_found(normal(row)) for row in items_of(answer.result)]
    return _note(bitrix24, portal_id, entity, [found for found in page if found.modified <= until], swept_to)


def _changed(kind: Kind, since: int, until: int, last: int) -> Command:
    times = [from_us(moment).isoformat() for moment in (since, until)]
    modified, number = ("updatedTime", "id") if kind.smart else ("DATE_MODIFY", "ID")
    return _list(kind, {f">{modified}": times[0], f"<={modified}": times[1], f">{number}": last})


def _list(kind: Kind, wanted: Mapping[str, Value]) -> Command:
    """The method that lists cards with their times, ordered by their ids."""
    if kind.smart:
        names, more = ("id", "updatedTime", "createdTime"), {"entityTypeId": kind.type_id}
        method = "crm.item.list"
    else:
        names, more, method = ("ID", "DATE_MODIFY", "DATE_CREATE"), {}, f"crm.{kind.entity}.list"
    return method, {
        **more,
        "filter": dict(wanted),
        "order": {names[0]: "ASC"},
        "select": list(names),
        "start": -1,
    }


def _found(row: dict[str, Value]) -> Found:
    return Found(int(as_text(row["ID"])), _us(row.get("DATE_MODIFY")), _us(row.get("DATE_CREATE")))


def _note(bitrix24: Bitrix24, portal_id: int, entity: str, page: Sequence[Found], swept_to: int) -> int:
    """Note the cards that are newer than what is known of them and that nobody is about to look at."""
    if not page:
        return 0

    def job(sql: Sql) -> int:
        ids, now = [found.id for found in page], now_us()
        known = _modified(sql, portal_id, entity, ids)
        waiting = _waiting(sql, portal_id, entity, ids)
        noted = 0
        for found in page:
            if found.id in waiting or known.get(found.id, -1) >= found.modified:
                continue
            what = "ADD" if found.id not in known and found.created > swept_to - OVERLAP_S * SECOND else "UPDATE"
            event = CardEvent("", what, entity, found.id, "", 0)
            note(sql, portal_id, event, due_at=now, now=swept_to, recovered=True)
            noted += 1
        return noted

    return bitrix24.hub.db.writer.run(job)


def _learn(
    bitrix24: Bitrix24, client: PortalClient, portal_id: int, entity: str, page: Sequence[Found], until: int
) -> None:
    """Remember how cards are that changed shortly before the first search, so that the next one passes them over."""
    names = catalogue(bitrix24, portal_id, entity).names if kind_of(entity).smart else None
    cards = reading.read(client, entity, [found.id for found in page], names).cards

    def job(sql: Sql) -> None:
        waiting, now = _waiting(sql, portal_id, entity, list(cards)), now_us()
        for number, fields in cards.items():
            if number not in waiting and _us(fields.get("DATE_MODIFY")) <= until:
                sql.run(
                    "INSERT INTO bitrix24_snapshot (portal_id, entity, entity_id, fields, modified_at, seen_at)"
                    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (portal_id, entity, entity_id) DO NOTHING",
                    (portal_id, entity, number, dumps(fields), as_text(fields.get("DATE_MODIFY"))[:40], now),
                )

    bitrix24.hub.db.writer.run(job)


def _modified(sql: Sql, portal_id: int, entity: str, ids: Sequence[int]) -> dict[int, int]:
    rows = sql.all(
        "SELECT entity_id, modified_at FROM bitrix24_snapshot"  # noqa: S608
        f" WHERE portal_id = ? AND entity = ? AND entity_id IN ({marks(len(ids))})",
        (portal_id, entity, *ids),
    )
    return {int(number): _us(modified) for number, modified in rows}


def _waiting(sql: Sql, portal_id: int, entity: str, ids: Sequence[int]) -> set[int]:
    if not ids:
        return set()
    rows = sql.all(
        "SELECT entity_id FROM bitrix24_change"  # noqa: S608
        f" WHERE portal_id = ? AND entity = ? AND entity_id IN ({marks(len(ids))})",
        (portal_id, entity, *ids),
    )
    return {int(number) for (number,) in rows}


def _us(value: Value) -> int:
    moment = parse_moment(value, UTC)
    return 0 if moment is None else to_us(moment)
