"""Answering the caller."""

from typing import Any

import pytest

from hub.scenarios.block import Fail, Go
from hub.scenarios.check import check
from hub.values import Number
from tests.scenarios.fakes import FakeContext, FakePortal, document, run


def give(value: Any, kind: str | None = None, **variables: Any) -> Any:
    config = {"values": {"x": value}} | ({"types": {"x": kind}} if kind else {})
    return run("return_result", config, FakeContext(variables))


def test_values_keep_the_types_they_came_with() -> None:
    assert give({"sum": "{{sum}}", "text": "= {{sum}}"}, sum=Number("10.50")) == Go(
        result={"x": {"sum": Number("10.50"), "text": "= 10.50"}}
    )


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("10.50", "number", Number("10.50")),
        (Number("10.50"), "string", "10.50"),
        (None, "string", ""),
        ("TRUE", "boolean", True),
        ([], "list", []),
        (None, "any", None),
    ],
)
def test_a_value_is_brought_to_its_promised_type(value: Any, kind: str, expected: Any) -> None:
    result = give("{{v}}", kind, v=value).result["x"]
    assert (result, type(result)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("value", "kind"),
    [("many", "number"), (None, "number"), ("maybe", "boolean"), ("a", "list"), ([], "object"), ([], "string")],
)
def test_a_value_that_breaks_the_promise_fails_the_block(value: Any, kind: str) -> None:
    outcome = give("{{v}}", kind, v=value)
    assert isinstance(outcome, Fail)
    assert outcome.code == "contract_break"


def test_a_type_without_a_value_blocks_publishing() -> None:
    config = {"values": {"a": 1}, "types": {"b": "number"}}
    found = check(document({"id": "r", "type": "return_result", "config": config}), FakePortal())[1]
    assert [(one.code, one.field) for one in found] == [("unknown_value", "types.b")]
