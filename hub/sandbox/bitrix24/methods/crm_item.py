"""The universal methods of cards, `crm.item.*`: camel-case names, typed values, exact parameters."""

from collections.abc import Mapping
from typing import Any

from hub.sandbox.bitrix24.calls import Call, Page, registry
from hub.sandbox.bitrix24.crm import filters, views
from hub.sandbox.bitrix24.crm.kinds import MULTIFIELDS, Field, Kind
from hub.sandbox.bitrix24.crm.store import Item
from hub.sandbox.bitrix24.methods.crm_cards import visible
from hub.sandbox.bitrix24.refusals import Refusal, wrong_value


def exact(call: Call, name: str) -> Any:
    """A parameter in exactly this case. Raises Refusal when it is missing."""
    value = call.params.get(name)
    if value in (None, ""):
        raise Refusal("100", f"Could not find value for parameter {{{name}}}")
    return value


def whole(call: Call, name: str) -> int:
    """A parameter that is a whole number. Raises Refusal."""
    value = exact(call, name)
    if not str(value).isdigit():
        raise Refusal(
            "100", f"Invalid value {{{value}}} to match with parameter {{{name}}}. Should be value of type int."
        )
    return int(value)


def _kind(call: Call) -> Kind:
    found = call.portal.crm.kinds.get(whole(call, "entityTypeId"))
    if found is None:
        raise Refusal("NOT_FOUND", "SPA not found")
    return found


def _card(call: Call, kind: Kind) -> tuple[int, Item]:
    number = whole(call, "id")
    card = call.portal.crm.items[kind.id].get(number)
    if card is None:
        raise Refusal("NOT_FOUND", "Item not found")
    if not visible(call, card):
        raise Refusal("ACCESS_DENIED", "Access denied")
    return number, card


def _original(call: Call) -> bool:
    return str(call.params.get("useOriginalUfNames", "N")).upper() == "Y"


def _names(call: Call, kind: Kind) -> dict[str, Field]:
    """The fields by the names this call uses, for values and for filters."""
    original = _original(call)
    fields = call.portal.crm.fields[kind.id].values()
    return {(field.name if original and field.dynamic else field.item): field for field in fields}


def _given(call: Call, kind: Kind) -> dict[str, Any]:
    fields = call.params.get("fields")
    if not isinstance(fields, Mapping):
        raise Refusal("100", "Could not find value for parameter {fields}")
    names = _names(call, kind) | {field.name: field for field in call.portal.crm.fields[kind.id].values()}
    return {names[name].name: value for name, value in fields.items() if name in names}


def _multi(call: Call, card: Item | None) -> list[dict[str, Any]]:
    """The changes under `fm`: keys n0, n1, … add, an id changes, an empty value removes."""
    rows = call.params["fields"].get("fm")
    items = rows.items() if isinstance(rows, Mapping) else enumerate(rows) if isinstance(rows, list) else ()
    known = {row["ID"] for row in card["FM"]} if card is not None else set()
    changes = []
    for key, row in items:
        if not isinstance(row, Mapping) or str(row.get("typeId")) not in MULTIFIELDS:
            raise wrong_value("Wrong value of the field fm")
        number = str(row.get("id") or key)
        changes.append(
            {
                "TYPE_ID": row["typeId"],
                "VALUE_TYPE": row.get("valueType"),
                "VALUE": row.get("value"),
                "ID": number if number in known else "",
            }
        )
    return changes


def _shown(call: Call, kind: Kind, card: Item) -> dict[str, Any]:
    return {"item": views.item_card(call.portal.crm, kind, card, original=_original(call))}


@registry.add("crm.item.fields", "crm")
def fields(call: Call) -> dict[str, Any]:
    """The fields of a kind."""
    kind = _kind(call)
    shown = {}
    for name, field in _names(call, kind).items():
        if field.name not in MULTIFIELDS:
            shown[name] = views.describe(field, universal=True)
            if field.status_type == "DYNAMIC":
                crm = call.portal.crm
                shown[name]["statusType"] = crm.dictionaries.entity(kind.id, crm.dictionaries.default_category(kind.id))
    return {"fields": shown}


@registry.add("crm.item.get", "crm")
def get(call: Call) -> dict[str, Any]:
    """One card."""
    kind = _kind(call)
    return _shown(call, kind, _card(call, kind)[1])


@registry.add("crm.item.list", "crm")
def list_(call: Call) -> Page:
    """A page of cards. An unknown field in the filter is an error."""
    kind = _kind(call)
    crm, original = call.portal.crm, _original(call)
    select = call.params.get("select") or ["*"]
    listed = select.values() if isinstance(select, dict) else select if isinstance(select, list) else [select]
    wanted = {str(name) for name in listed}
    names = _names(call, kind)
    upper = {field.name: name for name, field in names.items()}

    def unknown(name: str) -> None:
        if name not in names and name not in upper:
            raise wrong_value(f"Invalid filter: field '{name}' is not allowed in filter")

    rows = [
        views.item_card(crm, kind, card, original=original, fm="*" in wanted or "fm" in wanted)
        for card in crm.items[kind.id].values()
        if visible(call, card)
    ]
    conditions = {}
    for key, value in call.table("filter").items():
        prefix, name = filters.split(key)
        unknown(name)
        conditions[prefix + upper.get(name, name)] = value
    order = {upper.get(name, name): way for name, way in call.table("order").items()}
    found = filters.ordered(filters.matching(rows, conditions), order)
    shown, following, total = filters.page(found, call.params.get("start"))
    if "*" not in wanted:
        wanted |= {"id"} | {upper[name] for name in wanted if name in upper}
        shown = [{name: value for name, value in row.items() if name in wanted} for row in shown]
    return Page({"items": shown}, following, total)


@registry.add("crm.item.add", "crm")
def add(call: Call) -> dict[str, Any]:
    """A new card."""
    kind = _kind(call)
    given = _given(call, kind)
    number = _worded(lambda: call.portal.crm.add(call.hit, kind, given, _multi(call, None)))
    return _shown(call, kind, call.portal.crm.get(kind, number))


@registry.add("crm.item.update", "crm")
def update(call: Call) -> dict[str, Any]:
    """Change a card; also moves it to another funnel."""
    kind = _kind(call)
    number, card = _card(call, kind)
    given, multi = _given(call, kind), _multi(call, card)
    _worded(lambda: call.portal.crm.update(call.hit, kind, number, given, multi, universal=True))
    return _shown(call, kind, card)


@registry.add("crm.item.delete", "crm")
def delete(call: Call) -> list[Any]:
    """Remove a card."""
    kind = _kind(call)
    call.portal.crm.delete(call.hit, kind, _card(call, kind)[0])
    return []


def _worded(run: Any) -> Any:
    """Run a change; a value that is refused has a code here."""
    try:
        return run()
    except Refusal as refusal:
        if refusal.code:
            raise
        raise Refusal("CRM_FIELD_ERROR_VALUE_NOT_VALID", refusal.said) from None
