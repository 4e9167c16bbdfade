"""A message that kills whoever sends it is found out by its third victim, and all others arrive."""

import pytest

from hub.portals.models import Portal
from tests.journeys.installation import new_chat
from tests.processes import Running, wait_until
from tests.reliability.station import Station

POISON = "hemlock"
pytestmark = pytest.mark.xdist_group("poison")


def outlive(station: Station, most: int) -> int:
    """Start a worker again whenever it has died, as a supervisor does; gives the number of deaths."""
    deaths = 0
    running: list[Running] = [station.worker(HUB_CRASH_AT=f"after_claim@{POISON}")]

    def through() -> bool:
        nonlocal deaths
        if running[-1].process.poll() is not None:
            deaths += 1
            assert deaths <= most, "the workers die without end"
            running.append(station.worker(HUB_CRASH_AT=f"after_claim@{POISON}"))
        states = station.states()
        return not states["queued"] and not states["sending"]

    wait_until(through, within_s=150, every_s=0.1, what="an empty queue")
    return deaths


def test_f21_five_deadly_messages_among_five_hundred_cost_three_workers_each_and_no_other_message(
    station: Station, portal: Portal
) -> None:
    assert portal.id is not None
    line = station.line(portal.id, "poisoned", on_unconfirmed="resend")
    chats = [new_chat() for _ in range(100)]
    deadly = chats[::20]
    station.fill(portal.id, line, deadly, 1, POISON)
    station.fill(portal.id, line, chats, 4)
    station.fill(portal.id, line, [chat for chat in chats if chat not in deadly], 1, "4")
    deaths = outlive(station, 3 * len(deadly))
    assert station.states() == {"sent": 495, "failed": 5}
    assert 3 <= deaths <= 3 * len(deadly)
    codes: dict[str, list[str]] = {}
    for message, _, _, code, _ in station.attempts(line):
        codes.setdefault(message, []).append(code)
    with station.hub.db.sql() as sql:
        failed = sql.all("SELECT id, text, error FROM message WHERE state = 'failed'")
    assert {text for _, text, _ in failed} == {POISON}
    for message, _, error in failed:
        assert codes[message] == ["interrupted", "interrupted", "poisoned"]
        assert '"poisoned"' in error
    taken = station.taken()
    for chat in chats:
        assert list(dict.fromkeys(taken[chat])) == [text for text in station.queued[chat] if text != POISON]
    assert [row[:3] for row in station.line_rows()] == [("poisoned", "active", 0)]
