"""Exact arithmetic on what strangers send: decimal, and bounded before anything large is computed."""

from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from functools import lru_cache

from babel.numbers import NumberPattern, get_currency_precision, parse_pattern

from hub.language.errors import TemplateFailure
from hub.language.scope import locale_of
from hub.values import Value, as_number, type_name

MAX_DIGITS = 128
_largest_exponent = 400
_exact = Context(prec=1000)


def number_of(value: Value, filter_name: str) -> Decimal:
    """The number to compute with. Raises TemplateFailure `calc_error` when the value is none."""
    number = as_number(value)
    if number is None:
        raise TemplateFailure("calc_error", f"The filter {filter_name} needs a number, not {_kind(value)}.")
    if abs(number.adjusted()) > _largest_exponent or len(number.as_tuple().digits) > MAX_DIGITS:
        raise TemplateFailure("calc_error", f"The filter {filter_name} got a number of more than {MAX_DIGITS} digits.")
    return Decimal(number)


def plus(left: Decimal, right: Decimal) -> Decimal:
    """The exact sum."""
    return bounded(_exact.add(left, right))


def minus(left: Decimal, right: Decimal) -> Decimal:
    """The exact difference."""
    return bounded(_exact.subtract(left, right))


def times(left: Decimal, right: Decimal) -> Decimal:
    """The exact product."""
    return bounded(_exact.multiply(left, right))


def divided_by(left: Decimal, right: Decimal) -> Decimal:
    """The quotient, exact where it ends, else with at least ten places after the point."""
    if not right:
        raise TemplateFailure("calc_error", "A number cannot be divided by zero.")
    whole = left.adjusted() - right.adjusted() + 1
    precision = max(28, whole + 11, len(left.as_tuple().digits))
    return bounded(Context(prec=precision).divide(left, right))


def rounded(number: Decimal, places: Decimal) -> Decimal:
    """Rounded half up to 0 to 20 places after the point."""
    if places != places.to_integral_value() or not 0 <= places <= 20:
        raise TemplateFailure("calc_error", "The filter round keeps 0 to 20 places after the point.")
    return bounded(_quantised(number, int(places)))


def bounded(number: Decimal) -> Decimal:
    """The same number, never minus zero. Raises TemplateFailure when writing it takes more than 128 digits."""
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    written = max(len(digits) + exponent, 1) + max(-exponent, 0)
    if written > MAX_DIGITS:
        raise TemplateFailure("calc_error", f"The result has more than {MAX_DIGITS} digits.")
    return number if number else abs(number)


def money(number: Decimal, currency: str, language: str) -> str:
    """A sum as its language writes it: `45 000 ₽`, `45 000,50 ₽`; whole sums have no places after the point."""
    locale = locale_of(language)
    code = currency.upper()
    amount = bounded(_quantised(number, get_currency_precision(code)))
    places = 0 if amount == amount.to_integral_value() else get_currency_precision(code)
    with localcontext(_exact):
        return str(_money_pattern(language, places).apply(amount, locale, currency=code, currency_digits=False))


@lru_cache(maxsize=256)
def _money_pattern(language: str, places: int) -> NumberPattern:
    pattern = parse_pattern(locale_of(language).currency_formats["standard"].pattern)
    pattern.frac_prec = (places, places)
    return pattern


def _quantised(number: Decimal, places: int) -> Decimal:
    bounded(number)
    return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP, context=_exact)


def _kind(value: Value) -> str:
    # What the value says stays out of errors: it may be somebody's phone number.
    if isinstance(value, str):
        return "a text that spells none" if value.strip() else "an empty text"
    name = type_name(value)
    return "an empty value (null)" if name == "null" else f"a value of type {name}"
