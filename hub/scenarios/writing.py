"""Writes a value as YAML that people can read and that always comes out the same.

Mappings and lists are blocks, a text of several lines is a literal block, anything that YAML could take for something
else is quoted. What `reading.read_yaml` makes of it is exactly the value that went in, number literals included.
"""

import json
import re
from decimal import Decimal

from hub.scenarios.reading import Unreadable, plain_scalar
from hub.values import Value, literal

_plain = re.compile(r"[^\W\d_][\w ./()!?;-]*\Z")
_also_words = frozenset(["y", "n", "yes", "no", "on", "off"])
_odd = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\xa0\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ud800-\udfff\ufeff\ufffe\uffff]"
)


def yaml_text(value: Value) -> str:
    """A value as YAML, ending in a line break."""
    lines: list[str] = []
    _write(value, "", "", lines)
    return "\n".join(lines) + "\n"


def _write(value: Value, lead: str, indent: str, lines: list[str]) -> None:
    """Append `value`; `lead` is what stands before it on its first line, `indent` what its other lines begin with."""
    if isinstance(value, dict) and value:
        first = lead if lead.endswith("- ") else None
        if lead and first is None:
            lines.append(lead.rstrip())
        for key, item in value.items():
            start = first if first is not None else indent
            first = None
            inner = indent if isinstance(item, list) and item else indent + "  "
            _write(item, f"{start}{_scalar(key)}: ", inner, lines)
    elif isinstance(value, list) and value:
        nested = lead.endswith("- ")
        if lead and not nested:
            lines.append(lead.rstrip())
        for number, item in enumerate(value):
            start = lead if nested and number == 0 else indent
            _write(item, f"{start}- ", indent + "  ", lines)
    elif isinstance(value, str) and _is_block(value):
        _block(value, lead, indent, lines)
    else:
        lines.append(lead + _scalar(value))


def _block(text: str, lead: str, indent: str, lines: list[str]) -> None:
    body, chomp = (text[:-1], "") if text.endswith("\n") else (text, "-")
    lines.append(f"{lead}|{chomp}")
    lines.extend(f"{indent or '  '}{line}" if line else "" for line in body.split("\n"))


def _is_block(text: str) -> bool:
    if "\n" not in text or _odd.search(text):
        return False
    lines = text.split("\n")
    if not lines[0] or text.endswith("\n\n"):
        return False
    return not any(line[:1] == " " or line[-1:] == " " for line in lines)


def _scalar(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return literal(value)
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str):
        return value if _may_stand_plain(value) else _quoted(value)
    return "{}" if isinstance(value, dict) else "[]"


def _may_stand_plain(text: str) -> bool:
    if not _plain.match(text) or text.endswith(" ") or text.lower() in _also_words or _odd.search(text):
        return False
    try:
        return bool(plain_scalar(text) == text)
    except Unreadable:
        return False


def _quoted(text: str) -> str:
    return _odd.sub(_escape, json.dumps(text, ensure_ascii=False))


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
