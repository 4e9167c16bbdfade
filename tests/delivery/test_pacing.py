"""Rates, breaker and fair shares, as figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.clock import SECOND
from hub.delivery.pacing import (
    UNLIMITED,
    allowance,
    breaker_pause_s,
    burst_of,
    free_at,
    shares,
    slow_start,
    slowed,
    spend,
)

NOW = 1_000_000 * SECOND


def test_a_rate_of_nothing_is_no_limit() -> None:
    assert allowance(None, now=NOW, rate_per_s=0, burst=1) == UNLIMITED
    assert spend(None, now=NOW, rate_per_s=0, count=5) is None


def test_a_rested_line_may_send_its_burst_and_then_one_at_each_interval() -> None:
    assert allowance(None, now=NOW, rate_per_s=2, burst=3) == 3
    tat = spend(None, now=NOW, rate_per_s=2, count=3)
    assert allowance(tat, now=NOW, rate_per_s=2, burst=3) == 0
    assert free_at(tat, now=NOW, rate_per_s=2, burst=3) == NOW + SECOND // 2
    assert allowance(tat, now=NOW + SECOND // 2, rate_per_s=2, burst=3) == 1


@given(st.integers(1, 50), st.integers(1, 10), st.lists(st.integers(0, 2 * SECOND), max_size=60))
def test_no_second_sees_more_than_rate_and_burst(rate: int, burst: int, gaps: list[int]) -> None:
    now, tat, sent = NOW, None, []
    for gap in gaps:
        now += gap
        count = allowance(tat, now=now, rate_per_s=rate, burst=burst)
        tat = spend(tat, now=now, rate_per_s=rate, count=count)
        sent += [now] * count
    for begin in sent:
        assert sum(1 for at in sent if begin <= at < begin + SECOND) <= rate + burst


@given(st.floats(0.1, 500), st.lists(st.integers(0, SECOND // 2), min_size=5, max_size=60))
def test_no_second_sees_more_than_a_fifth_above_a_lines_rate(rate: float, gaps: list[int]) -> None:
    now, tat, sent = NOW, None, []
    for gap in gaps:
        now += gap
        count = allowance(tat, now=now, rate_per_s=rate, burst=burst_of(rate))
        tat = spend(tat, now=now, rate_per_s=rate, count=count)
        sent += [now] * count
    for begin in sent:
        assert sum(1 for at in sent if begin <= at < begin + SECOND) <= max(1.2 * rate, rate + 1) + 1


def test_a_line_goes_at_half_its_rate_until_its_time_is_over() -> None:
    assert slowed(30, until=NOW + 1, now=NOW) == 15
    assert slowed(30, until=NOW, now=NOW) == 30
    assert slowed(30, until=None, now=NOW) == 30
    assert slowed(0, until=NOW + 1, now=NOW) == 0


@pytest.mark.parametrize(("second", "rate"), [(0, 1), (1, 2), (2, 4), (4, 16), (5, 25), (20, 25)])
def test_a_line_that_comes_back_doubles_its_rate_every_second_up_to_its_own(second: int, rate: float) -> None:
    assert slow_start(25, ramp_from=NOW, now=NOW + second * SECOND) == rate


def test_the_breaker_rests_half_a_minute_then_twice_as_long_up_to_ten_minutes() -> None:
    assert 24 <= breaker_pause_s(1) <= 36
    assert 48 <= breaker_pause_s(2) <= 72
    assert 480 <= breaker_pause_s(30) <= 720


def test_slots_go_round_the_portals_and_then_their_lines() -> None:
    wanted = {1: [("flood", 1000)], 2: [("a", 1), ("b", 5)], 3: [("c", 2)]}
    assert shares(wanted, 9) == {"flood": 4, "a": 1, "b": 2, "c": 2}


def test_with_fewer_slots_than_portals_each_begins_in_its_turn() -> None:
    wanted = {1: [("x", 9)], 2: [("y", 9)]}
    assert shares(wanted, 1, turn=0) == {"x": 1}
    assert shares(wanted, 1, turn=1) == {"y": 1}


@given(
    st.dictionaries(st.integers(0, 5), st.lists(st.integers(0, 20), max_size=4), max_size=5),
    st.integers(0, 40),
    st.integers(0, 9),
)
def test_shares_use_every_slot_that_somebody_wants_and_never_more_than_wanted(
    counts: dict[int, list[int]], slots: int, turn: int
) -> None:
    wanted = {portal: [(f"{portal}-{n}", count) for n, count in enumerate(lines)] for portal, lines in counts.items()}
    given_ = shares(wanted, slots, turn=turn)
    flat = {line: count for lines in wanted.values() for line, count in lines}
    assert sum(given_.values()) == min(slots, sum(flat.values()))
    assert all(count <= flat[line] for line, count in given_.items())
