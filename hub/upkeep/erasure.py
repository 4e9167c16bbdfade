"""Erasing what is kept of a portal that removed the application, or that its operator wants gone, a little at a time.

Orders stand in `bitrix24_erasure`. One process at a time carries them out; it may die at any moment, for an order is
done when nothing is left. Afterwards the order is the proof of it: which tables, how many rows, when and why.
"""

import sqlite3
import threading
from functools import partial

import psycopg
import structlog

from hub.clock import now_us
from hub.core import Hub
from hub.sql import Sql
from hub.upkeep import belongings, chores
from hub.upkeep.belongings import Belonging
from hub.values import dumps, loads

log = structlog.get_logger(__name__)
NAME = "erase"
EVERY_S = 2.0
LEASE_S = 30.0


def turn(hub: Hub, stop: threading.Event) -> int:
    """Carry out every order that is due, if nobody else does; their number. Raises StorageUnavailable."""
    now = now_us()
    with hub.db.sql() as sql:
        if not _due(sql, now) or not chores.is_due(sql, NAME, every_s=LEASE_S, now=now):
            return 0
    if not hub.db.writer.run(lambda sql: chores.take(sql, NAME, every_s=LEASE_S, owner=hub.owner, now=now)):
        return 0
    done = 0
    with hub.db.sql() as sql:
        orders = _due(sql, now)
    for order, portal_id, clean in orders:
        if not _erase(hub, order, portal_id, bool(clean), stop):
            return done
        done += 1
    if done:
        _forget_files(hub)
    # The turn is over, so that the next order need not wait for it to run out.
    hub.db.writer.run(lambda sql: chores.touch(sql, NAME, now=0))
    return done


def is_open(hub: Hub, portal_id: int, until: int) -> bool:
    """Whether something of a portal that was due at `until` (µs) has not been erased yet."""
    with hub.db.sql() as sql:
        return any(owner == portal_id for _, owner, _ in _due(sql, until))


def _due(sql: Sql, now: int) -> list[tuple[int, int, bool]]:
    rows = sql.all(
        f"SELECT id, portal_id, clean FROM {belongings.PROOF} WHERE done_at IS NULL AND due_at <= ?"  # noqa: S608
        " ORDER BY due_at, id",
        (now,),
    )
    return [(int(order), int(portal_id), bool(clean)) for order, portal_id, clean in rows]


def _erase(hub: Hub, order: int, portal_id: int, clean: bool, stop: threading.Event) -> bool:
    """Delete batch by batch; False when it was interrupted and has to be gone on with."""
    started = f"UPDATE {belongings.PROOF} SET owner = ? WHERE id = ? AND done_at IS NULL"  # noqa: S608
    if not hub.db.writer.run(lambda sql: sql.run(started, (hub.owner, order))):
        return True  # the portal came back before it began
    if clean:
        # The pair is the operator's own; it may serve another installation.
        release = "UPDATE bitrix24_app SET portal_id = NULL WHERE portal_id = ?"
        hub.db.writer.run(lambda sql: sql.run(release, (portal_id,)))
    for belonging in belongings.of_reach(clean=clean):
        rows = belongings.BATCH
        while rows == belongings.BATCH:
            if stop.is_set():
                return False
            rows = hub.db.writer.run(partial(_batch, belonging=belonging, portal_id=portal_id, order=order))
    hub.db.writer.run(partial(_finish, order=order, portal_id=portal_id, clean=clean))
    log.info("portal_erased", portal_id=portal_id, clean=clean)
    return True


def _finish(sql: Sql, order: int, portal_id: int, clean: bool) -> None:
    """Inside a job: note the end. When all is gone so are later orders, for the number may come to name another."""
    sql.run(f"UPDATE {belongings.PROOF} SET done_at = ?, owner = NULL WHERE id = ?", (now_us(), order))  # noqa: S608
    if clean:
        sql.run(f"DELETE FROM {belongings.PROOF} WHERE portal_id = ? AND done_at IS NULL", (portal_id,))  # noqa: S608


def _batch(sql: Sql, belonging: Belonging, portal_id: int, order: int) -> int:
    """Inside a job: delete some rows and count them, both or neither; keep the turn."""
    chores.touch(sql, NAME, now=now_us())
    rows = belonging.erase(sql, portal_id)
    stored = sql.one(f"SELECT counts FROM {belongings.PROOF} WHERE id = ?", (order,)) if rows else None  # noqa: S608
    if stored is not None:
        counts = loads(stored[0])
        counts[belonging.name] = int(str(counts.get(belonging.name, 0))) + rows
        sql.run(f"UPDATE {belongings.PROOF} SET counts = ? WHERE id = ?", (dumps(counts), order))  # noqa: S608
    return rows


def _forget_files(hub: Hub) -> None:
    """Deleted rows leave the files too: SQLite overwrites them but keeps its journal, PostgreSQL keeps dead rows."""
    connection = hub.db.connect()
    try:
        if hub.db.dialect == "sqlite":
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            return
        for belonging in belongings.everything():
            connection.execute(f'VACUUM "{belonging.name}"')
    except (sqlite3.Error, psycopg.Error) as error:
        # Somebody reads just now, or the database forbids it; the database's own upkeep does it later.
        log.warning("files_not_cleaned", reason=str(error)[:200])
    finally:
        connection.close()
