"""Setting variables."""

from typing import Any

import pytest

from hub.language import TemplateFailure
from hub.scenarios.block import Go
from hub.scenarios.check import check
from hub.values import Number
from tests.scenarios.fakes import FakeContext, FakePortal, document, run


def put(*variables: dict[str, Any], context: FakeContext | None = None) -> Any:
    return run("set_variable", {"variables": list(variables)}, context)


def found(*variables: dict[str, Any]) -> list[str]:
    node = {"id": "s", "type": "set_variable", "config": {"variables": list(variables)}}
    return [one.code for one in check(document(node), FakePortal())[1]]


def test_values_keep_their_types_and_go_where_they_belong() -> None:
    context = FakeContext({"sum": Number("10.50"), "who": "Ann"})
    outcome = put(
        {"name": "total", "value": "{{sum | plus: 1}}"},
        {"name": "greeting", "value": "Hi {{who}}"},
        {"name": "last", "scope": "global", "value": ["{{sum}}"]},
        context=context,
    )
    assert outcome == Go(
        variables={"total": Number("11.50"), "greeting": "Hi Ann"}, globals={"last": [Number("10.50")]}
    )


def test_a_declared_type_is_kept_where_that_is_possible() -> None:
    context = FakeContext(types={"n": "number", "b": "boolean"})
    outcome = put({"name": "n", "value": "12.0"}, {"name": "b", "value": "maybe"}, context=context)
    assert outcome.variables == {"n": Number("12.0"), "b": "maybe"}
    assert isinstance(outcome.variables["n"], Number)
    assert context.warnings == [("type_mismatch", "b")]


def test_a_calculation_that_fails_is_left_to_the_engine() -> None:
    with pytest.raises(TemplateFailure) as caught:
        put({"name": "n", "value": "{{x | divided_by: 0}}"}, context=FakeContext({"x": Number("1")}))
    assert caught.value.code == "calc_error"


def test_reserved_bad_and_double_names_block_publishing() -> None:
    assert found({"name": "Email", "value": 1}) == ["reserved_name"]
    assert found({"name": "a b", "scope": "global", "value": 1}) == ["bad_name"]
    assert found({"name": "a", "value": 1}, {"name": "a", "value": 2}) == ["duplicate_field"]
    assert found({"name": "a", "value": 1}, {"name": "a", "scope": "global", "value": 2}) == []
