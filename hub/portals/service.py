"""Finding portals, changing what a portal may set, and counting those changes so that caches notice them."""

from collections.abc import Sequence
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Row, update
from sqlmodel import Session, col, select

from hub.clock import now_us, rfc3339
from hub.errors import Invalid, NotFound
from hub.portals.models import LOCAL, Portal, Stamp
from hub.quiet import QuietHours
from hub.settings import Settings
from hub.values import dumps, loads

RETENTION_DAYS = (3, 90)
MOST_OWN_NUMBERS = 10
LANGUAGES = ("ru", "en")


def local_portal(session: Session, settings: Settings) -> Portal:
    """The portal that needs no Bitrix24; made, together with its stamp, when it is missing (needs a write session)."""
    portal = session.exec(select(Portal).where(Portal.member_id == LOCAL)).one_or_none()
    if portal is None:
        portal = Portal(member_id=LOCAL, installed_at=now_us(), time_zone=settings.time_zone)
        session.add(portal)
        session.flush()
        session.add(Stamp(portal_id=key_of(portal)))
        session.flush()
    return portal


def get(session: Session, member_id: str) -> Portal:
    """The portal with Bitrix24's key `member_id`. Raises NotFound."""
    portal = session.exec(select(Portal).where(Portal.member_id == member_id)).one_or_none()
    if portal is None:
        raise NotFound("There is no such portal.")
    return portal


def by_id(session: Session, portal_id: int) -> Portal:
    """The portal with our own number. Raises NotFound."""
    portal = session.get(Portal, portal_id)
    if portal is None:
        raise NotFound("There is no such portal.")
    return portal


def every(session: Session) -> Sequence[Portal]:
    """All portals, the oldest first."""
    return session.exec(select(Portal).order_by(col(Portal.id))).all()


def key_of(portal: Portal) -> int:
    """Our own number of a stored portal."""
    if portal.id is None:
        raise ValueError("the portal has not been stored yet")
    return portal.id


def bump(session: Session, portal_id: int, what: Literal["config", "globals"]) -> None:
    """Count one change of the portal's settings or globals, in the transaction that makes the change."""
    column = Stamp.config if what == "config" else Stamp.globals
    touched = session.connection().execute(
        update(Stamp)
        .where(Stamp.portal_id == portal_id)  # type: ignore[arg-type]
        .values({what: column + 1})
        .returning(Stamp.portal_id)  # type: ignore[call-overload]
    )
    row: Row[tuple[int]] | None = touched.first()
    if row is None:
        session.add(Stamp(portal_id=portal_id, **{what: 1}))
        session.flush()


def change(
    session: Session,
    portal: Portal,
    *,
    time_zone: str | None = None,
    language: str | None = None,
    retention_days: int | None = None,
) -> Portal:
    """Set what is given. Raises Invalid with one error for every value that cannot be."""
    errors: list[dict[str, str]] = []
    if time_zone is not None and not _is_zone(time_zone):
        errors.append(_error("/time_zone", "unknown_zone", "This is not the name of a time zone."))
    if language is not None and language not in LANGUAGES:
        errors.append(_error("/language", "unknown_language", f"The language is one of {', '.join(LANGUAGES)}."))
    low, high = RETENTION_DAYS
    if retention_days is not None and not low <= retention_days <= high:
        errors.append(_error("/retention_days", "out_of_range", f"Texts are kept for {low} to {high} days."))
    if errors:
        raise Invalid("The portal's settings cannot be kept like this.", errors=errors)
    portal.time_zone = time_zone if time_zone is not None else portal.time_zone
    portal.language = language if language is not None else portal.language
    portal.retention_days = retention_days if retention_days is not None else portal.retention_days
    session.add(portal)
    bump(session, key_of(portal), "config")
    return portal


def keep_as_usual(session: Session, portal: Portal) -> None:
    """Keep the portal's texts for as long as the installation keeps those of portals that say nothing about it."""
    portal.retention_days = None
    session.add(portal)
    bump(session, key_of(portal), "config")


def quiet_hours(portal: Portal) -> dict[str, str | None] | None:
    """When its scenarios write to nobody: `{"from", "to"}`, None where they may at any hour."""
    return {"from": portal.quiet_from, "to": portal.quiet_to} if portal.quiet_from else None


def set_quiet_hours(session: Session, portal: Portal, begin: str, end: str) -> None:
    """When its scenarios write to nobody, `HH:MM` of the portal's zone; two empty texts: they may at any hour. Raises
    Invalid."""
    if begin or end:
        try:
            QuietHours(begin, end, ZoneInfo(portal.time_zone))
        except ValueError as error:
            message = "Quiet hours go from one time of the day to another one, both as HH:MM."
            raise Invalid(message, errors=[_error("/quiet_hours", "quiet_hours_invalid", message)]) from error
    portal.quiet_from, portal.quiet_to = begin or None, end or None
    session.add(portal)
    bump(session, key_of(portal), "config")


def quiet_of(portal: Portal) -> QuietHours | None:
    """The same with their zone, as messages keep them."""
    if portal.quiet_from is None or portal.quiet_to is None:
        return None
    return QuietHours(portal.quiet_from, portal.quiet_to, ZoneInfo(portal.time_zone))


def tell_in_chat(session: Session, portal: Portal, line_id: str | None, chat_id: str | None) -> None:
    """Have notices of the portal sent to this chat over this line; both None: no longer."""
    portal.notice_line, portal.notice_chat = line_id, chat_id
    session.add(portal)
    bump(session, key_of(portal), "config")


def own_numbers(portal: Portal) -> list[str]:
    """The recipients that a test may really write to."""
    return [str(one) for one in loads(portal.own_numbers)] if portal.own_numbers else []


def set_own_numbers(session: Session, portal: Portal, numbers: Sequence[str]) -> None:
    """Let tests write to these. Raises Invalid for too many or one too long."""
    kept = list(dict.fromkeys(number.strip() for number in numbers if number.strip()))
    if len(kept) > MOST_OWN_NUMBERS or any(len(number) > 255 for number in kept):
        message = f"There may be {MOST_OWN_NUMBERS} own numbers of at most 255 characters."
        raise Invalid(message, errors=[_error("/own_numbers", "too_many", message)])
    portal.own_numbers = dumps(kept)
    session.add(portal)
    bump(session, key_of(portal), "config")


def to_dict(portal: Portal) -> dict[str, object]:
    """A portal as the API shows it."""
    return {
        "member_id": portal.member_id,
        "domain": portal.domain,
        "state": portal.state,
        "installed_at": rfc3339(portal.installed_at),
        "scopes": loads(portal.scopes),
        "time_zone": portal.time_zone,
        "language": portal.language,
        "retention_days": portal.retention_days,
        "quiet_hours": quiet_hours(portal),
        "notice_line": portal.notice_line,
        "notice_chat": portal.notice_chat,
        "own_numbers": own_numbers(portal),
    }


def _error(pointer: str, code: str, message: str) -> dict[str, str]:
    return {"pointer": pointer, "code": code, "message": message}


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
