"""In which language, and in which zone of time, a page speaks."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Flask, Response, current_app, g, request
from flask_babel import Babel, format_decimal, get_locale, gettext, ngettext
from flask_babel import format_datetime as format_moment

from hub.core import Hub
from hub.portals.service import by_id
from hub.web.access.identity import asking

LANGUAGES = ("ru", "en")
CATALOGUES = Path(__file__).resolve().parent / "translations"
COOKIE = "hubline_language"
YEAR_S = 31_536_000


def register(app: Flask) -> None:
    """Let pages speak the person's language: one chosen here, else the portal's, else the browser's."""
    app.config.update(BABEL_TRANSLATION_DIRECTORIES=str(CATALOGUES), BABEL_DEFAULT_LOCALE="ru")
    Babel(app, locale_selector=language, timezone_selector=_zone_name)
    app.jinja_env.globals.update(language=lambda: str(get_locale()))
    app.jinja_env.filters.update(moment=moment, ago=ago, size=size)


def language() -> str:
    """`ru` or `en`, by `?lang=`, then the choice kept in the cookie, then who is asking, then the browser."""
    person = asking()
    chosen = (request.args.get("lang"), request.cookies.get(COOKIE), person.language if person else None)
    for candidate in chosen:
        if candidate in LANGUAGES:
            return candidate
    return request.accept_languages.best_match(LANGUAGES, "ru")


def zone() -> ZoneInfo:
    """The zone of the portal of whoever is asking, else the installation's."""
    if "zone" not in g:
        hub: Hub = current_app.extensions["hub"]
        person = asking()
        name = hub.settings.time_zone
        if person is not None:
            with hub.db.read() as session:
                name = by_id(session, person.portal_id).time_zone
        g.zone = ZoneInfo(name)
    found: ZoneInfo = g.zone
    return found


def moment(us: int | None, form: str = "d MMM, HH:mm") -> str:
    """A time in µs as people of this portal read it; an empty text for None."""
    return "" if us is None else str(format_moment(datetime.fromtimestamp(us / 1_000_000, UTC), form))


def ago(seconds: float) -> str:
    """A stretch of time in its largest unit: "5 min"."""
    if seconds >= 86_400:
        return str(ngettext("%(num)d day", "%(num)d days", int(seconds // 86_400)))
    if seconds >= 3_600:
        return str(ngettext("%(num)d hour", "%(num)d hours", int(seconds // 3_600)))
    if seconds >= 60:
        return str(ngettext("%(num)d minute", "%(num)d minutes", int(seconds // 60)))
    return str(gettext("less than a minute"))


def size(count: int) -> str:
    """A number of bytes in the unit that suits it: "176 B", "12 KB"."""
    if count < 1_000:
        return str(gettext("%(num)s B", num=count))
    if count < 1_000_000:
        return str(gettext("%(num)s KB", num=round(count / 1_000)))
    return str(gettext("%(num)s MB", num=format_decimal(round(count / 1_000_000, 1))))


def _zone_name() -> str:
    return zone().key


def remember(response: Response) -> Response:
    """Keep the language that `?lang=` chose, for a year."""
    chosen = request.args.get("lang")
    if chosen in LANGUAGES:
        secure = current_app.config["SESSION_COOKIE_SECURE"]
        response.set_cookie(COOKIE, chosen, max_age=YEAR_S, samesite="Lax", secure=secure, httponly=True)
    return response
