"""Finding things of a portal by what people remember of them: a name, a number, a phone, the beginning of an id."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from sqlmodel import Session, col, select

from hub.delivery.models import Message
from hub.endpoints.models import IncomingRequest
from hub.scenarios.models import Run, Scenario

Kind = Literal["scenario", "chat", "message", "run", "request"]
MOST = 6
LATEST = 2_000
SHORTEST_PHONE = 4
_ID = re.compile(r"[0-9a-f]{8,32}")
_NOT_DIGIT = re.compile(r"\D")
_PHONE = re.compile(r"\+?[\d\s().-]+")


@dataclass(frozen=True)
class Found:
    """One thing. `title` is what people call it, `more` a few words of it, `at` when it was made, µs."""

    kind: Kind
    id: str
    title: str
    more: str = ""
    at: int | None = None


def find(session: Session, portal_id: int, text: str) -> list[Found]:
    """At most six of each kind. Phones and ids are looked up by their beginnings among everything; the last digits of
    a phone and words of a text, among the latest 2,000 messages."""
    words = " ".join(text.split()).casefold()
    if not words:
        return []
    return [
        *_scenarios(session, portal_id, words),
        *_chats(session, portal_id, words),
        *_by_id(session, portal_id, words),
        *_by_text(session, portal_id, words),
    ]


def _scenarios(session: Session, portal_id: int, words: str) -> Iterator[Found]:
    query = select(Scenario.id, Scenario.name, Scenario.created_at).where(
        Scenario.portal_id == portal_id, col(Scenario.deleted_at).is_(None)
    )
    # A portal has few, and SQLite knows capitals of the English alphabet only.
    rows = [row for row in session.exec(query) if words in row[1].casefold() or words == str(row[0])]
    rows.sort(key=lambda row: (not row[1].casefold().startswith(words), row[1].casefold()))
    for number, name, at in rows[:MOST]:
        yield Found("scenario", str(number), name, at=at)


def _chats(session: Session, portal_id: int, words: str) -> Iterator[Found]:
    """Recipients whose number begins like this, however it is written, then those of late whose number ends so; others
    by their whole name."""
    digits = _NOT_DIGIT.sub("", words)
    conditions: list[Any] = [col(Message.chat_id) == words]
    if _PHONE.fullmatch(words) and len(digits) >= SHORTEST_PHONE:
        # A number within the country begins with 8, and is kept with its code.
        for prefix in {digits, f"7{digits[1:]}" if digits.startswith("8") else digits}:
            conditions.append(col(Message.chat_id).between(prefix, f"{prefix}z"))
    chats: dict[str, None] = {}
    for condition in conditions:
        query = select(Message.chat_id).where(Message.portal_id == portal_id, condition).distinct()
        chats |= dict.fromkeys(session.exec(query.order_by(col(Message.chat_id)).limit(MOST)))
    if len(digits) >= SHORTEST_PHONE and len(chats) < MOST and _PHONE.fullmatch(words):
        latest = select(Message.chat_id).where(Message.portal_id == portal_id).order_by(col(Message.seq).desc())
        chats |= dict.fromkeys(chat for chat in session.exec(latest.limit(LATEST)) if chat.endswith(digits))
    for chat in list(chats)[:MOST]:
        yield Found("chat", chat, chat)


def _by_id(session: Session, portal_id: int, words: str) -> Iterator[Found]:
    beginning = words.replace("-", "")
    if not _ID.fullmatch(beginning):
        return
    kinds: tuple[tuple[Kind, Any], ...] = (("run", Run), ("message", Message), ("request", IncomingRequest))
    for kind, model in kinds:
        query = select(model.id).where(model.portal_id == portal_id, model.id >= beginning, model.id < f"{beginning}g")
        for found in session.exec(query.order_by(model.id).limit(MOST)):
            yield Found(kind, found, found[:13])


def _by_text(session: Session, portal_id: int, words: str) -> Iterator[Found]:
    if len(words) < 2:
        return
    query = select(Message.id, Message.chat_id, Message.text, Message.created_at).where(Message.portal_id == portal_id)
    left = MOST
    for message_id, chat, text, at in session.exec(query.order_by(col(Message.seq).desc()).limit(LATEST)):
        place = text.casefold().find(words)
        if place >= 0 and left:
            left -= 1
            yield Found("message", message_id, chat, _around(text, place), at)


def _around(text: str, place: int) -> str:
    """The words near a place of a text, on one line."""
    start = max(0, place - 24)
    shown = " ".join(text[start : place + 60].split())
    return ("…" if start else "") + shown + ("…" if place + 60 < len(text) else "")
