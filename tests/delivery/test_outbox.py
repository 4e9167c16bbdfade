"""The outbox keeps the order of each chat, gives every message to one sender at a time, and loses none."""

import multiprocessing
import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.clock import SECOND
from hub.delivery import claiming, interventions, outbox, sweep
from hub.settings import Settings
from tests.delivery.queue import ME, NOW, Queue


def test_only_the_oldest_open_message_of_a_chat_is_claimed(queue: Queue) -> None:
    first, second = queue.put(), queue.put()
    (claimed,) = queue.claim()
    assert claimed.id == first
    assert queue.claim() == []
    queue.settle(claimed, "sent")
    assert [one.id for one in queue.claim()] == [second]


def test_chats_do_not_wait_for_each_other(queue: Queue) -> None:
    wanted = [queue.put("a"), queue.put("b")]
    queue.put("a")
    assert [one.id for one in queue.claim()] == wanted


def test_a_retry_keeps_its_place_before_later_messages(queue: Queue) -> None:
    first = queue.put()
    queue.put()
    (claimed,) = queue.claim()
    queue.settle(claimed, "queued", "temporary", due_at=NOW + SECOND)
    assert queue.claim() == []
    (again,) = queue.claim(now=NOW + SECOND)
    assert (again.id, again.attempt, again.failures) == (first, 2, 1)


def test_a_claim_writes_its_attempt_down_before_the_call(queue: Queue) -> None:
    queue.put()
    (claimed,) = queue.claim()
    with queue.hub.db.sql() as sql:
        assert sql.all("SELECT message_id, n, owner, outcome FROM attempt") == [(claimed.id, 1, ME, None)]


def test_a_late_outcome_is_noted_on_its_attempt_and_changes_nothing_else(queue: Queue) -> None:
    queue.put()
    (lost,) = queue.claim(owner="host:2:dead")
    queue.settle(lost, "queued", "unconfirmed", owner="host:2:dead", due_at=NOW)
    (mine,) = queue.claim()
    assert not queue.settle(lost, "failed", "rejected", owner="host:2:dead")
    assert queue.column(mine.id, "state") == "sending"
    assert queue.settle(mine, "sent", provider_id="42")
    assert not queue.settle(lost, "failed", "rejected", owner="host:2:dead")
    assert (queue.column(mine.id, "state"), queue.column(mine.id, "provider_id")) == ("sent", "42")


def test_the_same_process_cannot_settle_an_attempt_that_it_began_before_the_last_one(queue: Queue) -> None:
    queue.put()
    (first,) = queue.claim()
    queue.settle(first, "queued", "temporary", due_at=NOW)
    (second,) = queue.claim()
    assert not queue.settle(first, "failed", "rejected")
    assert queue.settle(second, "sent")


def test_a_paused_line_and_a_held_one_keep_their_messages(queue: Queue) -> None:
    queue.put()
    for change in ("state = 'paused'", f"state = 'active', held_until = {NOW + SECOND}"):
        queue.hub.db.writer.run(lambda sql, change=change: sql.run(f"UPDATE line SET {change}"))
        assert queue.claim() == []
    assert len(queue.claim(now=NOW + SECOND)) == 1


def test_the_maker_may_claim_its_own_message_only_as_head_of_the_chat_and_on_a_line_that_sends(queue: Queue) -> None:
    def put(chat: str) -> Any:
        entry = queue.entry(chat)

        def job(sql: Any) -> Any:
            head = outbox.enqueue(sql, entry, now=NOW)
            return claiming.claim_own(sql, [entry], owner=ME, now=NOW) if head else []

        return queue.hub.db.writer.run(job, lines=[queue.line])

    assert len(put("a")) == 1
    assert put("a") == []
    queue.hub.db.writer.run(lambda sql: sql.run("UPDATE line SET state = 'auth_failed'"))
    assert put("b") == []


def test_many_messages_claimed_by_their_maker_keep_the_pace_of_their_line_and_of_each_chat(queue: Queue) -> None:
    line_settings = '{"rate_per_s": 10, "rate_per_chat_per_s": 1}'
    queue.hub.db.writer.run(lambda sql: sql.run("UPDATE line SET settings = ?", (line_settings,)))
    entries = [queue.entry(chat) for chat in "abcd"]

    def job(sql: Any) -> Any:
        sql.run("INSERT INTO chat_pace (line_id, chat_id, tat) VALUES (?, ?, ?)", (queue.line, "a", NOW + 60 * SECOND))
        assert outbox.enqueue_all(sql, entries, now=NOW) == [True] * 4
        return claiming.claim_own(sql, entries, owner=ME, now=NOW)

    claimed = queue.hub.db.writer.run(job, lines=[queue.line])
    # Ten a second let two go at once; chat "a" has had its turn.
    assert [one.chat_id for one in claimed] == ["b", "c"]
    assert [one.chat_id for one in queue.claim(now=NOW + SECOND)] == ["d"]


def test_a_message_whose_time_is_over_expires_and_the_next_one_has_its_turn(queue: Queue) -> None:
    old, new = queue.put(expires_at=NOW + 1), queue.put()
    expire(queue, NOW + 1)
    assert queue.column(old, "state") == "expired"
    assert queue.heads() == {"a": [new]}


@pytest.mark.parametrize(("earlier", "end"), [("temporary", "expired"), ("unconfirmed", "unconfirmed")])
def test_a_message_whose_time_is_over_may_have_arrived_all_the_same(queue: Queue, earlier: str, end: str) -> None:
    message = queue.put(expires_at=NOW + 1)
    (claimed,) = queue.claim()
    assert queue.settle(claimed, "queued", earlier, due_at=NOW + 9)
    expire(queue, NOW + 1)
    assert queue.column(message, "state") == end


def test_a_claim_knows_whether_an_earlier_attempt_may_have_arrived(queue: Queue) -> None:
    queue.put()
    for outcome, uncertain in (("temporary", False), ("unconfirmed", False), ("temporary", True), ("sent", True)):
        (claimed,) = queue.claim()
        assert (claimed.uncertain, claimed.first_at) == (uncertain, NOW if claimed.attempt > 1 else None)
        assert queue.settle(claimed, "queued", outcome, due_at=NOW)


def test_a_message_that_is_being_sent_does_not_expire(queue: Queue) -> None:
    queue.put(expires_at=NOW + 1)
    (claimed,) = queue.claim()
    expire(queue, NOW + 1)
    assert queue.settle(claimed, "sent")


def test_a_moved_recipient_gets_the_message_at_the_new_address(queue: Queue) -> None:
    first, second = queue.put("old"), queue.put("old")
    (claimed,) = queue.claim()
    queue.settle(claimed, "queued", "moved", due_at=NOW, chat_id="new", counts=False)
    assert queue.heads() == {"new": [first], "old": [second]}
    assert queue.column(first, "failures") == 0


def test_a_message_that_moves_into_a_chat_waits_while_another_is_being_sent_there(queue: Queue) -> None:
    older, newer = queue.put("old"), queue.put("new")
    moving, sending = sorted(queue.claim(), key=lambda one: one.chat_id, reverse=True)
    queue.settle(moving, "queued", "moved", due_at=NOW, chat_id="new")
    assert queue.heads() == {"new": [newer]}
    assert queue.claim() == []
    queue.settle(sending, "queued", "temporary", due_at=NOW)
    assert queue.heads() == {"new": [older]}


def test_a_message_whose_claim_was_lost_before_its_outcome_was_stored_may_have_arrived(queue: Queue) -> None:
    message = queue.put()
    (claimed,) = queue.claim()
    queue.hub.db.writer.run(lambda sql: sql.run("UPDATE message SET state = 'queued', owner = NULL"))
    assert not queue.settle(claimed, "sent", provider_id="7")
    (again,) = queue.claim()
    assert (again.id, again.uncertain) == (message, True)


def test_a_message_sent_again_by_hand_does_not_become_a_second_head(queue: Queue) -> None:
    again, head, third = queue.put(), queue.put(), queue.put()
    (claimed,) = queue.claim()
    queue.settle(claimed, "failed", "rejected")
    interventions.redeliver(queue.hub, queue.portal_id, again)
    assert queue.heads() == {"a": [head]}
    interventions.cancel(queue.hub, queue.portal_id, third)
    assert queue.heads() == {"a": [head]}


def test_a_refused_line_is_switched_off_and_a_paused_one_stays_paused(queue: Queue) -> None:
    queue.put("a"), queue.put("b")
    one, two = queue.claim()
    down = {"due_at": NOW, "counts": False, "line_state": "auth_failed", "error": {"code": "401", "message": "No."}}
    queue.settle(one, "queued", "line_down", **down)
    assert line_of(queue) == ("auth_failed", "No.", NOW + 3600 * SECOND)
    queue.hub.db.writer.run(lambda sql: sql.run("UPDATE line SET state = 'paused', state_reason = ''"))
    queue.settle(two, "queued", "line_down", **down)
    assert line_of(queue)[:2] == ("paused", "")


def test_a_shorter_pause_of_a_line_does_not_end_a_longer_one(queue: Queue) -> None:
    queue.put("a"), queue.put("b")
    one, two = queue.claim()
    queue.settle(one, "queued", "rate_limited", hold_line_until=NOW + 9, due_at=NOW + 9)
    queue.settle(two, "queued", "rate_limited", hold_line_until=NOW + 5, due_at=NOW + 5)
    assert line_of(queue)[2] == NOW + 9


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "claim", "sent", "retry", "failed", "move", "expire", "cancel", "again"]),
        st.integers(0, 7),
        st.sampled_from("abc"),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_every_chat_with_open_messages_has_exactly_one_head(
    queue: Queue, steps: list[tuple[str, int, str]]
) -> None:
    queue.hub.db.writer.run(lambda sql: (sql.run("DELETE FROM attempt"), sql.run("DELETE FROM message")))
    messages: list[str] = []
    held: list[Any] = []
    for action, number, chat in steps:
        if action == "put":
            messages.append(queue.put(chat, expires_at=NOW + (5 if number == 0 else 100) * SECOND))
        elif action == "claim":
            held += queue.claim(number + 1)
        elif action == "expire":
            expire(queue, NOW + 5 * SECOND)
        elif action in ("cancel", "again") and messages:
            act(queue, action, messages[number % len(messages)])
        elif held and action in ("sent", "retry", "failed", "move"):
            claimed = held.pop(number % len(held))
            state = {"sent": "sent", "failed": "failed"}.get(action, "queued")
            assert queue.settle(claimed, state, due_at=NOW, chat_id=chat if action == "move" else None)
        heads = queue.heads()
        assert all(len(found) == 1 for found in heads.values()), (action, heads)
    sending = [one.chat_id for one in held]
    assert len(sending) == len(set(sending))


def test_everything_is_sent_in_the_order_it_was_put_in(queue: Queue) -> None:
    wanted: dict[str, list[str]] = {"a": [], "b": []}
    for number in range(12):
        chat = "ab"[number % 3 == 0]
        wanted[chat].append(queue.put(chat))
    sent: dict[str, list[str]] = {"a": [], "b": []}
    while claimed := queue.claim():
        for number, one in enumerate(claimed):
            retry = one.attempt == 1 and number == 0
            queue.settle(one, "queued" if retry else "sent", due_at=NOW)
            if not retry:
                sent[one.chat_id].append(one.id)
    assert sent == wanted


@pytest.mark.databases("postgresql")
def test_a_message_that_comes_while_the_head_expires_elsewhere_still_gets_its_turn(
    queue: Queue, settings: Settings
) -> None:
    from hub.db import Database

    queue.put(expires_at=NOW + 1)
    entry = queue.entry()
    other = Database(settings)
    started, go_on = threading.Event(), threading.Event()

    def slowly(sql: Any) -> int:
        count = sweep.expire(sql, now=NOW + 1, lines=[queue.line])
        started.set()
        go_on.wait(5)
        return count

    thread = threading.Thread(target=other.writer.run, args=(slowly,), kwargs={"lines": [queue.line]})
    thread.start()
    started.wait(5)
    enqueued = threading.Thread(
        target=queue.hub.db.writer.run,
        args=(lambda sql: outbox.enqueue(sql, entry, now=NOW),),
        kwargs={"lines": [queue.line]},
    )
    enqueued.start()
    go_on.set()
    thread.join()
    enqueued.join()
    other.close()
    assert queue.heads() == {"a": [entry.id]}


def test_four_processes_claim_every_message_exactly_once(queue: Queue, settings: Settings) -> None:
    wanted = {queue.put(f"chat {number}") for number in range(80)}
    context = multiprocessing.get_context("spawn")
    with context.Pool(4) as pool:
        taken = pool.starmap(claim_all, [(settings.database_url, f"host:{n}:x", queue.line) for n in range(4)])
    every = [message for found in taken for message in found]
    assert len(every) == len(wanted)
    assert set(every) == wanted


def claim_all(url: str, owner: str, line: str) -> list[str]:
    """In a process of its own: claim and send until nothing is due; gives the ids."""
    from hub.db import Database
    from hub.delivery.outbox import Settlement

    database = Database(Settings(database_url=url, testing=True))
    found: list[str] = []
    while claimed := database.writer.run(
        lambda sql: claiming.claim(sql, [line], owner=owner, limit=3, now=NOW), lines=[line]
    ):
        for one in claimed:
            sent = Settlement(state="sent", outcome="sent")
            assert database.writer.run(
                lambda sql, one=one, sent=sent: outbox.settle(sql, one, sent, owner=owner, now=NOW), lines=[one.line_id]
            )
            found.append(one.id)
    database.close()
    return found


def expire(queue: Queue, now: int) -> None:
    with queue.hub.db.sql() as sql:
        lines = sweep.expiring_lines(sql, now=now)
    queue.hub.db.writer.run(lambda sql: sweep.expire(sql, now=now, lines=lines), lines=lines)


def act(queue: Queue, action: str, message: str) -> None:
    from hub.errors import Conflict

    change = interventions.cancel if action == "cancel" else interventions.redeliver
    try:
        change(queue.hub, queue.portal_id, message)
    except Conflict:
        return


def line_of(queue: Queue) -> tuple[Any, ...]:
    with queue.hub.db.sql() as sql:
        row = sql.one("SELECT state, state_reason, held_until FROM line")
    assert row is not None
    return row
