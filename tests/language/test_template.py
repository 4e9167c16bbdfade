"""Templates: what they print, what they refuse, and what they never do."""

import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.language import TemplateError, TemplateFailure, compile_template, parse_path
from hub.values import Number
from tests.language.scopes import missing, scope, text


def test_local_values_are_filled_in():
    assert text("{{chat_id}}/{{id}}", local={"chat_id": "79990000001", "id": "5"}) == "79990000001/5"


def test_a_missing_value_prints_nothing_and_is_reported():
    assert text("[{{foo}}]") == "[]"
    assert [why.path for why in missing("[{{foo}}]")] == ["foo"]


def test_values_print_with_their_literals():
    body = '{"n":150000.00,"b":true,"z":null,"o":{"a":1},"big":9007199254740993,"e":1e5}'
    assert text("{{n}};{{b}};{{z}};{{o}};{{big}};{{e}}", body) == '150000.00;true;;{"a":1};9007199254740993;1e5'
    assert missing("{{z}}", body) == []


def test_a_value_is_never_read_again_as_a_template():
    body = '{"x":"{{chat_id}}","y":"{{x}}{{"}'
    assert text("{{x}} {{y}}", body, local={"chat_id": "1"}) == "{{chat_id}} {{x}}{{"


def test_a_single_place_keeps_its_type_and_anything_else_is_text():
    body = '{"list":[1,2],"n":1.50}'
    evaluate = lambda source: compile_template(source).evaluate(scope(body)).value  # noqa: E731
    assert evaluate("{{list}}") == [1, 2]
    assert isinstance(evaluate("{{ n }}"), Number)
    assert evaluate("{{ list | count }}") == 2
    assert evaluate(" {{n}}") == " 1.50"
    assert evaluate("{{n}}{{n}}") == "1.501.50"
    assert evaluate("plain") == "plain"
    assert evaluate("{{nope}}") is None
    assert evaluate("") == ""


def test_places_tell_path_source_and_text():
    places = compile_template("{{ n | plus: 1 }}{{nope.x}}").render(scope('{"n":1}')).places
    assert places[0] == ("n", "body", "2", None)
    assert places[1].missing.code == "no_such_name"


def test_paths_are_known_before_anything_runs():
    template = compile_template("{{a.b}} {{ c | default: d[0] }} {{a.b}}")
    assert template.paths == (parse_path("a.b"), parse_path("c"), parse_path("d[0]"))
    assert not template.plain
    assert compile_template("no places }} {% %}").plain


@pytest.mark.parametrize(
    "source", ["", "plain", "{ x }", "}}", "{% raw %}", "{x}}", "${x}", "<%= x %>", "{\n{x}}", "%s {0.__class__}"]
)
def test_text_without_double_braces_stays_as_it_is(source):
    assert text(source) == source


@pytest.mark.parametrize(
    ("source", "code", "column"),
    [
        ("ab {{", "unclosed", 4),
        ("{{ a", "unclosed", 1),
        ("{{ a }", "unclosed", 1),
        ("{{a}} {{ it's }}", "unclosed", 7),
        ("{{}}", "empty_place", 3),
        ("{{  }}", "empty_place", 3),
        ("{{ a b }}", "syntax", 6),
        ("{{ {{x}} }}", "syntax", 4),
        ("{{ a | }}", "syntax", 7),
        ("{{ a.0 }}", "syntax", 6),
        ("{{ 1 }}", "syntax", 4),
        ("{{ a() }}", "syntax", 5),
        ("{{ a + b }}", "syntax", 6),
        ("xx {{ a | nope }}", "unknown_filter", 11),
        ("{{ a | upper: 1 }}", "wrong_arguments", 8),
        ("{{ a | plus }}", "wrong_arguments", 8),
        ("{{ a | plus: 'x' }}", "wrong_arguments", 8),
        ("{{ a | round: 21 }}", "wrong_arguments", 8),
        ("{{ a | default: 1, 2 }}", "wrong_arguments", 8),
        ("{{ a | date: 'DD.MM.YYYY' }}", "wrong_arguments", 8),
        ("{{ a | money: 'рубли' }}", "wrong_arguments", 8),
        ("{{a|trim|trim|trim|trim|trim|trim}}", "too_many_filters", 30),
        ("{{a}}" * 201, "too_many_places", 1001),
        ("ы" * 8193, "too_long", 1),
    ],
)
def test_a_template_that_cannot_be_read_says_where(source, code, column):
    with pytest.raises(TemplateError) as refused:
        compile_template(source)
    assert (refused.value.code, refused.value.column) == (code, column)
    assert refused.value.message.endswith((".", "?"))


def test_the_largest_template_allowed_is_read():
    assert text("{{a}}" * 200, '{"a":"x"}') == "x" * 200
    assert text("x" * 16384) == "x" * 16384
    assert text("{{a|trim|trim|trim|trim|trim}}", '{"a":" x "}') == "x"


def test_braces_inside_a_quoted_text_do_not_end_the_place():
    assert text('{{ a | default: "}} {{b}}" }}') == "}} {{b}}"
    assert text(r"""{{ a | default: 'it\'s "\n"' }}""") == 'it\'s "\n"'


def test_a_text_of_more_than_64_kib_fails():
    for letter, count in (("x", 65537), ("ы", 32769)):
        with pytest.raises(TemplateFailure) as failed:
            text("{{a}}", local={"a": letter * count})
        assert failed.value.code == "template_error"
    assert len(text("{{a}}", local={"a": "x" * 65536})) == 65536
    with pytest.raises(TemplateFailure):
        text("{{a}}" * 200, local={"a": "x" * 1000})


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ x.__class__ }}",
        "{{ body.__init__.__globals__ }}",
        "{{ x['__class__'] }}",
        r"{{ x['\x5f\x5fclass\x5f\x5f'] }}",
        "{{ x | attr: '__class__' }}",
        "{{ run.__dict__ }}",
        "{{ request.application.__globals__ }}",
        "{{ self }}",
        "{{ config.items() }}",
        "{{ 7*7 }}",
        "{{ 'a'*1000000000 }}",
        "{{ 9**99999999 }}",
        "{% for x in range(10) %}{{ x }}{% endfor %}",
        "{0.__class__} %(x)s ${7*7} #{7*7} <%= 7*7 %>",
        "{{ {{x}} }}",
        "{{{x}}}",
        "{{ lipsum }}",
        "{{ x.upper }}",
        "{{ x.literal }}",
        "{{ n.real }}",
        "{{ list.append }}",
        "{{ body.keys }}",
        "{{ x | | }}",
        "{{ x | default: x.__class__ | default: n.__class__ }}",
    ],
)
def test_no_attack_reaches_an_attribute_or_computes(attack):
    body = '{"x":"text","n":1,"list":[1]}'
    began = time.perf_counter()
    try:
        shown = text(attack, body)
    except TemplateError:
        shown = ""
    assert time.perf_counter() - began < 0.5
    for leak in ("<class", "<built-in", "<bound", "49", "str", "Decimal"):
        assert leak not in shown
    # The same characters arriving as data are printed as they are.
    assert text("{{a}}", local={"a": attack}) == attack


def test_a_text_that_no_json_can_write_fails_and_does_not_break():
    for source in ("{{a}}", "{{a | json}}"):
        with pytest.raises(TemplateFailure):
            text(source, local={"a": ["\ud800"]})


pieces = st.sampled_from(
    [
        "{{",
        "}}",
        "{",
        "}",
        "|",
        ":",
        ",",
        ".",
        "[",
        "]",
        '"',
        "'",
        "\\",
        " ",
        "\n",
        "a",
        "body",
        "-1",
        "0",
        "имя",
        "{{a}}",
    ]
    + [" | " + name for name in ("default", "upper", "date", "money", "phone", "join", "json", "parse", "count")]
    + [
        " | plus: 1",
        " | times: a",
        " | divided_by: 0",
        " | round: 2",
        " | first_word",
        "default: 'x'",
        "{{ a | nope }}",
    ]
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.text(max_size=20),
    st.decimals(allow_nan=False, allow_infinity=False).map(lambda number: Number(str(number))),
    st.sampled_from(["2026-11-24", "0001-01-01", "9999-12-31T23:59:59+00:00", "1e400", "[1", "{}", "89999999999"]),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "имя", "b"]), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(pieces, max_size=14).map("".join), values)
@settings(max_examples=400, deadline=None)
def test_nothing_but_the_two_errors_ever_comes_out(source, value):
    with suppress(TemplateError, TemplateFailure):
        template = compile_template(source)
        template.render(scope(local={"a": value}))
        template.evaluate(scope(local={"a": value}))


simple_filters = [
    "upper",
    "lower",
    "trim",
    "first_word",
    "date",
    "money",
    "phone",
    "join",
    "json",
    "parse",
    "count",
    "round",
]
with_argument = ["date", "money", "join", "plus", "minus", "times", "divided_by", "round", "default"]
filters = st.sampled_from(
    [
        *simple_filters,
        *(f"{name}: b" for name in with_argument),
        "date: 'EEEE d MMMM y HH:mm:ss zzz'",
        "money: 'JPY'",
        "times: 1000000000000000000000000000000",
    ]
)


@given(st.lists(filters, min_size=1, max_size=5), values, values, st.sampled_from(["ru", "en", "ar", "xx"]))
@settings(max_examples=600, deadline=None)
def test_filters_in_any_order_on_any_value_only_fail_politely(chain, a, b, language):
    template = compile_template("{{ a | " + " | ".join(chain) + " }}")
    with suppress(TemplateFailure):
        template.render(scope(local={"a": a, "b": b}, language=language))


def test_compiled_templates_are_kept():
    assert compile_template("{{kept}}") is compile_template("{{kept}}")
