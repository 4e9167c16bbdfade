"""How the rows of a condition compare: numbers as numbers even when they came as texts, the rest as texts."""

from collections.abc import Callable
from datetime import UTC, tzinfo
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any, Literal, get_args

from hub.language.dates import parse_moment
from hub.language.filters import shown
from hub.language.patterns import matches
from hub.values import Value, as_number, type_name

Operator = Literal[
    "eq",
    "ne",
    "contains",
    "not_contains",
    "starts_with",
    "ends_with",
    "gt",
    "ge",
    "lt",
    "le",
    "empty",
    "not_empty",
    "in",
    "matches",
    "before",
    "after",
]
OPERATORS: tuple[str, ...] = get_args(Operator)

Verdict = tuple[bool, str | None]
_orders: dict[str, Callable[[Any, Any], bool]] = {"gt": gt, "ge": ge, "lt": lt, "le": le}
_opposites = {"ne": "eq", "not_contains": "contains", "not_empty": "empty"}


def compare(op: str, left: Value, right: Value, zone: tzinfo = UTC) -> Verdict:
    """Whether `left op right` holds, and a warning in a sentence when the two are of unlike types.

    `op` is one of OPERATORS, else ValueError. A missing value is passed as None, which equals an empty text. Dates
    without a zone are read in `zone`. Raises TemplateFailure for a bad pattern or a text too long to match.
    """
    if op in _opposites:
        holds, warning = compare(_opposites[op], left, right, zone)
        return not holds, warning
    if op == "eq":
        return _equal(left, right)
    if op in _orders:
        return _ordered(_orders[op], left, right)
    if op == "empty":
        return is_empty(left), None
    if op == "in":
        return _is_in(left, right)
    if op in ("before", "after"):
        return _in_time(op, left, right, zone)
    if op == "contains":
        return _contains(left, right), None
    if op == "starts_with":
        return shown(left).startswith(shown(right)), None
    if op == "ends_with":
        return shown(left).endswith(shown(right)), None
    if op == "matches":
        return matches(shown(right), shown(left)), None
    raise ValueError(f"There is no comparison {op}.")


def is_empty(value: Value) -> bool:
    """Whether a value is null, a text of nothing but spaces, or a list or object with nothing in it."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or value == [] or value == {}


def _equal(left: Value, right: Value) -> Verdict:
    numbers = _numbers(left, right)
    if numbers is not None:
        return numbers[0] == numbers[1], None
    holds = shown(left) == shown(right)
    if not holds and type(left) is type(right) and isinstance(left, dict | list):
        holds = bool(left == right)
    return holds, _unlike(left, right)


def _ordered(order: Callable[[Any, Any], bool], left: Value, right: Value) -> Verdict:
    numbers = _numbers(left, right)
    if numbers is not None:
        return order(*numbers), None
    warning = _unlike(left, right)
    if warning is None and (as_number(left) is None) != (as_number(right) is None):
        warning = "Only one of the two is a number, so they were compared as texts."
    return order(shown(left), shown(right)), warning


def _contains(left: Value, right: Value) -> bool:
    if isinstance(left, list):
        return any(_equal(item, right)[0] for item in left)
    if isinstance(left, dict):
        return shown(right) in left
    return shown(right) in shown(left)


def _is_in(left: Value, right: Value) -> Verdict:
    if isinstance(right, list):
        choices = right
    elif isinstance(right, str):
        choices = [choice.strip() for choice in right.split(",")]
    else:
        choices = [right]
    return any(_equal(left, choice)[0] for choice in choices), None


def _in_time(op: str, left: Value, right: Value, zone: tzinfo) -> Verdict:
    first, second = parse_moment(left, zone), parse_moment(right, zone)
    if first is None or second is None:
        which = "left" if first is None else "right"
        return False, f"The {which} side is not a date, so the comparison does not hold."
    return (first < second if op == "before" else first > second), None


def _numbers(left: Value, right: Value) -> tuple[Decimal, Decimal] | None:
    first = as_number(left)
    if first is None:
        return None
    second = as_number(right)
    return None if second is None else (first, second)


def _unlike(left: Value, right: Value) -> str | None:
    if left is None or right is None:
        return None
    kinds = type_name(left), type_name(right)
    # A condition's right side is typed in as text, so "true" is how people write a boolean.
    if kinds[0] == kinds[1] or _spells_boolean(left, right) or _spells_boolean(right, left):
        return None
    return f"A value of type {kinds[0]} and one of type {kinds[1]} were compared as texts."


def _spells_boolean(one: Value, other: Value) -> bool:
    return isinstance(one, bool) and other in ("true", "false")
