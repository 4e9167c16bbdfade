"""A scope such as the one a webhook's run begins with, for the tests of this package."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hub.language import Missing, Scope, compile_template, system_values
from hub.values import loads

MOSCOW = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 11, 24, 11, 5, tzinfo=UTC)


def scope(body: str | None = None, **spaces: Any) -> Scope:
    """A scope at NOW in Moscow; `body` is JSON."""
    return Scope(
        system=system_values(NOW, MOSCOW, "ru"),
        body=None if body is None else loads(body),
        zone=MOSCOW,
        now=NOW,
        **spaces,
    )


def text(source: str, body: str | None = None, **spaces: Any) -> str:
    """The rendered text."""
    return compile_template(source).render(scope(body, **spaces)).text


def missing(source: str, body: str | None = None, **spaces: Any) -> list[Missing]:
    """What was missing while rendering, in order."""
    places = compile_template(source).render(scope(body, **spaces)).places
    return [place.missing for place in places if place.missing]


def folded(shown: str) -> str:
    """With ordinary spaces for no-break ones."""
    return shown.replace("\u00a0", " ").replace("\u202f", " ")
