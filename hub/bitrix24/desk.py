"""What the worker does for portals by itself: seeing once a day, or when asked to, that all of ours is still there."""

from collections.abc import Callable, Sequence
from functools import partial

import structlog

from connectors.bitrix24.errors import AWAY
from connectors.errors import ConnectorError
from hub.bitrix24 import connections, install, registrations, uninstall
from hub.bitrix24.client import Bitrix24
from hub.clock import SECOND, now_us
from hub.sql import Sql

log = structlog.get_logger(__name__)
CLAIM_S = 600
"""A check that its process did not finish is due again after so long."""
AGAIN_S = 300


class CheckDesk:
    """Looks after connections whose `check_at` has come."""

    name = "bitrix24-check"
    hands = 2

    def __init__(self, bitrix24: Bitrix24) -> None:
        self._bitrix24 = bitrix24
        self._hub = bitrix24.hub

    def hand_out(self, free: int) -> Sequence[Callable[[], None]]:
        """The checks that are due."""
        now = now_us()
        with self._hub.db.sql() as sql:
            if sql.one("SELECT 1 FROM bitrix24_connection WHERE check_at <= ? LIMIT 1", (now,)) is None:
                return ()

        def claim(sql: Sql) -> list[int]:
            rows = sql.all(
                "UPDATE bitrix24_connection SET check_at = ? WHERE portal_id IN (SELECT portal_id FROM"
                " bitrix24_connection WHERE check_at <= ? ORDER BY check_at LIMIT ? /*skip locked*/)"
                " RETURNING portal_id",
                (now + CLAIM_S * SECOND, now, free),
            )
            return [int(portal_id) for (portal_id,) in rows]

        return [partial(self._check, portal_id) for portal_id in self._hub.db.writer.run(claim)]

    def free_dead(self, sql: Sql, dead: Sequence[str]) -> int:
        """A claim here runs out by itself."""
        return 0

    def _check(self, portal_id: int) -> None:
        again_s: float = install.CHECK_EVERY_S
        try:
            check(self._bitrix24, portal_id)
        except AWAY as error:
            again_s = AGAIN_S
            log.warning("portal_check_put_off", portal_id=portal_id, code=error.code)
        except ConnectorError as error:
            log.warning("portal_check_failed", portal_id=portal_id, code=error.code)
        at = now_us() + int(again_s * SECOND)
        self._hub.db.writer.run(
            lambda sql: sql.run(
                "UPDATE bitrix24_connection SET check_at = ? WHERE portal_id = ? AND uninstalled_at IS NULL",
                (at, portal_id),
            )
        )


def check(bitrix24: Bitrix24, portal_id: int) -> None:
    """See that a portal has all that it should have, and put back what is missing. Raises ConnectorError."""
    hub = bitrix24.hub
    with hub.db.sql() as sql:
        connection = connections.of_portal(sql, portal_id)
        silent = uninstall.long_silent(sql, portal_id, now=now_us())
        registered = sql.one("SELECT registered_at FROM bitrix24_connection WHERE portal_id = ?", (portal_id,))
    if connection is None or connection.uninstalled_at is not None:
        return
    if silent:
        uninstall.uninstall(hub, portal_id, clean=False)
        return
    if connection.state == "needs_reauth":
        return
    if connection.state == "suspended":
        bitrix24.client(portal_id, probe=True).call("profile")
    if registered is None or registered[0] is None:
        install.take_all(bitrix24, portal_id)
    else:
        registrations.sync(bitrix24, portal_id)
