"""Ending a run."""

from hub.scenarios.block import Finish
from tests.scenarios.fakes import FakeContext, block, run


def test_a_run_ends_as_success_unless_it_says_otherwise() -> None:
    assert run("stop", {}) == Finish(True, "")
    failed = run("stop", {"outcome": "failure", "reason": "No {{what}}"}, FakeContext({"what": "money"}))
    assert failed == Finish(False, "No money")


def test_nothing_can_hang_behind_it() -> None:
    assert block("stop").ports == ()
