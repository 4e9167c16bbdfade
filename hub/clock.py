"""Time as the whole house keeps it: aware UTC in the code, whole microseconds since 1970 in the tables.

One integer means the same on SQLite and PostgreSQL, needs no driver's opinion and sorts as it reads.
"""

import time
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000


def utc_now() -> datetime:
    """The present, aware, in UTC."""
    return datetime.now(UTC)


def to_us(moment: datetime) -> int:
    """An aware time as microseconds since 1970."""
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def from_us(us: int) -> datetime:
    """Microseconds since 1970 as an aware UTC time."""
    return EPOCH + timedelta(microseconds=us)


def now_us() -> int:
    """The present in microseconds since 1970."""
    return time.time_ns() // 1000


def rfc3339(us: int | None) -> str | None:
    """A stored time as the API shows it."""
    return None if us is None else from_us(us).isoformat().replace("+00:00", "Z")
