"""Slows down whoever tries unknown tokens; a known token is never refused here."""

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

UNKNOWN_PER_MINUTE = 60


class UnknownTokens:
    """Counts unknown tokens by caller's address, in this process."""

    def __init__(self) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._allowed = RateLimitItemPerMinute(UNKNOWN_PER_MINUTE)

    def count(self, source: str) -> int | None:
        """Note one more; None while it is within bounds, else the seconds to wait."""
        return None if self._limiter.hit(self._allowed, source) else 60
