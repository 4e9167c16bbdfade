"""A portal removes the application: from the moment that it is told so, nothing of it is used any more.

One transaction ends everything; what it leaves behind is erased by the worker (`hub.upkeep.erasure`).
"""

import hashlib
from functools import partial
from typing import Literal

import structlog

from hub.bitrix24 import connections
from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.sql import Sql

log = structlog.get_logger(__name__)
KEPT_FOR_REINSTALL_DAYS = 30
SILENT_DAYS = 14
"""A portal whose tokens have been dead for so long has removed the application without our hearing of it."""
DAY = 86_400 * SECOND
Basis = Literal["uninstalled", "operator"]


def uninstall(hub: Hub, portal_id: int, *, clean: bool) -> None:
    """End a portal that took the application away. `clean`: its scenarios are not wanted back."""
    order(hub, portal_id, basis="uninstalled", clean=clean)


def order(hub: Hub, portal_id: int, *, basis: Basis, clean: bool) -> None:
    """End a portal. When this returns its tokens and all other secrets are gone, its runs and queued messages are
    cancelled, and nothing of it is called, sent or taken in any more; the worker erases the rest."""
    with hub.db.sql() as sql:
        lines = [line for (line,) in sql.all("SELECT id FROM line WHERE portal_id = ?", (portal_id,))]
    hub.db.writer.run(partial(end, portal_id=portal_id, basis=basis, clean=clean, now=now_us()), lines=lines)
    hub.ring()
    log.info("portal_ended", portal_id=portal_id, basis=basis, clean=clean)


def end(sql: Sql, portal_id: int, *, basis: Basis, clean: bool, now: int) -> None:
    """Inside a job that holds the locks of the portal's lines."""
    row = sql.one("SELECT member_id, state FROM portal WHERE id = ?", (portal_id,))
    if row is None:
        return
    if row[1] != "uninstalled":
        _stop(sql, portal_id, now)
    digest = hashlib.sha256(str(row[0]).encode()).hexdigest()
    orders = [(clean, now)] if clean else [(False, now), (True, now + KEPT_FOR_REINSTALL_DAYS * DAY)]
    for everything, due_at in orders:
        sql.run(
            "INSERT INTO bitrix24_erasure (portal_id, portal_hash, basis, clean, asked_at, due_at, counts)"
            " VALUES (?, ?, ?, ?, ?, ?, '{}')",
            (portal_id, digest, basis, everything, now, due_at),
        )


def long_silent(sql: Sql, portal_id: int, *, now: int) -> bool:
    """Whether a portal's tokens have been refused for so long that the application must be gone there."""
    row = sql.one(
        "SELECT 1 FROM portal p JOIN bitrix24_connection c ON c.portal_id = p.id"
        " JOIN bitrix24_token t ON t.portal_id = p.id AND t.user_id = c.user_id"
        " WHERE p.id = ? AND p.state = 'needs_reauth' AND t.broken <> '' AND t.updated_at < ?",
        (portal_id, now - SILENT_DAYS * DAY),
    )
    return row is not None


def _stop(sql: Sql, portal_id: int, now: int) -> None:
    sql.run("UPDATE portal SET state = 'uninstalled' WHERE id = ?", (portal_id,))
    connections.bump(sql, portal_id)
    sql.run(
        "UPDATE bitrix24_connection SET uninstalled_at = ?, application_token_sealed = '', finished = FALSE,"
        " registered_at = NULL, check_at = NULL WHERE portal_id = ?",
        (now, portal_id),
    )
    for table in ("token", "registration", "change", "watch", "call", "robot_run", "blocked"):
        sql.run(f"DELETE FROM bitrix24_{table} WHERE portal_id = ?", (portal_id,))  # noqa: S608
    sql.run("DELETE FROM api_key WHERE portal_id = ?", (portal_id,))
    sql.run(
        # The hash of a line's token stays: a late call of its messenger is known by it, and told not to come again.
        "UPDATE line SET deleted_at = ?, config_sealed = '', token_sealed = '', name_key = 'deleted ' || id"
        " WHERE portal_id = ? AND deleted_at IS NULL",
        (now, portal_id),
    )
    sql.run(
        "UPDATE run SET status = 'cancelled', owner = NULL, wake_at = NULL, awaits = NULL, fence = fence + 1,"
        " ended_at = ? WHERE portal_id = ? AND status IN ('queued', 'running', 'waiting')",
        (now, portal_id),
    )
    sql.run(
        "UPDATE message SET state = 'cancelled', head = FALSE WHERE portal_id = ? AND state = 'queued'", (portal_id,)
    )
