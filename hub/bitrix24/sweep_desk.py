"""The worker's desk for the search: keeps the list of what is searched equal to what scenarios watch, and searches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import structlog

from connectors.bitrix24.errors import AWAY
from connectors.errors import ConnectorError
from hub.bitrix24 import offline, watching
from hub.bitrix24.client import Bitrix24
from hub.bitrix24.sweep import sweep
from hub.clock import SECOND, now_us
from hub.scenarios.library import Library
from hub.sql import Sql, marks

log = structlog.get_logger(__name__)
SYNC_S = 5.0
CLAIM_S = 900
"""A search that its process did not finish is due again after so long. Two at once do no harm."""
AWAY_S = 30.0
PULL_S = 60.0
"""The portal's own list is read once for all kinds of cards, and no more often than this however short the interval."""


@dataclass(frozen=True)
class _Due:
    portal_id: int
    entity: str
    swept_to: int | None
    since: int


class SweepDesk:
    """Searches each kind of card that some scenario watches, every HUB_SWEEP_INTERVAL_S."""

    name = "bitrix24-sweep"
    hands = 2

    def __init__(self, bitrix24: Bitrix24, library: Library) -> None:
        self._bitrix24, self._hub, self._library = bitrix24, bitrix24.hub, library
        self._configs: dict[int, int] = {}
        self._synced_at = 0
        self._pulled_at: dict[int, int] = {}

    def hand_out(self, free: int) -> Sequence[Callable[[], None]]:
        """The searches that are due."""
        now = now_us()
        if now - self._synced_at >= SYNC_S * SECOND:
            self.sync(now)
            self._synced_at = now
        with self._hub.db.sql() as sql:
            due = sql.all(
                "SELECT w.portal_id, w.entity, w.next_at FROM bitrix24_watch w JOIN portal p ON p.id = w.portal_id"
                " WHERE w.next_at <= ? AND p.state = 'active' ORDER BY w.next_at LIMIT ?",
                (now, free),
            )
        if not due:
            return ()
        return [partial(self._sweep, one) for one in self._hub.db.writer.run(partial(self._claim, due=due, now=now))]

    def free_dead(self, sql: Sql, dead: Sequence[str]) -> int:
        """Inside a job: let the searches of dead processes be due at once."""
        return sql.run(
            f"UPDATE bitrix24_watch SET owner = NULL, next_at = ? WHERE owner IN ({marks(len(dead))})",  # noqa: S608
            (now_us(), *dead),
        )

    def sync(self, now: int) -> None:
        """Search what scenarios watch, and forget what is known of cards that none watches any more: it grows old."""
        with self._hub.db.sql() as sql:
            stamps = sql.all(
                "SELECT s.portal_id, s.config FROM stamp s JOIN bitrix24_connection c ON c.portal_id = s.portal_id"
                " JOIN portal p ON p.id = s.portal_id WHERE p.state = 'active' AND c.uninstalled_at IS NULL"
            )
        for portal_id, config in stamps:
            if self._configs.get(portal_id) == config:
                continue
            view = self._library.portal(portal_id)
            if view.config != config:
                view = self._library.portal(portal_id, fresh=True)
            wanted = watching.entities(self._library, view)
            self._hub.db.writer.run(partial(_watch, portal_id=portal_id, wanted=wanted, now=now))
            self._configs[portal_id] = view.config

    def _claim(self, sql: Sql, *, due: Sequence[tuple[int, str, int]], now: int) -> list[_Due]:
        claimed = []
        for portal_id, entity, since in due:
            rows = sql.all(
                "UPDATE bitrix24_watch SET owner = ?, next_at = ?"
                " WHERE portal_id = ? AND entity = ? AND next_at <= ? RETURNING swept_to",
                (self._hub.owner, now + CLAIM_S * SECOND, portal_id, entity, now),
            )
            claimed += [_Due(portal_id, entity, swept_to, since) for (swept_to,) in rows]
        return claimed

    def _sweep(self, due: _Due) -> None:
        age_s = max(0.0, (now_us() - due.since) / SECOND)
        again_s, error, swept_to = self._hub.settings.sweep_interval_s, "", due.swept_to
        try:
            swept_to, _ = sweep(self._bitrix24, due.portal_id, due.entity, due.swept_to, age_s)
            self._pull(due.portal_id, swept_to)
        except ConnectorError as met:
            error = f"{met.code or met.outcome}: {met.message}"[:500]
            if isinstance(met, AWAY):
                again_s = min(again_s, AWAY_S)
            log.warning("sweep_failed", portal_id=due.portal_id, entity=due.entity, code=met.code)
        next_at = now_us() + int(again_s * SECOND)
        self._hub.db.writer.run(
            lambda sql: sql.run(
                "UPDATE bitrix24_watch SET owner = NULL, swept_to = ?, next_at = ?, error = ?"
                " WHERE portal_id = ? AND entity = ?",
                (swept_to, next_at, error, due.portal_id, due.entity),
            )
        )

    def _pull(self, portal_id: int, until: int) -> None:
        now = now_us()
        if now - self._pulled_at.get(portal_id, 0) >= PULL_S * SECOND:
            self._pulled_at[portal_id] = now
            offline.pull(self._bitrix24, portal_id, until)


def _watch(sql: Sql, *, portal_id: int, wanted: set[str], now: int) -> None:
    kept = {entity for (entity,) in sql.all("SELECT entity FROM bitrix24_watch WHERE portal_id = ?", (portal_id,))}
    for entity in sorted(wanted - kept):
        sql.run(
            "INSERT INTO bitrix24_watch (portal_id, entity, next_at, error) VALUES (?, ?, ?, '')"
            " ON CONFLICT (portal_id, entity) DO NOTHING",
            (portal_id, entity, now),
        )
    for entity in sorted(kept - wanted):
        for table in ("watch", "snapshot", "change"):
            sql.run(
                f"DELETE FROM bitrix24_{table} WHERE portal_id = ? AND entity = ?",  # noqa: S608
                (portal_id, entity),
            )
