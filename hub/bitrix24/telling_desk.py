"""Telling portals what became of messages: those of their own providers, and those that scenarios sent for cards.

One commit notes what is told and puts the calls into the outbox, so each change is told once, in its order.
"""

from collections.abc import Callable, Sequence
from functools import partial

from hub.bitrix24 import about, senders, timeline, untold
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
        if not senders.tell(sql, message, now=now):
            card = None if message.run_id is None or not portal[1] else about.of_run(sql, message.run_id)
            if card is None:
                untold.forget(sql, message)
                continue
            name = sql.one("SELECT name FROM scenario WHERE id = ?", (message.scenario_id,))
            scenario = "?" if name is None else name[0]
            timeline.tell(sql, message, card, scenario=scenario, language=portal[0], now=now)
        untold.note(sql, message)
