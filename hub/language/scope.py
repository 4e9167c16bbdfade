"""Everything that a template can see while it is rendered, and the system variables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

from babel import Locale, UnknownLocaleError

from hub.language.names import SYSTEM_NAMES
from hub.values import Value


def _nothing() -> Mapping[str, Value]:
    return {}


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True)
class Scope:
    """The name spaces of one run. `now` is aware UTC; `language` and `country` guide dates, money and phones."""

    system: Mapping[str, Value] = field(default_factory=_nothing)
    local: Mapping[str, Value] = field(default_factory=_nothing)
    body: Value = None
    query: Mapping[str, Value] = field(default_factory=_nothing)
    globals: Mapping[str, Value] = field(default_factory=_nothing)
    constants: Mapping[str, Value] = field(default_factory=_nothing)
    blocks: Mapping[str, Value] = field(default_factory=_nothing)
    request: Mapping[str, Value] = field(default_factory=_nothing)
    run: Mapping[str, Value] = field(default_factory=_nothing)
    bitrix: Mapping[str, Value] = field(default_factory=_nothing)
    zone: tzinfo = UTC
    language: str = "ru"
    country: str = "RU"
    now: datetime = field(default_factory=_utc_now)


def system_values(now: datetime, zone: tzinfo, language: str) -> dict[str, Value]:
    """All twelve system variables as a webhook's run begins: the calendar filled in, the rest empty."""
    values: dict[str, Value] = dict.fromkeys(SYSTEM_NAMES, "")
    here = now.astimezone(zone)
    values["date"] = f"{here.day:02}.{here.month:02}.{here.year:04}"
    values["time"] = f"{here.hour:02}:{here.minute:02}"
    values["day_of_week"] = locale_of(language).days["format"]["wide"][here.weekday()]
    return values


@lru_cache(maxsize=64)
def locale_of(language: str) -> Locale:
    """Babel's locale for a language tag; Russian when the tag is unknown."""
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("ru")
