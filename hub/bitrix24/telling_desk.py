"""Telling portals what became of messages: those of their own providers, and those sent for cards, by scenarios or by
people.

One commit notes what is told and puts the calls into the outbox, so each change is told once, in its order.
"""

from collections.abc import Callable, Sequence
from functools import partial

from hub.bitrix24 import about, operators, senders, timeline, untold
from hub.bitrix24.about import About
from hub.bitrix24.client import Bitrix24
from hub.bitrix24.untold import Untold
from hub.clock import now_us
from hub.sql import Sql

AT_ONCE = 100


class TellingDesk:
    """Of one worker process."""

    name = "bitrix24-telling"
    hands = 1

    def __init__(self, bitrix24: Bitrix24) -> None:
        self._hub = bitrix24.hub

    def hand_out(self, free: int) -> Sequence[Callable[[], None]]:
        """One piece of work when there is something to tell. Nothing is claimed: telling twice is telling once."""
        with self._hub.db.sql() as sql:
            return (self._tell,) if untold.exist(sql) else ()

    def free_dead(self, sql: Sql, dead: Sequence[str]) -> int:
        """There are no claims."""
        return 0

    def _tell(self) -> None:
        with self._hub.db.sql() as sql:
            found = untold.find(sql, limit=AT_ONCE)
        if found:
            self._hub.db.writer.run(partial(_tell_all, messages=found), rings=True)


def _tell_all(sql: Sql, messages: Sequence[Untold]) -> None:
    now = now_us()
    for message in messages:
        portal = sql.one(
            "SELECT p.language, c.timeline FROM portal p JOIN bitrix24_connection c ON c.portal_id = p.id"
            " WHERE p.id = ? AND p.state <> 'uninstalled'",
            (message.portal_id,),
        )
        if portal is None:
            untold.forget(sql, message)
            continue
        language, timeline_on = portal
        told = operators.tell(sql, message, language=language, now=now) or senders.tell(sql, message, now=now)
        if not told:
            found = _card(sql, message, language) if timeline_on else None
            if found is None:
                untold.forget(sql, message)
                continue
            card, sender = found
            timeline.tell(sql, message, card, sender=sender, language=language, now=now)
        untold.note(sql, message)


def _card(sql: Sql, message: Untold, language: str) -> tuple[About, str] | None:
    """The card that a message stands beside, and who it is from; None for one that is about no card."""
    if message.run_id is None:
        row = sql.one("SELECT entity, entity_id, author FROM bitrix24_card_message WHERE message_id = ?", (message.id,))
        return None if row is None else (About(row[0], int(row[1])), timeline.by("person", row[2], language))
    card = about.of_run(sql, message.run_id)
    if card is None:
        return None
    name = sql.one("SELECT name FROM scenario WHERE id = ?", (message.scenario_id,))
    return card, timeline.by("scenario", "?" if name is None else name[0], language)
