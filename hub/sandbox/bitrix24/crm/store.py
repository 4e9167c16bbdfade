"""The cards themselves: added, changed and deleted as the portal does, each change causing its event."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from hub.sandbox.bitrix24.crm import kinds, values
from hub.sandbox.bitrix24.crm.dictionaries import Dictionaries
from hub.sandbox.bitrix24.crm.kinds import CONTACT, DEAL, MULTIFIELDS, Field, Kind
from hub.sandbox.bitrix24.refusals import Refusal

if TYPE_CHECKING:
    from hub.sandbox.bitrix24.events import Hit

Item = dict[str, Any]


class Crm:
    """One portal's CRM. Cards are kept by kind and id under legacy names, values as texts (see `values`).

    The caller holds the cloud's lock. `stamp` gives the present moment as the portal writes it.
    """

    def __init__(self) -> None:
        self.kinds: dict[int, Kind] = kinds.kinds()
        self.fields: dict[int, dict[str, Field]] = {number: kinds.born_fields(number) for number in self.kinds}
        self.items: dict[int, dict[int, Item]] = {number: {} for number in self.kinds}
        self.dictionaries = Dictionaries()
        self.dynamic_types: dict[int, dict[str, Any]] = {}
        self.comments: dict[int, dict[str, Any]] = {}
        self.activities: dict[int, dict[str, Any]] = {}
        self.log_messages: dict[int, dict[str, Any]] = {}
        self.user_field_ids: dict[tuple[int, str], int] = {}
        self.stamp: Callable[[], str] = str
        self._numbers: dict[str, Iterator[int]] = {}

    def number(self, of: str, first: int = 1) -> int:
        """The next id of something."""
        return next(self._numbers.setdefault(of, itertools.count(first)))

    def add_type(self, number: int, title: str) -> None:
        """A smart process with one funnel."""
        kind = kinds.dynamic_kind(number)
        self.kinds[number] = kind
        self.fields[number] = kinds.born_fields(number)
        self.items[number] = {}
        self.dynamic_types[number] = {"id": self.number("type", 37), "title": title, "entityTypeId": number}
        self.dictionaries.add_category(number, "Общая", default=True)

    def add_user_field(
        self,
        kind: int,
        name: str,
        type_name: str,
        title: str,
        flags: frozenset[str] = frozenset(),
        values: tuple[tuple[str, str], ...] = (),
    ) -> int:
        """A field of the portal's own on all cards of a kind; returns its id."""
        settings = {"DISPLAY": "LIST", "LIST_HEIGHT": 1} if values else {}
        item = kinds.item_name(name)
        made = Field(name, type_name, title, item, flags, values=values, dynamic=True, settings=settings)
        self.fields[kind][name] = made
        for card in self.items[kind].values():
            card.setdefault(name, [] if made.multiple else None)
        return self.user_field_ids.setdefault((kind, name), self.number("userfield", 201))

    def kind(self, number: int) -> Kind:
        """A kind by its number. Raises Refusal."""
        found = self.kinds.get(number)
        if found is None:
            raise Refusal("NOT_FOUND", "Smart Process not found")
        return found

    def get(self, kind: Kind, item_id: int) -> Item:
        """A card. Raises KeyError."""
        return self.items[kind.id][item_id]

    def add(self, hit: "Hit", kind: Kind, given: Mapping[str, Any], multi: list[dict[str, Any]] | None = None) -> int:
        """A new card; returns its id. Unknown and read-only fields are dropped."""
        offset, now, by = hit.portal.offset_h, self.stamp(), str(hit.user_id or 1)
        number = self.number(kind.code)
        card: Item = {name: [] if field.multiple else None for name, field in self.fields[kind.id].items()}
        for name in MULTIFIELDS:
            card.pop(name, None)
        card |= {
            "ID": str(number),
            "ASSIGNED_BY_ID": by,
            "CREATED_BY_ID": by,
            "MODIFY_BY_ID": by,
            "DATE_CREATE": now,
            "DATE_MODIFY": now,
            "LAST_ACTIVITY_TIME": now,
            "LAST_ACTIVITY_BY": by,
            "OPENED": "Y",
            "FM": [],
        }
        for name in ("CLOSED", "IS_RECURRING", "IS_RETURN_CUSTOMER", "IS_REPEATED_APPROACH", "HAS_IMOL"):
            if name in card:
                card[name] = "N"
        if "CATEGORY_ID" in card:
            card["CATEGORY_ID"] = str(self.dictionaries.default_category(kind.id))
        if "CURRENCY_ID" in card:
            card |= {"CURRENCY_ID": "RUB", "OPPORTUNITY": "0.00", "TAX_VALUE": "0.00", "IS_MANUAL_OPPORTUNITY": "N"}
        if "BEGINDATE" in card:
            card["BEGINDATE"] = card["CLOSEDATE"] = values.moment(now, offset, midnight=True)
        card |= self._taken(kind, given, offset, adding=True)
        card.setdefault("TITLE", None)
        if not card["TITLE"] and kind.stage:
            card["TITLE"] = f"{kind.event.title()} #{number}"
        self._multifields(card, multi or [])
        self._relate(card, given)
        if kind.stage:
            self._place(kind, card, card.get(kind.stage))
            card |= {"MOVED_BY_ID": by, "MOVED_TIME": now}
            if kind.id == DEAL:
                card["IS_NEW"] = "Y"
        self.items[kind.id][number] = card
        hit.fire(f"ONCRM{kind.event}ADD", self.event_data(kind, number))
        if kind.stage:
            hit.entered(kind.id, number, card[kind.stage])
        return number

    def update(
        self,
        hit: "Hit",
        kind: Kind,
        item_id: int,
        given: Mapping[str, Any],
        multi: list[dict[str, Any]] | None = None,
        *,
        universal: bool = False,
    ) -> None:
        """Change a card. Only the universal API may move it to another funnel. Raises KeyError, Refusal."""
        card = self.get(kind, item_id)
        before, now = dict(card), self.stamp()
        new = self._taken(kind, given, hit.portal.offset_h, adding=universal)
        moved_funnel = "CATEGORY_ID" in new and new["CATEGORY_ID"] != card.get("CATEGORY_ID")
        stage = new.pop(kind.stage, None) if kind.stage else None
        if moved_funnel or stage is not None:
            trial = card | new
            self._place(kind, trial, stage, strict=stage is not None)
            new |= {name: trial[name] for name in self._stage_fields(kind) if name in trial}
        card |= new
        self._multifields(card, multi or [])
        self._relate(card, given)
        card |= {"DATE_MODIFY": now, "LAST_ACTIVITY_TIME": now}
        card["MODIFY_BY_ID"] = card["LAST_ACTIVITY_BY"] = str(hit.user_id or 1)
        moved = bool(kind.stage) and card[kind.stage] != before[kind.stage]
        if moved:
            card |= {"MOVED_BY_ID": card["MODIFY_BY_ID"], "MOVED_TIME": now}
            if "PREVIOUS_STAGE_ID" in card:
                card["PREVIOUS_STAGE_ID"] = before[kind.stage]
            if kind.id == DEAL:
                card["IS_NEW"] = "N"
        if moved_funnel and kind.id == DEAL:
            place = {"CATEGORY_ID": card["CATEGORY_ID"], "STAGE_ID": card["STAGE_ID"]}
            hit.fire("ONCRMDEALMOVETOCATEGORY", {"FIELDS": {"ID": item_id, **place}})
        else:
            hit.fire(f"ONCRM{kind.event}UPDATE", self.event_data(kind, item_id))
        if moved:
            hit.entered(kind.id, item_id, card[kind.stage])

    def delete(self, hit: "Hit", kind: Kind, item_id: int) -> None:
        """Remove a card. Raises KeyError."""
        del self.items[kind.id][item_id]
        hit.fire(f"ONCRM{kind.event}DELETE", self.event_data(kind, item_id))

    def event_data(self, kind: Kind, item_id: int) -> dict[str, Any]:
        """What an event says of a card."""
        more = {"ENTITY_TYPE_ID": kind.id} if kind.id in self.dynamic_types else {}
        return {"FIELDS": {"ID": item_id, **more}}

    def touch(self, kind: Kind, item_id: int, user_id: int | None) -> None:
        """Note that something happened around a card."""
        card = self.items[kind.id].get(item_id)
        if card is not None:
            card |= {"LAST_ACTIVITY_TIME": self.stamp(), "LAST_ACTIVITY_BY": str(user_id or 1)}

    def _taken(self, kind: Kind, given: Mapping[str, Any], offset_h: int, *, adding: bool) -> dict[str, Any]:
        fields = self.fields[kind.id]
        kept = {}
        for name, value in given.items():
            field = fields.get(name)
            if field is None or name in MULTIFIELDS or "ro" in field.flags or ("imm" in field.flags and not adding):
                continue
            kept[name] = values.taken(field, value, offset_h)
        return kept

    def _stage_fields(self, kind: Kind) -> tuple[str, ...]:
        return (kind.stage, "CATEGORY_ID", "STAGE_SEMANTIC_ID", "STATUS_SEMANTIC_ID", "CLOSED", "CLOSEDATE")

    def _place(self, kind: Kind, card: Item, stage: Any, *, strict: bool = False) -> None:
        """Put a card on a stage of its funnel, the first one for none. Raises Refusal for a foreign stage."""
        category = int(card.get("CATEGORY_ID") or 0)
        known = self.dictionaries.stages(kind.id, category)
        if not known:
            raise Refusal("", "Category is not found")
        chosen = next((row for row in known if row["STATUS_ID"] == stage), None)
        if chosen is None:
            if strict:
                raise Refusal("", f"Stage {stage} is not found in the pipeline")
            chosen = known[0]
        card[kind.stage] = chosen["STATUS_ID"]
        semantic = chosen["SEMANTICS"] or "P"
        for name in ("STAGE_SEMANTIC_ID", "STATUS_SEMANTIC_ID"):
            if name in self.fields[kind.id]:
                card[name] = semantic
        if "CLOSED" in card:
            card["CLOSED"] = "N" if semantic == "P" else "Y"

    def _multifields(self, card: Item, changes: list[dict[str, Any]]) -> None:
        """Add, change and remove phones and the like; each change has TYPE_ID, VALUE, VALUE_TYPE, ID, DELETE."""
        rows: list[dict[str, str]] = card["FM"]
        for change in changes:
            number, value = str(change.get("ID") or ""), change.get("VALUE")
            existing = next((row for row in rows if row["ID"] == number), None)
            gone = str(change.get("DELETE") or "").upper() == "Y" or value == ""
            if existing is not None and gone:
                rows.remove(existing)
            elif existing is not None:
                existing["VALUE"] = existing["VALUE"] if value is None else str(value)
                existing["VALUE_TYPE"] = str(change.get("VALUE_TYPE") or existing["VALUE_TYPE"])
            elif value not in (None, "") and not gone:
                row = {
                    "ID": str(self.number("multifield", 701)),
                    "VALUE_TYPE": str(change.get("VALUE_TYPE") or "WORK"),
                    "VALUE": str(value),
                    "TYPE_ID": str(change["TYPE_ID"]),
                }
                rows.append(row)
        for name, kind in (("HAS_PHONE", "PHONE"), ("HAS_EMAIL", "EMAIL")):
            if name in card:
                card[name] = "Y" if any(row["TYPE_ID"] == kind for row in rows) else "N"

    def _relate(self, card: Item, given: Mapping[str, Any]) -> None:
        """Keep the primary contact or company and the list of all of them in step."""
        for one, many in (("CONTACT_ID", "CONTACT_IDS"), ("COMPANY_ID", "COMPANY_IDS")):
            if many not in card:
                continue
            if many in given:
                card[one] = card[many][0] if card[many] else None
            elif one in given:
                card[many] = [card[one]] if card[one] not in (None, "", "0") else []


def bindings(card: Item, kind: Kind) -> list[dict[str, Any]]:
    """The relation of a card to its contacts, or of a contact to its companies, in the way of `*.items.get`."""
    name, key = ("COMPANY_IDS", "COMPANY_ID") if kind.id == CONTACT else ("CONTACT_IDS", "CONTACT_ID")
    listed = card.get(name)
    if listed is None:
        listed = [card["CONTACT_ID"]] if card.get("CONTACT_ID") else []
    return [
        {key: int(number), "SORT": 10 * (place + 1), "ROLE_ID": 0, "IS_PRIMARY": "Y" if place == 0 else "N"}
        for place, number in enumerate(listed)
    ]
