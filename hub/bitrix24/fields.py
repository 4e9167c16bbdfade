"""What fields a portal's cards have, and the words for their values: read from the portal, kept, read again daily.

`bitrix24_catalogue.fields` is `{code: {title, type, multiple, items: {id: text}, status, name}}`; `statuses` is
`{"dictionaries": {entity id: {status id: name}}, "categories": {id: name}, "stages": {stage id: {name, category}}}`.
A change of a user field in the portal sets `read_at` to NULL (`events.accept`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from connectors.bitrix24.rest import Command
from connectors.errors import ConnectorError
from hub.bitrix24.client import Bitrix24
from hub.bitrix24.entities import Kind, kind_of
from hub.clock import SECOND, now_us, rfc3339
from hub.sql import Sql
from hub.values import Value, dumps, loads

log = structlog.get_logger(__name__)
DAY = 86_400 * SECOND
YES_NO = ("char", "boolean")
PEOPLE = ("user", "employee")


@dataclass(frozen=True)
class FieldInfo:
    """A field. `items`: the texts of a list by their ids; `status`: the dictionary of its values; `name`: what the
    universal methods call it."""

    code: str
    title: str
    type: str
    multiple: bool = False
    items: Mapping[str, str] = field(default_factory=dict)
    status: str = ""
    name: str = ""


@dataclass(frozen=True)
class Catalogue:
    """Everything about one kind of card; times in µs. `stages`: `{id: {name, category}}`, over all funnels."""

    entity: str
    fields: Mapping[str, FieldInfo]
    dictionaries: Mapping[str, Mapping[str, str]]
    categories: Mapping[str, str]
    stages: Mapping[str, Mapping[str, str]]
    read_at: int | None

    @property
    def names(self) -> dict[str, str]:
        """Codes by the names of the universal methods."""
        return {info.name: info.code for info in self.fields.values() if info.name}

    def word(self, code: str, value: str) -> str | None:
        """The word for a value of a list, dictionary, stage or funnel; None where there is none."""
        info = self.fields.get(code)
        if info is None:
            return None
        if info.items:
            return info.items.get(value)
        if info.type == "crm_category":
            return self.categories.get(value)
        if info.type == "crm_status":
            stage = self.stages.get(value) if code in ("STAGE_ID", "STATUS_ID") else None
            return stage["name"] if stage is not None else self.dictionaries.get(info.status, {}).get(value)
        return None

    def to_dict(self) -> dict[str, Value]:
        """As the API shows it."""
        return {
            "entity": self.entity,
            "fields": [
                {
                    "code": info.code,
                    "title": info.title,
                    "type": info.type,
                    "multiple": info.multiple,
                    "values": [{"id": key, "title": word} for key, word in self._values(info).items()],
                }
                for info in self.fields.values()
            ],
            "categories": [{"id": key, "title": name} for key, name in self.categories.items()],
            "stages": [
                {"id": key, "title": row["name"], "category": row["category"]} for key, row in self.stages.items()
            ],
            "read_at": rfc3339(self.read_at),
        }

    def _values(self, info: FieldInfo) -> Mapping[str, str]:
        return info.items or (self.dictionaries.get(info.status, {}) if info.status else {})


def catalogue(bitrix24: Bitrix24, portal_id: int, entity: str, *, fresh: bool = False) -> Catalogue:
    """The catalogue of a kind of card: the kept one for a day, else read anew. While the portal does not answer an old
    one serves. Raises ConnectorError where there is none, ValueError for an unknown entity."""
    kind, now = kind_of(entity), now_us()
    with bitrix24.hub.db.sql() as sql:
        kept = load(sql, portal_id, entity)
    if kept is not None and not fresh and kept.read_at is not None and kept.read_at > now - DAY:
        return kept
    try:
        made = _read(bitrix24, portal_id, kind, now)
    except ConnectorError as error:
        if kept is None or fresh:
            raise
        log.warning("catalogue_not_read", portal_id=portal_id, entity=entity, code=error.code)
        return kept
    if kept is not None:
        _tell_changes(portal_id, kept, made)
    bitrix24.hub.db.writer.run(lambda sql: _store(sql, portal_id, made))
    return made


def load(sql: Sql, portal_id: int, entity: str) -> Catalogue | None:
    """The catalogue as it is kept, however old."""
    row = sql.one(
        "SELECT fields, statuses, read_at FROM bitrix24_catalogue WHERE portal_id = ? AND entity = ?",
        (portal_id, entity),
    )
    if row is None:
        return None
    fields, words = loads(row[0]), loads(row[1])
    infos = {code: FieldInfo(code=code, **shown) for code, shown in fields.items()}
    return Catalogue(entity, infos, words["dictionaries"], words["categories"], words["stages"], row[2])


def _store(sql: Sql, portal_id: int, made: Catalogue) -> None:
    fields = {
        info.code: {name: getattr(info, name) for name in ("title", "type", "multiple", "items", "status", "name")}
        for info in made.fields.values()
    }
    words = {"dictionaries": made.dictionaries, "categories": made.categories, "stages": made.stages}
    sql.run(
        "INSERT INTO bitrix24_catalogue (portal_id, entity, fields, statuses, read_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (portal_id, entity) DO UPDATE SET fields = excluded.fields, statuses = excluded.statuses,"
        " read_at = excluded.read_at",
        (portal_id, made.entity, dumps(fields), dumps(words), made.read_at),
    )


def _read(bitrix24: Bitrix24, portal_id: int, kind: Kind, now: int) -> Catalogue:
    asks: dict[str, Command] = {
        "fields": ("crm.item.fields", {"entityTypeId": kind.type_id, "useOriginalUfNames": "Y"})
        if kind.smart
        else (f"crm.{kind.entity}.fields", {}),
        "statuses": ("crm.status.list", {"order": {"SORT": "ASC"}}),
    }
    if kind.smart or kind.entity == "deal":
        asks["categories"] = ("crm.category.list", {"entityTypeId": kind.type_id})
    answer = bitrix24.client(portal_id).batch(asks)
    described = answer["fields"]
    if kind.smart:
        described = described["fields"]
    fields = {info.code: info for info in (_info(name, shown, kind) for name, shown in described.items())}
    dictionaries: dict[str, dict[str, str]] = {}
    for row in answer["statuses"]:
        dictionaries.setdefault(str(row["ENTITY_ID"]), {})[str(row["STATUS_ID"])] = str(row["NAME"])
    # A portal may have funnels switched off for a kind of card; then it has one, without a number.
    listed = answer.results.get("categories") or {}
    categories = {str(row["id"]): str(row["name"]) for row in listed.get("categories") or ()}
    return Catalogue(kind.entity, fields, dictionaries, categories, _stages(kind, dictionaries, categories), now)


def _stages(
    kind: Kind, dictionaries: Mapping[str, Mapping[str, str]], categories: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """Every stage with its funnel, by the dictionaries in which a kind of card keeps them."""
    if kind.entity == "lead":
        wanted = {"STATUS": ""}
    elif kind.entity == "deal":
        wanted = {
            f"DEAL_STAGE_{number}" if number != "0" else "DEAL_STAGE": number for number in categories or {"0": ""}
        }
    elif kind.type_id == 31:
        wanted = {f"SMART_INVOICE_STAGE_{number}": number for number in categories}
    else:
        wanted = {f"DYNAMIC_{kind.type_id}_STAGE_{number}": number for number in categories}
    return {
        stage: {"name": name, "category": number}
        for dictionary, number in wanted.items()
        for stage, name in dictionaries.get(dictionary, {}).items()
    }


def _info(name: str, shown: Mapping[str, Any], kind: Kind) -> FieldInfo:
    labels = (shown.get("formLabel"), shown.get("listLabel"), shown.get("title"), name)
    items = shown.get("items") if isinstance(shown.get("items"), list) else []
    return FieldInfo(
        code=str(shown.get("upperName") or name) if kind.smart else name,
        title=next(str(label) for label in labels if label),
        type=str(shown.get("type") or "string"),
        multiple=bool(shown.get("isMultiple")),
        items={str(item["ID"]): str(item["VALUE"]) for item in items or ()},
        status=str(shown.get("statusType") or ""),
        name=name if kind.smart else "",
    )


def _tell_changes(portal_id: int, old: Catalogue, new: Catalogue) -> None:
    renamed = [code for code, info in new.fields.items() if code in old.fields and old.fields[code].title != info.title]
    gone = [code for code in old.fields if code not in new.fields]
    if renamed or gone:
        log.info("fields_changed", portal_id=portal_id, entity=new.entity, renamed=renamed[:50], gone=gone[:50])
