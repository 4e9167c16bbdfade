"""Many outcomes written down at once: the same as one by one, and no more than what is still held."""

from dataclasses import replace
from typing import Any

import pytest

from hub.core import Hub
from hub.delivery.outbox import Settlement
from hub.delivery.settling import Outcome, settle_all
from hub.portals.models import Portal
from tests.delivery.queue import ME, NOW, Queue

SENT = Settlement(state="sent", outcome="sent", provider_id="77", sent_parts=("76", "77"), http_status=200, ms=12)
FAILED = Settlement(state="failed", outcome="rejected", error={"code": "blocked", "message": "No."}, http_status=403)


def settle(queue: Queue, outcomes: list[Outcome], owner: str = ME) -> list[str]:
    """The ids of those whose claim was lost."""
    lost = queue.hub.db.writer.run(lambda sql: settle_all(sql, outcomes, owner=owner, now=NOW), lines=[queue.line])
    return [claimed.id for claimed in lost]


def stored(queue: Queue, message: str) -> list[Any]:
    """All that is kept of a message and its attempts, but for what is its own."""
    with queue.hub.db.sql() as sql:
        own = ("seq", "id", "chat_id", "chat_id_raw", "line_id")
        cursor = sql.connection.execute("SELECT * FROM message LIMIT 0")
        names = [column[0] for column in cursor.description if column[0] not in own]
        row = sql.one(f"SELECT {', '.join(names)} FROM message WHERE id = ?", (message,))
        attempts = sql.all(
            "SELECT n, outcome, http_status, code, message, ms FROM attempt WHERE message_id = ?", (message,)
        )
    return [dict(zip(names, row or (), strict=True)), attempts]


@pytest.fixture
def second(hub: Hub, portal: Portal) -> Queue:
    """Another line of the same portal."""
    assert portal.id is not None
    return Queue(hub, portal.id, name="Support")


@pytest.mark.parametrize("settlement", [SENT, replace(SENT, provider_id=None, sent_parts=()), FAILED])
def test_many_at_once_leave_what_one_by_one_leaves(queue: Queue, second: Queue, settlement: Settlement) -> None:
    both = []
    for line in (queue, second):
        both.append([line.put(chat) for chat in ("a", "b", "b", "c")])
    one_by_one = queue.claim()
    for claimed in one_by_one:
        queue.settle(claimed, settlement.state, **{k: v for k, v in vars(settlement).items() if k != "state"})
    assert settle(second, [(claimed, settlement) for claimed in second.claim()]) == []
    assert [stored(queue, message) for message in both[0]] == [stored(second, message) for message in both[1]]
    assert second.heads() == {"b": [both[0][2], both[1][2]]}


def test_what_was_taken_over_meanwhile_stays_as_it_is_and_its_attempt_is_noted(queue: Queue) -> None:
    kept, taken = queue.put("a"), queue.put("b")
    claimed = queue.claim()
    queue.hub.db.writer.run(lambda sql: sql.run("UPDATE message SET owner = 'other' WHERE id = ?", (taken,)))
    assert settle(queue, [(one, SENT) for one in claimed]) == [taken]
    assert queue.column(kept, "state") == "sent"
    assert (queue.column(taken, "state"), queue.column(taken, "head")) == ("sending", True)
    with queue.hub.db.sql() as sql:
        assert sql.all("SELECT outcome FROM attempt ORDER BY message_id") == [("sent",), ("sent",)]


def test_good_and_bad_outcomes_settle_together(queue: Queue) -> None:
    sent, failed, again = (queue.put(chat) for chat in "abc")
    claimed = queue.claim()
    later = Settlement(state="queued", outcome="temporary", due_at=NOW + 5, error={"code": "down", "message": "Later."})
    assert settle(queue, list(zip(claimed, (SENT, FAILED, later), strict=True))) == []
    assert [queue.column(one, "state") for one in (sent, failed, again)] == ["sent", "failed", "queued"]
    assert queue.heads() == {"c": [again]}


def test_each_run_that_waits_for_one_of_them_is_woken(queue: Queue) -> None:
    queue.put("a")
    queue.put("b")
    claimed = queue.claim()
    for one in claimed:
        queue.hub.db.writer.run(
            lambda sql, one=one: sql.run(
                "INSERT INTO run (id, portal_id, scenario_id, version_id, version, status, state, warnings, awaits,"
                " fence, dry, created_at) VALUES (?, 1, 1, 1, 1, 'waiting', '{}', '[]', ?, 0, FALSE, ?)",
                (f"run of {one.chat_id}", one.id, NOW),
            )
        )
    settle(queue, [(one, SENT) for one in claimed])
    with queue.hub.db.sql() as sql:
        assert sql.all("SELECT wake_at FROM run") == [(NOW,), (NOW,)]
