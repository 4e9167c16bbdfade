"""Reads JSON and YAML 1.2 written by people into plain values, within fixed limits.

Both give the same things: text, bool, None, `Number` (so a literal survives export), list and dict. Duplicate keys,
application tags, deep nesting and alias bombs are refused. YAML is built from the parser's events, so nothing is
expanded before it has been counted.
"""

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from hub.scenarios.misread import json_reason, yaml_reason
from hub.values import Number, Value

MAX_BYTES = 512 * 1024
MAX_DEPTH = 32
MAX_NODES = 20_000
MAX_TEXT = 2 * MAX_BYTES
MAX_LITERAL = 128

_json_number = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?\Z")
_yaml_number = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_special_number = re.compile(r"([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\Z")
_based_number = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_words: dict[str, Value] = {"": None, "~": None} | {
    spelling: value
    for word, value in (("null", None), ("true", True), ("false", False))
    for spelling in (word, word.capitalize(), word.upper())
}
_tag = "tag:yaml.org,2002:"


class Unreadable(ValueError):
    """The text cannot be read; `line` and `column` count from 1 where they are known."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


def read_json(text: str) -> Value:
    """JSON text to a value. Raises Unreadable."""
    try:
        value = json.loads(
            text,
            parse_int=_number,
            parse_float=_number,
            parse_constant=_no_constant,
            object_pairs_hook=_no_duplicates,
        )
    except json.JSONDecodeError as error:
        raise Unreadable(json_reason(error.msg), error.lineno, error.colno) from None
    except RecursionError:
        raise _too_deep() from None
    return tidy(value)


def read_yaml(text: str) -> Value:
    """One YAML 1.2 document to a value. Raises Unreadable."""
    builder = _Builder()
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.take(event)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        place = (mark.line + 1, mark.column + 1) if mark else (None, None)
        raise Unreadable(yaml_reason(error.problem), *place) from None
    except YAMLError:
        raise Unreadable("This is not YAML: it holds characters that YAML does not allow.") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable("This is not YAML: it cannot be read.") from None
    return tidy(builder.result())


def plain_scalar(text: str) -> Value:
    """What an unquoted YAML scalar means by the core schema of YAML 1.2. Raises Unreadable for no-numbers."""
    if text in _words:
        return _words[text]
    if _special_number.match(text):
        raise Unreadable(f"{text} is not a number that a scenario can hold.")
    if _based_number.match(text):
        return _number(str(int(text, 0)))
    if _json_number.match(text):
        return _number(text)
    if _yaml_number.match(text):
        return _number(_as_json_number(text))
    return text


def tidy(value: Value) -> Value:
    """A value with every number a `Number`, every container plain and every limit checked. Raises Unreadable."""
    return _Tidy().copy(value, 1)


@dataclass
class _Tidy:
    nodes: int = 0
    characters: int = 0

    def copy(self, value: Any, depth: int) -> Value:
        self.nodes += 1
        if depth > MAX_DEPTH:
            raise _too_deep()
        if self.nodes > MAX_NODES:
            raise Unreadable(f"There are more than {MAX_NODES} values in it.")
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Number):
            return value
        if isinstance(value, int | float | Decimal):
            return _number(_as_json_number(str(value)))
        if isinstance(value, dict):
            if not all(isinstance(key, str) for key in value):
                raise Unreadable("Every key must be a text; put it in quotes.")
            return {self.text(key): self.copy(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.copy(item, depth + 1) for item in value]
        raise Unreadable(f"A {type(value).__name__} is nothing that a scenario can hold.")

    def text(self, text: str) -> str:
        self.characters += len(text)
        if self.characters > MAX_TEXT:
            raise Unreadable("The texts in it are too long.")
        if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            raise Unreadable("A text in it holds a character that is not allowed.")
        return text


@dataclass
class _Open:
    """A list or mapping that is still being read."""

    value: Any
    anchor: str | None
    nodes: int = 1
    key: str | None = None
    waits_for_value: bool = False


@dataclass
class _Builder:
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, tuple[Value, int]] = field(default_factory=dict)
    done: list[Value] = field(default_factory=list)
    total: int = 0

    def take(self, event: Any) -> None:
        kind = type(event).__name__
        if kind in ("MappingStartEvent", "SequenceStartEvent"):
            if event.tag not in (None, f"{_tag}map", f"{_tag}seq"):
                raise self.failure("Tags are not allowed here.", event)
            if len(self.stack) >= MAX_DEPTH:
                raise _too_deep()
            self.stack.append(_Open({} if kind == "MappingStartEvent" else [], event.anchor))
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            ended = self.stack.pop()
            self.add(ended.value, ended.nodes, ended.anchor, event)
        elif kind == "ScalarEvent":
            self.add(self.scalar(event), 1, event.anchor, event)
        elif kind == "AliasEvent":
            if event.anchor not in self.anchors:
                raise self.failure("An alias points at nothing that was finished before it.", event)
            value, nodes = self.anchors[event.anchor]
            self.add(value, nodes, None, event)
        elif kind == "DocumentStartEvent" and self.done:
            raise self.failure("There is more than one document in it.", event)

    def add(self, value: Value, nodes: int, anchor: str | None, event: Any) -> None:
        if anchor:
            self.anchors[anchor] = (value, nodes)
        if not self.stack:
            self.done.append(value)
            return
        parent = self.stack[-1]
        parent.nodes += nodes
        if parent.nodes > MAX_NODES:
            raise self.failure(f"There are more than {MAX_NODES} values in it.", event)
        if isinstance(parent.value, list):
            parent.value.append(value)
        elif parent.waits_for_value:
            parent.value[parent.key] = value
            parent.waits_for_value = False
        elif not isinstance(value, str):
            raise self.failure("Every key must be a text; put it in quotes.", event)
        elif value in parent.value:
            raise self.failure(f"The key “{value[:64]}” is there twice.", event)
        else:
            parent.key, parent.waits_for_value = value, True

    def scalar(self, event: Any) -> Value:
        if event.tag == f"{_tag}str" or (event.tag is None and not event.implicit[0]):
            return event.value
        if event.tag is not None:
            raise self.failure("Tags are not allowed here.", event)
        try:
            return plain_scalar(event.value)
        except Unreadable as error:
            raise self.failure(error.message, event) from None

    def failure(self, message: str, event: Any) -> Unreadable:
        mark = event.start_mark
        return Unreadable(message, mark.line + 1, mark.column + 1)

    def result(self) -> Value:
        return self.done[0] if self.done else None


def _number(literal: str) -> Number:
    if len(literal) > MAX_LITERAL:
        raise Unreadable(f"A number has more than {MAX_LITERAL} characters.")
    number = Number(literal)
    if not number.is_finite() or not -309 < number.adjusted() < 309:
        raise Unreadable("A number is too large or too small.")
    return number


def _as_json_number(text: str) -> str:
    """A spelling such as `+.5`, `007` or `1.` in the way JSON wants it."""
    found = _yaml_number.match(text)
    if not found:
        raise Unreadable("A number is not finite.")
    sign = "-" if text[0] == "-" else ""
    mantissa, mark, exponent = text.lstrip("+-").lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    return f"{sign}{whole.lstrip('0') or '0'}{'.' + fraction if fraction else ''}{mark}{exponent}"


def _no_duplicates(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    seen: dict[str, Value] = {}
    for key, value in pairs:
        if key in seen:
            raise Unreadable(f"The key “{key[:64]}” is there twice.")
        seen[key] = value
    return seen


def _no_constant(name: str) -> Value:
    raise Unreadable(f"{name} is not a number that JSON knows.")


def _too_deep() -> Unreadable:
    return Unreadable(f"It is nested deeper than {MAX_DEPTH} levels.")
