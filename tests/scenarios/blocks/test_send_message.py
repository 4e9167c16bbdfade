"""Sending a message and telling what became of it."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from hub.quiet import QuietHours
from hub.scenarios.block import Fail, Go, NewMessage, Send
from tests.scenarios.fakes import FakeContext, block, run


def send(variables: dict[str, Any] | None = None, /, **config: Any) -> Any:
    given = {"chat_id": "{{chat_id}}", "line": "Sales", "text": "Hi {{who}}"} | config
    return run("send_message", given, FakeContext({"chat_id": "42", "who": "Ann"} | (variables or {})))


def resumed(state: str, **more: Any) -> Any:
    message = {"id": "m1", "state": state, "chat_id": "42", "messenger": "telegram", "sent_at": None, "error": None}
    context = FakeContext(resumed={"kind": "message", "message": message | more, "timed_out": state == "sending"})
    return run("send_message", {"chat_id": "42", "line": "Sales", "text": "Hi"}, context)


def test_a_message_is_rendered_and_goes_out_by_the_lines_own_messenger() -> None:
    assert send({"chat_id": " 42 "}) == Send(NewMessage("Sales", "42", " 42 ", "telegram", "Hi Ann"), "queued")


def test_buttons_file_and_deadline_go_with_the_message() -> None:
    message = send(
        file_url="https://a/{{who}}.pdf",
        buttons=[{"label": "Yes {{who}}"}, {"label": "Site", "url": "https://a/"}],
        best_before_s=60,
        wait_for="sent",
    ).message
    assert message.file_url == "https://a/Ann.pdf"
    assert message.best_before_s == 60
    assert message.buttons == (
        {"id": "1", "label": "Yes Ann", "kind": "reply"},
        {"id": "2", "label": "Site", "kind": "url", "url": "https://a/"},
    )


@pytest.mark.parametrize("raw", ["89999999999", "+7 (999) 999-99-99", "9999999999"])
def test_a_phone_line_gets_the_number_in_one_form(raw: str) -> None:
    message = send({"chat_id": raw}, line="Phones").message
    assert (message.chat_id, message.chat_id_raw, message.messenger) == ("79999999999", raw, "whatsapp")


@pytest.mark.parametrize(
    ("variables", "config", "code"),
    [
        ({"chat_id": " "}, {}, "chat_id_empty"),
        ({"chat_id": None}, {}, "chat_id_empty"),
        ({"who": " "}, {"skip_if_empty": ["who"]}, "missing_value"),
        ({"chat_id": ""}, {"skip_if_empty": ["chat_id"]}, "missing_value"),
        ({}, {"skip_if_empty": ["who", "order.sum"]}, "missing_value"),
        ({}, {"line": "Gone"}, "line_missing"),
        ({"chat_id": "@ann"}, {"line": "Phones"}, "chat_id_invalid"),
        ({"who": ""}, {"text": "{{who}}"}, "text_empty"),
        ({}, {"file_url": "ftp://{{who}}"}, "file_url_invalid"),
    ],
)
def test_a_message_that_cannot_be_sent_fails_the_block(
    variables: dict[str, Any], config: dict[str, Any], code: str
) -> None:
    outcome = send(variables, **config)
    assert isinstance(outcome, Fail)
    assert (outcome.code, outcome.blame) == (code, "data")


@pytest.mark.parametrize(
    ("parameters", "filled"),
    [
        (["{{who}}", "№ {{order.id}}"], [["", "Ann"], ["", "№ 7"]]),
        ({"name": "{{who}}", "sum": "{{order.sum | default: '0'}}"}, [["name", "Ann"], ["sum", "0"]]),
        ([], []),
    ],
)
def test_a_template_goes_with_its_places_filled(parameters: Any, filled: list[list[str]]) -> None:
    template = {"name": "order_ready", "language": "ru", "parameters": parameters}
    message = send({"chat_id": "89999999999", "order": {"id": 7}}, line="Phones", text="", template=template).message
    assert message.template == {"name": "order_ready", "language": "ru", "parameters": filled}
    assert message.text == f"[order_ready] {', '.join(text for _, text in filled)}".strip()


def test_a_file_alone_is_a_message() -> None:
    assert isinstance(send(text="", file_url="https://a/b.pdf"), Send)


@pytest.mark.parametrize("state", ["failed", "expired", "cancelled", "undelivered"])
def test_a_message_that_did_not_arrive_fails_the_block(state: str) -> None:
    outcome = resumed(state, error={"code": "chat_not_found", "message": "No such chat."})
    assert isinstance(outcome, Fail)
    assert (outcome.code, outcome.message, outcome.blame) == ("chat_not_found", "No such chat.", "messenger")
    assert outcome.output["status"] == state
    assert resumed(state).code == state


@pytest.mark.parametrize("state", ["queued", "sending", "sent", "delivered", "read", "unconfirmed"])
def test_any_other_state_goes_on_with_the_message_as_result(state: str) -> None:
    outcome = resumed(state)
    assert isinstance(outcome, Go)
    assert outcome.port == "next"
    assert set(outcome.output) == set(block("send_message").outputs)
    assert (outcome.output["message_id"], outcome.output["status"]) == ("m1", state)


@pytest.mark.parametrize(
    ("hours", "now", "expected"),
    [
        (("21:00", "09:00"), datetime(2026, 11, 24, 20, 0, tzinfo=UTC), datetime(2026, 11, 25, 6, 0, tzinfo=UTC)),
        (("21:00", "09:00"), datetime(2026, 11, 24, 3, 0, tzinfo=UTC), datetime(2026, 11, 24, 6, 0, tzinfo=UTC)),
        (("21:00", "09:00"), datetime(2026, 11, 24, 6, 0, tzinfo=UTC), None),
        (("13:00", "15:00"), datetime(2026, 11, 24, 11, 5, tzinfo=UTC), datetime(2026, 11, 24, 12, 0, tzinfo=UTC)),
        (("13:00", "15:00"), datetime(2026, 11, 24, 12, 0, tzinfo=UTC), None),
    ],
)
def test_in_quiet_hours_a_message_waits_for_their_end(
    hours: tuple[str, str], now: datetime, expected: datetime | None
) -> None:
    config = {"chat_id": "1", "line": "Sales", "text": "Hi", "quiet_hours": {"from": hours[0], "to": hours[1]}}
    outcome = run("send_message", config, FakeContext(now=now))
    assert isinstance(outcome, Send)
    assert outcome.message.quiet is not None
    assert outcome.message.quiet.over_at(now) == expected


def test_a_message_keeps_the_quiet_hours_of_its_portal_unless_it_has_its_own_or_goes_at_any_hour() -> None:
    portals = QuietHours("22:00", "08:00", ZoneInfo("Europe/Moscow"))
    config: dict[str, Any] = {"chat_id": "1", "line": "Sales", "text": "Hi"}

    def kept(**more: Any) -> str:
        outcome = run("send_message", config | more, FakeContext(quiet=portals))
        assert isinstance(outcome, Send)
        return str(outcome.message.quiet)

    assert kept() == "22:00 08:00 Europe/Moscow"
    assert kept(quiet_hours={"from": "13:00", "to": "14:00"}) == "13:00 14:00 Europe/Moscow"
    assert kept(any_time=True) == "None"


def test_quiet_hours_must_be_hours() -> None:
    for hours in ({"from": "25:00", "to": "09:00"}, {"from": "09:00", "to": "09:00"}, {"from": "9", "to": "10:00"}):
        with pytest.raises(ValidationError):
            block("send_message").Config.model_validate({"chat_id": "1", "line": "S", "quiet_hours": hours})
