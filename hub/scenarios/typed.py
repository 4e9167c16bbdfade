"""Declared types of values: whether a value is of a type, and bringing over what plainly means the same."""

from decimal import Decimal

from hub.scenarios.block import JsonType
from hub.values import Number, Value, as_number, as_text, literal, type_name

_booleans = {"true": True, "false": False}


def coerce(value: Value, wanted: JsonType) -> Value:
    """The value as the wanted type: a text that spells a number or `true` counts, a number shows as a text, and an
    empty place is an empty text. Raises ValueError with one sentence when it cannot be."""
    have = type_name(value)
    if wanted in ("any", have):
        return value
    if wanted == "string" and (value is None or isinstance(value, bool | int | Decimal)):
        return as_text(value)
    if wanted == "number" and isinstance(value, str):
        number = as_number(value)
        if number is not None:
            return Number(literal(number))
    if wanted == "boolean" and isinstance(value, str) and value.strip().lower() in _booleans:
        return _booleans[value.strip().lower()]
    raise ValueError(f"A {wanted} was expected here, not {'nothing' if value is None else have}.")
