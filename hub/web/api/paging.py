"""Lists with cursors: the newest first, and a cursor names the last item seen, so nothing is skipped or doubled."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hub.errors import Invalid
from hub.values import Value

Item = TypeVar("Item")


def page(
    found: Sequence[Item], limit: int, key: Callable[[Item], object], shown: Callable[[Item], Value]
) -> dict[str, Any]:
    """`{"items", "next"}` of up to `limit + 1` rows found; `key` is what the next page goes on from."""
    items = found[:limit]
    more = len(found) > limit
    return {"items": [shown(item) for item in items], "next": _encoded(key(items[-1])) if more else None}


def text_cursor(cursor: str | None) -> str | None:
    """What a cursor says, None when there is none. Raises Invalid."""
    if cursor is None:
        return None
    try:
        decoded = base64.b64decode(cursor, altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error):
        decoded = ""
    if not decoded or not decoded.isalnum() or not decoded.isascii():
        raise _unknown()
    return decoded


def number_cursor(cursor: str | None) -> int | None:
    """The same for lists in the order of a number."""
    decoded = text_cursor(cursor)
    if decoded is None:
        return None
    if not decoded.isdigit() or len(decoded) > 18:
        raise _unknown()
    return int(decoded)


def _encoded(key: object) -> str:
    return base64.urlsafe_b64encode(str(key).encode()).decode()


def _unknown() -> Invalid:
    message = "This cursor did not come from this list."
    return Invalid(message, errors=[{"pointer": "/cursor", "code": "bad_cursor", "message": message}])
