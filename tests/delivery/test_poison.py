"""A message with which one process after the other dies is found out, and takes no other message along."""

import json
from collections.abc import Sequence

import pytest

from hub.delivery import claiming, interventions, outbox, sweep
from hub.delivery.lines import LineSettings
from hub.delivery.outbox import Claimed
from hub.delivery.postman import Postman
from hub.sql import Row, Sql
from tests.delivery.queue import NOW, Queue

LATE = NOW + 24 * 3_600_000_000


def resend(queue: Queue) -> None:
    """Let the line try again what nobody knows about."""
    settings = LineSettings(on_unconfirmed="resend", rate_per_s=0, rate_per_chat_per_s=0).model_dump_json()
    queue.hub.db.writer.run(lambda sql: sql.run("UPDATE line SET settings = ?", (settings,)))


def due(queue: Queue) -> None:
    """The pause before the next try is over."""
    queue.hub.db.writer.run(lambda sql: sql.run("UPDATE message SET due_at = ?", (NOW,)))


def alone(queue: Queue, owner: str) -> list[Claimed]:
    """Claim what has to be sent alone."""
    return queue.hub.db.writer.run(
        lambda sql: claiming.claim(sql, [queue.line], owner=owner, limit=1, now=NOW, alone=True), lines=[queue.line]
    )


def dies(queue: Queue, owner: str) -> None:
    """What it was sending is settled as that of a dead process, and is due again."""
    postman = Postman(queue.hub)
    with queue.hub.db.sql() as sql:
        lines = sweep.abandoned_lines(sql, dead=[owner])
    queue.hub.db.writer.run(lambda sql: postman.settle_abandoned(sql, [owner]), lines=lines)
    due(queue)


def suspects(queue: Queue) -> set[str]:
    with queue.hub.db.sql() as sql:
        return claiming.suspect_lines(sql, now=NOW)


def test_the_third_process_that_dies_with_a_message_is_the_last(queue: Queue) -> None:
    resend(queue)
    poison, after = queue.put("a"), queue.put("a")
    for owner in ("one", "two"):
        assert [one.id for one in queue.claim(owner=owner)] == [poison]
        dies(queue, owner)
        assert queue.column(poison, "state") == "queued"
    assert queue.claim() == []
    assert suspects(queue) == {queue.line}
    assert [one.id for one in alone(queue, "three")] == [poison]
    dies(queue, "three")
    assert queue.column(poison, "state") == "failed"
    error = json.loads(queue.column(poison, "error"))
    assert error["code"] == "poisoned"
    assert "Three times" in error["message"]
    assert queue.heads() == {"a": [after]}
    assert suspects(queue) == set()
    with queue.hub.db.sql() as sql:
        assert sql.all("SELECT code FROM attempt ORDER BY n") == [("interrupted",), ("interrupted",), ("poisoned",)]
        assert sql.one("SELECT state, trouble FROM line") == ("active", 0)


def test_what_was_on_its_way_beside_a_deadly_message_is_sent_apart_from_it(queue: Queue) -> None:
    resend(queue)
    messages = {queue.put(chat) for chat in "abc"}
    for owner in ("one", "two"):
        assert {one.id for one in queue.claim(owner=owner)} == messages
        dies(queue, owner)
    fresh = queue.put("d")
    assert [one.id for one in queue.claim()] == [fresh]
    went: list[Claimed] = []
    while claimed := alone(queue, "three"):
        assert len(claimed) == 1
        assert queue.settle(claimed[0], "sent", owner="three")
        went += claimed
    assert {one.id for one in went} == messages
    assert suspects(queue) == set()


@pytest.mark.parametrize("outcome", ["temporary", "rate_limited"])
def test_an_answer_clears_a_message_of_suspicion(queue: Queue, outcome: str) -> None:
    resend(queue)
    message = queue.put()
    for owner in ("one", "two"):
        queue.claim(owner=owner)
        dies(queue, owner)
    (claimed,) = alone(queue, "three")
    queue.settle(claimed, "queued", outcome, owner="three", due_at=NOW)
    assert queue.column(message, "interruptions") == 0
    assert [one.id for one in queue.claim()] == [message]


def test_with_hold_each_death_leaves_it_to_a_person_and_the_third_is_the_last(queue: Queue) -> None:
    message = queue.put()
    for owner, state in (("one", "unconfirmed"), ("two", "unconfirmed"), ("three", "failed"), ("four", "failed")):
        assert queue.claim(owner=owner) or alone(queue, owner)
        dies(queue, owner)
        assert queue.column(message, "state") == state
        interventions.redeliver(queue.hub, queue.portal_id, message)
        queue.hub.db.writer.run(lambda sql: sql.run("UPDATE message SET due_at = ?, expires_at = ?", (NOW, LATE)))
    # Whoever sends a poisoned message again has it sent alone, and once.
    assert queue.claim() == []


def test_looking_for_suspects_does_not_read_the_queue(queue: Queue) -> None:
    entries = [queue.entry(f"chat {number}") for number in range(500)]
    queue.hub.db.writer.run(lambda sql: [outbox.enqueue(sql, entry, now=NOW) for entry in entries])
    seen: list[str] = []

    class Noting(Sql):
        """Keeps what is asked."""

        def all(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
            seen.append(sql.replace("?", str(NOW)))
            return super().all(sql, values)

    with queue.hub.db.sql() as sql:
        sql.run("ANALYZE")
        claiming.suspect_lines(Noting(sql.connection, sql.dialect), now=NOW)
        explain = "EXPLAIN QUERY PLAN" if sql.dialect == "sqlite" else "EXPLAIN"
        assert "message_suspect" in str(sql.all(f"{explain} {seen[0]}"))
