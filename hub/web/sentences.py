"""What the layers below say in English, in the language of the page.

They know no language and put values into their sentences; the catalogue holds each sentence with `{}` in the place of
every value. A sentence that the catalogue does not know is shown as it is.
"""

import re
from functools import lru_cache
from typing import Any, NamedTuple

import re2
from flask import Flask
from flask_babel import get_translations

_PLACE = re.compile(r"\{(\w*)\}")
_SENTENCE = re.compile(r"[^\W\d_].* .*\.", re.DOTALL)
_LONGEST = 2_000


class _Pattern(NamedTuple):
    """A sentence with places: how it is recognised, and what it becomes. `match` is RE2's, for whom the values are no
    riddle: people write them, and with four places Python's own takes a second and more for two thousand letters."""

    match: Any
    names: tuple[str, ...]
    becomes: str


def register(app: Flask) -> None:
    """Offer the filter `said` to templates."""
    app.jinja_env.filters.update(said=said)


def said(sentence: str) -> str:
    """A sentence of the layers below in the language of the page; values in it stay as they are, unless one is a
    sentence itself."""
    catalogue = getattr(get_translations(), "_catalog", None)
    if not catalogue or not sentence or len(sentence) > _LONGEST:
        return sentence
    whole = catalogue.get(sentence)
    if isinstance(whole, str) and whole:
        return whole
    for pattern in _patterns(_Key(catalogue)).get(sentence[:1], ()) + _patterns(_Key(catalogue)).get("", ()):
        found = pattern.match.fullmatch(sentence)
        if found is not None:
            return _filled(pattern, found.groups())
    return sentence


def _filled(pattern: _Pattern, values: tuple[str, ...]) -> str:
    shown = [said(value) if _SENTENCE.fullmatch(value) else value for value in values]
    named = dict(zip(pattern.names, shown, strict=True))
    unnamed = iter(shown)
    return _PLACE.sub(lambda place: named[place[1]] if place[1] else next(unnamed), pattern.becomes)


def _place(name: str, after: str) -> str:
    """A value and the words after it; a reason is a sentence of its own, so it ends with its full stop."""
    return (r"(.*\.)" if name == "reason" else "(.*?)") + re.escape(after)


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
        pieces = _PLACE.split(english)
        parts, names = pieces[::2], tuple(pieces[1::2])
        pattern = re2.compile("(?s)" + re.escape(parts[0]) + "".join(map(_place, names, parts[1:])))
        first = "" if english[0] == "{" else english[0]
        found.setdefault(first, []).append((sum(map(len, parts)), _Pattern(pattern, names, translated)))
    return {
        first: tuple(pattern for _, pattern in sorted(group, key=lambda one: -one[0])) for first, group in found.items()
    }
