"""Logs are one line an event and never show a secret, whoever wrote the line."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from hub.logs import MASK, configure, mask_text, masked

TOKEN = "6f1c1b62-3b0f-4f5e-9d7c-1f2e3d4c5b6a"


@pytest.fixture(autouse=True)
def _json_lines() -> Iterator[None]:
    root = logging.getLogger()
    level = root.level
    configure("json", "info")
    yield
    for handler in [handler for handler in root.handlers if handler.get_name() == "hub"]:
        root.removeHandler(handler)
    root.setLevel(level)
    structlog.reset_defaults()


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"GET /get/?token={TOKEN}&id=7", f"GET /get/?token={MASK}&id=7"),
        (f"GET /api/request/?id=7&token={TOKEN} HTTP/1.1", f"GET /api/request/?id=7&token={MASK} HTTP/1.1"),
        ("https://api.telegram.org/bot123456:AAE-x_y/sendMessage", f"https://api.telegram.org/bot{MASK}/sendMessage"),
        ("123456789:AAE0123456789abcdefghijABCDEFGHIJ-_x", MASK),
        ("Authorization: Bearer hub_abcdefgh12345", f"Authorization: {MASK}"),
        ("{'Authorization': 'Basic dXNlcjpwYXNz'}", f"{{'Authorization': '{MASK}'}}"),
        ("postgresql://hub:open-sesame@db/hub", f"postgresql://{MASK}@db/hub"),
        ("POST /bitrix24/event/abcDEF123 200", f"POST /bitrix24/event/{MASK} 200"),
        ("POST /channels/abcDEF123", f"POST /channels/{MASK}"),
        ("nothing secret: 12:30, id=7, a@b.example", "nothing secret: 12:30, id=7, a@b.example"),
    ],
)
def test_secrets_inside_a_text_are_masked(text: str, shown: str) -> None:
    assert mask_text(text) == shown


def test_fields_with_secret_names_are_masked_at_any_depth() -> None:
    given = {"auth": {"a": 1}, "x": [{"client_secret": "s", "n": 7}], "password": "p", "token": "", "ok": True}
    assert masked(given) == {
        "auth": MASK,
        "x": [{"client_secret": MASK, "n": 7}],
        "password": MASK,
        "token": "",
        "ok": True,
    }


def test_both_ways_of_logging_give_one_json_line_with_the_fields(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger("a").info("sent", message_id=7, token="t")
    logging.getLogger("b").warning("late", extra={"run": 8, "password": "p"})
    first, second = _lines(capsys)
    assert (first["event"], first["message_id"], first["token"], first["level"]) == ("sent", 7, MASK, "info")
    assert (second["event"], second["run"], second["password"], second["logger"]) == ("late", 8, MASK, "b")


def test_what_is_bound_to_the_request_stands_in_every_line(capsys: pytest.CaptureFixture[str]) -> None:
    with structlog.contextvars.bound_contextvars(portal=3):
        logging.getLogger("b").info("one")
    logging.getLogger("b").info("two")
    first, second = _lines(capsys)
    assert first["portal"] == 3
    assert "portal" not in second


def test_a_traceback_is_masked_too(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError(f"no answer from https://x.example/?token={TOKEN}")
    except ValueError:
        logging.getLogger("b").exception("failed")
    (line,) = _lines(capsys)
    assert "ValueError" in str(line["exception"])
    assert TOKEN not in str(line)


def test_lines_below_the_level_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger("a").debug("quiet")
    logging.getLogger("b").debug("quiet")
    assert _lines(capsys) == []
