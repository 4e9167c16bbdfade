"""What a process holds by the database but not in its hands: the answer to a commit of its own was lost."""

import threading
from dataclasses import replace
from typing import Any

import pytest

import hub.delivery.postman
from hub.clock import now_us
from hub.delivery.outbox import Claimed, Settlement
from hub.delivery.postman import Postman
from hub.errors import StorageUnavailable
from tests.delivery.queue import Queue

SENT = Settlement(state="sent", outcome="sent", provider_id="42", http_status=200)


@pytest.fixture
def postman(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> Postman:
    """Sends everything well without a messenger."""
    monkeypatch.setattr(hub.delivery.postman, "attempt", lambda *_: SENT)
    return Postman(queue.hub)


def codes(queue: Queue) -> list[tuple[str | None, str]]:
    """Outcome and code of every attempt."""
    with queue.hub.db.sql() as sql:
        return [
            (outcome, code) for outcome, code in sql.all("SELECT outcome, code FROM attempt ORDER BY message_id, n")
        ]


def put(queue: Queue, chat: str = "a") -> str:
    """A message that is due by the real clock."""
    return queue.put(chat, due_at=now_us())


def claim(queue: Queue, owner: str = "") -> list[Claimed]:
    return queue.claim(100, owner=owner or queue.hub.owner, now=now_us())


def test_a_message_claimed_without_its_process_knowing_is_given_back(queue: Queue, postman: Postman) -> None:
    lost, behind = put(queue), put(queue)
    claim(queue)
    assert postman.recover(older_than_s=0) == 1
    assert (queue.column(lost, "state"), queue.column(lost, "owner"), queue.column(lost, "failures")) == (
        "queued",
        None,
        0,
    )
    assert queue.heads() == {"a": [lost]}
    (again,) = claim(queue)
    assert (again.id, again.attempt) == (lost, 2)
    postman.deliver(again)
    assert codes(queue) == [("temporary", "not_begun"), ("sent", "")]
    assert queue.heads() == {"a": [behind]}
    with queue.hub.db.sql() as sql:
        assert sql.one("SELECT state, trouble FROM line") == ("active", 0)


def test_what_is_in_hand_and_what_others_hold_is_left_alone(queue: Queue, postman: Postman) -> None:
    mine = put(queue, "a")
    (held,) = claim(queue)
    theirs = put(queue, "b")
    claim(queue, "host:9:other")
    postman.hold([held])
    assert postman.recover(older_than_s=0) == 0
    assert [queue.column(one, "state") for one in (mine, theirs)] == ["sending", "sending"]
    postman.drop([held])
    assert postman.recover(older_than_s=0) == 1
    assert [queue.column(one, "state") for one in (mine, theirs)] == ["queued", "sending"]


def test_a_claim_just_made_is_left_to_its_maker(queue: Queue, postman: Postman) -> None:
    message = put(queue)
    claim(queue)
    assert postman.recover(older_than_s=30) == 0
    assert queue.column(message, "state") == "sending"


def test_a_message_whose_call_was_begun_and_whose_outcome_got_lost_may_have_arrived(
    queue: Queue, postman: Postman, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = put(queue)
    (claimed,) = claim(queue)
    monkeypatch.setattr(postman, "_settle", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        postman.deliver(claimed)
    assert postman.recover(older_than_s=0) == 1
    assert queue.column(message, "state") == "unconfirmed"
    assert codes(queue) == [("unconfirmed", "interrupted")]


def test_an_outcome_that_waits_to_be_stored_is_not_taken_for_lost(
    queue: Queue, postman: Postman, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = put(queue)
    (claimed,) = claim(queue)

    def away(*_: Any, **__: Any) -> None:
        raise StorageUnavailable("The database is away.")

    with monkeypatch.context() as patch:
        patch.setattr(queue.hub.db.writer, "run_many", away)
        with pytest.raises(StorageUnavailable):
            postman.deliver(claimed)
    assert postman.recover(older_than_s=0) == 0
    assert postman.store_unsaved() == 1
    assert queue.column(message, "state") == "sent"


def test_many_that_send_and_one_that_recovers_get_in_nobodys_way(queue: Queue, postman: Postman) -> None:
    messages = [put(queue, str(n)) for n in range(60)]
    over = threading.Event()

    def recover() -> None:
        while not over.is_set():
            assert postman.recover(older_than_s=0) == 0

    claimed = claim(queue)
    postman.hold(claimed)
    thread = threading.Thread(target=recover)
    thread.start()
    for one in claimed:
        postman.deliver(one)
        postman.drop([one])
    over.set()
    thread.join()
    assert {queue.column(one, "state") for one in messages} == {"sent"}
    assert set(codes(queue)) == {("sent", "")}


@pytest.mark.parametrize("later", [False, True])
def test_an_outcome_that_cannot_be_written_down_does_not_take_the_others_with_it(
    queue: Queue, postman: Postman, monkeypatch: pytest.MonkeyPatch, later: bool
) -> None:
    messages = [put(queue, chat) for chat in "abc"]
    sent = Settlement(state="sent", outcome="sent", provider_id="7", sent_parts=("7",))
    odd = replace(sent, provider_id="\ud800", sent_parts=("\ud800",))
    outcomes = list(zip(claim(queue), [sent, odd, sent], strict=True))

    def away(*_: Any, **__: Any) -> None:
        raise StorageUnavailable("The database is away.")

    if later:
        with monkeypatch.context() as patch:
            patch.setattr(queue.hub.db.writer, "run_many", away)
            with pytest.raises(StorageUnavailable):
                postman.settle(outcomes)
        assert postman.store_unsaved() == 3
        assert postman.store_unsaved() == 0
    else:
        postman.settle(outcomes)
    assert [queue.column(message, "state") for message in messages] == ["sent", "sending", "sent"]
    assert postman.recover(older_than_s=0) == 1
