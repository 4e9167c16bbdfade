"""The portal's methods for cards, alike for the kinds that have their own and for those that have only `crm.item.*`."""

from collections.abc import Mapping
from typing import Any

from connectors.bitrix24.rest import Command
from hub.bitrix24 import entities
from hub.bitrix24.client import PortalClient
from hub.values import Value, as_number, as_text

MULTIFIELDS = frozenset({"PHONE", "EMAIL", "WEB", "IM"})


def timeline_name(entity: str) -> str:
    """What the methods of the timeline call a kind of card."""
    return entity if entity in entities.CLASSIC else f"dynamic_{entities.type_id(entity)}"


def read(client: PortalClient, entity: str, number: int) -> dict[str, Value]:
    """The fields of a card by their codes, as REST gives them. Raises ConnectorError."""
    method, params = get_command(entity, number)
    return fields_of(entity, client.call(method, params).result)


def get_command(entity: str, number: int) -> Command:
    """The method that gives a card."""
    if entity in entities.CLASSIC:
        return f"crm.{entity}.get", {"id": number}
    return "crm.item.get", {"entityTypeId": entities.type_id(entity), "id": number, "useOriginalUfNames": "Y"}


def fields_of(entity: str, result: Any) -> dict[str, Value]:
    """A card's fields by their codes, from what `get_command` gave."""
    if entity in entities.CLASSIC:
        return dict(result)
    return {entities.upper_name(name): value for name, value in result["item"].items()}


def update_command(entity: str, number: int, fields: Mapping[str, Value]) -> Command:
    """The method that changes a card; the older ones cannot move it to another funnel."""
    if entity in entities.CLASSIC and "CATEGORY_ID" not in fields:
        return f"crm.{entity}.update", {"id": number, "fields": _written(fields)}
    return "crm.item.update", {"id": number, **_universal(entity, fields)}


def create_command(entity: str, fields: Mapping[str, Value]) -> Command:
    """The method that makes a card."""
    if entity in entities.CLASSIC:
        return f"crm.{entity}.add", {"fields": _written(fields)}
    return "crm.item.add", _universal(entity, fields)


def differ(card: Mapping[str, Value], fields: Mapping[str, Value]) -> bool:
    """Whether a card has other values than these. What cannot be compared, such as phones, counts as another."""
    return any(name in MULTIFIELDS or _same(card.get(name)) != _same(value) for name, value in fields.items())


def _same(value: Value) -> str:
    """A value in the form in which two spellings of it are equal: `150000`, `150000.00`; yes, `Y`."""
    if isinstance(value, bool):
        return "Y" if value else "N"
    number = as_number(value)
    return as_text(value) if number is None else format(number.normalize(), "f")


def _written(fields: Mapping[str, Value]) -> dict[str, Value]:
    written: dict[str, Value] = {}
    for name, value in fields.items():
        if isinstance(value, bool):
            value = ("1" if value else "0") if name.startswith("UF_") else ("Y" if value else "N")
        elif name in MULTIFIELDS and isinstance(value, str):
            value = [{"VALUE": value, "VALUE_TYPE": "WORK"}]
        elif value == []:
            value = [""]
        written[name] = value
    return written


def _universal(entity: str, fields: Mapping[str, Value]) -> dict[str, Value]:
    named = {entities.universal_name(name): value for name, value in _written(fields).items()}
    return {"entityTypeId": entities.type_id(entity), "fields": named, "useOriginalUfNames": "Y"}
