"""The key by which a repeated event is known: two requests with one key are one event."""

import re
from collections.abc import Mapping
from decimal import Decimal

from hub.endpoints.parse import limits
from hub.endpoints.parse.inputs import Inputs
from hub.endpoints.parse.problems import Refused
from hub.values import Value, as_text

_path = re.compile(r"[^.\[\]\s][^.\[\]]*(?:\.[^.\[\]]+|\[[0-9]{1,9}\])*")
_step = re.compile(r"\[([0-9]{1,9})\]|\.?([^.\[\]]+)")
_visible = re.compile(r"[\x21-\x7e]+")


def event_key(path: str | None, inputs: Inputs, headers: Mapping[str, str]) -> str | None:
    """`path:` and the value at the link's chosen path, else `key:` and the header Idempotency-Key or webhook-id.

    The path (`tranid`, `payment.id`, `items[0].id`) is looked up in the body, then in the fields, then as one that
    begins with `body` or `query`; a value that is no text, number or boolean, empty or longer than 255 characters
    does not count. None without a key: equal requests are then separate events.
    Raises Refused 400 `invalid_header` for a header that is not 1-255 visible ASCII characters.
    """
    if path and (steps := _steps(path.strip())):
        roots = (inputs.body, inputs.locals, {"body": inputs.body, "query": inputs.query})
        for root in roots:
            if key := _usable(_follow(root, steps)):
                return f"path:{key}"
    given = {name.lower(): value for name, value in headers.items()}
    for header in ("Idempotency-Key", "webhook-id"):
        value = given.get(header.lower())
        if value is None:
            continue
        if not _visible.fullmatch(value) or len(value) > limits.event_key_length:
            message = f"The header {header} must be 1 to {limits.event_key_length} visible ASCII characters."
            raise Refused("invalid_header", 400, message)
        return f"key:{value}"
    return None


def _steps(path: str) -> list[str | int]:
    """A path as keys and indices; empty when it is not one."""
    if len(path) > limits.field_name_length or not _path.fullmatch(path):
        return []
    return [int(index) if index else key for index, key in _step.findall(path)]


def _follow(value: Value, steps: list[str | int]) -> Value:
    for step in steps:
        if isinstance(step, int):
            if not isinstance(value, list) or step >= len(value):
                return None
            value = value[step]
        else:
            if not isinstance(value, dict):
                return None
            value = value.get(step)
    return value


def _usable(value: Value) -> str:
    """The value as the text of a key; empty when it is none."""
    if not isinstance(value, str | bool | Decimal | int):
        return ""
    key = as_text(value)
    return key if key.strip() and len(key) <= limits.event_key_length else ""
