"""Where a path leads, and the sentence that says why it leads nowhere."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.language import Found, Missing, Path, TemplateError, parse_path, resolve
from tests.language.scopes import missing, scope, text

PEOPLE = (
    '{"payment":[{"name":"Вася","email1":"v@mail.ru"},{"name":"Петя","email1":"p@yandex.ru"}],'
    '"client":{"full_name":"Вася","phone":"7999"},"sum":"5","nothing":null,"two words":{"a.b":"c"}}'
)


def test_items_of_a_list_are_reached_by_index():
    assert text("{{payment[0].name}},{{payment[1].name}}", PEOPLE) == "Вася,Петя"
    assert text("{{payment[-1].name}}", PEOPLE) == "Петя"


def test_a_path_without_braces_is_plain_text():
    assert text("payment[0].name", PEOPLE) == "payment[0].name"


@pytest.mark.parametrize(
    ("path", "code", "hint"),
    [
        ("payment[2].name", "out_of_range", "payment has 2 items, the last one is payment[1]"),
        ("payment[-3]", "out_of_range", "payment has 2 items, the last one is payment[1]"),
        ("payment.name", "key_on_list", "payment is a list, use payment[0]"),
        ("client.name", "no_such_key", "there is no key name; there are: full_name, phone"),
        ("client.Phone", "no_such_key", "there is no key Phone; there are: full_name, phone; did you mean phone?"),
        ("client[0]", "index_on_object", "client is an object, use a key; there are: full_name, phone"),
        ("sum.x", "not_a_container", "sum is a single value, there is nothing at sum.x"),
        ("nothing[0]", "not_a_container", "nothing is empty (null), there is nothing at nothing[0]"),
        ("body.payment.name", "key_on_list", "body.payment is a list, use body.payment[0]"),
    ],
)
def test_a_path_that_leads_nowhere_says_why(path, code, hint):
    found = resolve(parse_path(path), scope(PEOPLE))
    assert isinstance(found, Missing)
    assert (found.path, found.code, found.hint, found.source) == (
        path,
        code,
        hint,
        path.split(".")[0] if path.startswith("body.") else "body",
    )
    assert text("[{{" + path + "}}]", PEOPLE) == "[]"


def test_a_name_in_other_case_is_suggested_and_not_used():
    (why,) = missing("{{email1}}", '{"Email1":"x"}')
    assert why.code == "no_such_name"
    assert why.hint == "there is no name email1; did you mean Email1?"
    assert why.source == ""


def test_short_names_resolve_system_then_local_then_body_then_global_then_constant():
    spaces = {"local": {"a": "l"}, "globals": {"a": "g", "c": "g"}, "constants": {"a": "k", "c": "k", "d": "k"}}
    body = '{"a":"b","b":"b","email":"a@b.c"}'
    assert text("{{a}}{{b}}{{c}}{{d}}", body, **spaces) == "lbgk"
    assert text("[{{email}}] [{{body.email}}]", body) == "[] [a@b.c]"
    assert text("{{local.a}}{{body.a}}{{global.a}}{{const.a}}", body, **spaces) == "lbgk"


def test_every_name_space_has_its_prefix():
    spaces = {name: {"x": name} for name in ("query", "blocks", "request", "run", "bitrix")}
    for name in spaces:
        assert resolve(parse_path(f"{name}.x"), scope(**spaces)) == Found(name, name)
    assert resolve(parse_path("system.date"), scope()) == Found("24.11.2026", "system")


def test_a_root_name_wins_and_the_body_key_of_that_name_stays_reachable():
    body = '{"query":{"x":"body"},"run":"r"}'
    assert text("{{query.x}} {{body.query.x}} {{body.run}}", body, query={"x": "link"}) == "link body r"


def test_a_root_may_be_a_list_or_have_any_key():
    assert text("{{body[0].x}}", '[{"x":"1"}]') == "1"
    assert text('{{body["two words"]["a.b"]}}', PEOPLE) == "c"
    assert text("{{ body['two words'] | count }}", PEOPLE) == "1"
    assert text("{{body}}", '"plain"') == "plain"


@pytest.mark.parametrize(
    "key", ["size", "first", "for", "limit", "now", "required", "true", "null", "default", "upper"]
)
def test_no_key_of_a_body_is_a_keyword(key):
    assert text("{{" + key + "}}{{body." + key + "}}", f'{{"{key}":"1"}}') == "11"


def test_composed_and_decomposed_letters_are_one_name():
    composed = "Йод"
    decomposed = unicodedata.normalize("NFD", composed)
    for written in (composed, decomposed):
        for sent in (composed, decomposed):
            assert text("{{" + written + "}}{{body." + written + "}}", f'{{"{sent}":"1"}}') == "11"


@pytest.mark.parametrize(
    "path", ["", " ", "a.", ".a", "a b", "a[", "a[]", "a[1.5]", "a[9999999999]", "a-", "1a", "a|upper", "{{a}}", "a..b"]
)
def test_what_is_no_path_is_refused(path):
    with pytest.raises(TemplateError) as refused:
        parse_path(path)
    assert refused.value.column >= 1


@given(
    st.sampled_from(["body", "payment", "имя"]),
    st.lists(st.one_of(st.integers(-999, 999), st.text()), max_size=4),
)
def test_a_path_reads_back_as_it_was_written(root, steps):
    path = Path(root, tuple(steps))
    assert parse_path(str(path)) == path


def test_long_lists_of_keys_are_cut_short():
    body = "{" + ",".join(f'"key{n:03}{"x" * 60}":1' for n in range(200)) + "}"
    (why,) = missing("{{body.nope}}", body)
    assert why.hint.endswith(", …")
    assert len(why.hint) < 600
