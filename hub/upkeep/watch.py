"""Looking at the whole installation every few seconds, and opening or closing the notices about what is wrong.

Every process takes part, one at a time, so that somebody notices when there is no worker any more.
"""

import shutil
import socket
from pathlib import Path

import structlog

from hub.bitrix24 import own_writes, unshown
from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.notices import book
from hub.notices.book import Finding
from hub.sql import Sql
from hub.upkeep import chores, telling
from hub.values import Value, loads

log = structlog.get_logger(__name__)
NAME = "watch"
EVERY_S = 20.0
UNREACHABLE_S = 24 * 3600
UNDELIVERED_MOST = 10
UNDELIVERED_MINUTES = 10
LATE_S = 300
FREE_SHARE = 0.05
CAUSES = tuple(book.WORDS)
IN_TROUBLE = "state IN ('failed', 'expired', 'undelivered', 'unconfirmed')"


def turn(hub: Hub) -> bool:
    """Look once, if it is time and nobody else does. Raises StorageUnavailable."""
    now = now_us()
    with hub.db.sql() as sql:
        if not chores.is_due(sql, NAME, every_s=EVERY_S, now=now):
            return False
    free, total = disk(hub.settings.instance_dir)
    lease_s, base_url = hub.settings.lease_s, hub.settings.base_url

    def job(sql: Sql) -> list[Finding] | None:
        if not chores.take(sql, NAME, every_s=EVERY_S, owner=hub.owner, now=now):
            return None
        found = look(sql, now=now, lease_s=lease_s, free=free, total=total)
        telling.tell(sql, base_url, found, now=now)
        return found

    told = hub.db.writer.run(job)
    for finding in told or ():
        log.warning(
            "notice",
            cause=finding.cause,
            portal_id=finding.portal_id,
            subject=finding.subject,
            **{name: value for name, value in finding.params.items() if name not in ("line", "reason")},
        )
    return told is not None


def look(sql: Sql, *, now: int, lease_s: float, free: int, total: int) -> list[Finding]:
    """Inside a job: find what is wrong now and keep the notices of it; gives what people are to be told.

    `free` and `total`: bytes of the disk of this process's host.
    """
    _, before = chores.last(sql, NAME)
    seen = _worker_beat(sql) or before.get("worker_seen_at") or now
    found = [
        *_lines_down(sql, now),
        *_lines_late(sql, now),
        *_undelivered(sql, now),
        *_unshown(sql, now),
        *_loops(sql, now),
        *_disks(sql, free, total),
    ]
    if seen < now - lease_s * SECOND:
        found.append(Finding("worker_absent"))
    tell = book.keep(sql, found, causes=CAUSES, now=now)
    chores.finish(sql, NAME, now=now, result={"worker_seen_at": seen, "found": len(found)})
    return tell


def disk(folder: Path) -> tuple[int, int]:
    """Free bytes and all bytes of the disk that a folder lies on."""
    usage = shutil.disk_usage(folder if folder.exists() else ".")
    return usage.free, usage.total


def _worker_beat(sql: Sql) -> int | None:
    row = sql.one("SELECT max(beat_at) FROM process WHERE kind = 'worker'")
    return None if row is None else row[0]


def _lines_down(sql: Sql, now: int) -> list[Finding]:
    rows = sql.all(
        "SELECT portal_id, id, name, channel, state, state_code, state_reason, (SELECT count(*) FROM message"
        " WHERE line_id = line.id AND state IN ('queued', 'sending')) FROM line"
        " WHERE deleted_at IS NULL AND (state = 'auth_failed' OR (state = 'unreachable' AND state_since <= ?))",
        (now - UNREACHABLE_S * SECOND,),
    )
    return [
        Finding(
            f"line_{state}",
            portal_id,
            line_id,
            {"line": name, "channel": channel, "code": code, "reason": _sentence(reason), "queue": queue},
        )
        for portal_id, line_id, name, channel, state, code, reason, queue in rows
    ]


def _sentence(reason: str) -> str:
    """What a messenger said, which may or may not end with a full stop."""
    return f"{reason.rstrip(' .')}."


def _lines_late(sql: Sql, now: int) -> list[Finding]:
    rows = sql.all(
        "SELECT portal_id, id, name, oldest FROM (SELECT portal_id, id, name, (SELECT min(due_at) FROM message"
        " WHERE line_id = line.id AND head AND state = 'queued') AS oldest FROM line WHERE deleted_at IS NULL"
        " AND state = 'active' AND (held_until IS NULL OR held_until <= ?)) AS waiting WHERE oldest <= ?",
        (now, now - LATE_S * SECOND),
    )
    return [
        Finding("late", portal_id, line_id, {"line": name, "seconds": (now - oldest) // SECOND})
        for portal_id, line_id, name, oldest in rows
    ]


def _undelivered(sql: Sql, now: int) -> list[Finding]:
    rows = sql.all(
        f"SELECT portal_id, count(*) FROM message WHERE {IN_TROUBLE} AND ended_at > ?"  # noqa: S608
        " GROUP BY portal_id HAVING count(*) > ?",
        (now - UNDELIVERED_MINUTES * 60 * SECOND, UNDELIVERED_MOST),
    )
    return [
        Finding("undelivered", portal_id, params={"count": count, "minutes": UNDELIVERED_MINUTES})
        for portal_id, count in rows
    ]


def _unshown(sql: Sql, now: int) -> list[Finding]:
    """Lines whose open line did not take what customers wrote."""
    found = []
    for one in unshown.find(sql, now=now):
        line = sql.one("SELECT name FROM line WHERE id = ? AND deleted_at IS NULL", (one.line_id,))
        if line is not None:
            params: dict[str, Value] = {"line": line[0], "count": one.count, "reason": one.reason}
            found.append(Finding("line_unshown", one.portal_id, one.line_id, params))
    return found


def _loops(sql: Sql, now: int) -> list[Finding]:
    """Scenarios that started each other by what they wrote into cards, until it was ended."""
    rows = sql.all(
        "SELECT portal_id, count(*) FROM bitrix24_write WHERE until > ? AND depth >= ? GROUP BY portal_id",
        (now, own_writes.DEEPEST),
    )
    return [Finding("loop", portal_id, params={"count": count}) for portal_id, count in rows]


def _disks(sql: Sql, free: int, total: int) -> list[Finding]:
    """Of this host; a notice about another one stays until a process there looks, or none is left there."""
    host = socket.gethostname()
    found = [
        Finding("disk_low", subject=subject, params=loads(params))
        for subject, params in sql.all(
            "SELECT subject, params FROM notice WHERE cause = 'disk_low' AND closed_at IS NULL AND subject <> ?"
            " AND subject IN (SELECT substr(host, 1, 32) FROM process)",
            (host[:32],),
        )
    ]
    if free < total * FREE_SHARE:
        found.append(Finding("disk_low", subject=host[:32], params={"host": host, "free_mib": free >> 20}))
    return found
