"""Filters that live in the address of a list, and the links to its next part."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from flask import request

from hub.clock import to_us
from hub.web.i18n import zone

MAX_INT = 2**63 - 1
PAGE = 50


@dataclass(frozen=True)
class Span:
    """Days of a list, both of them included; empty texts where there is no bound. `after` and `before` in µs."""

    first: str
    last: str
    after: int | None
    before: int | None


def span() -> Span:
    """The days of `?from=` and `?to=` in the portal's zone; what is no day counts as none."""
    first, last = (_day(request.args.get(name, "")) for name in ("from", "to"))
    return Span(
        first.isoformat() if first else "",
        last.isoformat() if last else "",
        _midnight(first) if first else None,
        _midnight(last + timedelta(days=1)) if last else None,
    )


def number(name: str, given: Mapping[str, str] | None = None) -> int | None:
    """A number of the address, or of what is `given`; what is none, or more than a database takes, counts as none."""
    text = (request.args if given is None else given).get(name, "")
    whole = text.isascii() and text.isdecimal() and len(text) < 20
    return int(text) if whole and int(text) <= MAX_INT else None


def one_of(name: str, known: tuple[str, ...]) -> str | None:
    """One of the known values; anything else counts as none."""
    text = request.args.get(name, "")
    return text if text in known else None


def several_of(name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """Known values with commas between them."""
    return tuple(part for part in request.args.get(name, "").split(",") if part in known)


def here(**changes: object) -> str:
    """The address of this list with other values; None and an empty text take one away."""
    kept: Mapping[str, object] = {**request.args.to_dict(), **changes}
    query = urlencode({name: value for name, value in kept.items() if value not in (None, "")})
    return f"{request.path}?{query}" if query else request.path


def is_filtered() -> bool:
    """Whether the address asks for a part only."""
    return any(value for name, value in request.args.items() if name not in ("below", "lang"))


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 < found.year < 3000 else None


def _midnight(day: date) -> int:
    return to_us(datetime.combine(day, time(), zone()))
