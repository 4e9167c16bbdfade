"""PHP's brackets and its empty arrays, in which Bitrix24 writes and reads."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote_plus


def encode(params: Mapping[str, Any]) -> str:
    """`{"filter": {">ID": 5}, "select": ["ID"]}` as `filter[>ID]=5&select[0]=ID`, percent-encoded.

    True and False are 1 and 0, None is empty; an empty list is left out, as it cannot be written.
    """
    return "&".join(f"{quote_plus(name)}={quote_plus(text)}" for name, text in _pairs("", params))


def as_map(value: Any) -> dict[str, Any]:
    """A map that PHP may have written as a list: `[]` when it is empty, `[a, b]` when its keys are 0 and 1."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return {str(place): item for place, item in enumerate(value)}
    return {}


def _pairs(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _pairs(f"{prefix}[{key}]" if prefix else str(key), item)
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from _pairs(f"{prefix}[{place}]", item)
    else:
        yield prefix, _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)
