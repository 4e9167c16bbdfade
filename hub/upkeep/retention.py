"""Forgetting: what is older than it is kept is deleted, a little at a time, and gives way to everything else."""

import threading
import time
from functools import partial

import structlog

from hub.clock import now_us
from hub.core import Hub
from hub.upkeep import chores
from hub.upkeep.outdated import Outdated, everything

log = structlog.get_logger(__name__)
NAME = "prune"
EVERY_S = 300.0
TURN_S = 240.0
REST = 4
"""A pause is so many times as long as the work before it: work takes a fifth of the time at most."""
SLOW_S = 0.5
SLOW_PAUSE_S = 5.0


def turn(hub: Hub, stop: threading.Event) -> dict[str, int] | None:
    """Prune for at most `TURN_S` seconds, if it is time and nobody else does. Raises StorageUnavailable."""
    now = now_us()
    if not hub.db.writer.run(lambda sql: chores.take(sql, NAME, every_s=EVERY_S, owner=hub.owner, now=now)):
        return None
    return prune(hub, now=now, stop=stop, within_s=TURN_S)


def prune(hub: Hub, *, now: int, stop: threading.Event, within_s: float) -> dict[str, int]:
    """Delete what is too old at `now` until nothing is left, the time is over or `stop` is set; gives the number of
    rows by kind. Raises StorageUnavailable."""
    usual = hub.settings.retention_days
    with hub.db.sql() as sql:
        rows = sql.all("SELECT id, COALESCE(retention_days, ?) FROM portal ORDER BY id", (usual,))
    days: dict[int, int] = {portal_id: kept for portal_id, kept in rows}  # noqa: C416  a row is no pair to the checker
    work = _Work(hub, stop, time.monotonic() + within_s)
    for kind in everything(days, usual, now=now):
        work.empty(kind)
    result = {"deleted": work.deleted, "complete": not work.over}
    hub.db.writer.run(lambda sql: chores.finish(sql, NAME, now=now_us(), result=result))
    if work.deleted:
        log.info("pruned", complete=not work.over, **work.deleted)
    return work.deleted


class _Work:
    """One turn: what it has deleted, and how long it may go on."""

    def __init__(self, hub: Hub, stop: threading.Event, until: float) -> None:
        self._hub = hub
        self._stop = stop
        self._until = until
        self.deleted: dict[str, int] = {}

    @property
    def over(self) -> bool:
        return self._stop.is_set() or time.monotonic() > self._until

    def empty(self, kind: Outdated) -> None:
        """Delete the outdated rows of one kind."""
        cursor, more = kind.start, True
        while more and not self.over:
            began = time.monotonic()
            with self._hub.db.sql() as sql:
                found = kind.find(sql, cursor)
            cursor, more = found.cursor, found.more
            if found.keys and self._may_write():
                rows = self._hub.db.writer.run(partial(kind.delete, keys=found.keys))
                self.deleted[kind.name] = self.deleted.get(kind.name, 0) + rows
                self._stop.wait((time.monotonic() - began) * REST)

    def _may_write(self) -> bool:
        """Wait until a commit is quick: as long as this small one takes would a request wait to be accepted."""
        while not self.over:
            began = time.monotonic()
            self._hub.db.writer.run(lambda sql: chores.touch(sql, NAME, now=now_us()))
            if time.monotonic() - began <= SLOW_S:
                return True
            self._stop.wait(SLOW_PAUSE_S)
        return False
