"""Cutting long text into parts that a channel can carry."""

import re
import unicodedata
from typing import Literal

Unit = Literal["chars", "utf16"]

_breaks = (re.compile(r"\n[ \t]*\n\s*"), re.compile(r"\n"), re.compile(r"\s+"))
_joins = ("\u200d", "\ufe0e", "\ufe0f")


def length(text: str, unit: Unit) -> int:
    """How long a text is in the channel's unit: code points, or UTF-16 code units."""
    return len(text) if unit == "chars" else len(text) + sum(1 for letter in text if letter > "\uffff")


def split(text: str, limit: int, unit: Unit) -> list[str]:
    """Parts of at most `limit` units, cut at a paragraph, else a line, else a word, else anywhere between letters.

    The same text always gives the same parts. White space at a cut is dropped; empty text gives no parts.
    """
    parts: list[str] = []
    rest = text
    while rest.strip():
        if length(rest, unit) <= limit:
            parts.append(rest)
            break
        head = _head(rest, limit, unit)
        cut, resume = _cut(rest, len(head))
        parts.append(rest[:cut].rstrip())
        rest = rest[resume:].lstrip()
    return [part for part in parts if part]


def _head(text: str, limit: int, unit: Unit) -> str:
    head = text[:limit]
    if unit == "utf16":
        over = length(head, unit) - limit
        while over > 0:
            over -= 2 if head[-1] > "\uffff" else 1
            head = head[:-1]
    return head


def _cut(text: str, size: int) -> tuple[int, int]:
    """Where the part ends and where the rest begins. `size` letters fit."""
    for pattern in _breaks:
        places = [found for found in pattern.finditer(text[: size + 1]) if text[: found.start()].strip()]
        # A break in the first quarter would make many tiny parts; a lesser break further on reads better.
        if places and places[-1].start() >= size // 4:
            return places[-1].start(), places[-1].end()
    cut = size
    while cut > max(1, size - 16) and _clings(text, cut):
        cut -= 1
    return cut, cut


def _clings(text: str, place: int) -> bool:
    letter = text[place]
    return letter in _joins or bool(unicodedata.combining(letter)) or text[place - 1] == "\u200d"
