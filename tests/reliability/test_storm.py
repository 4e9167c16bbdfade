"""Messengers that refuse everybody for a while: a storm of 429, and an outage with thousands of messages waiting."""

import threading
import time
from itertools import pairwise

import pytest

from hub.delivery.pacing import TROUBLE_OPENS
from hub.portals.models import Portal
from hub.sandbox.faults import Entry, Fault, Rates
from tests.journeys.installation import new_chat
from tests.processes import wait_until
from tests.reliability.conftest import LONG
from tests.reliability.station import THREADS, Station, most_within

IN_FLIGHT = THREADS // 2
"""How many messages of one line a worker sends at once: so many may be recorded later than they were let go."""
pytestmark = pytest.mark.xdist_group("storm")


def waves(entries: list[Entry]) -> list[list[Entry]]:
    """The requests in groups with more than a second between them."""
    found = [[entries[0]]]
    for before, entry in pairwise(entries):
        if entry.at - before.at > 1:
            found.append([])
        found[-1].append(entry)
    return found


def test_f17_a_storm_of_429_is_waited_out_to_the_second_and_costs_no_message_a_try(
    station: Station, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert portal.id is not None
    rate, wait_s, storm_s = 400, 2.0, 30 if LONG else 5
    line = station.line(portal.id, "stormy", rate_per_s=rate)
    chats = [new_chat() for _ in range(50)]
    station.fill(portal.id, line, chats, 20)
    over = threading.Event()

    def take(_service: str, _chat: str) -> Fault | None:
        return None if over.is_set() else Fault("429", seconds=wait_s)

    monkeypatch.setattr(station.sandbox.board, "take", take)
    worker = station.worker()
    wait_until(lambda: bool(station.asked()), within_s=30, what="the first request")
    begun = station.asked()[0].at

    def between_waves() -> bool:
        last = station.asked()[-1].at
        return last > begun + storm_s and time.time() > last + 1

    wait_until(between_waves, within_s=storm_s + 15, what="the end of the storm")
    over.set()
    assert station.wait_empty(within_s=90, workers=[worker]) == {"sent": 1000}
    refused = [entry for entry in station.asked() if entry.status == 429]
    storm = waves(refused)
    assert len(storm) >= storm_s / (wait_s * 1.1 + 1), "the line was left alone longer than it was asked for"
    assert max(len(wave) for wave in storm) <= IN_FLIGHT, "a refusal did not stop the others"
    early = [after[0].at - before[-1].at for before, after in pairwise(storm) if after[0].at - before[-1].at < wait_s]
    assert early == []
    sent = [entry.at for entry in station.asked() if entry.accepted]
    assert sent[0] >= refused[-1].at + wait_s
    assert station.taken() == {chat: station.queued[chat] for chat in chats}
    # For a minute after a 429 the line goes at half its rate.
    assert most_within(sent, 1) <= 1.2 * rate / 2 + IN_FLIGHT
    with station.hub.db.sql() as sql:
        assert sql.one("SELECT max(failures) FROM message") == (0,)
    assert [outcome for _, _, outcome, _, _ in station.attempts(line)].count("rate_limited") == len(refused)


def test_f18_after_an_outage_the_lines_come_back_slowly_evenly_and_in_order(station: Station) -> None:
    rate, pause = 200, (24.0, 36.0)
    sizes = {"big": (100, 30), "middle": (50, 20), "small": (50, 20)}
    chats: dict[str, list[str]] = {}
    for name, (count, each) in sizes.items():
        chats[name] = [new_chat() for _ in range(count)]
        portal = station.portal(name)
        station.fill(portal, station.line(portal, name, rate_per_s=rate), chats[name], each)
    station.sandbox.board.play_at_random(Rates(failing=1.0), seed=1)
    worker = station.worker()

    def all_rest() -> bool:
        # What was on its way when a breaker opened must have come back: a success would close it again.
        return {row[1] for row in station.line_rows()} == {"unreachable"} and not station.states()["sending"]

    wait_until(all_rest, within_s=30, what="the breakers")
    if LONG:
        begun = station.asked()[0].at
        wait_until(lambda: station.asked()[-1].at > begun + 60, within_s=150, every_s=1, what="an outage of a minute")
    station.sandbox.board.play_at_random(Rates(), seed=1)
    assert station.wait_empty(within_s=300 if LONG else 150, workers=[worker]) == {"sent": 5000}
    assert station.taken() == station.queued
    for name in sizes:
        asked = station.asked(chats[name])
        failed = waves([entry for entry in asked if not entry.accepted])
        sent = [entry.at for entry in asked if entry.accepted]
        assert TROUBLE_OPENS <= len(failed[0]) <= IN_FLIGHT, "the breaker opened late"
        assert {len(wave) for wave in failed[1:]} <= {1}, "more than one probe at a time"
        begins = [wave[0].at for wave in failed] + [sent[0]]
        for number, (before, after) in enumerate(pairwise(begins)):
            assert pause[0] * 2**number <= after - before <= pause[1] * 2**number + 5, "a probe out of time"
        starting = sum(at < sent[0] + 4 for at in sent)
        assert starting <= 2**4 + IN_FLIGHT, f"{starting} in the first four seconds"
        assert most_within(sent, 1) <= 1.2 * rate + IN_FLIGHT
    fair_between(station, chats)


def fair_between(station: Station, chats: dict[str, list[str]]) -> None:
    """While all portals have messages and no line starts slowly any more, each gets its share."""
    sent = {name: [entry.at for entry in station.asked(own) if entry.accepted] for name, own in chats.items()}
    begin, end = max(times[0] for times in sent.values()) + 10, min(times[-1] for times in sent.values())
    if end > begin + 1:
        shares = {name: sum(begin <= at < end for at in times) for name, times in sent.items()}
        assert all(0.2 <= share / sum(shares.values()) <= 0.45 for share in shares.values()), shares
