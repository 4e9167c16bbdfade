"""Dictionaries, funnels, smart processes, and the search for cards by phone or e-mail."""

import re
from typing import Any

from hub.sandbox.bitrix24.calls import Call, Page, registry
from hub.sandbox.bitrix24.crm import filters
from hub.sandbox.bitrix24.crm.kinds import COMPANY, CONTACT, LEAD
from hub.sandbox.bitrix24.methods.crm_item import whole
from hub.sandbox.bitrix24.refusals import Refusal

TYPE_NAMES = {1: "Лид", 2: "Сделка", 3: "Контакт", 4: "Компания"}
MOST_VALUES = 20


@registry.add("crm.status.list", "crm")
def status_list(call: Call) -> Page:
    """Rows of dictionaries, all at once as with the real one."""
    rows = filters.matching(call.portal.crm.dictionaries.rows, call.table("filter"))
    found = filters.ordered(rows, call.arg("order") or {"SORT": "ASC"})
    return Page(found, None, len(found))


@registry.add("crm.status.entity.items", "crm")
def status_items(call: Call) -> list[dict[str, Any]]:
    """One dictionary in short."""
    entity = str(call.need("entityId") if call.arg("entityId") else call.need("ENTITY_ID"))
    rows = [row for row in call.portal.crm.dictionaries.rows if row["ENTITY_ID"] == entity]
    return [{"NAME": row["NAME"], "SORT": int(row["SORT"]), "STATUS_ID": row["STATUS_ID"]} for row in rows]


@registry.add("crm.status.entity.types", "crm")
def status_types(call: Call) -> list[dict[str, Any]]:
    """The dictionaries there are."""
    names = dict.fromkeys(row["ENTITY_ID"] for row in call.portal.crm.dictionaries.rows)
    return [{"ID": name, "NAME": name} for name in names]


@registry.add("crm.category.list", "crm")
def category_list(call: Call) -> Page:
    """The funnels of a kind."""
    number = whole(call, "entityTypeId")
    rows = call.portal.crm.dictionaries.categories.get(number)
    if rows is None:
        raise Refusal("ENTITY_TYPE_NOT_SUPPORTED", "Entity type is not supported")
    return Page({"categories": [dict(row) for row in rows]}, None, len(rows))


@registry.add("crm.category.get", "crm")
def category_get(call: Call) -> dict[str, Any]:
    """One funnel."""
    rows = call.portal.crm.dictionaries.categories.get(whole(call, "entityTypeId"), [])
    number = whole(call, "id")
    for row in rows:
        if row["id"] == number:
            return {"category": dict(row)}
    raise Refusal("NOT_FOUND", "Element not found")


@registry.add("crm.type.list", "crm")
def type_list(call: Call) -> Page:
    """The smart processes; for administrators."""
    if not call.user.admin:
        raise Refusal("ACCESS_DENIED", "You do not have access to this action")
    rows = [
        {
            **row,
            "code": "",
            "isCategoriesEnabled": "Y",
            "isStagesEnabled": "Y",
            "isClientEnabled": "Y",
            "isAutomationEnabled": "Y",
        }
        for row in call.portal.crm.dynamic_types.values()
    ]
    return Page({"types": rows}, None, len(rows))


@registry.add("crm.enum.ownertype", "crm")
def owner_types(call: Call) -> list[dict[str, Any]]:
    """All kinds of cards."""
    crm = call.portal.crm
    return [
        {
            "ID": kind.id,
            "NAME": TYPE_NAMES.get(kind.id) or crm.dynamic_types[kind.id]["title"],
            "SYMBOL_CODE": kind.document[2],
            "SYMBOL_CODE_SHORT": kind.abbreviation,
        }
        for kind in crm.kinds.values()
    ]


@registry.add("crm.duplicate.findbycomm", "crm")
def find_by_communication(call: Call) -> Any:
    """Cards with one of the phones or addresses, by kind; an empty list for none."""
    kind, values = str(call.arg("type") or ""), call.arg("values")
    values = list(values.values()) if isinstance(values, dict) else values if isinstance(values, list) else []
    if kind not in ("PHONE", "EMAIL"):
        raise Refusal("Communication type is not defined")
    if not values:
        raise Refusal("Communication values is not defined")
    if len(values) > MOST_VALUES:
        raise Refusal("Too many communication values")
    wanted = {_comparable(kind, value) for value in values}
    only = str(call.arg("entity_type") or "").upper()
    found: dict[str, list[int]] = {}
    for name, number in (("LEAD", LEAD), ("CONTACT", CONTACT), ("COMPANY", COMPANY)):
        if only in ("", name):
            for item, card in call.portal.crm.items[number].items():
                rows = [row for row in card["FM"] if row["TYPE_ID"] == kind]
                if any(_comparable(kind, row["VALUE"]) in wanted for row in rows):
                    found.setdefault(name, []).append(item)
    return found or []


def _comparable(kind: str, value: Any) -> str:
    text = str(value).strip().lower()
    if kind == "EMAIL":
        return text
    digits = re.sub(r"[^0-9]", "", text)
    return f"7{digits[1:]}" if len(digits) == 11 and digits.startswith("8") else digits
