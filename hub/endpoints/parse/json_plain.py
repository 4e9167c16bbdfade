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


class _Odd(ValueError):
    """Something for the careful reader."""


def read_plain(text: str) -> tuple[bool, Value]:
    """Whether the text is JSON without anything odd, and its value; numbers come as `hub.values.Number`."""
    # Every value but the first of its container stands behind a comma, so nothing large is built in vain.
    if text.count(",") > limits.json_values or _escaped.search(text):
        return False, None
    try:
        value = _decoder.decode(text)
        _check(value)
    except (ValueError, RecursionError, InvalidOperation):
        return False, None
    return True, value


def _object(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Odd
    return made


def _number(literal: str) -> Number:
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
    """Raise _Odd when a value breaks a limit of `json_text`."""
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
                if depth > limits.json_depth or any(len(key) > limits.json_key_length for key in value):
                    raise _Odd
                below.extend(value.values())
            elif type(value) is list:
                if depth > limits.json_depth or len(value) > limits.list_items:
                    raise _Odd
                below.extend(value)
        if keys > limits.json_keys or values > limits.json_values:
            raise _Odd
        level = below
