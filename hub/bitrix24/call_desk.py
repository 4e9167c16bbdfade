"""What the worker does with the outbox of calls: claims what is due, makes it, and writes down what came of it."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import structlog

from connectors.errors import ConnectorError
from hub.bitrix24 import calls
from hub.bitrix24.calls import Claimed, Settlement
from hub.bitrix24.client import Bitrix24
from hub.clock import SECOND, now_us
from hub.errors import StorageUnavailable
from hub.sql import Sql

log = structlog.get_logger(__name__)
OF_PORTAL = 4
"""Calls to one portal at once: one that hangs leaves the hands of the others free."""
TIDY_S = 1.0
EXPIRE_S = 60.0


class CallDesk:
    """Of one worker process."""

    name = "bitrix24-call"
    hands = 12

    def __init__(self, bitrix24: Bitrix24) -> None:
        self._bitrix24 = bitrix24
        self._hub = bitrix24.hub
        self._lock = threading.Lock()
        self._in_hand: dict[int, Claimed] = {}
        self._unstored: dict[int, Callable[[Sql], bool]] = {}
        self._turn = 0
        self._tidied_at = self._expired_at = 0

    def hand_out(self, free: int) -> Sequence[Callable[[], None]]:
        """The calls that are due, a few of each portal in turn."""
        hub, now = self._hub, now_us()
        self._tidy(now)
        with hub.db.sql() as sql:
            portals = calls.portals_with_due(sql, now=now)
        if not portals:
            return ()
        with self._lock:
            busy = Counter(call.portal_id for call in self._in_hand.values())
        self._turn += 1
        start = self._turn % len(portals)
        portals = portals[start:] + portals[:start]

        def job(sql: Sql) -> list[Claimed]:
            claimed: list[Claimed] = []
            for portal_id in portals:
                room = min(OF_PORTAL - busy[portal_id], free - len(claimed))
                if room > 0:
                    claimed += calls.claim(sql, portal_id, owner=hub.owner, limit=room, now=now)
            return claimed

        claimed = hub.db.writer.run(job)
        with self._lock:
            self._in_hand |= {call.id: call for call in claimed}
        return [partial(self._make, call) for call in claimed]

    def free_dead(self, sql: Sql, dead: Sequence[str]) -> int:
        """Inside a job: calls of dead processes are made again where that does no harm."""
        return calls.free(sql, dead, now=now_us())

    def _make(self, call: Claimed) -> None:
        try:
            params = calls.filled(self._hub, call.portal_id, call.params)
            answer = self._bitrix24.client(call.portal_id).call(call.method, params)
            settlement = Settlement("done", result=answer.result)
        except ConnectorError as error:
            settlement = calls.after(call, error, now=now_us())
        except StorageUnavailable as error:
            # The token could not be read, or the portal's rate not be noted: the call was not made.
            settlement = Settlement("queued", counts=False, error={"code": "storage", "message": error.message})
        except Exception:
            log.exception("portal_call_broke", portal_id=call.portal_id, method=call.method)
            settlement = Settlement("failed", error={"code": "internal", "message": "An error of ours; see the log."})
        log.info("portal_called", portal_id=call.portal_id, method=call.method, key=call.key, state=settlement.state)
        store = partial(calls.settle, call=call, settlement=settlement, owner=self._hub.owner, now=now_us())
        self._unstored[call.id] = store
        self._store(call.id)

    def _store(self, number: int) -> None:
        """Write an outcome down; while the database is away it stays in memory."""
        store = self._unstored.get(number)
        if store is None:
            return
        self._hub.db.writer.run(store)
        self._unstored.pop(number, None)
        with self._lock:
            self._in_hand.pop(number, None)

    def _tidy(self, now: int) -> None:
        if now - self._tidied_at < TIDY_S * SECOND:
            return
        self._tidied_at = now
        for number in list(self._unstored):
            self._store(number)
        with self._hub.db.sql() as sql:
            owned = calls.owned(sql, self._hub.owner)
        with self._lock:
            unknown = sorted(owned.difference(self._in_hand))
        if unknown:
            self._hub.db.writer.run(partial(calls.release, numbers=unknown, owner=self._hub.owner))
        if now - self._expired_at >= EXPIRE_S * SECOND:
            self._expired_at = now
            self._hub.db.writer.run(partial(calls.expire, now=now))
