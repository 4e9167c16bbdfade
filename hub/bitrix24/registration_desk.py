"""Keeping the portal's robots and senders equal to our scenarios and lines: whoever publishes, renames or removes one
finds it changed in the portal a moment later."""

import hashlib
from collections.abc import Callable, Sequence
from functools import partial

import structlog

from connectors.bitrix24.errors import AWAY
from connectors.errors import ConnectorError
from hub.bitrix24 import connections, registrations
from hub.bitrix24.client import Bitrix24
from hub.bitrix24.registrations import Kind
from hub.clock import SECOND, now_us
from hub.sql import Sql
from hub.values import dumps

log = structlog.get_logger(__name__)
KINDS: tuple[tuple[Kind, ...], ...] = (("robot", "activity"), ("sender",), ("connector",))
"""What follows our settings. Each tuple is one area of the portal, which may be missing from its plan."""
LOOK_S = 1.0
CLAIM_S = 120
AGAIN_S = 30
_DUE = """
SELECT c.portal_id FROM bitrix24_connection c JOIN stamp s ON s.portal_id = c.portal_id
JOIN portal p ON p.id = c.portal_id
WHERE p.state = 'active' AND c.registered_at IS NOT NULL AND (c.synced IS NULL OR c.synced <> s.config)
AND (c.sync_at IS NULL OR c.sync_at <= ?) ORDER BY c.portal_id LIMIT ?
"""


class RegistrationDesk:
    """Of one worker process."""

    name = "bitrix24-registration"
    hands = 2

    def __init__(self, bitrix24: Bitrix24) -> None:
        self._bitrix24 = bitrix24
        self._hub = bitrix24.hub
        self._looked_at = 0

    def hand_out(self, free: int) -> Sequence[Callable[[], None]]:
        """The portals whose settings have changed."""
        now = now_us()
        if now - self._looked_at < LOOK_S * SECOND:
            return ()
        self._looked_at = now
        with self._hub.db.sql() as sql:
            due = [portal_id for (portal_id,) in sql.all(_DUE, (now, free))]

        def claim(sql: Sql, portal_id: int) -> int:
            return sql.run(
                "UPDATE bitrix24_connection SET sync_at = ? WHERE portal_id = ? AND (sync_at IS NULL OR sync_at <= ?)",
                (now + CLAIM_S * SECOND, portal_id, now),
            )

        claimed = [one for one in due if self._hub.db.writer.run(partial(claim, portal_id=one))]
        return [partial(self._follow, portal_id) for portal_id in claimed]

    def free_dead(self, sql: Sql, dead: Sequence[str]) -> int:
        """A claim here runs out by itself."""
        return 0

    def _follow(self, portal_id: int) -> None:
        again_at: int | None = None
        with self._hub.db.sql() as sql:
            row = sql.one(
                "SELECT s.config, c.wanted FROM bitrix24_connection c JOIN stamp s ON s.portal_id = c.portal_id"
                " WHERE c.portal_id = ?",
                (portal_id,),
            )
        if row is None:
            return
        config, known = row
        wanted = self._wanted(portal_id)
        if wanted != (known or ""):
            for kinds in KINDS:
                try:
                    registrations.sync(self._bitrix24, portal_id, kinds)
                except AWAY as error:
                    again_at = now_us() + AGAIN_S * SECOND
                    log.warning("registrations_put_off", portal_id=portal_id, kind=kinds[0], code=error.code)
                except ConnectorError as error:
                    log.warning("registrations_not_possible", portal_id=portal_id, kind=kinds[0], code=error.code)
        done = again_at is None
        self._hub.db.writer.run(
            lambda sql: sql.run(
                "UPDATE bitrix24_connection SET synced = ?, wanted = ?, sync_at = ? WHERE portal_id = ?",
                (config if done else None, wanted if done else known, again_at, portal_id),
            )
        )

    def _wanted(self, portal_id: int) -> str:
        """A hash of all that the portal should have; empty for nothing, where there is nothing either."""
        with self._hub.db.sql() as sql:
            connection = connections.of_portal(sql, portal_id)
            there = sql.one(
                "SELECT 1 FROM bitrix24_registration WHERE portal_id = ? AND kind NOT IN ('event', 'placement')"
                " LIMIT 1",
                (portal_id,),
            )
        assert connection is not None
        every = [
            [kind, one.code, one.handler, dict(one.params)]
            for kinds in KINDS
            for kind in kinds
            for one in registrations.wanted(self._hub, connection, kind)
        ]
        if not every and there is None:
            return ""
        return hashlib.sha256(dumps(every).encode()).hexdigest()
