"""What each filter makes of a value."""

import time

import pytest

from hub.language import TemplateFailure, compile_template
from tests.language.scopes import folded, missing, scope, text

BODY = (
    '{"name1":"  Вася Пупкин ","n":45000,"f":"45000.50","list":["a",null,1.50],"o":{"a":1.0},"e":"","z":null,'
    '"d":"2026-11-24T21:30:00Z","p":"8 (999) 999-99-99","j":"{\\"x\\":[1.00]}","half":2.5}'
)


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("name1 | trim | upper", "ВАСЯ ПУПКИН"),
        ("name1 | lower", "  вася пупкин "),
        ("name1 | first_word", "Вася"),
        ("e | first_word", ""),
        ("n | money", "45 000 ₽"),
        ("f | money", "45 000,50 ₽"),
        ("half | money: 'USD'", "2,50 $"),
        ("n | money: 'JPY'", "45 000 ¥"),
        ("p | phone", "+79999999999"),
        ("list | join", "a, 1.50"),
        ("list | join: '-'", "a-1.50"),
        ("e | join", ""),
        ("o | json", '{"a":1.0}'),
        ("e | json", '""'),
        ("z | json", "null"),
        ("j | parse", '{"x":[1.00]}'),
        ("list | count", "3"),
        ("o | count", "1"),
        ("z | count", "0"),
        ("j | parse | json", '{"x":[1.00]}'),
        ("n | plus: 1", "45001"),
        ("f | minus: 0.50", "45000.00"),
        ("n | times: n", "2025000000"),
        ("n | divided_by: 7 | round: 2", "6428.57"),
        ("n | divided_by: 2", "22500"),
        ("half | round", "3"),
        ("half | times: -1 | round", "-3"),
        ("half | minus: half", "0.0"),
        ("half | minus: 2.5 | times: -1", "0.0"),
        ("n | upper", "45000"),
    ],
)
def test_filters_give(expression, shown):
    assert folded(text("{{ " + expression + " }}", BODY)) == shown


def test_money_keeps_the_sum_and_its_sign_together():
    assert text("{{ n | money }}", BODY) == "45\u00a0000\u00a0₽"
    assert text("{{ n | money }}", BODY, language="en") == "₽45,000" or "RUB" in text(
        "{{ n | money }}", BODY, language="en"
    )


def test_a_computed_number_has_no_exponent():
    assert text("{{ a | times: 1 }}", '{"a":1e20}') == "1" + "0" * 20
    assert text("{{ a | times: 1 }}", '{"a":1e-20}') == "0." + "0" * 19 + "1"


def test_exact_numbers_stay_exact():
    assert text("{{ a | plus: 1 }}", '{"a":123456789012345678901234567890.10}') == "123456789012345678901234567891.10"
    assert text("{{ a | plus: 0.2 }}", '{"a":0.1}') == "0.3"
    assert (
        text("{{ a | divided_by: 1 }}", '{"a":123456789012345678901234567890.12}')
        == "123456789012345678901234567890.12"
    )


@pytest.mark.parametrize(
    "expression",
    [
        "n | divided_by: 0",
        "name1 | plus: 1",
        "e | plus: 1",
        "z | plus: 1",
        "list | times: 2",
        "n | plus: name1",
        "name1 | money",
        "name1 | round",
        "n | round: half",
        "half | count",
        "big | times: big",
        "big | plus: 1",
        "huge | money",
        "huge | times: 1",
        "tiny | plus: 1",
    ],
)
def test_what_cannot_be_computed_fails(expression):
    body = BODY[:-1] + f',"big":{"9" * 128},"huge":1e300,"tiny":1e-300}}'
    with pytest.raises(TemplateFailure) as failed:
        text("{{ " + expression + " }}", body)
    assert failed.value.code == "calc_error"
    assert "Вася" not in failed.value.message


@pytest.mark.parametrize("expression", ["name1 | date", "name1 | phone", "n | money: name1", "d | date: b"])
def test_what_cannot_be_shown_fails(expression):
    with pytest.raises(TemplateFailure) as failed:
        text("{{ " + expression + " }}", BODY, local={"b": "y" * 1000})
    assert failed.value.code == "template_error"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ('"2026-11-24"', "24.11.2026 00:00"),
        ('"2026-11-24T14:05"', "24.11.2026 14:05"),
        ('"2026-11-24T21:30:00Z"', "25.11.2026 00:30"),
        ('"2026-11-24 14:05:00+03:00"', "24.11.2026 14:05"),
        ('"24.11.2026"', "24.11.2026 00:00"),
        ('"4.1.2026 9:07"', "04.01.2026 09:07"),
        ("1795518300", "24.11.2026 14:05"),
        ('"1795518300"', "24.11.2026 14:05"),
    ],
)
def test_dates_are_read_as_people_and_machines_write_them(value, shown):
    body = f'{{"d":{value}}}'
    assert text("{{ d | date: 'dd.MM.yyyy HH:mm' }}", body) == shown
    assert text("{{ d | date }}", body) == shown[:10]


def test_months_are_named_in_the_language_of_the_scope():
    assert text("{{ d | date: 'd MMMM' }}", '{"d":"2026-11-24"}') == "24 ноября"
    assert text("{{ d | date: 'd MMMM' }}", '{"d":"2026-11-24"}', language="en") == "24 November"


@pytest.mark.parametrize(
    "name", ["upper", "date", "money", "phone", "join", "parse", "count", "plus: 1", "round", "json"]
)
def test_a_missing_value_passes_every_filter_and_is_reported_once(name):
    assert text("[{{ nope | " + name + " }}]", BODY) == "[]"
    assert [why.code for why in missing("{{ nope | " + name + " }}", BODY)] == ["no_such_name"]
    assert text("{{ nope | " + name + ' | default: "–" }}', BODY) == "–"


@pytest.mark.parametrize("path", ["nope", "o.nope", "e", "z", "email", "e | date", "z | upper", "e | money"])
def test_default_stands_in_silently_for_missing_null_and_empty(path):
    assert text("{{ " + path + ' | default: "друг" }}', BODY) == "друг"
    assert missing("{{ " + path + ' | default: "друг" }}', BODY) == []


def test_default_takes_another_path_which_may_itself_be_missing():
    assert text("{{ nope | default: n }}", BODY) == "45000"
    assert [why.path for why in missing("{{ nope | default: nope2 }}", BODY)] == ["nope2"]
    assert missing("{{ n | default: nope }}", BODY) == []
    assert text("{{ nope | default: 0 }}", BODY) == "0"


def test_a_missing_argument_makes_the_result_missing():
    assert [why.path for why in missing("{{ n | plus: nope }}", BODY)] == ["nope"]


@pytest.mark.parametrize("sent", ["{", "NaN", "[" * 100 + "]" * 100, "[" * 100_000, "1e999", "9" * 200, "'a'"])
def test_a_text_that_is_no_json_is_missing_after_parse(sent):
    (why,) = missing("{{ a | parse }}", local={"a": sent})
    assert (why.path, why.code) == ("a", "not_json")
    assert text("{{ a | parse | default: 'x' }}", local={"a": sent}) == "x"


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{{ a | json | json | json | json | json }}", "\\" * 500_000),
        ("{{ a | join: b }}", [None, "x"] * 5000),
        ("{{ a | upper }}", "ß" * 2_000_000),
        ("{{ a | times: a | times: a | times: a | times: a | times: a }}", "9" * 100),
    ],
)
def test_bombs_go_out_quickly(source, value):
    template = compile_template(source)
    began = time.perf_counter()
    with pytest.raises(TemplateFailure):
        template.render(scope(local={"a": value, "b": "y" * 16_000}))
    assert time.perf_counter() - began < 1
