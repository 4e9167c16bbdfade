"""User fields of deals, leads, contacts and companies."""

from typing import Any

from hub.sandbox.bitrix24.calls import Call, Page, registry
from hub.sandbox.bitrix24.crm import filters
from hub.sandbox.bitrix24.crm.kinds import Kind, legacy_kind
from hub.sandbox.bitrix24.refusals import Refusal

TYPES = (
    "string",
    "integer",
    "double",
    "boolean",
    "enumeration",
    "date",
    "datetime",
    "money",
    "url",
    "address",
    "employee",
    "crm",
    "file",
)


def _row(call: Call, kind: Kind, number: int, name: str) -> dict[str, Any]:
    field = call.portal.crm.fields[kind.id][name]
    row: dict[str, Any] = {
        "ID": str(number),
        "ENTITY_ID": f"CRM_{kind.event}",
        "FIELD_NAME": name,
        "USER_TYPE_ID": field.type,
        "XML_ID": None,
        "SORT": "100",
        "MULTIPLE": "Y" if field.multiple else "N",
        "MANDATORY": "N",
        "SHOW_FILTER": "E",
        "SHOW_IN_LIST": "Y",
        "EDIT_IN_LIST": "Y",
        "IS_SEARCHABLE": "N",
        "SETTINGS": dict(field.settings) or [],
    }
    if field.values:
        row["LIST"] = [
            {"ID": key, "SORT": str(10 * (place + 1)), "VALUE": text, "DEF": "N", "XML_ID": f"x{key}"}
            for place, (key, text) in enumerate(field.values)
        ]
    return row


def _rows(call: Call, kind: Kind) -> list[dict[str, Any]]:
    numbers = call.portal.crm.user_field_ids.items()
    return [_row(call, kind, number, name) for (of, name), number in numbers if of == kind.id]


def _identified(call: Call, kind: Kind) -> dict[str, Any]:
    wanted = str(call.arg("id") or "")
    for row in _rows(call, kind):
        if row["ID"] == wanted:
            return row
    raise Refusal("ERROR_NOT_FOUND", f"The entity with ID '{wanted}' is not found")


def _tell(call: Call, kind: Kind, what: str, row: dict[str, Any]) -> None:
    data = {"ID": int(row["ID"]), "ENTITY_ID": row["ENTITY_ID"], "FIELD_NAME": row["FIELD_NAME"]}
    call.hit.fire(f"ONCRM{kind.event}USERFIELD{what}", {"FIELDS": data})


def _register(code: str) -> None:
    kind = legacy_kind(code)

    @registry.add(f"crm.{code}.userfield.list", "crm")
    def list_(call: Call) -> Page:
        rows = filters.matching(_rows(call, kind), call.table("filter"))
        found = filters.ordered(rows, call.arg("order"))
        shown, following, total = filters.page(found, call.arg("start"))
        return Page(shown, following, total)

    @registry.add(f"crm.{code}.userfield.get", "crm")
    def get(call: Call) -> dict[str, Any]:
        return _identified(call, kind)

    @registry.add(f"crm.{code}.userfield.add", "crm", admin=True)
    def add(call: Call) -> int:
        given = call.table("fields")
        name = str(given.get("FIELD_NAME") or "").upper()
        name = name if name.startswith("UF_CRM_") else f"UF_CRM_{name}"
        type_name = str(given.get("USER_TYPE_ID") or "")
        if type_name not in TYPES:
            raise Refusal("ERROR_CORE", "Unknown user type")
        if name == "UF_CRM_" or name in call.portal.crm.fields[kind.id]:
            raise Refusal("ERROR_CORE", f"The field {name} exists already or has no name")
        title = str(given.get("LABEL") or given.get("EDIT_FORM_LABEL") or name)
        flags = frozenset({"multi"}) if given.get("MULTIPLE") == "Y" else frozenset[str]()
        choices = given.get("LIST") or []
        choices = list(choices.values()) if isinstance(choices, dict) else choices
        numbered = [(str(call.portal.crm.number("enumeration", 301)), str(row.get("VALUE"))) for row in choices]
        number = call.portal.crm.add_user_field(kind.id, name, type_name, title, flags, tuple(numbered))
        _tell(call, kind, "ADD", _row(call, kind, number, name))
        return number

    @registry.add(f"crm.{code}.userfield.delete", "crm", admin=True)
    def delete(call: Call) -> bool:
        row = _identified(call, kind)
        name = row["FIELD_NAME"]
        del call.portal.crm.fields[kind.id][name]
        del call.portal.crm.user_field_ids[kind.id, name]
        for card in call.portal.crm.items[kind.id].values():
            card.pop(name, None)
        _tell(call, kind, "DELETE", row)
        return True


for _code in ("deal", "lead", "contact", "company"):
    _register(_code)
