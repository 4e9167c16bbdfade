"""Waiting."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from hub.scenarios.block import AwaitMessage, Fail, Go, Sleep
from hub.scenarios.check import check
from hub.values import Number
from tests.scenarios.fakes import NOW, FakeContext, FakePortal, block, document, run

STATUS = {"message_status": {"message": "{{m}}", "status": "delivered", "timeout_s": 60}}


def test_a_pause_of_some_seconds_sleeps_that_long() -> None:
    assert run("pause", {"for_s": 90}) == Sleep(NOW + timedelta(seconds=90))
    assert run("pause", {"for_s": 90}, FakeContext(resumed={"kind": "time"})) == Go(
        output={"waited_s": Number("90"), "reason": "time"}
    )


@pytest.mark.parametrize("text", ["2026-11-25T12:30:00+03:00", "2026-11-25 12:30", "25.11.2026 12:30", " {{at}} "])
def test_a_moment_is_read_in_the_portals_zone(text: str) -> None:
    outcome = run("pause", {"until": text}, FakeContext({"at": "25.11.2026 12:30"}))
    assert outcome == Sleep(datetime(2026, 11, 25, 9, 30, tzinfo=UTC))


def test_a_moment_in_the_past_goes_on_at_once() -> None:
    outcome = run("pause", {"until": "24.11.2026 14:05"})
    assert outcome == Go(output={"waited_s": Number("0"), "reason": "past"})


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"until": "{{gone}}"}, "bad_date"),
        ({"until": "{{at}}"}, "bad_date"),
        ({"until": "2027-11-25"}, "pause_too_long"),
        ({"message_status": {"message": "{{gone}}", "status": "sent"}}, "message_missing"),
    ],
)
def test_a_wait_for_nothing_sensible_fails(config: dict[str, Any], code: str) -> None:
    outcome = run("pause", config, FakeContext({"at": "soon"}))
    assert isinstance(outcome, Fail)
    assert outcome.code == code


def test_a_message_is_awaited_until_it_is_as_far_as_wanted() -> None:
    outcome = run("pause", STATUS, FakeContext({"m": "m1"}))
    assert outcome == AwaitMessage("m1", ("delivered", "read"), NOW + timedelta(seconds=60))


@pytest.mark.parametrize(
    ("state", "timed_out", "port", "reason"),
    [
        ("read", False, "next", "read"),
        ("sent", True, "timeout", "timeout"),
        ("failed", False, "timeout", "failed"),
    ],
)
def test_a_message_that_does_not_get_there_leaves_by_timeout(
    state: str, timed_out: bool, port: str, reason: str
) -> None:
    resumed = {"kind": "message", "message": {"id": "m1", "state": state}, "timed_out": timed_out}
    outcome = run("pause", STATUS, FakeContext({"m": "m1"}, resumed=resumed))
    assert isinstance(outcome, Go)
    assert (outcome.port, outcome.output["reason"]) == (port, reason)


@pytest.mark.parametrize(
    "config", [{}, {"for_s": 1, "until": "x"}, {"for_s": 0}, {"for_s": 30 * 86_400 + 1}, {"until": ""}]
)
def test_a_pause_has_exactly_one_reason_within_limits(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        block("pause").Config.model_validate(config)


def test_a_status_that_the_messenger_never_reports_blocks_publishing() -> None:
    def found(line: str, status: str) -> list[str]:
        send = {"id": "s", "type": "send_message", "config": {"chat_id": "1", "line": line, "text": "Hi"}}
        wait = {"message": "{{blocks.s.message_id}}", "status": status}
        doc = document(send, {"id": "p", "type": "pause", "config": {"message_status": wait}})
        return [one.code for one in check(doc, FakePortal())[1]]

    assert found("Sales", "delivered") == ["no_receipts"]
    assert found("Sales", "sent") == []
    assert found("Phones", "read") == []


def test_a_written_moment_that_is_none_blocks_publishing() -> None:
    doc = document({"id": "p", "type": "pause", "config": {"until": "tomorrow"}})
    assert [(one.code, one.field) for one in check(doc, FakePortal())[1]] == [("bad_date", "until")]
