"""A line that is out of order or paused holds its queue, uses up no attempt, and comes back by itself where it can."""

from dataclasses import replace

import pytest

from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.delivery import lines, probing, sweep, undelivered, waiting
from hub.delivery.models import Line
from hub.portals.models import Portal
from hub.sandbox.server import Sandbox
from hub.upkeep.keeper import PROBE, Keeper
from tests.delivery.queue import NOW, Queue
from tests.processes import wait_until

HOUR = 3600 * SECOND
REFUSED = {"due_at": NOW, "counts": False, "line_state": "auth_failed", "error": {"code": "401", "message": "No."}}


def line_of(hub: Hub, line_id: str) -> Line:
    with hub.db.read() as session:
        line = session.get(Line, line_id)
        assert line is not None
        session.expunge(line)
        return line


def set_line(queue: Queue, change: str) -> None:
    queue.hub.db.writer.run(lambda sql: sql.run(f"UPDATE line SET {change} WHERE id = ?", (queue.line,)))


def resume(queue: Queue) -> None:
    with queue.hub.db.write() as session:
        lines.resume(session, lines.get(session, queue.portal_id, queue.line))


@pytest.fixture
def refused(hub: Hub, portal: Portal, sandbox: Sandbox) -> str:
    """A line of a working account that was refused an hour ago."""
    assert portal.id is not None
    config = {"token": "111:AAA", "api_url": f"{sandbox.url}/telegram"}
    with hub.db.write() as session:
        line = lines.create(session, hub, portal.id, name="Bot", channel="telegram", config=config)
        line.state, line.state_reason, line.state_since, line.held_until = "auth_failed", "401", NOW - HOUR, NOW
        session.add(line)
    return line.id


# ---------------------------------------------------------------- holding the queue


def test_a_refused_account_holds_the_whole_queue_and_uses_up_no_attempt(queue: Queue) -> None:
    messages = [queue.put("a"), queue.put("a"), queue.put("b")]
    for claimed in queue.claim():
        queue.settle(claimed, "queued", "line_down", **REFUSED)
    assert queue.claim(now=NOW + 100 * HOUR) == []
    assert {queue.column(one, "state") for one in messages} == {"queued"}
    assert {queue.column(one, "failures") for one in messages} == {0}
    assert line_of(queue.hub, queue.line).state_since == NOW
    assert line_of(queue.hub, queue.line).state_code == REFUSED["error"]["code"]


@pytest.mark.parametrize("state", ["auth_failed", "unreachable", "paused"])
def test_what_a_stopped_line_holds_ends_with_its_time(queue: Queue, state: str) -> None:
    old, young = queue.put("a", expires_at=NOW + SECOND), queue.put("a", expires_at=NOW + HOUR)
    set_line(queue, f"state = '{state}', held_until = {NOW + 10 * HOUR}")
    queue.hub.db.writer.run(lambda sql: sweep.expire(sql, now=NOW + 2 * SECOND, lines=[queue.line]), lines=[queue.line])
    assert (queue.column(old, "state"), queue.column(old, "attempts")) == ("expired", 0)
    assert queue.column(young, "state") == "queued"


def test_pausing_and_resuming_again_and_again_uses_up_no_attempt(queue: Queue) -> None:
    message = queue.put()
    for _ in range(20):
        with queue.hub.db.write() as session:
            lines.pause(session, lines.get(session, queue.portal_id, queue.line))
        assert queue.claim() == []
        resume(queue)
    assert (queue.column(message, "attempts"), queue.column(message, "failures")) == (0, 0)
    assert [one.id for one in queue.claim()] == [message]


def test_an_account_that_refuses_the_probe_of_a_rested_line_is_not_probed_every_minute(queue: Queue) -> None:
    queue.put()
    set_line(queue, f"state = 'unreachable', opened = 1, opened_at = {NOW - HOUR}, held_until = {NOW}")
    (probe,) = queue.claim()
    queue.settle(probe, "queued", "line_down", **REFUSED)
    line = line_of(queue.hub, queue.line)
    assert (line.state, line.held_until) == ("auth_failed", NOW + HOUR)


def test_a_line_that_rests_says_since_when_and_forgets_it_with_the_first_success(queue: Queue) -> None:
    for number in range(6):
        queue.put(str(number))
    failed = queue.claim(limit=5)
    for claimed in failed:
        queue.settle(claimed, "queued", "temporary", due_at=NOW + HOUR)
    resting = line_of(queue.hub, queue.line)
    assert (resting.state, resting.state_since, resting.opened) == ("unreachable", NOW, 1)
    (probe,) = queue.claim(limit=5, now=NOW + HOUR // 6)
    queue.settle(probe, "sent")
    back = line_of(queue.hub, queue.line)
    assert (back.state, back.opened, back.ramp_from) == ("active", 0, NOW)


# ---------------------------------------------------------------- coming back


def test_a_refused_account_is_asked_again_after_an_hour_and_heals_by_itself(hub: Hub, refused: str) -> None:
    assert probing.probe(hub, now=NOW - SECOND) == []
    assert line_of(hub, refused).state == "auth_failed"
    assert probing.probe(hub, now=NOW) == [refused]
    line = line_of(hub, refused)
    assert (line.state, line.state_reason, line.held_until) == ("active", "", None)
    assert line.ramp_from is not None


def test_a_line_that_heals_by_itself_leaves_what_is_old_to_a_person(hub: Hub, portal: Portal, refused: str) -> None:
    assert portal.id is not None
    queue = Queue(hub, portal.id)
    now, ends = now_us(), now_us() + 24 * HOUR
    greeting = queue.put("a", line_id=refused, due_at=now - 9 * HOUR, expires_at=ends)
    answer = queue.put("a", line_id=refused, due_at=now - HOUR, expires_at=ends)
    planned = queue.put("b", line_id=refused, due_at=now + HOUR, expires_at=ends)
    other = queue.put("a", due_at=now - 9 * HOUR, expires_at=ends)
    assert probing.probe(hub, now=NOW) == [refused]
    states = {one: queue.column(one, "state") for one in (greeting, answer, planned, other)}
    assert states == {greeting: "expired", answer: "queued", planned: "queued", other: "queued"}
    assert queue.column(answer, "head")
    with hub.db.read() as session:
        (group,) = undelivered.groups(session, portal.id)
    assert (group.reason, group.count) == ("stale", 1)
    count = undelivered.send_again(hub, portal.id, undelivered.of_group("stale", False), ("fresh",), until=NOW + 1)
    assert (count, queue.column(greeting, "state")) == (1, "queued")


def test_a_person_who_has_seen_the_queue_lets_all_of_it_go(hub: Hub, portal: Portal, refused: str) -> None:
    assert portal.id is not None
    queue = Queue(hub, portal.id)
    greeting = queue.put("a", line_id=refused, due_at=now_us() - 9 * HOUR, expires_at=now_us() + HOUR)
    assert waiting.release(hub, portal.id, refused) == 0
    assert (queue.column(greeting, "state"), line_of(hub, refused).state) == ("queued", "active")


def test_an_account_that_is_still_refused_is_left_alone_for_another_hour(
    hub: Hub, refused: str, sandbox: Sandbox
) -> None:
    with hub.db.write() as session:
        line = session.get(Line, refused)
        assert line is not None
        lines.update(session, hub, line, config={"token": "111:revoked"})
        line.state, line.held_until = "auth_failed", NOW
        session.add(line)
    assert probing.probe(hub, now=NOW) == []
    line = line_of(hub, refused)
    assert (line.state, line.held_until) == ("auth_failed", NOW + HOUR)
    before = len(sandbox.board.entries())
    assert probing.probe(hub, now=NOW + HOUR - SECOND) == []
    assert len(sandbox.board.entries()) == before


def test_a_question_is_asked_by_one_process_only(hub: Hub, refused: str) -> None:
    taken = [hub.db.writer.run(lambda sql: probing.take(sql, refused, now=NOW)) for _ in range(3)]
    assert taken == [True, False, False]


def test_a_line_that_answered_goes_on_after_an_hour_though_nobody_has_chosen(
    hub: Hub, refused: str, portal: Portal
) -> None:
    assert portal.id is not None
    assert probing.check(hub, portal.id, refused, hold=True)["ok"]
    assert line_of(hub, refused).state == "paused"
    assert probing.probe(hub, now=now_us()) == []
    assert probing.probe(hub, now=now_us() + HOUR) == [refused]
    assert line_of(hub, refused).state == "active"


def test_a_line_that_answered_once_and_is_refused_again_says_so(
    hub: Hub, refused: str, portal: Portal, sandbox: Sandbox
) -> None:
    assert portal.id is not None
    assert probing.check(hub, portal.id, refused, hold=True)["ok"]
    hub.db.writer.run(lambda sql: sql.run("UPDATE line SET config_sealed = 'v1:gone:AAAA' WHERE id = ?", (refused,)))
    assert probing.probe(hub, now=now_us() + HOUR) == []
    line = line_of(hub, refused)
    assert (line.state, line.state_code) == ("auth_failed", "line_unusable")


@pytest.mark.parametrize("state", ["active", "paused", "unreachable"])
def test_only_lines_whose_account_was_refused_are_asked(hub: Hub, refused: str, state: str) -> None:
    hub.db.writer.run(lambda sql: sql.run("UPDATE line SET state = ?", (state,)))
    with hub.db.sql() as sql:
        assert probing.due(sql, now=NOW) == []


def test_a_line_whose_config_does_not_open_stays_and_the_next_one_is_asked(
    hub: Hub, refused: str, portal: Portal, sandbox: Sandbox
) -> None:
    assert portal.id is not None
    with hub.db.write() as session:
        config = {"token": "111:BBB", "api_url": f"{sandbox.url}/telegram"}
        other = lines.create(session, hub, portal.id, name="Other", channel="telegram", config=config)
        other.state, other.held_until = "auth_failed", NOW
        session.add(other)
    hub.db.writer.run(lambda sql: sql.run("UPDATE line SET config_sealed = 'v1:gone:AAAA' WHERE id = ?", (refused,)))
    assert probing.check(hub, portal.id, refused)["error"]["code"] == "line_unusable"
    assert probing.probe(hub, now=NOW) == [other.id]


def test_a_new_token_lets_a_refused_line_send_at_once(queue: Queue) -> None:
    message = queue.put()
    (claimed,) = queue.claim()
    queue.settle(claimed, "queued", "line_down", **REFUSED)
    with queue.hub.db.write() as session:
        line = lines.get(session, queue.portal_id, queue.line)
        lines.update(session, queue.hub, line, config={"token": "1:B"})
    assert [one.id for one in queue.claim()] == [message]


def test_the_keeper_of_a_process_heals_a_line_without_being_asked(hub: Hub, refused: str) -> None:
    hub.db.writer.run(lambda sql: sql.run("UPDATE line SET held_until = NULL"))
    kept = Keeper(hub, (replace(PROBE, every_s=0.05),)).start()
    wait_until(lambda: line_of(hub, refused).state == "active", what="the line healed")
    kept.stop()
