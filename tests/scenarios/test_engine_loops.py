"""Loops, calls of other scenarios, and the bounds that keep a run from going on for ever."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from hub.scenarios import engine
from hub.values import dumps
from tests.scenarios.fakes import document
from tests.scenarios.world import NOW, World, call, each, give, looping, put, send


def test_a_loop_runs_its_chain_once_for_every_item_and_then_goes_on() -> None:
    doc = looping(items="{{body.list}}", body=[put("add", all="{{all}}{{item}},")], after=give(all="{{all}}"))
    made = World(doc, body={"list": ["a", "b", "c"]}).advance()
    assert made.result == {"all": "a,b,c,"}
    assert [step.n for step in made.steps if step.block == "add"] == [3, 4, 5]
    assert {step.n for step in made.steps if step.block == "loop"} == {2}


@pytest.mark.parametrize("items", [[], ["a", "b"]])
def test_a_loop_without_items_or_without_a_chain_goes_on_at_once(items: list[str]) -> None:
    doc = document(each("loop", items), give(a="1"), links=[("start", "next", "loop"), ("loop", "next", "give")])
    assert World(doc).advance().result == {"a": "1"}


def test_loops_nest() -> None:
    doc = document(
        each("rows", "{{body}}", "row"),
        each("cells", "{{row}}", "cell"),
        put("add", all="{{all}}{{cell}}"),
        put("line", all="{{all}};"),
        give(all="{{all}}"),
        links=[
            ("start", "next", "rows"),
            ("rows", "each", "cells"),
            ("cells", "each", "add"),
            ("cells", "next", "line"),
            ("rows", "next", "give"),
        ],
    )
    assert World(doc, body=[["a", "b"], [], ["c"]]).advance().result == {"all": "ab;;c;"}


def test_a_message_of_a_loop_has_the_number_of_its_step() -> None:
    doc = looping(items=["a", "b"], body=[send()], after=give(a="1"))
    made = World(doc).advance()
    assert len({(planned.block, planned.iteration) for planned in made.messages}) == 2


def test_an_error_exit_inside_a_loop_ends_that_item_only() -> None:
    doc = document(
        each("loop", "{{body}}"),
        each("inner", "{{item}}"),
        put("note", bad="{{bad}}!"),
        give(bad="{{bad}}"),
        links=[
            ("start", "next", "loop"),
            ("loop", "each", "inner"),
            ("inner", "error", "note"),
            ("loop", "next", "give"),
        ],
    )
    made = World(doc, body=[["ok"], "bad", "bad"]).advance()
    assert (made.status, made.result) == ("partial", {"bad": "!!"})


def test_a_called_scenario_has_variables_of_its_own_and_gives_its_result() -> None:
    caller = document(put("mine", a="outer"), call("sub", 2, x="{{a}}"), give(r="{{blocks.sub.y}} {{a}} {{x}}"))
    called = document(put("mine", a="inner"), give(y="{{x}}+{{a}}+{{body.secret}}"), start={"fields": ["x"]})
    made = World(caller, called, body={"secret": "s"}).advance()
    assert made.result == {"r": "outer+inner+ outer "}


def test_the_result_of_a_called_scenario_is_not_the_answer_of_the_run() -> None:
    made = World(document(call("sub", 2), put("one", a="1")), document(give(y="1"))).advance()
    assert made.result == {"sub": {"y": "1"}}


def test_a_failure_of_a_called_scenario_leaves_by_the_error_exit_of_its_call() -> None:
    caller = document(
        call("sub", 2),
        give(why="{{blocks.sub.error.code}}"),
        links=[("start", "next", "sub"), ("sub", "error", "give")],
    )
    made = World(caller, document(each("loop", "no list"))).advance()
    assert (made.status, made.result) == ("partial", {"why": "not_a_list"})


def test_a_scenario_that_is_not_published_cannot_be_called() -> None:
    made = World(document(call("sub", 9))).advance()
    assert made.error is not None
    assert made.error["code"] == "scenario_unavailable"


def test_a_scenario_that_calls_itself_ends_at_the_fifth_depth() -> None:
    made = World(document(call("sub", 1))).advance()
    assert (made.status, (made.error or {}).get("code")) == ("failed", "scenario_unavailable")
    assert sum(step.block == "start" for step in made.steps) == engine.MAX_DEPTH


def test_a_call_within_a_loop_within_a_call_survives_a_pause() -> None:
    pause = {"id": "wait", "type": "pause", "config": {"for_s": 5}}
    outer = looping(items=["a", "b"], body=[call("sub", 2, x="{{item}}"), put("add", all="{{all}}{{blocks.sub.y}}")],
                    after=give(all="{{all}}"))  # fmt: skip
    world = World(outer, document(pause, give(y="<{{x}}>"), start={"fields": ["x"]}))
    now, made = NOW, world.advance()
    for _ in range(2):
        assert made.status == "waiting"
        now += timedelta(seconds=5)
        made = world.advance({"kind": "time"}, now)
    assert (made.status, made.result) == ("completed", {"all": "<a><b>"})


# ---------------------------------------------------------------- bounds


def test_a_run_has_at_most_a_thousand_steps() -> None:
    doc = looping(items=list("x" * 600), body=[put("one", a="1"), put("two", a="2")], after=give(a="1"))
    made, steps = World(doc).finish()
    assert made.error is not None
    assert (made.status, made.error["code"]) == ("failed", "too_many_steps")
    assert max(step.n for step in steps) <= engine.MAX_STEPS + 1


def test_a_called_scenario_that_takes_all_steps_fails_its_caller_too_even_with_an_error_exit() -> None:
    caller = document(call("sub", 2), put("again", a="1"), links=[("start", "next", "sub"), ("sub", "error", "again")])
    called = looping(items=list("x" * 600), body=[put("one", a="1"), put("two", a="2")], after=give(a="1"))
    made, _ = World(caller, called).finish()
    assert (made.status, (made.error or {}).get("code")) == ("failed", "too_many_steps")


def test_a_long_run_gives_way_after_a_slice_and_comes_to_the_same_end() -> None:
    doc = looping(items=list("x" * 450), body=[put("add", n="{{n | default: 0 | plus: 1}}")], after=give(n="{{n}}"))
    world = World(doc)
    first = world.advance()
    assert first.status == "running"
    made, steps = world.finish()
    assert dumps(made.result) == '{"n":450}'
    assert len({step.n for step in first.steps + steps}) == 453


def test_a_machine_that_stalls_does_not_part_a_request_from_its_message() -> None:
    """Else a request that was accepted later would come before it in their chat."""

    class Stalling(dict[int, Any]):
        def __getitem__(self, number: int) -> Any:
            threading.Event().wait(2 * engine.SLICE_CPU_S)
            return super().__getitem__(number)

    world = World(document(put("first", a="1"), send(), links=[("start", "next", "first"), ("first", "next", "greet")]))
    world.programs = Stalling(world.programs)
    assert len(world.advance().messages) == 1


def test_a_run_makes_at_most_fifty_calls() -> None:
    http = {"id": "ask", "type": "http_request", "config": {"method": "GET", "url": "https://shop.test/"}}
    world = World(looping(items=list("x" * 60), body=[http], after=give(a="1")))
    made, calls = world.advance(), 0
    while made.perform is not None:
        calls += 1
        response = {"status": 200, "headers": {}, "body": "ok", "text": "ok", "ms": 1}
        made = world.advance({"kind": "performed", "response": response})
    assert calls == engine.MAX_CALLS
    assert (made.error or {}).get("code") == "too_many_calls"
