"""Dates as people and machines write them, and as a text shows them."""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal

from babel.dates import format_datetime, parse_pattern

from hub.language.scope import locale_of
from hub.values import Value, as_number

MAX_PATTERN = 64
_max_length = 64
_russian = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})(?:,?[ T]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?)?")
_seconds = re.compile(r"-?[0-9]{9,11}(?:\.[0-9]+)?")
_quoted = re.compile(r"'[^']*'")
_misleading = re.compile("[DY]")
_epoch = datetime(1970, 1, 1, tzinfo=UTC)


def parse_moment(value: Value, zone: tzinfo) -> datetime | None:
    """The moment that a value means, aware and in `zone`; None when it is no date.

    Read are ISO dates and times, `24.11.2026`, `24.11.2026 14:05`, and seconds since 1970. A time without a zone is
    taken to be in `zone`, a date without a time is its midnight.
    """
    if isinstance(value, datetime):
        return _placed(value, zone)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=zone)
    if isinstance(value, str):
        text = value.strip()
        if len(text) > _max_length or not text.isascii():
            return None
        return _from_text(text, zone)
    number = as_number(value)
    return None if number is None else _from_seconds(number, zone)


def show_moment(moment: datetime, pattern: str | None, language: str) -> str:
    """A moment as `dd.MM.yyyy`, or by a Unicode date pattern. Raises ValueError for a pattern nobody can read."""
    if pattern is None:
        return f"{moment.day:02}.{moment.month:02}.{moment.year:04}"
    if not is_pattern(pattern):
        raise ValueError("This date pattern cannot be read; write it like dd.MM.yyyy HH:mm.")
    return format_datetime(moment, pattern, tzinfo=moment.tzinfo, locale=locale_of(language))


def is_pattern(pattern: str) -> bool:
    """Whether a date pattern can be used.

    `DD` and `YYYY` mean the day of the year and the year of the week; nobody who writes them wants that, and the
    result looks right for most of the year, so they are refused.
    """
    if len(pattern) > MAX_PATTERN or _misleading.search(_quoted.sub("", pattern)):
        return False
    try:
        parse_pattern(pattern)
    except (ValueError, KeyError):
        return False
    return True


def _from_text(text: str, zone: tzinfo) -> datetime | None:
    found = _russian.fullmatch(text)
    try:
        if found:
            day, month, year, hour, minute, second = (int(part or 0) for part in found.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=zone)
        if _seconds.fullmatch(text):
            return _from_seconds(Decimal(text), zone)
        return _placed(datetime.fromisoformat(text), zone)
    except (ValueError, OverflowError):
        return None


def _from_seconds(number: Decimal, zone: tzinfo) -> datetime | None:
    if number and not -12 < number.adjusted() < 12:
        return None
    try:
        return (_epoch + timedelta(microseconds=int(number * 1_000_000))).astimezone(zone)
    except (ValueError, OverflowError):
        return None


def _placed(moment: datetime, zone: tzinfo) -> datetime | None:
    try:
        return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)
    except (ValueError, OverflowError):
        return None
