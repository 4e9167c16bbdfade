"""JSON as strangers send it: strict, or with five small repairs that are noted one by one.

Ordinary JSON takes the quick way of `json_plain`. For all else this reader goes through the text once and keeps its
own stack, so no input can make it slow or exhaust Python's. A repair happens only where strict JSON has already
failed; therefore valid JSON always means what the standard says.

R1  a byte order mark, no-break or zero-width spaces between tokens     R4  a comma missing between two neighbours
R2  typographic quotation marks around a string                         R5  outer braces missing
R3  a comma before a closing bracket
"""

import json
import re
from dataclasses import dataclass
from decimal import InvalidOperation
from typing import NoReturn

from hub.endpoints.parse import limits
from hub.endpoints.parse.json_plain import read_plain
from hub.endpoints.parse.json_strings import read_string, straight, typographic
from hub.endpoints.parse.problems import Note, Refused
from hub.endpoints.parse.text import decode, sanitized
from hub.language.names import is_name
from hub.values import Number, Value, clean

_repairs = {
    "R1": "A byte order mark, no-break or zero-width spaces between the values were skipped.",
    "R2": "Typographic quotation marks were read as straight ones.",
    "R3": "A comma before a closing bracket was skipped.",
    "R4": "A missing comma between two values was added.",
    "R5": "The missing outer braces were added.",
}
_space = re.compile(r"[ \t\r\n]*")
_odd = "\ufeff\u00a0\u202f\u2007\u200b\u200c\u200d\u2060"
_any_space = re.compile(rf"[ \t\r\n{_odd}]*")
_number = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_words: dict[str, Value] = {"true": True, "false": False, "null": None}


def parse_json(raw: bytes, *, tolerant: bool) -> tuple[Value, tuple[Note, ...]]:
    """The value of a JSON text, and notes on repairs, duplicate keys and replaced characters.

    Numbers come as `hub.values.Number`. A leading byte order mark is always allowed. Raises Refused:
    413 `body_too_large`; 400 `invalid_encoding`, `invalid_json` (with line and column), `too_deep`,
    `too_many_fields`, `key_too_long`, `string_too_long`, `number_too_long`.
    """
    if len(raw) > limits.body_bytes:
        raise Refused("body_too_large", 413, "The body is larger than 1 MiB.")
    text = decode(raw)
    plain, value = read_plain(text)
    if plain:
        return value, ()
    reader = _Reader(text, tolerant)
    return reader.read(), reader.notes()


@dataclass(slots=True)
class _Open:
    """A list or an object that is not closed yet; `bare` is the object whose braces R5 supplies."""

    items: list[Value] | dict[str, Value]
    key: str = ""
    bare: bool = False


class _Reader:
    def __init__(self, text: str, tolerant: bool) -> None:
        self.text = text
        self.tolerant = tolerant
        self.at = 0
        self.open: list[_Open] = []
        self.root: Value = None
        self.repairs: set[str] = set()
        self.doubles: dict[str, None] = {}
        self.replaced: str | None = None
        self.keys = 0
        self.values = 0

    def read(self) -> Value:
        """The whole text as one value."""
        if self.text.startswith("\ufeff"):
            self.repairs.add("R1")
            self.at = 1
        joined = self.value(self.peek())
        if joined and self.tolerant and isinstance(self.root, str) and self.peek() == ":":
            self.outer_braces()
            joined = self.value(self.peek())
        while self.open:
            joined = self.step(joined)
        if self.peek():
            self.fail("Nothing may follow the value.")
        return self.root

    def notes(self) -> tuple[Note, ...]:
        """What was odd, in a fixed order."""
        notes = [Note("json_repaired", _repairs[name], name) for name in sorted(self.repairs)]
        message = "The key stands twice in one object; the last value counts."
        notes += [Note("duplicate_key", message, path) for path in self.doubles]
        if self.replaced is not None:
            notes.append(sanitized(self.replaced))
        return tuple(notes)

    # ------------------------------------------------------------ structure

    def step(self, joined: bool | None) -> bool | None:
        """One member of the innermost open container. `joined` is what was just read: None for an opening
        bracket, True for a string or a container, False for anything bare. The answer says the same of this step."""
        char = self.peek()
        top = self.open[-1]
        if self.closes(char, top):
            return self.close()
        if joined is not None:
            if char == ",":
                self.at += 1
                char = self.peek()
                if self.closes(char, top):
                    self.repair("R3")
                    return self.close()
            elif joined and self.starts_neighbour(char, top):
                self.repair("R4")
            else:
                self.fail("A comma or a closing bracket is expected.")
        if isinstance(top.items, dict):
            self.key(char, top)
            char = self.peek()
        return self.value(char)

    def closes(self, char: str, top: _Open) -> bool:
        """Whether the container ends here."""
        if top.bare:
            return char == ""
        return char == ("}" if isinstance(top.items, dict) else "]")

    def close(self) -> bool:
        """Leave the innermost container."""
        self.at += 0 if self.open[-1].bare else 1
        self.open.pop()
        return True

    def starts_neighbour(self, char: str, top: _Open) -> bool:
        """Whether a value starts here in front of which a comma may be added (R4)."""
        if not self.tolerant or not char:
            return False
        return char == straight or char in typographic or (char in "{[" and isinstance(top.items, list))

    def outer_braces(self) -> None:
        """R5: the string that was read as the whole text turns out to be a key."""
        self.repair("R5")
        key, self.root = self.root, {}
        self.at += 1
        self.open.append(_Open(self.root, bare=True))
        self.name(key, self.open[-1], self.at - 1)

    # ------------------------------------------------------------ keys and values

    def key(self, char: str, top: _Open) -> None:
        """A key and its colon."""
        start = self.at
        if char != straight and char not in typographic:
            self.fail("A key in quotation marks is expected.")
        self.name(self.string(char), top, start)
        if self.peek() != ":":
            self.fail("A colon is expected after the key.")
        self.at += 1

    def name(self, key: str, top: _Open, start: int) -> None:
        """Make `key` the one that the next value belongs to."""
        self.keys += 1
        if self.keys > limits.json_keys:
            raise Refused("too_many_fields", 400, f"The JSON has more than {limits.json_keys} keys.")
        if len(key) > limits.json_key_length:
            line, column = self.place(start)
            message = f"A key is longer than {limits.json_key_length} characters."
            raise Refused("key_too_long", 400, message, line, column)
        top.key = clean(key)
        if top.key is not key and self.replaced is None:
            self.replaced = self.path()
        if top.key in top.items and len(self.doubles) < limits.notes_of_a_kind:
            self.doubles[self.path()] = None

    def value(self, char: str) -> bool | None:
        """Read one value, or open one, and put it where it belongs; see `step` for the answer."""
        self.values += 1
        if self.values > limits.json_values:
            raise Refused("too_many_fields", 400, f"The JSON has more than {limits.json_values} values.")
        if char in ("{", "["):
            if len(self.open) >= limits.json_depth:
                raise Refused("too_deep", 400, f"The JSON is nested deeper than {limits.json_depth} levels.")
            self.at += 1
            items: list[Value] | dict[str, Value] = {} if char == "{" else []
            self.put(items)
            self.open.append(_Open(items))
            return None
        if char == straight or char in typographic:
            text = self.string(char)
            cleaned = clean(text)
            self.put(cleaned)
            if cleaned is not text and self.replaced is None:
                self.replaced = self.path()
            return True
        self.put(self.bare())
        return False

    def put(self, value: Value) -> None:
        """Add a value to the innermost container."""
        if not self.open:
            self.root = value
            return
        top = self.open[-1]
        if isinstance(top.items, dict):
            top.items[top.key] = value
            return
        if len(top.items) >= limits.list_items:
            raise Refused("too_many_fields", 400, f"A list has more than {limits.list_items} items.")
        top.items.append(value)

    def string(self, char: str) -> str:
        """The string that starts here."""
        if char != straight:
            self.repair("R2")
        start = self.at
        try:
            value, self.at = read_string(self.text, start)
        except json.JSONDecodeError as fault:
            self.at = fault.pos
            self.fail("A string is not closed or holds a character that must be escaped.")
        if len(value) > limits.string_length:
            line, column = self.place(start)
            raise Refused("string_too_long", 400, "A string is longer than 256 KiB.", line, column)
        return value

    def bare(self) -> Value:
        """The number, `true`, `false` or `null` that starts here."""
        for word, value in _words.items():
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return value
        match = _number.match(self.text, self.at)
        if match is None:
            self.fail("A value is expected.")
        if match.end() - self.at > limits.number_length:
            line, column = self.place(self.at)
            message = f"A number is longer than {limits.number_length} characters."
            raise Refused("number_too_long", 400, message, line, column)
        try:
            number = Number(match[0])
        except InvalidOperation:
            self.fail("The number is out of range.")
        if abs(number.adjusted()) > limits.number_exponent:
            self.fail("The number is out of range.")
        self.at = match.end()
        return number

    # ------------------------------------------------------------ places

    def peek(self) -> str:
        """The next character that is not space, without consuming it; empty at the end."""
        self.at = _space.match(self.text, self.at).end()  # type: ignore[union-attr]
        char = self.text[self.at : self.at + 1]
        if char and char in _odd and self.tolerant:
            self.repairs.add("R1")
            self.at = _any_space.match(self.text, self.at).end()  # type: ignore[union-attr]
            char = self.text[self.at : self.at + 1]
        return char

    def repair(self, name: str) -> None:
        """Note a repair, or fail where none is wanted."""
        if not self.tolerant:
            self.fail("A character that JSON does not allow here was found.")
        self.repairs.add(name)

    def path(self) -> str:
        """The path of the value that is being read."""
        path = ""
        for level in self.open:
            if isinstance(level.items, list):
                path += f"[{max(len(level.items) - 1, 0)}]"
            elif is_name(level.key):
                path += f".{level.key}" if path else level.key
            else:
                path += f"[{json.dumps(level.key, ensure_ascii=False)}]"
        return path

    def place(self, at: int) -> tuple[int, int]:
        """Line and column of a place, both from 1."""
        return self.text.count("\n", 0, at) + 1, at - self.text.rfind("\n", 0, at)

    def fail(self, reason: str) -> NoReturn:
        """Refuse the text at the current place."""
        line, column = self.place(self.at)
        message = f"The body is not valid JSON. {reason} This is in line {line}, column {column}."
        raise Refused("invalid_json", 400, message, line, column)
