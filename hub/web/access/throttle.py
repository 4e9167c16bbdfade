"""How often passwords may be tried: counted per process, by address and by the account that is tried."""

from flask import current_app
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

PER_ADDRESS = RateLimitItemPerMinute(20)
PER_ACCOUNT = RateLimitItemPerMinute(5)
LONGEST_ACCOUNT = 254


class Tries:
    """Counts tries to sign in."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def allowed(self, source: str, account: str) -> bool:
        """Note one try; False when there were too many in the last minute."""
        if not self._limiter.hit(PER_ADDRESS, "address", source):
            return False  # and no account is noted, or one address could fill the memory with names
        return self._limiter.hit(PER_ACCOUNT, "account", account.strip().lower()[:LONGEST_ACCOUNT])


def tries() -> Tries:
    """The count of the current application."""
    found: Tries = current_app.extensions.setdefault("hub.tries", Tries())
    return found
