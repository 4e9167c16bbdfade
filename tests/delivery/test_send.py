"""An attempt and what is left of it: its outcome is stored, now or later, and a crash leaves nothing hanging."""

import os
import subprocess
import sys
import threading
from dataclasses import replace
from typing import Any

import pytest

import hub.delivery.postman
from connectors.channel import Accepted
from connectors.errors import Rejected, Temporary
from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.delivery import processes, sweep
from hub.delivery.outbox import Claimed
from hub.delivery.postman import Postman
from hub.delivery.retry import Policy
from hub.delivery.send import OpenLine, attempt
from hub.errors import StorageUnavailable
from hub.scenarios import store
from hub.settings import Settings
from hub.worker import run_worker
from tests.delivery.queue import ME, NOW, Queue
from tests.processes import wait_until

CLAIMED = Claimed(
    "m1", 1, "l1", "telegram", "7", "Hi", '{"buttons":[{"text":1.50,"url":null}]}', 1, 0, '["41"]', NOW, None
)


class FakeChannel:
    """A channel that does as it is told."""

    kind = "fake"

    def __init__(self, answer: Accepted | Exception) -> None:
        self.answer = answer
        self.got: list[Any] = []

    def send(self, message: Any, before: tuple[str, ...]) -> Accepted:
        self.got.append((message, before))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def tried(
    answer: Accepted | Exception, policy: Policy | None = None, claimed: Claimed = CLAIMED
) -> tuple[Any, FakeChannel]:
    channel = FakeChannel(answer)
    line = OpenLine(channel, policy or Policy(schedule_s=(5,)))  # type: ignore[arg-type]
    return attempt(claimed, line), channel


def test_the_channel_is_told_that_an_earlier_attempt_may_have_arrived() -> None:
    for uncertain in (False, True):
        _, channel = tried(Accepted(("41",)), claimed=replace(CLAIMED, uncertain=uncertain))
        assert channel.got[0][0].repeated is uncertain


def test_what_was_accepted_is_sent_with_the_providers_first_id() -> None:
    settlement, channel = tried(Accepted(("41", "42")))
    assert (settlement.state, settlement.provider_id, settlement.sent_parts) == ("sent", "41", ("41", "42"))
    message, before = channel.got[0]
    assert before == ("41",)
    assert message.buttons == ({"text": "1.50", "url": ""},)


def test_what_a_messenger_says_can_be_stored_whatever_it_is() -> None:
    accepted, _ = tried(Accepted(("4\x002", "\ud800")))
    assert accepted.sent_parts == ("4\ufffd2", "\ufffd")
    assert len(tried(Accepted(("7" * 1000,)))[0].provider_id) == 255
    refused, _ = tried(Rejected("No \udfff.", code="x\0"))
    assert refused.error == {"code": "x\ufffd", "message": "No \ufffd."}


def test_parts_that_went_out_before_an_error_are_not_sent_again() -> None:
    assert tried(Temporary("503"))[0].sent_parts == ("41",)
    assert tried(Temporary("503", sent=("41", "42")))[0].sent_parts == ("41", "42")


def test_a_rejection_fails_the_message_with_its_words() -> None:
    settlement, _ = tried(Rejected("The recipient blocked the bot.", code="blocked", status=403))
    assert (settlement.state, settlement.http_status) == ("failed", 403)
    assert settlement.error == {"code": "blocked", "message": "The recipient blocked the bot."}


def test_a_bug_of_ours_counts_as_maybe_sent_and_says_nothing_of_itself() -> None:
    settlement, _ = tried(ZeroDivisionError("token 1:SECRET"))
    assert (settlement.state, settlement.outcome) == ("unconfirmed", "unconfirmed")
    assert "SECRET" not in str(settlement)


# ---------------------------------------------------------------- the postman


def test_a_line_whose_secrets_do_not_open_is_put_out_of_order_and_its_messages_wait(queue: Queue) -> None:
    message = queue.put()
    queue.hub.db.writer.run(lambda sql: sql.run("UPDATE line SET config_sealed = 'v1:gone:AAAA'"))
    (claimed,) = queue.claim(owner=queue.hub.owner)
    settlement = Postman(queue.hub).deliver(claimed)
    assert (settlement.state, settlement.line_state) == ("queued", "auth_failed")
    assert (queue.column(message, "state"), queue.column(message, "failures")) == ("queued", 0)
    with queue.hub.db.sql() as sql:
        assert sql.one("SELECT state FROM line") == ("auth_failed",)


def test_an_outcome_that_cannot_be_stored_is_stored_later(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    message = queue.put()
    (claimed,) = queue.claim(owner=queue.hub.owner)
    postman = Postman(queue.hub)
    sent, _ = tried(Accepted(("42",)))
    monkeypatch.setattr(hub.delivery.postman, "attempt", lambda *_: sent)

    def away(*_: object, **__: object) -> None:
        raise StorageUnavailable("The database is away.")

    with monkeypatch.context() as patch:
        patch.setattr(queue.hub.db.writer, "run_many", away)
        with pytest.raises(StorageUnavailable):
            postman.deliver(claimed)
        with pytest.raises(StorageUnavailable):
            postman.store_unsaved()
    assert queue.column(message, "state") == "sending"
    assert postman.store_unsaved() == 1
    assert (queue.column(message, "state"), queue.column(message, "provider_id")) == ("sent", "42")
    assert postman.store_unsaved() == 0


# ---------------------------------------------------------------- crashes


def gone_pid() -> int:
    """The id of a process that has just ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def dies(queue: Queue, owner: str) -> None:
    """A process of that name was here and is gone."""
    pid = gone_pid()
    now = now_us()

    def job(sql: Any) -> None:
        processes.register(sql, owner=owner, kind="worker", now=now)
        sql.run("UPDATE process SET pid = ? WHERE id = ?", (pid, owner))

    queue.hub.db.writer.run(job)


def free(queue: Queue) -> list[str]:
    """What a worker does about the dead."""
    with queue.hub.db.sql() as sql:
        dead = processes.find_dead(sql, owner=queue.hub.owner, lease_s=60, now=now_us())
        lines = sweep.abandoned_lines(sql, dead=dead)
    postman = Postman(queue.hub)
    queue.hub.db.writer.run(lambda sql: postman.settle_abandoned(sql, dead), lines=lines)
    return dead


@pytest.mark.parametrize(("rule", "state"), [("hold", "unconfirmed"), ("resend", "queued")])
def test_what_a_dead_process_was_sending_follows_the_rule_of_its_line(queue: Queue, rule: str, state: str) -> None:
    first, second = queue.put(), queue.put()
    queue.hub.db.writer.run(lambda sql: sql.run("UPDATE line SET settings = ?", (f'{{"on_unconfirmed":"{rule}"}}',)))
    queue.claim(owner="host:9:dead")
    dies(queue, "host:9:dead")
    assert free(queue) == ["host:9:dead"]
    assert queue.column(first, "state") == state
    assert "interrupted" in queue.column(first, "error")
    assert queue.heads() == {"a": [second if rule == "hold" else first]}
    with queue.hub.db.sql() as sql:
        assert sql.all("SELECT outcome, code FROM attempt") == [("unconfirmed", "interrupted")]


def test_a_process_that_lives_keeps_what_it_has(queue: Queue) -> None:
    message = queue.put()
    queue.claim(owner="host:9:here")
    queue.hub.db.writer.run(lambda sql: processes.register(sql, owner="host:9:here", kind="worker", now=now_us()))
    assert free(queue) == []
    assert queue.column(message, "state") == "sending"


def test_a_process_whose_lease_ran_out_is_dead_even_on_another_host(queue: Queue) -> None:
    queue.hub.db.writer.run(lambda sql: processes.register(sql, owner="far:1:x", kind="web", now=now_us() - 61_000_000))
    queue.hub.db.writer.run(lambda sql: sql.run("UPDATE process SET host = 'far', pid = ?", (os.getpid(),)))
    assert free(queue) == ["far:1:x"]


def test_a_process_that_leaves_with_something_in_hand_stays_to_be_found_dead(queue: Queue) -> None:
    queue.put()
    queue.hub.db.writer.run(lambda sql: processes.register(sql, owner=ME, kind="worker", now=now_us()))
    (claimed,) = queue.claim()
    leave = lambda: queue.hub.db.writer.run(lambda sql: processes.leave(sql, owner=ME))  # noqa: E731
    count = lambda: queue.hub.db.writer.run(lambda sql: len(sql.all("SELECT id FROM process")))  # noqa: E731
    leave()
    assert count() == 1
    queue.settle(claimed, "sent")
    leave()
    assert count() == 0


def test_a_worker_that_starts_frees_messages_and_runs_of_the_dead(queue: Queue, settings: Settings) -> None:
    message = queue.put()
    queue.claim(owner="host:9:dead")
    dies(queue, "host:9:dead")
    stop = threading.Event()
    worker = threading.Thread(target=run_worker, args=(settings, stop))
    worker.start()
    try:
        wait_until(lambda: queue.column(message, "state") == "unconfirmed", what="the message freed")
    finally:
        stop.set()
        worker.join()
    with queue.hub.db.sql() as sql:
        assert sql.all("SELECT id FROM process") == []


def test_runs_of_the_dead_are_due_at_once(hub: Hub) -> None:
    insert = (
        "INSERT INTO run (id, portal_id, scenario_id, version_id, version, status, state, warnings, owner, fence, dry,"
        " created_at) VALUES (?, 1, 1, 1, 1, ?, '{}', '[]', ?, 1, FALSE, 0)"
    )

    def job(sql: Any) -> int:
        sql.many(insert, [("r1", "waiting", "dead"), ("r2", "running", "alive"), ("r3", "completed", "dead")])
        return store.free_dead(sql, ["dead"], 77)

    assert hub.db.writer.run(job) == 1
    with hub.db.sql() as sql:
        assert sql.all("SELECT id, owner, wake_at FROM run ORDER BY id")[:2] == [
            ("r1", None, 77),
            ("r2", "alive", None),
        ]


def test_a_process_that_had_our_pid_before_a_restart_is_dead(queue: Queue) -> None:
    def job(sql: Any) -> list[str]:
        processes.register(sql, owner="host:before", kind="worker", now=now_us() - 3600 * SECOND)
        sql.run("UPDATE process SET beat_at = ?", (now_us(),))
        processes.register(sql, owner="host:beside", kind="web", now=now_us())
        return processes.find_dead(sql, owner="host:me", lease_s=60, now=now_us())

    assert queue.hub.db.writer.run(job) == ["host:before"]
