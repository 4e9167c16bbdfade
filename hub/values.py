"""JSON values whose numbers keep the literal they came with, and how a value reads as text.

A shop that sends `150000.00` must see `150000.00` in the message, and an order number of thirty digits must not
lose any. So a number is a `Number`: a Decimal that remembers its spelling until something computes with it.
This module trusts its input (our own rows); what strangers send goes through `hub.endpoints.parse` first.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

_unstorable = re.compile("[\x00\ud800-\udfff]")
type_names = {str: "string", bool: "boolean", dict: "object", list: "list"}


class Number(Decimal):
    """A JSON number with the literal it was written as. Arithmetic gives a plain Decimal."""

    __slots__ = ("literal",)
    literal: str

    def __new__(cls, literal: str) -> "Number":
        number = super().__new__(cls, literal)
        number.literal = literal
        return number

    def __reduce__(self) -> tuple[type["Number"], tuple[str]]:
        return Number, (self.literal,)


# What a scenario's variables hold: str, bool, None, Number or Decimal, list, dict with string keys.
Value = Any


def loads(text: str | bytes) -> Value:
    """JSON of our own making to a Value. Raises ValueError when it is not JSON."""
    return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=_no_constant)


def dumps(value: Value) -> str:
    """A Value as compact JSON; numbers keep their literals, letters stay letters."""
    return dumps_bytes(value).decode()


def dumps_bytes(value: Value) -> bytes:
    """`dumps` as UTF-8 bytes."""
    return orjson.dumps(value, default=_default, option=orjson.OPT_PASSTHROUGH_SUBCLASS)


def as_text(value: Value) -> str:
    """How a value is shown inside a text: null is empty, a list or an object is compact JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, Decimal):
        return literal(value)
    if isinstance(value, int):
        return str(value)
    return dumps(value)


def as_number(value: Value) -> Decimal | None:
    """The number that a value is, or that a text spells; None when it is neither.

    Only plain decimal spellings count (`-12`, `3.50`, `1e5`), of at most 128 characters and within 1e±308,
    so that nothing a stranger sends can make arithmetic slow.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if not isinstance(value, str):
        return None
    spelled = value.strip().replace("\u00a0", "").replace("\u202f", "")
    if not spelled or len(spelled) > 128 or not spelled.isascii():
        return None
    if not (spelled[0].isdigit() or spelled[0] in "+-.") or "_" in spelled:
        return None
    try:
        number = Decimal(spelled)
    except InvalidOperation:
        return None
    return number if number.is_finite() and -309 < number.adjusted() < 309 else None


def literal(number: Decimal) -> str:
    """A number as it came, or, once computed, without an exponent."""
    if isinstance(number, Number):
        return number.literal
    return format(number, "f")


def type_name(value: Value) -> str:
    """The word for a value's type, as JSON names it."""
    if value is None:
        return "null"
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return "number"
    return type_names.get(type(value), "value")


def _default(value: object) -> object:
    if isinstance(value, Decimal):
        return orjson.Fragment(literal(value))
    raise TypeError(f"{type(value).__name__} is not a value of a scenario")


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def clean(text: str) -> str:
    """A text of strangers with what a database cannot store, U+0000 and lone surrogates, replaced by U+FFFD; the same
    object when there are none."""
    return _unstorable.sub("\ufffd", text) if _unstorable.search(text) else text
