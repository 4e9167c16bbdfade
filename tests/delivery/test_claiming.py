"""Rates, fairness and the breaker as every process sees them: on the tables."""

from typing import Any

import pytest

from hub.clock import SECOND
from hub.delivery import claiming, outbox
from hub.delivery.lines import LineSettings
from hub.delivery.outbox import Claimed
from hub.sql import Sql
from tests.delivery.queue import ME, NOW, Queue

OTHER = "host:2:other"


@pytest.fixture
def make_queue(hub: Any, portal: Any) -> Any:
    def make(name: str = "Sales", **settings: float) -> Queue:
        rates = {"rate_per_s": 0.0, "rate_per_chat_per_s": 0.0} | settings
        return Queue(hub, portal.id, name, LineSettings(**rates))  # type: ignore[arg-type]

    return make


def line_column(queue: Queue, name: str) -> Any:
    with queue.hub.db.sql() as sql:
        row = sql.one(f"SELECT {name} FROM line WHERE id = ?", (queue.line,))
    assert row is not None
    return row[0]


def fail(queue: Queue, claimed: Claimed, due_at: int) -> None:
    queue.settle(claimed, "queued", "temporary", due_at=due_at, error={"code": "http_503", "message": "down"})


def test_a_line_sends_its_rate_and_the_rest_a_moment_later(make_queue: Any) -> None:
    queue = make_queue(rate_per_s=10)
    for number in range(5):
        queue.put(f"chat {number}")
    assert len(queue.claim()) == 2
    assert queue.claim() == []
    assert len(queue.claim(now=NOW + SECOND // 10)) == 1


def test_a_line_that_was_asked_for_a_pause_goes_at_half_its_rate_for_a_minute(make_queue: Any) -> None:
    queue = make_queue(rate_per_s=10)
    for number in range(40):
        queue.put(f"chat {number}")
    first, _ = queue.claim()
    queue.settle(first, "queued", "rate_limited", counts=False, due_at=NOW, hold_line_until=NOW + SECOND)
    assert queue.claim() == []
    in_a_second = [len(queue.claim(now=NOW + (10 + tenth) * SECOND // 10)) for tenth in range(10)]
    assert sum(in_a_second) == 5
    later = [len(queue.claim(now=NOW + 60 * SECOND + tenth * SECOND // 10)) for tenth in range(10)]
    assert sum(later) == 11


def test_a_chat_gets_a_short_burst_and_then_one_a_second_while_other_chats_go_on(make_queue: Any) -> None:
    queue = make_queue(rate_per_chat_per_s=1)
    for _ in range(5):
        queue.put("a")
    for _ in range(3):
        (claimed,) = queue.claim()
        queue.settle(claimed, "sent")
    queue.put("b")
    assert [one.chat_id for one in queue.claim()] == ["b"]
    assert [one.chat_id for one in queue.claim(now=NOW + SECOND)] == ["a"]


def test_a_message_that_quiet_hours_have_caught_in_the_queue_waits_until_they_are_over(make_queue: Any) -> None:
    queue = make_queue()
    night = queue.put("a", quiet="10:00 12:00 Europe/Moscow")  # at 11:00 there
    day = queue.put("b", quiet="21:00 09:00 Europe/Moscow")
    assert [one.id for one in queue.claim()] == [day]
    assert queue.column(night, "due_at") == NOW + 3600 * SECOND
    assert queue.column(night, "attempts") == 0
    assert queue.claim(now=NOW + 3599 * SECOND) == []


def test_hands_are_shared_fairly_between_a_flooded_line_and_a_quiet_one(make_queue: Any) -> None:
    flood, quiet = make_queue("Flood"), make_queue("Quiet")
    for number in range(20):
        flood.put(f"chat {number}")
    quiet.put("a")
    lines = [flood.line, quiet.line]
    claimed = flood.hub.db.writer.run(lambda sql: claiming.claim(sql, lines, owner=ME, limit=4, now=NOW), lines=lines)
    assert sorted(one.line_id for one in claimed) == sorted([flood.line] * 3 + [quiet.line])


def test_after_five_failures_in_a_row_the_line_rests_and_its_messages_use_up_no_attempts(make_queue: Any) -> None:
    queue = make_queue()
    for number in range(8):
        queue.put(f"chat {number}")
    for claimed in queue.claim(5):
        fail(queue, claimed, NOW + SECOND)
    assert line_column(queue, "state") == "unreachable"
    assert (line_column(queue, "state_reason"), line_column(queue, "state_code")) == ("down", "http_503")
    assert queue.claim() == []


def test_a_line_that_failed_lets_only_as_many_go_at_once_as_would_open_its_breaker(make_queue: Any) -> None:
    queue = make_queue()
    for number in range(20):
        queue.put(f"chat {number:02}")
    first, second, third, _ = queue.claim(4)
    fail(queue, first, NOW + SECOND)
    assert len(queue.claim(8, owner=OTHER)) == 1, "one failed and three may: a fifth opens it"
    fail(queue, second, NOW + SECOND)
    assert queue.claim(8) == []
    queue.settle(third, "sent")
    assert len(queue.claim(8)) == 8


@pytest.mark.parametrize("chat_rate", [0.0, 5.0])
def test_a_maker_whose_line_failed_waits_while_more_are_on_their_way_than_would_open_its_breaker(
    make_queue: Any, chat_rate: float
) -> None:
    queue = make_queue(rate_per_chat_per_s=chat_rate)
    for number in range(10):
        queue.put(f"chat {number}")
    first, *_ = queue.claim(10)
    fail(queue, first, NOW + SECOND)
    entries = [queue.entry(f"new {number}") for number in range(10)]

    def job(sql: Sql) -> list[Claimed]:
        outbox.enqueue_all(sql, entries, now=NOW)
        return claiming.claim_own(sql, entries, owner=ME, now=NOW)

    assert queue.hub.db.writer.run(job, lines=[queue.line]) == []


def test_one_message_tries_whether_a_resting_line_is_back_and_a_failure_rests_it_longer(make_queue: Any) -> None:
    queue = make_queue()
    for number in range(8):
        queue.put(f"chat {number}")
    for claimed in queue.claim(5):
        fail(queue, claimed, NOW)
    later = line_column(queue, "held_until")
    (probe,) = queue.claim(now=later)
    assert queue.claim(now=later) == []
    fail(queue, probe, later)
    assert line_column(queue, "opened") == 2
    assert line_column(queue, "state") == "unreachable"


def test_a_probe_that_goes_out_brings_the_line_back_slowly(make_queue: Any) -> None:
    queue = make_queue()
    for number in range(12):
        queue.put(f"chat {number}")
    for claimed in queue.claim(5):
        fail(queue, claimed, NOW)
    later = line_column(queue, "held_until")
    (probe,) = queue.claim(now=later)
    assert queue.settle(probe, "sent")
    assert line_column(queue, "state") == "active"
    assert len(queue.claim(20, now=NOW)) == 1
    steps = [len(queue.claim(20, now=NOW + tenth * SECOND // 10)) for tenth in range(10, 30)]
    assert (sum(steps[:10]), sum(steps[10:])) == (2, 4)


def test_a_success_in_between_forgets_earlier_failures(make_queue: Any) -> None:
    queue = make_queue()
    for number in range(9):
        queue.put(f"chat {number}")
    for claimed in queue.claim(4):
        fail(queue, claimed, NOW + SECOND)
    (good,) = queue.claim(1)
    queue.settle(good, "sent")
    for claimed in queue.claim(4):
        fail(queue, claimed, NOW + SECOND)
    assert line_column(queue, "state") == "active"
