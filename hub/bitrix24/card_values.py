"""Kinds of cards, and their values in one form: codes in capitals, scalars as texts, files without tokens.

`entity` is `deal`, `contact`, `lead`, `company` or `dynamic:<entityTypeId>`. The older methods give texts under codes
in capitals; the universal ones, the only ones for smart processes, give typed values under names in camel case.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from hub.bitrix24.entities import upper_name
from hub.values import Value

MULTIFIELDS = ("PHONE", "EMAIL", "WEB", "IM", "LINK")
TRACES = frozenset(
    {"DATE_MODIFY", "UPDATED_TIME", "MODIFY_BY_ID", "UPDATED_BY", "LAST_ACTIVITY_TIME", "LAST_ACTIVITY_BY"}
)
"""What every change leaves behind; alone it is no change."""
FOLLOWING = frozenset(
    {
        "MOVED_TIME",
        "MOVED_BY_ID",
        "MOVED_BY",
        "STAGE_SEMANTIC_ID",
        "STATUS_SEMANTIC_ID",
        "CLOSED",
        "CLOSEDATE",
        "DATE_CLOSED",
        "IS_NEW",
        "PREVIOUS_STAGE_ID",
        "HAS_PHONE",
        "HAS_EMAIL",
        "HAS_IMOL",
    }
)
"""What the portal changes by itself when something else of a card is changed."""
_SECRET = frozenset({"auth", "access_token", "token", "sessid"})
_SMART = {"UPDATED_TIME": "DATE_MODIFY", "CREATED_TIME": "DATE_CREATE", "UPDATED_BY": "MODIFY_BY_ID"}


def normal(card: Mapping[str, Any], names: Mapping[str, str] | None = None) -> dict[str, Value]:
    """A card as either API gives it, in the one form. `names`: codes in capitals by names in camel case; what is not
    there is spelled by rule."""
    if "fm" not in card and not any(name[:1].islower() for name in card):
        return {name: _value(value) for name, value in card.items()}
    found: dict[str, Value] = {}
    for name, value in card.items():
        if name == "fm":
            found |= _multifields(value)
            continue
        code = (names or {}).get(name) or upper_name(name)
        found[_SMART.get(code, code)] = _value(value)
    return found


def differences(old: Mapping[str, Value], new: Mapping[str, Value]) -> set[str]:
    """The fields whose values differ. Empty in any of the portal's ways is the same, and so is another order of phones
    and the like."""
    return {name for name in old.keys() | new.keys() if _comparable(old.get(name)) != _comparable(new.get(name))}


def same_value(one: Value, other: Value) -> bool:
    """Whether a value as it was written is the value as it was read: `500` is `500.00`."""
    left, right = _comparable(one), _comparable(other)
    if left == right:
        return True
    try:
        return float(str(left)) == float(str(right))
    except ValueError:
        return False


def _value(value: Any) -> Value:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return _without_token(value) if "auth=" in value and "/" in value else value
    if isinstance(value, Mapping):
        return {str(key): _value(item) for key, item in value.items() if key != "urlMachine"}
    if isinstance(value, list):
        return [_value(item) for item in value]
    return None


def _without_token(address: str) -> str:
    """An address of a file without the token of whoever asked for it."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in _SECRET]
    return urlunsplit(parts._replace(query=urlencode(kept)))


def _multifields(rows: Any) -> dict[str, Value]:
    found: dict[str, list[Value]] = {}
    for row in rows if isinstance(rows, list) else ():
        shown = {"ID": str(row.get("id")), "VALUE_TYPE": row.get("valueType"), "VALUE": row.get("value")}
        found.setdefault(str(row.get("typeId")), []).append({**shown, "TYPE_ID": row.get("typeId")})
    return dict(found)


def _comparable(value: Value) -> Any:
    if value in (None, "", False, []) or value == {}:
        return ""
    if isinstance(value, list):
        return sorted(str(_comparable(item)) for item in value)
    if isinstance(value, Mapping):
        return sorted((key, str(_comparable(item))) for key, item in value.items())
    return str(value)
