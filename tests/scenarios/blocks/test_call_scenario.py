"""Calling another scenario."""

from typing import Any

from hub.scenarios.block import Call, Fail, Go
from hub.scenarios.check import check
from hub.values import Number
from tests.scenarios.fakes import FakeContext, FakePortal, document, run


def returned(status: str, **more: Any) -> Any:
    resumed = {"kind": "returned", "status": status, "result": {"a": "b"}, "error": None} | more
    return run("call_scenario", {"scenario": 7}, FakeContext(resumed=resumed))


def test_it_hands_over_values_with_their_types() -> None:
    outcome = run("call_scenario", {"scenario": 7, "values": {"n": "{{n}}"}}, FakeContext({"n": Number("1.0")}))
    assert outcome == Call(7, {"n": Number("1.0")})


def test_what_the_scenario_returns_is_the_blocks_result() -> None:
    assert returned("completed") == Go(output={"a": "b"})


def test_a_failure_inside_is_a_failure_of_the_block() -> None:
    assert returned("failed", error={"code": "text_empty", "message": "No text."}) == Fail(
        "text_empty", "No text.", {"a": "b"}
    )
    assert returned("failed").code == "call_failed"


def test_a_missing_scenario_and_bad_names_block_publishing() -> None:
    def found(**config: Any) -> list[str]:
        doc = document({"id": "c", "type": "call_scenario", "config": config})
        return [one.code for one in check(doc, FakePortal())[1]]

    assert found(scenario=8) == ["scenario_missing"]
    assert found(scenario=7, values={"email": "x"}) == ["reserved_name"]
    assert found(scenario=7, values={"mail": "x"}) == []
