"""Every code that a connector can raise has its words: as a trouble of a line, and as the reason of a message."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from hub.web.pages import line_words, reasons

ROOT = Path(__file__).parents[2]
FILES = (*(ROOT / "connectors").glob("*.py"), *(ROOT / "connectors" / "channels").glob("*.py"))
OURS = {
    "interrupted",
    "poisoned",
    "line_unusable",
    "not_ready",
    "stale",
    "expired",
    "failed",
    "undelivered",
    "address_refused",
}
TABLES = {"refusals", "rejected", "pauses", "temporary", "unsure", "line_down"}
SCOPES = {"line", "chat"}
OF_A_LINE = {"LineDown", "Temporary", "Unconfirmed", "RateLimited", "line_down", "temporary", "unsure", "pauses"}


def raised() -> Iterator[tuple[str, str]]:
    """Each code with the error that it comes with, or the table that it stands in."""
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                given = [word.value for word in node.keywords if word.arg == "code"]
                yield from ((node.func.id, code) for value in given for code in texts(value))
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
                if isinstance(target, ast.Name) and target.id in TABLES and node.value:
                    yield from ((target.id, code) for code in texts(node.value))


def texts(value: ast.AST) -> Iterator[str]:
    """The codes in an expression; of a pair of texts, the messenger's words and a code, the second."""
    if (
        isinstance(value, ast.Tuple)
        and len(value.elts) == 2
        and all(isinstance(one, ast.Constant) for one in value.elts)
    ):
        yield from texts(value.elts[1])
    elif isinstance(value, ast.Constant):
        yield from [value.value] if isinstance(value.value, str) and value.value not in SCOPES else []
    else:
        for part in ast.iter_child_nodes(value):
            yield from texts(part)


CODES = sorted(set(raised()))


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(
    "code", sorted({code for kind, code in CODES if kind in OF_A_LINE} | {"not_ready", "address_refused"})
)
def test_whatever_stops_a_line_is_said_in_words_of_its_own(app: Flask, code: str) -> None:
    with app.test_request_context("/?lang=ru"):
        unknown = line_words.trouble("telegram", "4711", "auth_failed")
        assert line_words.trouble("telegram", code, "auth_failed") != unknown


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("code", sorted({code for _, code in CODES} | OURS))
def test_whatever_keeps_a_message_from_arriving_is_said_in_words(app: Flask, code: str) -> None:
    with app.test_request_context("/?lang=ru"):
        assert reasons.why(code).text != code
