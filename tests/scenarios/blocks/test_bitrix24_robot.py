"""The start block of robots."""

from typing import Any

import pytest

from hub.scenarios.block import Go
from hub.scenarios.check import check
from hub.scenarios.document import parse_document
from tests.scenarios.fakes import FakeContext, FakePortal, run


def problems(**config: Any) -> list[str]:
    start = {"id": "start", "type": "bitrix24_robot", "config": {"title": "Count", **config}}
    document = parse_document({"format": 1, "name": "Test", "blocks": [start], "links": []})
    return [f"{one.code} {one.field}" for one in check(document, FakePortal())[1]]


def test_the_document_of_the_process_is_its_output() -> None:
    context = FakeContext(body={"document_id": "DEAL_42"})
    assert run("bitrix24_robot", {"title": "Count"}, context) == Go(output={"document_id": "DEAL_42"})
    assert run("bitrix24_robot", {"title": "Count"}) == Go(output={"document_id": ""})


def test_its_inputs_are_the_fields_of_the_scenario() -> None:
    start = {"id": "start", "type": "bitrix24_robot", "config": {"title": "Count", "inputs": [{"name": "sum"}]}}
    program, found = check(parse_document({"format": 1, "name": "T", "blocks": [start], "links": []}), FakePortal())
    assert found == []
    assert program is not None
    assert program.fields == ("sum",)


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["сумма"], "bad_name inputs[0].name"),
        (["1st"], "bad_name inputs[0].name"),
        (["sum", "SUM"], "duplicate_field inputs[1].name"),
        (["phone"], "reserved_name inputs[0].name"),
        (["document_id"], "reserved_name inputs[0].name"),
    ],
)
def test_names_that_the_portal_or_the_language_does_not_take_are_problems(names: list[str], problem: str) -> None:
    assert problems(inputs=[{"name": name} for name in names]) == [problem]


def test_a_time_limit_without_a_wait_is_worth_a_warning() -> None:
    assert problems(wait=False, timeout_s=60) == ["timeout_without_wait timeout_s"]
    assert problems(timeout_s=60) == []
