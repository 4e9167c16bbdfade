"""The operators of conditions, and patterns."""

import time
from zoneinfo import ZoneInfo

import pytest

from hub.language import OPERATORS, TemplateFailure, compare, compile_pattern, matches
from hub.values import loads


@pytest.mark.parametrize(
    ("op", "left", "right", "holds"),
    [
        ("eq", "5", '"5.0"', True),
        ("eq", "150000.00", '"150000"', True),
        ("eq", '"a"', '"A"', False),
        ("eq", "null", '""', True),
        ("eq", "true", '"true"', True),
        ("eq", '{"a":1,"b":2}', '{"b":2.0,"a":1}', True),
        ("eq", "true", "1", False),
        ("ne", '"a"', '"b"', True),
        ("contains", '"Привет, Вася"', '"Вася"', True),
        ("contains", '["5", 6]', '"6"', True),
        ("contains", '{"a":1}', '"a"', True),
        ("not_contains", '"abc"', '"d"', True),
        ("starts_with", '"abc"', '"ab"', True),
        ("ends_with", '"abc"', '"bc"', True),
        ("gt", '"10"', '"9"', True),
        ("ge", '"45 000"', "45000", False),
        ("ge", '"45\u00a0000"', "45000", True),
        ("lt", "-1", '"0"', True),
        ("le", '"a"', '"b"', True),
        ("empty", "null", "null", True),
        ("empty", '"  "', "null", True),
        ("empty", "[]", "null", True),
        ("empty", "0", "null", False),
        ("empty", "false", "null", False),
        ("not_empty", '{"a":null}', "null", True),
        ("in", '"WON"', '"NEW, WON ,LOSE"', True),
        ("in", "5", '["4","5"]', True),
        ("in", '"x"', '"xy"', False),
        ("in", "5", "5", True),
        ("matches", '"заказ 17"', r'"\\d+$"', True),
        ("matches", '"заказ"', r'"^\\d"', False),
        ("before", '"24.11.2026"', '"2026-11-25"', True),
        ("after", '"2026-11-24T10:00:00Z"', '"24.11.2026 12:59"', True),
        ("after", '"2026-11-24T10:00:00Z"', '"24.11.2026 13:00"', False),
    ],
)
def test_operators(op, left, right, holds):
    verdict, _ = compare(op, loads(left), loads(right), ZoneInfo("Europe/Moscow"))
    assert verdict is holds


@pytest.mark.parametrize(
    ("op", "left", "right"),
    [("eq", "5", '"five"'), ("gt", '"10"', '"nine"'), ("ne", "[1]", '"1"'), ("before", '"soon"', '"24.11.2026"')],
)
def test_unlike_things_give_a_warning(op, left, right):
    _, warning = compare(op, loads(left), loads(right))
    assert warning
    assert warning.endswith(".")


@pytest.mark.parametrize(
    ("op", "left", "right"), [("eq", "5", '"5"'), ("eq", "true", '"false"'), ("gt", '"b"', '"a"'), ("eq", "null", "5")]
)
def test_like_things_give_none(op, left, right):
    assert compare(op, loads(left), loads(right))[1] is None


def test_every_operator_answers_for_every_kind_of_value():
    values = [None, True, "", "text", "5", loads("5"), loads("1e999999"), [], ["a"], {}, {"a": "b"}]
    for op in set(OPERATORS) - {"matches"}:
        for left in values:
            for right in values:
                assert isinstance(compare(op, left, right)[0], bool)


def test_an_unknown_operator_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="no comparison"):
        compare("like", "a", "b")


@pytest.mark.parametrize("pattern", ["(", "[a", "(?<=a)b", r"(a)\1", "((a{1000}){1000}){1000}", "x" * 513, "\ud800"])
def test_a_bad_pattern_is_refused_before_it_runs(pattern):
    with pytest.raises(TemplateFailure) as refused:
        compile_pattern(pattern)
    assert refused.value.code == "bad_pattern"


def test_no_pattern_can_hold_a_worker():
    began = time.perf_counter()
    assert not matches("(a+)+$", "a" * 16_000 + "b")
    assert time.perf_counter() - began < 1


def test_only_16_kib_are_matched():
    assert matches("x$", "x" * 16384)
    with pytest.raises(TemplateFailure):
        matches("x", "ы" * 8193)
