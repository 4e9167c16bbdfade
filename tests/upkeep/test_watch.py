"""What is wrong is noticed within a look, told once, told again after six hours, and taken back when it is over."""

import json
import socket
from typing import Any

import pytest

from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.delivery import processes
from hub.delivery.lines import LineSettings
from hub.notices import book
from hub.notices.models import EVERYBODY, Notice
from hub.upkeep import chores, watch
from tests.delivery.queue import NOW, Queue

HOUR = 3600 * SECOND
ROOM = {"free": 50, "total": 100}


@pytest.fixture
def queue(hub: Hub, portal: Any) -> Queue:
    return Queue(hub, portal.id, settings=LineSettings(rate_per_s=0, rate_per_chat_per_s=0))


def look(queue: Queue, now: int = NOW, **more: int) -> list[str]:
    """One look; gives the causes that people are told now. A worker is there unless `worker=0`."""
    beats = more.pop("worker", 1)

    def job(sql: Any) -> list[str]:
        if beats:
            processes.register(sql, owner="host:1:w", kind="worker", now=now)
        chores.take(sql, watch.NAME, every_s=0, owner="host:1:w", now=now)
        return [one.cause for one in watch.look(sql, now=now, lease_s=60, **(ROOM | more))]

    return queue.hub.db.writer.run(job)


def notices(queue: Queue) -> list[Notice]:
    with queue.hub.db.read() as session:
        found = book.find(session, queue.portal_id, is_open=None, below=None, limit=50)
        for one in found:
            session.expunge(one)
        return found[::-1]


def set_line(queue: Queue, change: str) -> None:
    queue.hub.db.writer.run(lambda sql: sql.run(f"UPDATE line SET {change}"))


def test_nothing_is_noticed_where_nothing_is_wrong(queue: Queue) -> None:
    queue.put()
    assert look(queue) == []
    assert notices(queue) == []


def test_a_refused_line_is_told_once_with_its_queue_and_taken_back_when_it_is_healed(queue: Queue) -> None:
    queue.put("a"), queue.put("b")
    set_line(queue, f"state = 'auth_failed', state_reason = 'Unauthorized', state_since = {NOW}")
    set_line(queue, "state_code = 'token_refused'")
    assert look(queue) == ["line_auth_failed"]
    assert look(queue, NOW + 60 * SECOND) == []
    (notice,) = notices(queue)
    assert (notice.subject, notice.count, notice.opened_at, notice.last_at) == (
        queue.line,
        1,
        NOW,
        NOW + 60 * SECOND,
    )
    assert json.loads(notice.params) == {
        "line": "Sales",
        "channel": "telegram",
        "code": "token_refused",
        "reason": "Unauthorized.",
        "queue": 2,
    }
    set_line(queue, "state = 'active'")
    assert look(queue, NOW + 90 * SECOND) == []
    (notice,) = notices(queue)
    assert notice.closed_at == NOW + 90 * SECOND


def test_what_lasts_is_told_again_after_six_hours(queue: Queue) -> None:
    set_line(queue, "state = 'auth_failed'")
    told = [look(queue, NOW + minute * 60 * SECOND) for minute in range(0, 13 * 60, 10)]
    assert [n for n, causes in enumerate(told) if causes] == [0, 36, 72]
    assert len(notices(queue)) == 1


def test_what_comes_back_soon_is_the_same_notice_and_not_told_again(queue: Queue) -> None:
    for minute, state in enumerate(("auth_failed", "active", "auth_failed", "active", "auth_failed")):
        set_line(queue, f"state = '{state}'")
        assert look(queue, NOW + minute * 60 * SECOND) == (["line_auth_failed"] if minute == 0 else [])
    (notice,) = notices(queue)
    assert (notice.count, notice.closed_at) == (3, None)
    set_line(queue, "state = 'active'")
    look(queue, NOW + HOUR)
    set_line(queue, "state = 'auth_failed'")
    assert look(queue, NOW + 7 * HOUR) == ["line_auth_failed"]
    assert len(notices(queue)) == 2


def test_a_question_that_was_refused_again_raises_the_count(queue: Queue) -> None:
    set_line(queue, "state = 'auth_failed'")
    look(queue)
    known = {"portal_id": queue.portal_id, "cause": "line_auth_failed", "subject": queue.line}
    queue.hub.db.writer.run(lambda sql: book.confirm(sql, **known, now=NOW + HOUR))
    (notice,) = notices(queue)
    assert (notice.count, notice.last_at) == (2, NOW + HOUR)


@pytest.mark.parametrize(("hours", "expected"), [(23, []), (25, ["line_unreachable"])])
def test_a_line_that_rests_is_only_told_after_a_day(queue: Queue, hours: int, expected: list[str]) -> None:
    set_line(queue, f"state = 'unreachable', state_since = {NOW - hours * HOUR}")
    assert look(queue) == expected


@pytest.mark.parametrize(("count", "expected"), [(10, []), (11, ["undelivered"])])
def test_many_messages_that_did_not_arrive_are_one_notice(queue: Queue, count: int, expected: list[str]) -> None:
    for number in range(count):
        queue.put(str(number))
    for claimed, state in zip(queue.claim(limit=count), ["failed", "unconfirmed"] * count, strict=False):
        queue.settle(claimed, state, "rejected")
    assert look(queue, NOW + 60 * SECOND) == expected
    assert look(queue, NOW + 11 * 60 * SECOND) == []
    assert [one.closed_at for one in notices(queue)] == [NOW + 11 * 60 * SECOND] * len(expected)


def test_a_message_that_should_have_gone_long_ago_is_told_unless_its_line_must_wait(queue: Queue) -> None:
    queue.put()
    assert look(queue, NOW + 299 * SECOND) == []
    assert look(queue, NOW + 301 * SECOND) == ["late"]
    (notice,) = notices(queue)
    assert json.loads(notice.params) == {"line": "Sales", "seconds": 301}
    set_line(queue, "state = 'paused'")
    assert look(queue, NOW + 400 * SECOND) == []
    assert notices(queue)[0].closed_at is not None


def test_a_full_disk_concerns_everybody(queue: Queue) -> None:
    assert look(queue, free=4, total=100) == ["disk_low"]
    (notice,) = notices(queue)
    assert (notice.portal_id, notice.subject) == (EVERYBODY, socket.gethostname()[:32])


def test_the_disk_of_another_host_is_for_its_own_processes_to_judge(queue: Queue) -> None:
    def full_elsewhere(sql: Any) -> None:
        found = [book.Finding("disk_low", subject="far", params={"host": "far", "free_mib": 1})]
        book.keep(sql, found, causes=["disk_low"], now=NOW)
        processes.register(sql, owner="far:1:x", kind="web", now=NOW)
        sql.run("UPDATE process SET host = 'far' WHERE id = 'far:1:x'")

    queue.hub.db.writer.run(full_elsewhere)
    look(queue)
    assert notices(queue)[0].closed_at is None
    queue.hub.db.writer.run(lambda sql: sql.run("DELETE FROM process WHERE host = 'far'"))
    look(queue, NOW + 20 * SECOND)
    assert notices(queue)[0].closed_at == NOW + 20 * SECOND


def test_workers_that_are_gone_for_longer_than_a_lease_are_missed(queue: Queue) -> None:
    assert look(queue, worker=0) == []
    assert look(queue, NOW + 50 * SECOND, worker=0) == []
    assert look(queue, NOW + 70 * SECOND, worker=0) == ["worker_absent"]
    assert look(queue, NOW + 90 * SECOND) == []
    assert notices(queue)[0].closed_at == NOW + 90 * SECOND


def test_one_process_looks_at_a_time_and_none_too_often(queue: Queue) -> None:
    assert [watch.turn(queue.hub) for _ in range(3)] == [True, False, False]
    queue.hub.db.writer.run(lambda sql: sql.run("UPDATE chore SET begun_at = begun_at - ?", (21 * SECOND,)))
    owners = ["one", "two"]
    now = now_us()
    taken = [
        queue.hub.db.writer.run(lambda sql, owner=owner: chores.take(sql, watch.NAME, every_s=20, owner=owner, now=now))
        for owner in owners
    ]
    assert taken == [True, False]


def test_every_cause_has_words_that_its_params_fill(queue: Queue) -> None:
    set_line(queue, "state = 'auth_failed'")
    look(queue, free=4, total=100)
    for notice in notices(queue):
        assert "{" not in str(book.to_dict(notice)["message"])


def turn(queue: Queue) -> None:
    assert watch.turn(queue.hub)


def test_a_notice_goes_to_the_chat_that_was_chosen_but_not_over_the_line_it_is_about(queue: Queue, api: Any) -> None:
    other = api.post("/lines", {"name": "Служебная", "channel": "telegram", "config": {"token": "3:AAA"}}).json["id"]
    assert api.patch("/portals/local", {"notices": {"line": other, "chat_id": " 555 "}}).json["notice_chat"] == "555"
    set_line(queue, f"state = 'auth_failed', state_since = {NOW}")
    queue.hub.db.writer.run(lambda sql: sql.run("UPDATE line SET state = 'active' WHERE id = ?", (other,)))
    turn(queue)
    (message,) = api.get("/messages?chat=555").json["items"]
    assert "Мессенджер не принимает ключ линии «Sales»." in message["text"]
    assert message["text"].endswith(f"https://hub.test/lines/{queue.line}")
    assert (message["line"], message["run"]) == (other, None)

    assert api.patch("/portals/local", {"notices": {"line": queue.line, "chat_id": "777"}}).status_code == 200
    queue.hub.db.writer.run(lambda sql: sql.run("UPDATE notice SET told_at = 0"))
    queue.hub.db.writer.run(lambda sql: sql.run("DELETE FROM chore"))
    turn(queue)
    assert api.get("/messages?chat=777").json["items"] == []
    cleared = api.patch("/portals/local", {"notices": {}}).json
    assert (cleared["notice_line"], cleared["notice_chat"]) == (None, None)


def test_a_notice_cannot_be_sent_over_a_line_that_is_not_there(queue: Queue, api: Any) -> None:
    assert api.patch("/portals/local", {"notices": {"line": "0" * 32, "chat_id": "5"}}).status_code == 404
    assert api.patch("/portals/local", {"notices": {"line": queue.line, "chat_id": " "}}).status_code == 422


def test_a_notice_of_a_portal_goes_to_its_administrator_in_bitrix24_once(queue: Queue, api: Any) -> None:
    queue.hub.db.writer.run(
        lambda sql: sql.run(
            "INSERT INTO bitrix24_connection (portal_id, client_id, client_endpoint, oauth_url,"
            " application_token_sealed, status, version, user_id, handler_hash, handler_sealed, finished, steps,"
            " timeline) VALUES (?, 'local.1', 'https://p.test/rest/', 'https://o.test', '', '', '', 7, 'h', '', ?,"
            " '{}', ?)",
            (queue.portal_id, True, True),
        )
    )
    set_line(queue, f"state = 'auth_failed', state_since = {NOW}, name = 'A[b]'")
    turn(queue)
    with queue.hub.db.sql() as sql:
        ((method, params),) = sql.all("SELECT method, params FROM bitrix24_call")
    assert method == "im.notify.system.add"
    said = json.loads(params)
    assert said["USER_ID"] == 7
    assert "«A&#91;b&#93;»" in said["MESSAGE"]
    assert f"[URL=https://hub.test/lines/{queue.line}]" in said["MESSAGE"]

    queue.hub.db.writer.run(
        lambda sql: sql.run(
            "INSERT INTO bitrix24_registration (portal_id, kind, code, handler, registered_at, error)"
            " VALUES (?, 'placement', 'REST_APP_URI', '', ?, '')",
            (queue.portal_id, NOW),
        )
    )
    queue.hub.db.writer.run(lambda sql: sql.run("UPDATE notice SET told_at = 0"))
    queue.hub.db.writer.run(lambda sql: sql.run("DELETE FROM chore"))
    turn(queue)
    with queue.hub.db.sql() as sql:
        *_, (again,) = sql.all("SELECT params FROM bitrix24_call ORDER BY id")
    inside = f"https://p.test/marketplace/view/local.1/?params%5Bplace%5D=%2Flines%2F{queue.line}"
    assert f"[URL={inside}]" in json.loads(again)["MESSAGE"]
