"""Names and values as PHP reads and writes them: `a[b][0]=1`. Independent of the product's own parser on purpose."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

_name = re.compile(r"([^\[]+)((?:\[[^\]]*\])*)")


def decode(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The array that pairs spell, with the last of equal names winning and lists where the keys are 0…n-1.

    As in PHP, a dot or a space in the outermost name becomes an underscore, and text after the last bracket is lost.
    """
    root: dict[str, Any] = {}
    for name, value in pairs:
        match = _name.match(name)
        if match is None:
            continue
        keys = [re.sub(r"[ .]", "_", match[1])] + (match[2][1:-1].split("][") if match[2] else [])
        _put(root, keys, value)
    return {key: _settle(value) for key, value in root.items()}


def encode(value: Any, name: str = "") -> list[tuple[str, str]]:
    """The pairs by which PHP's http_build_query spells a value; nulls and empty arrays leave nothing behind."""
    if value is None:
        return []
    if isinstance(value, Mapping):
        items: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list | tuple):
        items = enumerate(value)
    else:
        return [(name, _text(value))]
    return [pair for key, item in items for pair in encode(item, f"{name}[{key}]" if name else str(key))]


def _put(node: dict[str, Any], keys: list[str], value: str) -> None:
    for place, key in enumerate(keys):
        if key == "":
            key = str(1 + max((int(other) for other in node if other.isdigit()), default=-1))
        if place == len(keys) - 1:
            node[key] = value
        else:
            below = node.get(key)
            if not isinstance(below, dict):
                below = node[key] = {}
            node = below


def _settle(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    settled = {key: _settle(item) for key, item in value.items()}
    if list(settled) == [str(index) for index in range(len(settled))]:
        return list(settled.values())
    return settled


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)
