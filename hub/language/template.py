"""Templates: a text with places, read once into closures and rendered many times.

A value that a template prints is data. It is never read again as a template, whatever characters it holds.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from hub.language.errors import TemplateError, TemplateFailure
from hub.language.filters import Apply, checked_filter, shown
from hub.language.grammar import MAX_SOURCE, Expression, FilterCall, Literal, Path, parse_place
from hub.language.lookup import Found, Missing, finder
from hub.language.scope import Scope
from hub.values import Value

MAX_PLACES = 200
MAX_FILTERS = 5
MAX_OUTPUT = 64 * 1024

# Up to the braces that end a place; braces inside a quoted text do not.
_inside = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^"'}]|\}(?!\}))*""", re.DOTALL)

Read = Callable[[Scope], Found | Missing]


class Place(NamedTuple):
    """What one place gave: its path, the name space of the value ("" when none had it), the text, and, when there
    was no value to print, why."""

    path: str
    source: str
    text: str
    missing: Missing | None


class Rendered(NamedTuple):
    """A rendered text and its places in order."""

    text: str
    places: tuple[Place, ...]


class Evaluated(NamedTuple):
    """An evaluated value (None when it is missing) and the places in order."""

    value: Value
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class _Slot:
    position: int
    path: str
    read: Read


class Template:
    """A compiled template; made by `compile_template`, never changed, safe to share between threads."""

    __slots__ = ("_fixed", "_pieces", "_slots", "needed", "paths", "plain", "source")

    def __init__(
        self, source: str, pieces: list[str], slots: list[_Slot], paths: tuple[Path, ...], needed: frozenset[Path]
    ) -> None:
        self.source = source
        self.paths = paths
        """Every path that is read, arguments of filters included, in order, each once."""
        self.needed = needed
        """Those of them that leave a place empty when they lead nowhere: no `default` stands in for them."""
        self.plain = not slots
        """Whether there is no place at all."""
        self._pieces = pieces
        self._slots = tuple((slot.position, slot.path, slot.read) for slot in slots)
        self._fixed = sum(map(len, pieces))

    def render(self, scope: Scope) -> Rendered:
        """The text with every place filled in. Raises TemplateFailure."""
        pieces = self._pieces.copy()
        places = []
        length = self._fixed
        for position, path, read in self._slots:
            value, source, missing = _taken(read(scope))
            text = value if type(value) is str else shown(value)
            length += len(text)
            if length > MAX_OUTPUT:
                raise _too_much()
            pieces[position] = text
            places.append(Place(path, source, text, missing))
        text = "".join(pieces)
        if length * 4 > MAX_OUTPUT and len(text.encode("utf-8", "surrogatepass")) > MAX_OUTPUT:
            raise _too_much()
        return Rendered(text, tuple(places))

    def evaluate(self, scope: Scope) -> Evaluated:
        """The value of a template that is one single place, with its type; else the rendered text.

        Raises TemplateFailure. A single place's value is not held to the limit for texts.
        """
        if len(self._slots) != 1 or self._fixed:
            return Evaluated(*self.render(scope))
        _, path, read = self._slots[0]
        value, source, missing = _taken(read(scope))
        return Evaluated(value, (Place(path, source, shown(value), missing),))


@lru_cache(maxsize=1024)
def compile_template(source: str) -> Template:
    """Read a template. Raises TemplateError, whose column counts from 1."""
    if len(source) > MAX_SOURCE or len(source.encode("utf-8", "surrogatepass")) > MAX_SOURCE:
        raise TemplateError("too_long", f"A template holds at most {MAX_SOURCE} bytes.")
    pieces: list[str] = []
    slots: list[_Slot] = []
    paths: dict[Path, None] = {}
    needed: set[Path] = set()
    at = 0
    while (opening := source.find("{{", at)) >= 0:
        begin = opening + 2
        found = _inside.match(source, begin)
        end = found.end() if found else begin
        if not source.startswith("}}", end):
            raise TemplateError("unclosed", "This {{ is never closed with }}.", opening + 1)
        if len(slots) == MAX_PLACES:
            raise TemplateError("too_many_places", f"A template holds at most {MAX_PLACES} places.", opening + 1)
        expression = parse_place(source[begin:end], begin)
        if len(expression.filters) > MAX_FILTERS:
            message = f"A place holds at most {MAX_FILTERS} filters."
            raise TemplateError("too_many_filters", message, expression.filters[MAX_FILTERS].column)
        pieces += (source[at:opening], "")
        slots.append(_Slot(len(pieces) - 1, str(expression.path), _reader(expression)))
        paths.update(dict.fromkeys(_paths(expression)))
        if all(call.name != "default" for call in expression.filters):
            needed.update(_paths(expression))
        at = end + 2
    pieces.append(source[at:])
    return Template(source, pieces, slots, tuple(paths), frozenset(needed))


def _taken(read: Found | Missing) -> tuple[Value, str, Missing | None]:
    if type(read) is Found:
        return read.value, read.source, None
    assert type(read) is Missing
    return None, read.source, read


def _paths(expression: Expression) -> list[Path]:
    arguments = (argument for call in expression.filters for argument in call.arguments)
    return [expression.path, *(argument for argument in arguments if isinstance(argument, Path))]


def _reader(expression: Expression) -> Read:
    read = finder(expression.path)
    for call in expression.filters:
        read = _filtered(read, checked_filter(call).apply, call, str(expression.path))
    return read


def _filtered(before: Read, apply: Apply | None, call: FilterCall, path: str) -> Read:
    arguments = tuple(_argument(each) for each in call.arguments)
    if apply is None:
        return _defaulted(before, arguments[0])
    constant = tuple(each.value for each in call.arguments if isinstance(each, Literal))
    is_constant = len(constant) == len(arguments)

    def read(scope: Scope) -> Found | Missing:
        found = before(scope)
        if type(found) is Missing:
            return found
        value, source = found[0], found[1]
        values = constant
        if not is_constant:
            read_arguments = [argument(scope) for argument in arguments]
            for each in read_arguments:
                if type(each) is Missing:
                    return each
            values = tuple(each[0] for each in read_arguments)
        result = apply(value, values, scope)
        return Missing(path, result.code, result.hint, source) if type(result) is Missing else Found(result, source)

    return read


def _defaulted(before: Read, otherwise: Read) -> Read:
    def read(scope: Scope) -> Found | Missing:
        found = before(scope)
        if type(found) is Found and found.value is not None and found.value != "":
            return found
        return otherwise(scope)

    return read


def _argument(argument: Path | Literal) -> Read:
    if isinstance(argument, Path):
        return finder(argument)
    found = Found(argument.value, "")
    return lambda scope: found


def _too_much() -> TemplateFailure:
    return TemplateFailure("template_error", f"The text would be longer than {MAX_OUTPUT} bytes.")
