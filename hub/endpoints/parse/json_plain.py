"""The quick way through JSON in which nothing is odd: the standard library's scanner, written in C.

It decides nothing. What it cannot read, what needs a note (a key that stands twice, a character to replace) and what
breaks a limit is left to `json_text`, which repairs, notes and refuses.
"""

import json
import re
from decimal import InvalidOperation

from hub.endpoints.parse import limits
from hub.values import Number, Value

# Escapes of what `clean` replaces; a pair of surrogates that spells an emoji is not worth telling apart.
_escaped = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


# Nothing in a text as short as this can be too long or too many, but for keys and levels.
_SHORT = 8_000
_SHORT_NUMBER = 32


class _Odd(ValueError):
    """Something for the careful reader."""


def read_plain(text: str) -> tuple[bool, Value]:
    """Whether the text is JSON without anything odd, and its value; numbers come as `hub.values.Number`."""
    # Every value but the first of its container stands behind a comma, so nothing large is built in vain.
    if text.count(",") > limits.json_values or _escaped.search(text):
        return False, None
    try:
        value = _decoder.decode(text)
        if len(text) > _SHORT or text.count("{") + text.count("[") > limits.json_depth:
            _check(value)
    except (ValueError, RecursionError, InvalidOperation):
        return False, None
    return True, value


def _object(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    made = dict(pairs)
    if len(made) != len(pairs) or (made and max(map(len, made)) > limits.json_key_length):
        raise _Odd
    return made


def _number(literal: str) -> Number:
    if len(literal) <= _SHORT_NUMBER and "e" not in literal and "E" not in literal:
        return Number(literal)
    if len(literal) > limits.number_length:
        raise _Odd
    number = Number(literal)
    if abs(number.adjusted()) > limits.number_exponent:
        raise _Odd
    return number


def _constant(_name: str) -> Value:
    raise _Odd


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_int=_number, parse_float=_number, parse_constant=_constant)


def _check(root: Value) -> None:
    """Raise _Odd when a value breaks a limit of `json_text`; the lengths of keys have been looked at by then."""
    level: list[Value] = [root]
    depth = keys = values = 0
    while level:
        depth += 1
        values += len(level)
        below: list[Value] = []
        for value in level:
            if type(value) is str:
                if len(value) > limits.string_length:
                    raise _Odd
            elif type(value) is dict:
                keys += len(value)
                if depth > limits.json_depth:
                    raise _Odd
                below.extend(value.values())
            elif type(value) is list:
                if depth > limits.json_depth or len(value) > limits.list_items:
                    raise _Odd
                below.extend(value)
        if keys > limits.json_keys or values > limits.json_values:
            raise _Odd
        level = below
