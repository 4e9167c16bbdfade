"""What the layers below say in English, in the language of the page.

They know no language and put values into their sentences; the catalogue holds each sentence with `{}` in the place of
every value. A sentence that the catalogue does not know is shown as it is.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from flask import Flask
from flask_babel import get_translations

_PLACE = re.compile(r"\{\w*\}")
_LONGEST = 2_000


class _Pattern(NamedTuple):
    """A sentence with places: how it is recognised, and what it becomes."""

    match: re.Pattern[str]
    becomes: str


def register(app: Flask) -> None:
    """Offer the filter `said` to templates."""
    app.jinja_env.filters.update(said=said)


def said(sentence: str) -> str:
    """A sentence of the layers below in the language of the page; values in it stay as they are."""
    catalogue = getattr(get_translations(), "_catalog", None)
    if not catalogue or not sentence or len(sentence) > _LONGEST:
        return sentence
    whole = catalogue.get(sentence)
    if isinstance(whole, str) and whole:
        return whole
    for pattern in _patterns(_Key(catalogue)).get(sentence[:1], ()) + _patterns(_Key(catalogue)).get("", ()):
        found = pattern.match.fullmatch(sentence)
        if found is not None:
            return _filled(pattern.becomes, iter(found.groups()))
    return sentence


def _filled(text: str, values: Iterator[str]) -> str:
    return _PLACE.sub(lambda _place: next(values, ""), text)


class _Key:
    """Lets a catalogue, which lives as long as the process, be the key of a cache."""

    def __init__(self, catalogue: dict[object, object]) -> None:
        self.catalogue = catalogue

    def __hash__(self) -> int:
        return id(self.catalogue)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.catalogue is self.catalogue


@lru_cache(maxsize=8)
def _patterns(key: _Key) -> dict[str, tuple[_Pattern, ...]]:
    """Patterns by the first letter of their sentence, "" for those that begin with a value; the longest texts first,
    so that the most particular sentence wins."""
    found: dict[str, list[tuple[int, _Pattern]]] = {}
    for english, translated in key.catalogue.items():
        if not isinstance(english, str) or not isinstance(translated, str) or not _PLACE.search(english):
            continue
        parts = _PLACE.split(english)
        pattern = re.compile("(.*?)".join(re.escape(part) for part in parts), re.DOTALL)
        first = "" if english[0] == "{" else english[0]
        found.setdefault(first, []).append((sum(map(len, parts)), _Pattern(pattern, translated)))
    return {
        first: tuple(pattern for _, pattern in sorted(group, key=lambda one: -one[0])) for first, group in found.items()
    }
