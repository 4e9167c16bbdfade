"""The older methods of cards: `crm.deal.*`, `crm.lead.*`, `crm.contact.*`, `crm.company.*`."""

from collections.abc import Callable
from typing import Any

from hub.sandbox.bitrix24.calls import Call, Page, registry
from hub.sandbox.bitrix24.crm import filters, views
from hub.sandbox.bitrix24.crm.kinds import MULTIFIELDS, Field, Kind, is_user_field, legacy_kind
from hub.sandbox.bitrix24.crm.store import Item, bindings
from hub.sandbox.bitrix24.refusals import Refusal

NOT_FOUND = "Not found"


def identified(call: Call, kind: Kind) -> tuple[int, Item]:
    """The card that a call names by `id`. Raises Refusal in the words of these methods."""
    raw = call.arg("id")
    if not str(raw or "").isdigit() or int(raw) <= 0:
        raise Refusal("", "ID is not defined or invalid.")
    card = call.portal.crm.items[kind.id].get(int(raw))
    if card is None:
        raise Refusal("", NOT_FOUND)
    if not visible(call, card):
        raise Refusal("", "Access denied")
    return int(raw), card


def visible(call: Call, card: Item) -> bool:
    """Whether the person may see a card."""
    return call.user.admin or call.user.sees_all or card.get("ASSIGNED_BY_ID") == str(call.user.id)


def multi_changes(fields: dict[str, Any]) -> list[dict[str, Any]]:
    """The changes of phones and the like that `fields` hold under PHONE, EMAIL and so on."""
    changes: list[dict[str, Any]] = []
    for name in MULTIFIELDS:
        rows = fields.get(name)
        rows = list(rows.values()) if isinstance(rows, dict) else rows if isinstance(rows, list) else []
        changes += [{**row, "TYPE_ID": name} for row in rows if isinstance(row, dict)]
    return changes


def listed(call: Call, kind: Kind, rows: list[dict[str, Any]]) -> Page:
    """One page of rows, filtered, ordered and selected as the older methods do."""
    found = filters.ordered(filters.matching(rows, call.table("filter")), call.arg("order"))
    shown, following, total = filters.page(found, call.arg("start"))
    fields = call.portal.crm.fields[kind.id]
    return Page([_selected(row, fields, call.arg("select")) for row in shown], following, total)


def _selected(row: Any, fields: dict[str, Field], select: Any) -> dict[str, Any]:
    wanted = select.values() if isinstance(select, dict) else select if isinstance(select, list) else [select]
    names = {str(name) for name in wanted if name} or {"*"}
    kept = {}
    for name, value in row.items():
        plain = not is_user_field(name) and name not in MULTIFIELDS
        if name == "ID" or name in names or ("*" in names and plain) or ("UF_*" in names and is_user_field(name)):
            kept[name] = value
    return kept


def _register(code: str) -> None:
    kind = legacy_kind(code)

    def method(name: str) -> Callable[[Callable[[Call], Any]], Callable[[Call], Any]]:
        return registry.add(f"crm.{code}.{name}", "crm")

    @method("fields")
    def fields(call: Call) -> dict[str, Any]:
        return {name: views.describe(field) for name, field in call.portal.crm.fields[kind.id].items()}

    @method("get")
    def get(call: Call) -> dict[str, Any]:
        return views.legacy_card(call.portal.crm, kind, identified(call, kind)[1])

    @method("list")
    def list_(call: Call) -> Page:
        crm = call.portal.crm
        seen = [card for card in crm.items[kind.id].values() if visible(call, card)]
        return listed(call, kind, [views.legacy_card(crm, kind, card) for card in seen])

    @method("add")
    def add(call: Call) -> int:
        given = call.table("fields")
        return call.portal.crm.add(call.hit, kind, given, multi_changes(given))

    @method("update")
    def update(call: Call) -> bool:
        number, _ = identified(call, kind)
        given = call.table("fields")
        call.portal.crm.update(call.hit, kind, number, given, multi_changes(given))
        return True

    @method("delete")
    def delete(call: Call) -> bool:
        call.portal.crm.delete(call.hit, kind, identified(call, kind)[0])
        return True

    _register_relations(code, kind)


def _register_relations(code: str, kind: Kind) -> None:
    other = {"deal": "contact", "lead": "contact", "company": "contact", "contact": "company"}[code]

    @registry.add(f"crm.{code}.{other}.items.get", "crm")
    def items(call: Call) -> list[dict[str, Any]]:
        number, card = identified(call, kind)
        if code != "company":
            return bindings(card, kind)
        people = call.portal.crm.items[legacy_kind("contact").id].items()
        mine = [contact for contact, row in people if str(number) in row["COMPANY_IDS"]]
        return [
            {"CONTACT_ID": contact, "SORT": 10 * (place + 1), "ROLE_ID": 0, "IS_PRIMARY": "Y" if not place else "N"}
            for place, contact in enumerate(mine)
        ]

    if code == "company":
        return

    @registry.add(f"crm.{code}.{other}.items.set", "crm")
    def set_items(call: Call) -> bool:
        number, card = identified(call, kind)
        rows = call.arg("items")
        rows = list(rows.values()) if isinstance(rows, dict) else rows if isinstance(rows, list) else []
        key, many = f"{other.upper()}_ID", f"{other.upper()}_IDS"
        rows.sort(key=lambda row: str(row.get("IS_PRIMARY") or "N") != "Y")
        numbers = [row.get(key) for row in rows]
        given: dict[str, Any] = {many: numbers} if many in card else {key: numbers[0] if numbers else None}
        call.portal.crm.update(call.hit, kind, number, given)
        return True


for _code in ("deal", "lead", "contact", "company"):
    _register(_code)
