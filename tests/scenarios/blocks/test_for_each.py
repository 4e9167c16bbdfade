"""Looping over a list."""

from typing import Any

import pytest

from hub.scenarios.block import Fail, Go, Loop
from hub.scenarios.check import check
from tests.scenarios.fakes import FakeContext, FakePortal, block, document, run


def each(items: Any, **config: Any) -> tuple[Any, FakeContext]:
    context = FakeContext({"items": items})
    return run("for_each", {"list": "{{items}}"} | config, context), context


def test_every_item_gets_its_turn_under_the_given_name() -> None:
    assert each(["a", {"b": None}], **{"as": "row"})[0] == Loop(("a", {"b": None}), "row")
    assert each([])[0] == Loop((), "item")


def test_items_beyond_the_limit_are_left_out_with_a_warning() -> None:
    outcome, context = each(["a", "b", "c"], limit=2)
    assert outcome == Loop(("a", "b"), "item")
    assert context.warnings == [("list_cut", "{{items}}")]


@pytest.mark.parametrize("items", [None, "a,b", {"a": "b"}])
def test_anything_but_a_list_fails(items: Any) -> None:
    outcome = each(items)[0]
    assert isinstance(outcome, Fail)
    assert outcome.code == "not_a_list"


def test_after_the_last_item_it_goes_on() -> None:
    context = FakeContext(resumed={"kind": "looped", "count": 2})
    assert run("for_each", {"list": "{{items}}"}, context) == Go()


def test_its_exits_are_each_and_next_and_its_name_may_not_be_reserved() -> None:
    assert block("for_each").ports == ("each", "next")
    doc = document({"id": "f", "type": "for_each", "config": {"list": [], "as": "name"}})
    assert [one.code for one in check(doc, FakePortal())[1]] == ["reserved_name"]
