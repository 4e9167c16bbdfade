"""How much a portal lets itself be asked: the leaky bucket of requests, and the seconds of work per method."""

from collections import defaultdict
from dataclasses import dataclass, field

BASKET_S = 60
BASKETS = 10


@dataclass
class Limits:
    """The counters of all portals. The caller holds the cloud's lock; times are Unix seconds."""

    levels: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    work: dict[tuple[str, str, str], dict[int, float]] = field(default_factory=lambda: defaultdict(dict))

    def admit(self, member_id: str, source: str, burst: int, rate: float, now: float) -> bool:
        """Count a request of a source address; False when the bucket is over `burst` after leaking `rate` a second."""
        if burst <= 0:
            return True
        level, at = self.levels.get((member_id, source), (0.0, now))
        level = max(0.0, level - (now - at) * rate)
        if level + 1 > burst:
            self.levels[member_id, source] = (level, now)
            return False
        self.levels[member_id, source] = (level + 1, now)
        return True

    def operating(self, member_id: str, caller: str, method: str, now: float) -> tuple[float, int]:
        """Seconds of work in the last ten minutes and the time when the oldest minute drops out."""
        baskets = self._baskets(member_id, caller, method, now)
        oldest = min(baskets, default=int(now) // BASKET_S)
        return sum(baskets.values()), (oldest + BASKETS) * BASKET_S

    def add(self, member_id: str, caller: str, method: str, seconds: float, now: float) -> None:
        """Count a method's work."""
        baskets = self._baskets(member_id, caller, method, now)
        minute = int(now) // BASKET_S
        baskets[minute] = baskets.get(minute, 0.0) + seconds

    def _baskets(self, member_id: str, caller: str, method: str, now: float) -> dict[int, float]:
        baskets = self.work[member_id, caller, method]
        for minute in [minute for minute in baskets if minute <= int(now) // BASKET_S - BASKETS]:
            del baskets[minute]
        return baskets

    def forget(self) -> None:
        """Start from nothing."""
        self.levels.clear()
        self.work.clear()
