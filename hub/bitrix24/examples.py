"""Cards of a portal as examples for the editor: the latest of a stage, with the values that a run would see."""

from collections.abc import Mapping, Sequence

from hub.bitrix24 import reading, starting
from hub.bitrix24.card_values import normal
from hub.bitrix24.client import Bitrix24, PortalClient, items_of
from hub.bitrix24.entities import Kind, kind_of
from hub.bitrix24.fields import catalogue
from hub.bitrix24.mapping import map_card
from hub.scenarios.library import PortalView
from hub.scenarios.mapping_row import MappingRow
from hub.scenarios.runner import Runner
from hub.values import Value, as_text

MOST = 5


def latest(
    bitrix24: Bitrix24,
    runner: Runner,
    view: PortalView,
    entity: str,
    rows: Sequence[MappingRow],
    *,
    stage: str | None,
) -> list[dict[str, Value]]:
    """The cards changed last, at most five: `{"id", "title", "event"}`, where `event` is what a dry run takes as its
    body. Raises ConnectorError, ValueError for an unknown entity."""
    kind, client = kind_of(entity), bitrix24.client(view.id)
    names = catalogue(bitrix24, view.id, entity).names if kind.smart else None
    ids = recent(client, kind, stage=stage)
    if not ids:
        return []
    read = reading.read(client, entity, ids, names)
    portal = starting.Portal.of(bitrix24, runner, view)
    shown: list[dict[str, Value]] = []
    for number in ids:
        if number not in read.cards:
            continue
        card = read.card(number)
        mapped = map_card(rows, card, starting.words_of(portal, card, list(rows), read))
        bitrix = card.bitrix | {"old": {}, "new": {}}
        event = {
            "entity": entity,
            "id": number,
            "variables": mapped.variables,
            "empty": mapped.empty,
            "bitrix": bitrix,
        }
        shown.append({"id": number, "title": title_of(card.fields), "event": event})
    return shown


def recent(client: PortalClient, kind: Kind, *, stage: str | None) -> list[int]:
    """The numbers of the cards changed last, at most five. Raises ConnectorError."""
    listed = items_of(client.call(*_list(kind, stage)).result)[:MOST]
    return [int(as_text(normal(row)["ID"])) for row in listed]


def title_of(fields: Mapping[str, Value]) -> str:
    """What people call a card."""
    title = as_text(fields.get("TITLE")).strip()
    return title or starting.full_name(fields) or f"#{as_text(fields.get('ID'))}"


def _list(kind: Kind, stage: str | None) -> tuple[str, dict[str, Value]]:
    if kind.smart:
        wanted = {"stageId": stage} if stage else {}
        more = {"entityTypeId": kind.type_id, "select": ["id"], "order": {"updatedTime": "DESC"}}
        return "crm.item.list", {**more, "filter": wanted, "start": -1}
    wanted = {kind.stage_field: stage} if stage and kind.stage_field else {}
    order = {"DATE_MODIFY": "DESC"}
    return f"crm.{kind.entity}.list", {"filter": wanted, "select": ["ID"], "order": order, "start": -1}
