"""How cards and their fields look in either API."""

from typing import Any

from hub.sandbox.bitrix24.crm import values
from hub.sandbox.bitrix24.crm.kinds import MULTIFIELDS, Field, Kind
from hub.sandbox.bitrix24.crm.store import Crm, Item


def legacy_card(crm: Crm, kind: Kind, card: Item, *, multi: bool = True) -> dict[str, Any]:
    """A card as `crm.deal.get` shows it; multifields are absent when empty."""
    shown = {
        name: values.legacy(field, card.get(name))
        for name, field in crm.fields[kind.id].items()
        if name not in MULTIFIELDS and name not in ("CONTACT_IDS", "COMPANY_IDS")
    }
    if multi:
        for name in MULTIFIELDS:
            rows = [dict(row) for row in card["FM"] if row["TYPE_ID"] == name]
            if rows:
                shown[name] = rows
    return shown


def item_card(crm: Crm, kind: Kind, card: Item, *, original: bool = False, fm: bool = True) -> dict[str, Any]:
    """A card as `crm.item.get` shows it; with `original` user fields keep their legacy names."""
    shown = {
        (name if original and field.dynamic else field.item): values.typed(field, card.get(name))
        for name, field in crm.fields[kind.id].items()
        if name not in MULTIFIELDS
    }
    if fm and any(name in crm.fields[kind.id] for name in MULTIFIELDS):
        shown["fm"] = [
            {"id": int(row["ID"]), "typeId": row["TYPE_ID"], "valueType": row["VALUE_TYPE"], "value": row["VALUE"]}
            for row in card["FM"]
        ]
    return shown | {"entityTypeId": kind.id}


def describe(field: Field, *, universal: bool = False) -> dict[str, Any]:
    """A field as `crm.deal.fields` (or `crm.item.fields`) describes it."""
    shown: dict[str, Any] = {
        "type": field.type,
        "isRequired": "req" in field.flags,
        "isReadOnly": "ro" in field.flags,
        "isImmutable": "imm" in field.flags,
        "isMultiple": field.multiple,
        "isDynamic": field.dynamic,
    }
    if field.status_type:
        shown["statusType"] = field.status_type
    if "dep" in field.flags:
        shown["isDeprecated"] = True
    if field.values:
        shown["items"] = [{"ID": number, "VALUE": text} for number, text in field.values]
    if field.dynamic:
        labels = {"listLabel": field.title, "formLabel": field.title, "filterLabel": field.title}
        shown |= {"title": field.title if universal else field.name, **labels}
        shown["settings"] = dict(field.settings) or []
    else:
        shown["title"] = field.title
    if universal:
        shown["upperName"] = field.name
    return shown
