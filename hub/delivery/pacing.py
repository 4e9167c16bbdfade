"""How fast a line may send: rates, the breaker's pauses and its slow start, fair shares. Pure.

A rate is kept as one number, the "theoretical arrival time" of the generic cell rate algorithm: each send moves it
on by the interval between two sends, and as long as it is not further ahead of now than the burst allows, the next
may go. One integer a line is easily shared by all processes.
"""

import random
from collections.abc import Mapping, Sequence

from hub.clock import SECOND

UNLIMITED = 1 << 30
TROUBLE_OPENS = 5
FIRST_PAUSE_S = 30.0
LONGEST_PAUSE_S = 600.0
PROBE_WAIT_S = 60.0
CHECK_AGAIN_S = 3600.0
"""How often a line whose account was refused asks its messenger whether it is let in again."""
RAMP_S = 10
BURST_S = 0.2
SLOWED_S = 60.0
"""How long a line goes at half its rate after its messenger asked it for a pause."""


def allowance(tat: int | None, *, now: int, rate_per_s: float, burst: int) -> int:
    """How many may go now. `tat`: µs, None for a line that never sent; a rate of 0 is no limit."""
    if rate_per_s <= 0:
        return UNLIMITED
    interval = SECOND / rate_per_s
    ahead = max(tat or 0, now) - now
    return max(0, int(burst - ahead / interval))


def spend(tat: int | None, *, now: int, rate_per_s: float, count: int) -> int | None:
    """The arrival time after `count` sends; None where there is no limit."""
    if rate_per_s <= 0:
        return None
    return max(tat or 0, now) + int(count * SECOND / rate_per_s)


def free_at(tat: int | None, *, now: int, rate_per_s: float, burst: int) -> int:
    """When the next one may go, µs."""
    if rate_per_s <= 0 or tat is None:
        return now
    return max(now, tat - int((burst - 1) * SECOND / rate_per_s))


def burst_of(rate_per_s: float) -> int:
    """How many a rested line may send at once: a fifth of a second's worth, so that no second sees more than 1.2 times
    the rate."""
    return max(1, int(rate_per_s * BURST_S))


def slowed(rate_per_s: float, *, until: int | None, now: int) -> float:
    """A line's rate, half of it while the messenger's last call for a pause is recent (`until`: µs)."""
    return rate_per_s / 2 if until is not None and now < until else rate_per_s


def slow_start(rate_per_s: float, *, ramp_from: int | None, now: int) -> float:
    """A line's rate while it comes back from an outage: 1, 2, 4 … a second, doubling every second, up to its own."""
    if ramp_from is None:
        return rate_per_s
    second = (now - ramp_from) // SECOND
    if second < 0 or second >= RAMP_S:
        return rate_per_s
    ramped = float(1 << second)
    return ramped if rate_per_s <= 0 else min(rate_per_s, ramped)


def at_once(trouble: int) -> int:
    """How many messages of a line may be on their way after `trouble` failures in a row: as many as, should they fail
    too, open its breaker; so an outage costs few of the messages that wait a try."""
    return max(1, TROUBLE_OPENS - trouble)


def breaker_pause_s(opened: int) -> float:
    """How long a line rests after its breaker opened for the `opened`-th time in a row: 30 s, doubling to 10 min."""
    base = min(FIRST_PAUSE_S * (1 << min(max(0, opened - 1), 10)), LONGEST_PAUSE_S)
    return base * random.uniform(0.8, 1.2)


def shares(wanted: Mapping[int, Sequence[tuple[str, int]]], slots: int, *, turn: int = 0) -> dict[str, int]:
    """Divide `slots` over lines: one round over the portals, each giving one slot to the next of its lines, and so on.

    `wanted`: for each portal its lines with how many messages each could send. `turn` rotates who begins, so that
    with fewer slots than portals nobody is always last. Returns line id → count, only counts above 0.
    """
    portals = sorted(portal for portal, lines in wanted.items() if any(count > 0 for _, count in lines))
    if portals:
        portals = portals[turn % len(portals) :] + portals[: turn % len(portals)]
    rest = {portal: [(line, count) for line, count in wanted[portal] if count > 0] for portal in portals}
    given: dict[str, int] = {}
    while slots > 0 and portals:
        for portal in list(portals):
            if slots == 0:
                break
            lines = rest[portal]
            line, count = lines.pop(0)
            given[line] = given.get(line, 0) + 1
            slots -= 1
            if count > 1:
                lines.append((line, count - 1))
            if not lines:
                portals.remove(portal)
    return given
