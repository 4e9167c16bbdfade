"""Rates at the links: unknown tokens always, known ones only where the operator set a rate. Counted per process."""

import math

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

from hub.settings import Settings

UNKNOWN_PER_MINUTE = 60


class LinkRates:
    """Says how many seconds a caller of the links must wait; None when he need not."""

    def __init__(self, settings: Settings) -> None:
        self._windows = FixedWindowRateLimiter(MemoryStorage())
        self._moving = MovingWindowRateLimiter(MemoryStorage())
        self._unknown = RateLimitItemPerMinute(UNKNOWN_PER_MINUTE)
        self._ip = _item(settings.rate_ip_s)
        self._link = _item(settings.rate_link_s)
        self._portal = _item(settings.rate_portal_s)

    def unknown(self, source: str) -> int | None:
        """Note a request with an unknown token from this address."""
        return None if self._windows.hit(self._unknown, source) else 60

    def caller(self, source: str) -> int | None:
        """Note a request from this address."""
        return self._hit(self._ip, "ip", source)

    def link(self, scenario_id: int, portal_id: int) -> int | None:
        """Note a request at this scenario's link."""
        wait_s = self._hit(self._link, "link", str(scenario_id))
        return wait_s if wait_s is not None else self._hit(self._portal, "portal", str(portal_id))

    def _hit(self, item: RateLimitItem | None, *key: str) -> int | None:
        if item is None or self._moving.hit(item, *key):
            return None
        return max(1, math.ceil(item.get_expiry()))


def _item(per_second: float) -> RateLimitItem | None:
    if per_second <= 0:
        return None
    if per_second >= 1:
        return RateLimitItemPerSecond(round(per_second))
    return RateLimitItemPerSecond(1, math.ceil(1 / per_second))
