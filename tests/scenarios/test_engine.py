"""An advance: pure, and the same again after its state went through JSON."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.scenarios.engine import advance
from hub.scenarios.state import Frame, LoopState, State
from hub.values import Number, dumps, loads
from tests.scenarios.fakes import document
from tests.scenarios.world import NOW, STOP, World, each, give, looping, put, send

# ---------------------------------------------------------------- the plain way


def test_a_run_goes_from_block_to_block_and_gives_its_result() -> None:
    world = World(document(put("one", a="{{body.n | plus: 1}}"), give(sum="{{a}}")), body={"n": Number("1.50")})
    made = world.advance()
    assert (made.status, made.result) == ("completed", {"sum": Number("2.50")})
    assert [(step.n, step.block, step.status, step.port) for step in made.steps] == [
        (1, "start", "done", "next"),
        (2, "one", "done", "next"),
        (3, "give", "done", "next"),
    ]


def test_without_a_result_the_outputs_of_every_block_are_the_answer() -> None:
    made = World(document(send())).advance()
    assert made.status == "completed"
    assert made.result is not None
    assert list(made.result) == ["greet"]
    assert made.result["greet"]["message_id"] == made.messages[0].id


def test_the_first_result_wins_and_the_run_goes_on() -> None:
    made = World(document(give("one", a="1"), give("two", a="2"), send())).advance()
    assert (made.result, len(made.messages)) == ({"a": "1"}, 1)


def test_global_variables_that_a_run_set_are_seen_by_its_next_block() -> None:
    world = World(document(put("one", "global", count="{{global.count | plus: 1}}"), give(c="{{global.count}}")))
    world.globals = {"count": Number("4")}
    made = world.advance()
    assert dumps(made.globals) == '{"count":5}'
    assert dumps(made.result) == '{"c":5}'


def test_globals_know_whether_anybody_looked() -> None:
    untouched = World(document(give(a="1")))
    env = untouched.environment(NOW)
    advance(untouched.state, env)
    assert not env.globals.touched
    looked = World(document(give(a="{{global.x}}")))
    env = looked.environment(NOW)
    advance(looked.state, env)
    assert env.globals.touched


# ---------------------------------------------------------------- errors


def test_an_error_without_an_exit_fails_the_run_at_its_block() -> None:
    made = World(document(put("bad", a="{{'x' | divided_by: 0}}"), give(a="1"))).advance()
    assert made.status == "failed"
    assert made.error is not None
    assert (made.error["block"], made.error["blame"]) == ("bad", "data")
    assert made.result is None


def test_an_error_with_an_exit_leaves_there_and_the_run_ends_partial() -> None:
    doc = document(
        each("loop", "no list"),
        give(why="{{blocks.loop.error.code}}"),
        links=[("start", "next", "loop"), ("loop", "error", "give")],
    )
    made = World(doc).advance()
    assert (made.status, made.result) == ("partial", {"why": "not_a_list"})


def test_a_result_given_before_an_error_is_still_the_answer_of_its_advance() -> None:
    made = World(document(give(a="1"), each("loop", "no list"))).advance()
    assert (made.status, made.result) == ("failed", {"a": "1"})


def test_a_block_that_breaks_is_an_error_of_ours_without_details(monkeypatch: pytest.MonkeyPatch) -> None:
    from hub.scenarios.blocks.return_result import ReturnResult

    def broken(*_: object) -> None:
        raise ZeroDivisionError("1:SECRET")

    monkeypatch.setattr(ReturnResult, "run", broken)
    made = World(document(give(a="1"))).advance()
    assert made.error is not None
    assert made.error["code"] == "internal"
    assert "SECRET" not in str(made)


def test_stop_ends_the_run_well() -> None:
    made = World(document(STOP, send())).advance()
    assert (made.status, made.messages) == ("completed", [])


# ---------------------------------------------------------------- waits


def test_a_pause_waits_until_its_time() -> None:
    world = World(document({"id": "wait", "type": "pause", "config": {"for_s": 60}}, give(a="1")))
    made = world.advance()
    assert (made.status, made.wake_at) == ("waiting", int((NOW.timestamp() + 60) * 1_000_000))
    assert world.advance({"kind": "time"}, NOW + timedelta(seconds=60)).status == "completed"


def test_waiting_for_a_message_keeps_the_number_of_its_step() -> None:
    world = World(document(send(wait_for="sent"), give(s="{{blocks.greet.status}}")))
    made = world.advance()
    assert (made.status, made.awaits) == ("waiting", made.messages[0].id)
    message = {"id": made.awaits, "state": "sent", "provider_id": "42", "chat_id": "7", "messenger": "telegram",
               "sent_at": None, "error": None}  # fmt: skip
    after = world.advance({"kind": "message", "message": message, "timed_out": False})
    assert after.result == {"s": "sent"}
    assert [step.n for step in after.steps if step.block == "greet"] == [2]
    assert after.messages == []


def test_a_call_that_a_crash_interrupted_keeps_its_step() -> None:
    http = {"id": "ask", "type": "http_request", "config": {"method": "POST", "url": "https://shop.test/"}}
    world = World(document(http, give(e="{{blocks.ask.error.code}}"), links=[("start", "next", "ask"), ("ask", "error", "give")]))  # fmt: skip  # noqa: E501
    first = world.advance()
    assert first.perform is not None
    made = world.advance({"kind": "interrupted"})
    assert made.status == "partial"
    assert [step.n for step in made.steps if step.block == "ask"] == [2]


# ---------------------------------------------------------------- memory

NUMBERS = st.sampled_from(["1", "150000.00", "1e5", "-0", "0.10", "9007199254740993", "1" * 30]).map(Number)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def test_a_run_that_waited_through_an_upgrade_goes_on() -> None:
    kept = loads(State([Frame(1, "a")], steps=3).to_json())
    del kept["steps_before"]
    again = State.from_json(dumps(kept))
    assert (again.steps, again.steps_before) == (3, 0)


@given(value=VALUES)
def test_the_memory_of_a_run_comes_back_from_json_with_every_literal(value: Any) -> None:
    loop = LoopState("loop", [value], "item", 3, 1)
    frame = Frame(7, "next", {"a": value}, {"b": {"out": value}}, [loop], {"r": value}, 4, 123, [value])
    state = State([frame], 9, 2, {"phone": "+7"}, True, {"kind": "time", "until": 5}, {"response": value}, {"b": value})
    again = State.from_json(state.to_json())
    assert again.to_json() == state.to_json()
    assert again.frames[0].loops[0].items == [value]
    assert (again.steps, again.calls, again.partial, again.frames[0].loops[0].i) == (9, 2, True, 1)


def test_an_advance_of_the_same_memory_comes_to_the_same_steps() -> None:
    doc = looping(items=["a", "b"], body=[send()], after=give(a="{{item}}"))
    world = World(doc)
    kept = world.state.to_json()
    first = world.advance()
    world.state = State.from_json(kept)
    second = world.advance()
    assert [(s.n, s.block, s.port) for s in first.steps] == [(s.n, s.block, s.port) for s in second.steps]
    assert [(p.block, p.iteration) for p in first.messages] == [(p.block, p.iteration) for p in second.messages]


def test_a_dry_run_sends_nothing_and_waits_for_nothing() -> None:
    pause = {"id": "wait", "type": "pause", "config": {"for_s": 60}}
    http = {"id": "ask", "type": "http_request", "config": {"method": "GET", "url": "https://shop.test/"}}
    made = World(document(pause, send(wait_for="sent"), http, give(s="{{blocks.greet.status}}")), dry=True).advance()
    assert (made.status, made.result, made.perform) == ("completed", {"s": "sent"}, None)


def test_an_unknown_line_leaves_by_the_error_exit() -> None:
    made = World(document(send(line="Nobody"))).advance()
    assert made.status == "failed"
    assert made.messages == []
