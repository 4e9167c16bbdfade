"""Quiet hours: a part of the day in which a portal's scenarios write to nobody."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

HOUR = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


@dataclass(frozen=True)
class QuietHours:
    """From `begin` until just before `end`, both `HH:MM` of `zone`; `21:00` to `09:00` goes over midnight.

    Raises ValueError for other texts, and where no hour of the day would be left.
    """

    begin: str
    end: str
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if not (re.fullmatch(HOUR, self.begin) and re.fullmatch(HOUR, self.end)) or self.begin == self.end:
            raise ValueError("Quiet hours go from one HH:MM to another one.")

    @classmethod
    def parse(cls, kept: str) -> "QuietHours":
        """What `str` made."""
        begin, end, zone = kept.split(" ", 2)
        return cls(begin, end, ZoneInfo(zone))

    def __str__(self) -> str:
        return f"{self.begin} {self.end} {self.zone.key}"

    def over_at(self, now: datetime) -> datetime | None:
        """When the quiet hours that it is at `now` are over (UTC), None when it is not quiet."""
        local = now.astimezone(self.zone)
        begin, end = time.fromisoformat(self.begin), time.fromisoformat(self.end)
        clock, over_midnight = local.time(), begin > end
        if not (clock >= begin or clock < end if over_midnight else begin <= clock < end):
            return None
        day = local.date() + timedelta(days=1) if over_midnight and clock >= begin else local.date()
        return datetime.combine(day, end, self.zone).astimezone(UTC)
