"""JSON that arrives inside a text: read strictly, numbers with their literals, within the limits of a body."""

import json

from hub.values import Number, Value

MAX_DEPTH = 32
_max_number = 128
_largest_exponent = 308


class JsonProblem(ValueError):
    """The text is no JSON, or more of it than is taken; its message is a sentence."""


def read_json(text: str) -> Value:
    """The value that a JSON text spells. Raises JsonProblem."""
    try:
        value = json.loads(text, parse_int=_number, parse_float=_number, parse_constant=_no_constant)
    except JsonProblem:
        raise
    except json.JSONDecodeError as error:
        raise JsonProblem(f"the text is not JSON, see line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise JsonProblem(_too_deep()) from None
    if _deeper_than(value, MAX_DEPTH):
        raise JsonProblem(_too_deep())
    return value


def _number(literal: str) -> Number:
    if len(literal) <= _max_number:
        number = Number(literal)
        if number.is_finite() and (not number or abs(number.adjusted()) <= _largest_exponent):
            return number
    raise JsonProblem(f"a number in the text is longer than {_max_number} characters or beyond 1e308")


def _no_constant(name: str) -> Value:
    raise JsonProblem(f"{name} is not JSON")


def _too_deep() -> str:
    return f"the JSON in the text is nested deeper than {MAX_DEPTH} levels"


def _deeper_than(value: Value, limit: int) -> bool:
    level = [value]
    for _ in range(limit + 1):
        below: list[Value] = []
        for each in level:
            if isinstance(each, dict):
                below.extend(each.values())
            elif isinstance(each, list):
                below.extend(each)
        if not below:
            return False
        level = below
    return True
