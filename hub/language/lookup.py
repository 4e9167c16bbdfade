"""Finding the value at a path, and saying in a sentence why there is none.

Only lists and objects are looked into, by item and by key; no attribute of anything is ever read.
"""

import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from hub.language.grammar import Path, step_text
from hub.language.names import is_name
from hub.language.scope import Scope
from hub.values import Value


class Found(NamedTuple):
    """A value and the name space that it was found in."""

    value: Value
    source: str


class Missing(NamedTuple):
    """A path that leads nowhere.

    `code` is `no_such_name`, `no_such_key`, `out_of_range`, `key_on_list`, `index_on_object`, `not_a_container`,
    or `not_json` from the filter `parse`; `hint` is a sentence for people; `source` is the name space in which the
    path began, empty when even its first name is unknown.
    """

    path: str
    code: str
    hint: str
    source: str = ""


Finder = Callable[[Scope], Found | Missing]

_roots: dict[str, Callable[[Scope], Value]] = {
    "system": attrgetter("system"),
    "local": attrgetter("local"),
    "body": attrgetter("body"),
    "query": attrgetter("query"),
    "global": attrgetter("globals"),
    "const": attrgetter("constants"),
    "bitrix": attrgetter("bitrix"),
    "blocks": attrgetter("blocks"),
    "request": attrgetter("request"),
    "run": attrgetter("run"),
}
_shown_keys = 10
_searched_keys = 500
_shown_length = 40


def resolve(path: Path, scope: Scope) -> Found | Missing:
    """Look a path up, never raising: a path that leads nowhere is a Missing with its reason."""
    return finder(path)(scope)


@lru_cache(maxsize=4096)
def finder(path: Path) -> Finder:
    """The look-up of one path, prepared once."""
    root = _roots.get(path.root)
    return _short(path) if root is None else _prefixed(path, root)


def _short(path: Path) -> Finder:
    name, steps = path.root, path.steps

    def find(scope: Scope) -> Found | Missing:
        if name in scope.system:
            found = Found(scope.system[name], "system")
        elif name in scope.local:
            found = Found(scope.local[name], "local")
        elif type(scope.body) is dict and name in scope.body:
            found = Found(scope.body[name], "body")
        elif name in scope.globals:
            found = Found(scope.globals[name], "global")
        elif name in scope.constants:
            found = Found(scope.constants[name], "const")
        else:
            other = _decomposed_name(name, scope)
            if other is None:
                return Missing(str(path), "no_such_name", _no_name_hint(name, scope))
            found = other
        return _walk(path, found, steps, 0) if steps else found

    return find


def _prefixed(path: Path, root: Callable[[Scope], Value]) -> Finder:
    source, steps = path.root, path.steps

    def find(scope: Scope) -> Found | Missing:
        space = root(scope)
        if source == "body":
            return _walk(path, Found(space, source), steps, 0)
        if not steps:
            return Found(dict(space), source)
        first = steps[0]
        if isinstance(first, str) and first in space:
            return _walk(path, Found(space[first], source), steps, 1)
        return _walk(path, Found(dict(space), source), steps, 0)

    return find


def _walk(path: Path, found: Found, steps: tuple[str | int, ...], at: int) -> Found | Missing:
    value, source = found
    for position in range(at, len(steps)):
        step = steps[position]
        if isinstance(step, str):
            if type(value) is dict:
                if step in value:
                    value = value[step]
                    continue
                key = _decomposed_key(step, value)
                if key is not None:
                    value = value[key]
                    continue
        elif type(value) is list and -len(value) <= step < len(value):
            value = value[step]
            continue
        code, hint = _reason(value, step, Path(path.root, steps[:position]))
        return Missing(str(path), code, hint, source)
    return Found(value, source)


def _reason(value: Value, step: str | int, parent: Path) -> tuple[str, str]:
    if isinstance(value, list):
        return _reason_on_list(value, step, parent)
    if isinstance(value, dict):
        if isinstance(step, int):
            return "index_on_object", f"{parent} is an object, use a key; {_there_are(value)}"
        similar = _similar(step, value)
        guess = f"; did you mean {similar}?" if similar is not None else ""
        return "no_such_key", f"there is no key {_short_text(step)}; {_there_are(value)}{guess}"
    what = "empty (null)" if value is None else "a single value"
    return "not_a_container", f"{parent} is {what}, there is nothing at {parent}{step_text(step)}"


def _reason_on_list(value: list[Value], step: str | int, parent: Path) -> tuple[str, str]:
    if isinstance(step, str):
        return "key_on_list", f"{parent} is a list, use {parent}[0]"
    if not value:
        return "out_of_range", f"{parent} is an empty list"
    return "out_of_range", f"{parent} has {len(value)} items, the last one is {parent}[{len(value) - 1}]"


def _no_name_hint(name: str, scope: Scope) -> str:
    for space in _short_spaces(scope):
        similar = _similar(name, space)
        if similar is not None:
            return f"there is no name {_short_text(name)}; did you mean {similar}?"
    return f"there is no name {_short_text(name)} among the fields, the body, the globals and the constants"


def _short_spaces(scope: Scope) -> list[Mapping[str, Value]]:
    body = scope.body if isinstance(scope.body, dict) else {}
    return [scope.local, body, scope.globals, scope.constants, scope.system]


def _similar(name: str, keys: Mapping[str, Value]) -> str | None:
    folded = name.casefold()
    for key in islice(keys, _searched_keys):
        if key != name and key.casefold() == folded:
            return _short_text(key)
    return None


def _there_are(value: Mapping[str, Value]) -> str:
    if not value:
        return "it has no keys"
    keys = [_short_text(key) for key in islice(value, _shown_keys)]
    more = ", …" if len(value) > _shown_keys else ""
    return "there are: " + ", ".join(keys) + more


def _short_text(key: str) -> str:
    if len(key) > _shown_length:
        key = key[:_shown_length] + "…"
    return key if is_name(key.rstrip("…")) else f'"{key}"'


def _decomposed_name(name: str, scope: Scope) -> Found | None:
    if name.isascii():
        return None
    sources = ("local", "body", "global", "const")
    for source, space in zip(sources, _short_spaces(scope), strict=False):
        key = _decomposed_key(name, space)
        if key is not None:
            return Found(space[key], source)
    return None


def _decomposed_key(name: str, space: Mapping[str, Value]) -> str | None:
    """A key that is the same name in decomposed letters, as macOS and some web shops write them."""
    if name.isascii():
        return None
    for key in space:
        if key.isascii() or unicodedata.is_normalized("NFC", key):
            continue
        if unicodedata.normalize("NFC", key) == unicodedata.normalize("NFC", name):
            return key
    return None
