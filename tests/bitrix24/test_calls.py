"""Calls that must reach a portal: whatever happens to it, to the tokens and to our processes meanwhile."""

import signal
from pathlib import Path
from typing import Any

import pytest

from connectors.bitrix24.errors import Busy, Denied, Disconnected
from connectors.errors import Temporary, Unconfirmed
from hub.bitrix24 import calls, uninstall
from hub.bitrix24.call_desk import OF_PORTAL, CallDesk
from hub.bitrix24.calls import Claimed, NewCall
from hub.clock import SECOND, now_us
from hub.sandbox.faults import Fault
from hub.sql import Sql
from tests.bitrix24.conftest import Connected, bitrix24_environment, connect
from tests.processes import Product, wait_until

NOTIFY = "im.notify.system.add"


def notice(key: str, text: str = "Hello", **more: Any) -> NewCall:
    return NewCall(key, NOTIFY, {"USER_ID": 1, "MESSAGE": text}, **more)


def put(connected: Connected, *wanted: NewCall) -> None:
    def job(sql: Sql) -> None:
        for call in wanted:
            calls.enqueue(sql, connected.portal_id, call, now=now_us())

    connected.hub.db.writer.run(job)


def work(desk: CallDesk) -> int:
    """Make every call that is due, as a worker's hands do; gives their number."""
    done = 0
    while pieces := desk.hand_out(10):
        for piece in pieces:
            piece()
            done += 1
    return done


def due_now(connected: Connected) -> None:
    connected.hub.db.writer.run(lambda sql: sql.run("UPDATE bitrix24_call SET due_at = ?", (now_us(),)))


def states(connected: Connected) -> list[tuple[str, str, int]]:
    with connected.hub.db.sql() as sql:
        return list(sql.all("SELECT key, state, attempts FROM bitrix24_call ORDER BY id"))


def told(connected: Connected) -> list[str]:
    return [row["text"] for row in connected.simulator.cloud.notifications]


def fail(connected: Connected, kind: str, **more: Any) -> Fault:
    fault = Fault(kind, service="bitrix24", chat=NOTIFY, **more)
    connected.simulator.cloud.board.add(fault)
    return fault


@pytest.fixture
def desk(connected: Connected) -> CallDesk:
    return CallDesk(connected.bitrix24)


def test_a_call_is_made_once_however_often_it_is_asked_for(connected: Connected, desk: CallDesk) -> None:
    put(connected, notice("a"), notice("a", "again"))
    assert work(desk) == 1
    put(connected, notice("a"))
    assert work(desk) == 0
    assert told(connected) == ["Hello"]
    assert states(connected) == [("a", "done", 1)]


def test_a_call_that_the_transaction_did_not_keep_is_not_made(connected: Connected, desk: CallDesk) -> None:
    def job(sql: Sql) -> None:
        calls.enqueue(sql, connected.portal_id, notice("a"), now=now_us())
        raise LookupError

    with pytest.raises(LookupError):
        connected.hub.db.writer.run(job)
    assert work(desk) == 0
    assert told(connected) == []


def test_an_answer_that_cannot_be_read_is_tried_again_by_the_schedule(connected: Connected, desk: CallDesk) -> None:
    fail(connected, "status", status=502, times=2)
    put(connected, notice("a"))
    for number, seconds in ((1, 2), (2, 10)):
        before = now_us()
        assert work(desk) == 1
        assert states(connected) == [("a", "queued", number)]
        wait_s = (connected.one("SELECT due_at FROM bitrix24_call") - before) / SECOND
        assert seconds <= wait_s <= seconds * calls.JITTER + 2
        due_now(connected)
    assert work(desk) == 1
    assert states(connected) == [("a", "done", 3)]
    assert told(connected) == ["Hello"]


def test_a_refusal_is_the_end_of_a_call(connected: Connected, desk: CallDesk) -> None:
    put(connected, NewCall("a", NOTIFY, {"USER_ID": 1, "MESSAGE": ""}))
    work(desk)
    assert states(connected) == [("a", "failed", 1)]
    assert "MESSAGE_EMPTY" in connected.one("SELECT error FROM bitrix24_call")


def test_a_busy_portal_uses_up_no_try(connected: Connected) -> None:
    call = Claimed(1, 1, "a", NOTIFY, "{}", 0, True)
    busy = calls.after(call, Busy("slow down", retry_after_s=7), now=0)
    assert (busy.state, busy.counts, busy.due_at) == ("queued", False, 7 * SECOND)
    down = calls.after(call, Disconnected("gone"), now=0)
    assert (down.state, down.counts) == ("queued", False)
    assert calls.after(call, Denied("no"), now=0).state == "failed"


@pytest.mark.parametrize("error", [Temporary("away"), Unconfirmed("lost")])
def test_after_ten_tries_a_call_has_failed(error: Temporary | Unconfirmed) -> None:
    tries = [calls.after(Claimed(1, 1, "a", NOTIFY, "{}", n, True), error, now=0) for n in range(10)]
    assert [one.state for one in tries] == ["queued"] * 9 + ["failed"]
    delays = [one.due_at / SECOND for one in tries[:9] if one.due_at]
    assert all(wanted <= delay <= wanted * 1.2 for wanted, delay in zip(calls.SCHEDULE_S, delays, strict=True))


def test_calls_of_one_order_stay_behind_one_that_waits(connected: Connected, desk: CallDesk) -> None:
    fail(connected, "status", status=502, times=1)
    put(
        connected,
        notice("a", "one", order_key="x"),
        notice("b", "two", order_key="x"),
        notice("c", "other", order_key="y"),
        notice("d", "three", order_key="x"),
    )
    work(desk)
    assert told(connected) == ["other"]
    due_now(connected)
    work(desk)
    assert told(connected) == ["other", "one", "two", "three"]


def test_a_call_that_may_have_been_carried_out_is_not_made_twice_unless_it_may_be(
    connected: Connected, desk: CallDesk
) -> None:
    fail(connected, "hangup_after", times=2)
    put(connected, notice("once", "once", repeatable=False), notice("often", "often"))
    work(desk)
    assert states(connected) == [("once", "unconfirmed", 1), ("often", "queued", 1)]
    due_now(connected)
    work(desk)
    assert sorted(told(connected)) == ["often", "often", "once"]


def test_calls_wait_for_a_portal_whose_token_died_and_go_out_when_it_is_back(
    connected: Connected, desk: CallDesk
) -> None:
    connected.expire(refresh=True)
    connected.tokens_end()
    put(connected, notice("a"), notice("b"))
    work(desk)
    assert connected.state() == "needs_reauth"
    due_now(connected)
    made = len(connected.calls())
    assert work(desk) == 0
    assert len(connected.calls()) == made
    connected.give_tokens()
    connected.hub.db.writer.run(lambda sql: sql.run("UPDATE portal SET state = 'active'"))
    due_now(connected)
    work(desk)
    assert sorted(state for _, state, _ in states(connected)) == ["done", "done"]
    assert len(told(connected)) == 2


def test_a_call_whose_time_is_over_is_not_made(connected: Connected, desk: CallDesk) -> None:
    put(connected, notice("a", life_s=0))
    work(desk)
    assert told(connected) == []
    assert states(connected)[0][1] == "expired"


def test_a_portal_that_removes_the_application_gets_no_call_any_more(connected: Connected, desk: CallDesk) -> None:
    put(connected, notice("a"))
    pieces = desk.hand_out(10)
    put(connected, notice("b"))
    uninstall.uninstall(connected.hub, connected.portal_id, clean=False)
    for piece in pieces:
        piece()
    assert work(desk) == 0
    assert told(connected) == []
    assert states(connected) == []


def test_a_portal_that_hangs_leaves_hands_to_the_others(connected: Connected, desk: CallDesk) -> None:
    other = connect(connected.hub, connected.simulator, connected.simulator.add_portal())
    put(connected, *(notice(f"k{n}") for n in range(20)))
    put(other, notice("other"))
    first = desk.hand_out(desk.hands)
    assert len(first) == OF_PORTAL + 1
    assert desk.hand_out(desk.hands - len(first)) == []


def test_a_later_call_takes_what_an_earlier_one_gave(connected: Connected, desk: CallDesk) -> None:
    owner = {"ENTITY_ID": 1, "ENTITY_TYPE": "deal"}
    put(
        connected,
        NewCall("add", "crm.timeline.comment.add", {"fields": {**owner, "COMMENT": "one"}}, "o"),
        NewCall(
            "change",
            "crm.timeline.comment.update",
            {"id": {"$result": "add"}, "fields": {"COMMENT": "two"}},
            "o",
        ),
        NewCall("lost", "crm.timeline.comment.update", {"id": {"$result": "none"}, "fields": {"COMMENT": "x"}}),
    )
    work(desk)
    assert [row["text"] for row in connected.portal.crm.comments.values()] == ["two"]
    assert [state for _, state, _ in states(connected)] == ["done", "done", "failed"]


def test_a_claim_of_which_the_process_did_not_learn_is_made_again(connected: Connected, desk: CallDesk) -> None:
    put(connected, notice("a"))
    now = now_us()
    owner = connected.hub.owner
    claimed = connected.hub.db.writer.run(
        lambda sql: calls.claim(sql, connected.portal_id, owner=owner, limit=5, now=now)
    )
    assert len(claimed) == 1
    assert work(desk) == 1
    assert told(connected) == ["Hello"]


def test_a_worker_that_is_killed_during_calls_loses_none_and_repeats_none_that_must_not_be(
    connected: Connected, tmp_path: Path
) -> None:
    settings = connected.hub.settings
    hanging = fail(connected, "hang", seconds=30, times=2)
    put(connected, notice("once", "once", repeatable=False), notice("often", "often"))
    with Product(settings, tmp_path, bitrix24_environment(settings)) as product:
        first = product.worker()
        wait_until(lambda: hanging not in connected.simulator.cloud.board.faults(), within_s=30, what="both calls")
        first.send(signal.SIGKILL)
        first.wait()
        product.worker()
        wait_until(
            lambda: sorted(state for _, state, _ in states(connected)) == ["done", "unconfirmed"],
            within_s=30,
            what="the end of both calls",
        )
    assert told(connected) == ["often"]
