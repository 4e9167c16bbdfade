"""Strings of a JSON text, between straight quotes and, as a repair, between typographic ones."""

import json
import re

_decoder = json.JSONDecoder()

# What closes a string, by the quotation mark that opened it.
_closers = {"“": "”“", "”": "”“", "„": "“”", "«": "»", "»": "»«"}

straight = '"'
typographic = frozenset(_closers)

_typographic_rest = {
    opener: re.compile(rf"((?:[^\\\x00-\x1f{closers}]++|\\.)*)[{closers}]") for opener, closers in _closers.items()
}
_escape_or_quote = re.compile(r'\\.|"')


def read_string(text: str, start: int) -> tuple[str, int]:
    """The string whose opening quotation mark is at `start`, and the place after its closing one.

    A typographic mark is closed by a typographic one only, so straight quotes inside stay part of the string.
    Raises json.JSONDecodeError with the place of the fault.
    """
    opener = text[start]
    if opener == straight:
        return _straight(text, start)
    match = _typographic_rest[opener].match(text, start + 1)
    if match is None:
        raise json.JSONDecodeError("Unterminated string", text, start)
    quoted = straight + _escape_or_quote.sub(_escaped, match[1]) + straight
    try:
        value, _ = _straight(quoted, 0)
    except json.JSONDecodeError as fault:
        raise json.JSONDecodeError(fault.msg, text, start) from None
    return value, match.end()


def _straight(text: str, start: int) -> tuple[str, int]:
    value, end = _decoder.raw_decode(text, start)
    return str(value), end


def _escaped(match: re.Match[str]) -> str:
    return match[0] if len(match[0]) == 2 else '\\"'
