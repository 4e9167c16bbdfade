"""Choosing a branch."""

from typing import Any

import pytest
from pydantic import ValidationError

from hub.scenarios.block import Go
from hub.scenarios.check import check
from hub.values import Number
from tests.scenarios.fakes import FakeContext, FakePortal, block, document, run

RICH = {"port": "rich", "all": [{"left": "{{sum}}", "op": "gt", "right": 1000}]}
NAMED = {
    "port": "named",
    "any": [
        {"left": "{{name_client}}", "op": "eq", "right": "Ann"},
        {"left": "{{tags}}", "op": "contains", "right": "a"},
    ],
}


def choose(variables: dict[str, Any], *branches: dict[str, Any]) -> str:
    outcome = run("condition", {"branches": list(branches)}, FakeContext(variables))
    assert isinstance(outcome, Go)
    assert outcome.output == {"branch": outcome.port}
    return outcome.port


def test_the_first_branch_that_holds_is_taken() -> None:
    everything = {"sum": Number("1500.00"), "name_client": "Ann"}
    assert choose(everything, RICH, NAMED) == "rich"
    assert choose(everything, NAMED, RICH) == "named"


def test_texts_that_spell_numbers_compare_as_numbers() -> None:
    assert choose({"sum": "900"}, RICH) == "else"
    assert choose({"sum": "1000.01"}, RICH) == "rich"


def test_any_needs_one_comparison_and_all_needs_every_one() -> None:
    assert choose({"name_client": "Bob", "tags": ["b", "a"]}, NAMED) == "named"
    both = {"port": "both", "all": NAMED["any"]}
    assert choose({"name_client": "Bob", "tags": ["a"]}, both) == "else"


def test_emptiness_needs_no_right_side() -> None:
    assert choose({}, {"port": "none", "all": [{"left": "{{gone}}", "op": "empty"}]}) == "none"


def test_unlike_types_leave_a_warning_and_go_on() -> None:
    context = FakeContext({"x": {"a": Number("1")}})
    branch = {"port": "a", "all": [{"left": "{{x}}", "op": "eq", "right": 5}]}
    run("condition", {"branches": [branch]}, context)
    assert context.warnings == [("type_mismatch", "{{x}}")]


def test_the_branches_names_are_the_ports() -> None:
    config = block("condition").Config.model_validate({"branches": [RICH, NAMED]})
    assert block("condition").ports_of(config) == ("rich", "named", "else")


@pytest.mark.parametrize(
    "branches",
    [
        [],
        [RICH, RICH],
        [RICH | {"port": "else"}],
        [RICH | {"port": "a b"}],
        [{"port": "a"}],
        [RICH | {"any": RICH["all"]}],
        [{"port": "a", "all": []}],
        [{"port": "a", "all": [{"left": "1", "op": "like", "right": "1"}]}],
        [{"port": "a", "all": [{"left": "1", "op": "eq"}]}],
        [{"port": f"p{number}", "all": RICH["all"]} for number in range(11)],
    ],
)
def test_branches_that_make_no_sense_are_refused(branches: list[Any]) -> None:
    with pytest.raises(ValidationError):
        block("condition").Config.model_validate({"branches": branches})


def test_a_bad_pattern_blocks_publishing_with_its_field() -> None:
    row = {"left": "{{x}}", "op": "matches", "right": "(a"}
    node = {"id": "c", "type": "condition", "config": {"branches": [{"port": "a", "any": [row]}]}}
    found = check(document(node, start={"fields": ["x"]}), FakePortal())[1]
    assert [(one.code, one.field) for one in found] == [("bad_pattern", "branches[0].any[0].right")]
