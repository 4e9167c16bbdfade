"""Which processes are alive: each beats in the `process` table, and what the dead ones held is freed."""

import os
import socket

from hub.clock import SECOND, now_us
from hub.sql import Sql

_BEGAN_AT = now_us()


def register(sql: Sql, *, owner: str, kind: str, now: int) -> None:
    """Enter this process."""
    sql.run(
        "INSERT INTO process (id, kind, host, pid, started_at, beat_at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at",
        (owner, kind, socket.gethostname(), os.getpid(), now, now),
    )


def beat(sql: Sql, *, owner: str, now: int) -> bool:
    """Say that this process lives. False when others have taken it for dead and freed its claims."""
    return sql.run("UPDATE process SET beat_at = ? WHERE id = ?", (now, owner)) == 1


def leave(sql: Sql, *, owner: str) -> None:
    """Take this process out. While it still holds something it stays, so that others find it dead and free that."""
    sql.run(
        "DELETE FROM process WHERE id = ?"
        " AND NOT EXISTS (SELECT 1 FROM message WHERE owner = ?)"
        " AND NOT EXISTS (SELECT 1 FROM run WHERE owner = ?)",
        (owner, owner, owner),
    )


def find_dead(sql: Sql, *, owner: str, lease_s: float, now: int) -> list[str]:
    """Other processes whose lease ran out, and those of this host whose pid is gone."""
    dead = []
    for other, host, pid, started_at, beat_at in sql.all(
        "SELECT id, host, pid, started_at, beat_at FROM process WHERE id <> ?", (owner,)
    ):
        # One that has our own pid and began before us is what a restarted container has left behind.
        replaced = pid == os.getpid() and started_at < _BEGAN_AT
        gone = host == socket.gethostname() and (replaced or not _alive(pid))
        if gone or beat_at < now - lease_s * SECOND:
            dead.append(other)
    return dead


def forget(sql: Sql, dead: list[str]) -> None:
    """Remove processes whose claims were freed."""
    sql.many("DELETE FROM process WHERE id = ?", [(one,) for one in dead])


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
