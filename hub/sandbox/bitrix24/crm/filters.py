"""Filters, orders and pages of lists, as both APIs understand them."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from hub.sandbox.bitrix24.refusals import Refusal

PAGE = 50
PREFIXES = ("!@", "!=", "!%", ">=", "<=", "=%", "%=", "><", "@", "!", "=", "%", ">", "<")


def split(key: str) -> tuple[str, str]:
    """A key of a filter as its prefix and its field: `>=DATE_MODIFY` is `>=` and `DATE_MODIFY`."""
    for prefix in PREFIXES:
        if key.startswith(prefix):
            return prefix, key[len(prefix) :]
    return "", key


def matching(
    rows: Iterable[Mapping[str, Any]], wanted: Mapping[str, Any], unknown: Callable[[str], None] | None = None
) -> list[Mapping[str, Any]]:
    """The rows that meet all conditions. An unknown field is handed to `unknown`; without it, it filters nothing."""
    found = list(rows)
    fields = {name for row in found for name in row}
    for key, value in wanted.items():
        prefix, name = split(key)
        if unknown is not None:
            unknown(name)
        if name not in fields:
            continue
        found = [row for row in found if _meets(prefix, row.get(name), value)]
    return found


def ordered(rows: list[Mapping[str, Any]], order: Any) -> list[Mapping[str, Any]]:
    """The rows in an order of fields and directions; by ID without one."""
    wanted = order if isinstance(order, Mapping) and order else {}
    for name, direction in reversed(list(wanted.items())):
        descending = str(direction).upper() == "DESC"
        rows = sorted(rows, key=lambda row: _key(row.get(name)), reverse=descending)
    return rows


def page(rows: list[Any], start: Any) -> tuple[list[Any], int | None, int | None]:
    """50 rows from `start`, where the next page begins, and how many there are; -1 counts and leads nowhere."""
    try:
        first = int(start or 0)
    except (TypeError, ValueError):
        raise Refusal("ERROR_ARGUMENT", "Wrong value of 'start'") from None
    if first < 0:
        return rows[:PAGE], None, None
    first -= first % PAGE
    following = first + PAGE
    return rows[first:following], following if following < len(rows) else None, len(rows)


def _meets(prefix: str, have: Any, want: Any) -> bool:
    if prefix in ("!", "!=", "!@"):
        return not _meets("", have, want)
    if prefix == "!%":
        return not _meets("%", have, want)
    if prefix in ("", "=", "@"):
        options = list(want.values()) if isinstance(want, Mapping) else want if isinstance(want, list) else [want]
        held = have if isinstance(have, list) else [have]
        return any(_key(one) == _key(option) for one in held for option in options)
    if prefix in ("%", "=%", "%="):
        text, pattern = str(have or "").lower(), str(want).lower()
        return pattern.strip("%") in text if prefix == "%" or "%" in pattern else text == pattern
    if have in (None, ""):
        return False
    left, right = _key(have), _key(want)
    if left[0] != right[0]:
        return False
    return {">": left > right, "<": left < right, ">=": left >= right, "<=": left <= right}.get(prefix, False)


def _key(value: Any) -> tuple[int, Any]:
    """A value in a form that compares: nothing, numbers, moments and texts never mix."""
    if value is None or value == "" or value is False:
        return (0, "")
    if isinstance(value, Mapping | list):
        return (3, str(value))
    text = str(value)
    try:
        return (1, Decimal(text))
    except InvalidOperation:
        pass
    if len(text) >= 10 and text[4:5] == "-":
        try:
            read = datetime.fromisoformat(text)
            return (2, (read if read.tzinfo else read.astimezone()).timestamp())
        except ValueError:
            pass
    return (3, text.lower())
