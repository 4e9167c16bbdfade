"""The filters of the template language: what each does, and how many arguments it takes.

A filter gets a value that is there; a missing one passes every filter but `default` untouched. Filters for texts and
dates let an empty value pass too, so that `{{ date | date | default: "soon" }}` says what it seems to say.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from hub.language import arithmetic, dates
from hub.language.errors import TemplateError, TemplateFailure
from hub.language.grammar import FilterCall, Literal
from hub.language.json_text import JsonProblem, read_json
from hub.language.lookup import Missing
from hub.language.phones import international_phone
from hub.language.scope import Scope
from hub.values import Number, Value, as_text, dumps

MAX_TEXT = 1024 * 1024
_currency = re.compile(r"[A-Za-z]{3}")

Apply = Callable[[Value, tuple[Value, ...], Scope], Any]


@dataclass(frozen=True, slots=True)
class Filter:
    """What a filter does with a value and its arguments, of which it takes `least` to `most`.

    `apply` is None for `default` alone, whose argument is not even looked up while there is a value.
    """

    apply: Apply | None
    least: int = 0
    most: int = 0


def checked_filter(call: FilterCall) -> Filter:
    """The filter that a template asks for. Raises TemplateError for an unknown one or wrong arguments."""
    known = FILTERS.get(call.name)
    if known is None:
        close = get_close_matches(call.name, FILTERS, n=1)
        advice = f"did you mean {close[0]}?" if close else "there are: " + ", ".join(FILTERS) + "."
        raise TemplateError("unknown_filter", f"There is no filter {call.name[:64]}; {advice}", call.column)
    if not known.least <= len(call.arguments) <= known.most:
        wanted = {(0, 0): "no arguments", (1, 1): "one argument"}.get((known.least, known.most), "at most one argument")
        raise TemplateError("wrong_arguments", f"The filter {call.name} takes {wanted}.", call.column)
    for argument in call.arguments:
        if isinstance(argument, Literal):
            _check_literal(call, argument.value)
    return known


def _check_literal(call: FilterCall, value: Value) -> None:
    if call.name == "date" and not (isinstance(value, str) and dates.is_pattern(value)):
        message = "The filter date takes a pattern such as dd.MM.yyyy."
        raise TemplateError("wrong_arguments", message, call.column)
    if call.name == "money" and not (isinstance(value, str) and _currency.fullmatch(value)):
        message = "The filter money takes a currency of three letters such as RUB."
        raise TemplateError("wrong_arguments", message, call.column)
    if call.name in _calculations or call.name == "round":
        try:
            number = arithmetic.number_of(value, call.name)
            if call.name == "round":
                arithmetic.rounded(number, number)
        except TemplateFailure as failure:
            raise TemplateError("wrong_arguments", failure.message, call.column) from None


def shown(value: Value) -> str:
    """A value as text. Raises TemplateFailure for what no JSON can write, such as half of a surrogate pair."""
    if type(value) is str:
        return value
    try:
        return as_text(value)
    except (TypeError, ValueError, RecursionError):
        raise TemplateFailure("template_error", "A value inside cannot be written as JSON.") from None


def _on_text(change: Callable[[str], str]) -> Apply:
    def apply(value: Value, arguments: tuple[Value, ...], scope: Scope) -> Value:
        return value if value is None else _limited(change(_limited(shown(value))))

    return apply


def _first_word(text: str) -> str:
    words = text.split(maxsplit=1)
    return words[0] if words else ""


def _date(value: Value, arguments: tuple[Value, ...], scope: Scope) -> Value:
    if _is_empty(value):
        return value
    moment = dates.parse_moment(value, scope.zone)
    if moment is None:
        raise TemplateFailure("template_error", "The filter date got something that is not a date.")
    try:
        return dates.show_moment(moment, shown(arguments[0]) if arguments else None, scope.language)
    except (ValueError, KeyError, OverflowError, AttributeError):
        message = "This date cannot be shown with this pattern; write it like dd.MM.yyyy HH:mm."
        raise TemplateFailure("template_error", message) from None


def _money(value: Value, arguments: tuple[Value, ...], scope: Scope) -> Value:
    if _is_empty(value):
        return value
    currency = shown(arguments[0]) if arguments else "RUB"
    if not _currency.fullmatch(currency):
        raise TemplateFailure("template_error", "A currency has three letters, such as RUB.")
    return arithmetic.money(arithmetic.number_of(value, "money"), currency, scope.language)


def _phone(value: Value, arguments: tuple[Value, ...], scope: Scope) -> Value:
    return value if _is_empty(value) else international_phone(shown(value), scope.country)


def _join(value: Value, arguments: tuple[Value, ...], scope: Scope) -> Value:
    if not isinstance(value, list):
        return value
    between = shown(arguments[0]) if arguments else ", "
    texts = [shown(item) for item in value if item is not None]
    if sum(map(len, texts)) + len(between) * len(texts) > MAX_TEXT:
        raise _too_long()
    return between.join(texts)


def _json(value: Value, arguments: tuple[Value, ...], scope: Scope) -> Value:
    try:
        return _limited(dumps(value))
    except (TypeError, ValueError, RecursionError):
        raise TemplateFailure("template_error", "A value inside cannot be written as JSON.") from None


def _parse(value: Value, arguments: tuple[Value, ...], scope: Scope) -> Value:
    if not isinstance(value, str) or value == "":
        return value
    try:
        return read_json(_limited(value))
    except JsonProblem as problem:
        return Missing("", "not_json", str(problem))


def _count(value: Value, arguments: tuple[Value, ...], scope: Scope) -> Value:
    if isinstance(value, list | dict | str):
        return Number(str(len(value)))
    if value is None:
        return Number("0")
    raise TemplateFailure("calc_error", "The filter count counts a list, an object or the characters of a text.")


def _calculation(name: str, compute: Callable[[Any, Any], Any]) -> Apply:
    def apply(value: Value, arguments: tuple[Value, ...], scope: Scope) -> Value:
        return compute(arithmetic.number_of(value, name), arithmetic.number_of(arguments[0], name))

    return apply


def _round(value: Value, arguments: tuple[Value, ...], scope: Scope) -> Value:
    places = arithmetic.number_of(arguments[0] if arguments else 0, "round")
    return arithmetic.rounded(arithmetic.number_of(value, "round"), places)


def _is_empty(value: Value) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _limited(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise _too_long()
    return text


def _too_long() -> TemplateFailure:
    return TemplateFailure("template_error", f"A filter handles at most {MAX_TEXT} characters.")


_calculations: dict[str, Callable[[Any, Any], Any]] = {
    "plus": arithmetic.plus,
    "minus": arithmetic.minus,
    "times": arithmetic.times,
    "divided_by": arithmetic.divided_by,
}

FILTERS: dict[str, Filter] = {
    "default": Filter(None, 1, 1),
    "upper": Filter(_on_text(str.upper)),
    "lower": Filter(_on_text(str.lower)),
    "trim": Filter(_on_text(str.strip)),
    "first_word": Filter(_on_text(_first_word)),
    "date": Filter(_date, 0, 1),
    "money": Filter(_money, 0, 1),
    "phone": Filter(_phone),
    "join": Filter(_join, 0, 1),
    "json": Filter(_json),
    "parse": Filter(_parse),
    "count": Filter(_count),
    **{name: Filter(_calculation(name, compute), 1, 1) for name, compute in _calculations.items()},
    "round": Filter(_round, 0, 1),
}
