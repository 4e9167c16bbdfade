"""The grammar of what stands between `{{` and `}}`, and the small tree that it is read into.

This is the whole language: a path, then filters. Text outside the braces never comes here.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from hub.language.errors import TemplateError
from hub.language.names import NAME_PATTERN, is_name
from hub.values import Number

GRAMMAR = rf"""
place: path ("|" filter)*
path: NAME (key | item)*
key: "." NAME
item: "[" (NUMBER | STRING) "]"
filter: NAME (":" argument ("," argument)*)?
argument: STRING | NUMBER | path
NAME: /{NAME_PATTERN}/
NUMBER: /-?[0-9]+(?:\.[0-9]+)?/
STRING: /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/s
%ignore /\s+/
"""
MAX_SOURCE = 16 * 1024
MAX_NUMBER = 128
MAX_INDEX = 9

_parser = Lark(GRAMMAR, parser="lalr", start=["place", "path"], maybe_placeholders=False)
_escape = re.compile(r"\\(.)", re.DOTALL)
_escapes = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Path:
    """`payment[0].name`: the first name, then the steps; a text looks up a key, a number an item of a list."""

    root: str
    steps: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        return self.root + "".join(map(step_text, self.steps))


@dataclass(frozen=True, slots=True)
class Literal:
    """A text or a number written as a filter's argument."""

    value: str | Number


@dataclass(frozen=True, slots=True)
class FilterCall:
    """One `| name: arguments`; `column` counts from 1 in the template's source."""

    name: str
    arguments: tuple[Path | Literal, ...]
    column: int


@dataclass(frozen=True, slots=True)
class Expression:
    """What one place says: where the value is found, and what is done with it."""

    path: Path
    filters: tuple[FilterCall, ...]


def step_text(step: str | int) -> str:
    """A step of a path as one writes it."""
    if isinstance(step, int):
        return f"[{step}]"
    if is_name(step) and unicodedata.is_normalized("NFC", step):
        return "." + step
    quoted = step.replace("\\", "\\\\").replace('"', '\\"')
    return '["' + quoted.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"]'


def parse_place(inside: str, offset: int = 0) -> Expression:
    """Read the inside of one pair of braces that begins `offset` characters into its template."""
    if not inside.strip():
        raise TemplateError("empty_place", "There is nothing between {{ and }}; put a name there.", offset + 1)
    tree = _parse(inside, "place", offset)
    path, *filters = tree.children
    return Expression(_path(path, offset), tuple(_filter(each, offset) for each in filters))


@lru_cache(maxsize=2048)
def parse_path(text: str) -> Path:
    """A bare path such as `payment[0].name`. Raises TemplateError."""
    if len(text) > MAX_SOURCE:
        raise TemplateError("too_long", f"A path holds at most {MAX_SOURCE} characters.")
    if not text.strip():
        raise TemplateError("syntax", "A path needs a name, such as payment[0].name.")
    return _path(_parse(text, "path", 0), 0)


def _parse(text: str, start: str, offset: int) -> Tree[Token]:
    # Composed and decomposed spellings of a name are one name, but a key in quotes is taken as it stands,
    # so names are normalised one by one; only a decomposed letter would not even be read as a name.
    try:
        tree: Tree[Token] = _parser.parse(text, start=start)
    except UnexpectedInput as unexpected:
        composed = unicodedata.normalize("NFC", text)
        if composed != text:
            return _parse(composed, start, offset)
        raise TemplateError("syntax", _complaint(text, unexpected), _column(text, unexpected, offset)) from None
    return tree


def _complaint(text: str, unexpected: UnexpectedInput) -> str:
    if isinstance(unexpected, UnexpectedEOF) or (
        isinstance(unexpected, UnexpectedToken) and unexpected.token.type == "$END"
    ):
        return "The expression ends too early."
    if isinstance(unexpected, UnexpectedToken):
        seen = str(unexpected.token)
    elif isinstance(unexpected, UnexpectedCharacters):
        seen = text[unexpected.pos_in_stream :].split()[0]
    else:
        seen = text
    shown = seen if len(seen) <= 20 else seen[:20] + "…"
    return f"{shown} cannot stand here; write a path such as payment[0].name, then filters after |."


def _column(text: str, unexpected: UnexpectedInput, offset: int) -> int:
    position = unexpected.pos_in_stream
    if isinstance(unexpected, UnexpectedEOF) or position is None or position < 0:
        position = len(text)
    elif isinstance(unexpected, UnexpectedToken) and unexpected.token.type == "$END":
        position = len(text.rstrip())
    return offset + position + 1


def _path(tree: object, offset: int) -> Path:
    assert isinstance(tree, Tree)
    root, *steps = tree.children
    return Path(_name(root), tuple(_step(step.children[0], offset) for step in steps))


def _step(token: object, offset: int) -> str | int:
    assert isinstance(token, Token)
    if token.type == "NAME":
        return _name(token)
    if token.type == "STRING":
        return _string(token)
    if "." in token or len(token) > MAX_INDEX:
        column = offset + (token.start_pos or 0) + 1
        raise TemplateError("syntax", "An index is a whole number such as 0 or -1.", column)
    return int(token)


def _filter(tree: object, offset: int) -> FilterCall:
    assert isinstance(tree, Tree)
    name, *arguments = tree.children
    assert isinstance(name, Token)
    column = offset + (name.start_pos or 0) + 1
    return FilterCall(str(name), tuple(_argument(each.children[0], offset) for each in arguments), column)


def _argument(node: Token | Tree[Token], offset: int) -> Path | Literal:
    if isinstance(node, Tree):
        return _path(node, offset)
    if node.type == "STRING":
        return Literal(_string(node))
    if len(node) > MAX_NUMBER:
        column = offset + (node.start_pos or 0) + 1
        raise TemplateError("syntax", f"A number holds at most {MAX_NUMBER} characters.", column)
    return Literal(Number(str(node)))


def _name(token: object) -> str:
    return unicodedata.normalize("NFC", str(token))


def _string(token: Token) -> str:
    return _escape.sub(lambda found: _escapes.get(found[1], found[0]), token[1:-1])
