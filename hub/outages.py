"""What an error of a driver says about the database: whether waiting may help, and what a caller is told."""

from errno import ENOSPC

import psycopg

from hub.errors import StorageUnavailable

LOCK_S = 3.0
WAIT_S = 5.0
"""Waiting for a turn, for a connection and for a lock takes so long together, unless the database is away."""
LEAST_S = 0.5
_TIMED_OUT = (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled)


def unavailable(error: BaseException | None) -> StorageUnavailable:
    """What a caller is told of a driver's error that says "not now"."""
    if _is_full(error):
        return StorageUnavailable("The disk of the database is full.", code="storage_full")
    return StorageUnavailable("The database cannot be used right now; try again.")


def _is_full(error: BaseException | None) -> bool:
    return (
        isinstance(error, psycopg.errors.DiskFull)
        or "disk is full" in str(error)
        or (isinstance(error, OSError) and error.errno == ENOSPC)
    )


def may_pass(error: BaseException | None) -> bool:
    """Whether waiting may help: a lock, a restart, a lost connection. A full disk needs a person, and where a time-out
    of the server's own ended it, there has been waiting enough."""
    if _is_full(error) or isinstance(error, _TIMED_OUT):
        return False
    if isinstance(error, psycopg.OperationalError | OSError):
        return True
    return any(sign in str(error) for sign in ("locked", "busy"))


def of_storage(error: BaseException | None) -> bool:
    """Whether the database is at fault rather than the statement, and nothing is gained by waiting."""
    return (
        _is_full(error)
        or isinstance(error, _TIMED_OUT)
        or any(sign in str(error) for sign in ("readonly", "unable to open", "disk I/O"))
    )


def lock_limit(waited_s: float) -> str | None:
    """PostgreSQL's statement that lets a transaction wait for a lock only as long as the caller's time lasts; None
    where nobody has waited for long."""
    left_s = max(LEAST_S, WAIT_S - waited_s)
    return None if left_s >= LOCK_S else f"SET LOCAL lock_timeout = '{int(left_s * 1000)}ms'"
