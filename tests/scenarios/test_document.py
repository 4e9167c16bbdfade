"""Reading, refusing and writing scenario documents."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.scenarios.document import DocumentError, name_key, parse_document, to_dict, to_json, to_yaml
from hub.scenarios.reading import read_json, read_yaml
from hub.scenarios.writing import yaml_text
from hub.values import Number, dumps

EXAMPLE = """\
format: 1
name: Заказ готов
blocks:
  - {id: start, type: incoming_webhook, config: {fields: [chat_id, id], event_key: tranid}}
  - {id: greet, type: send_message, title: Приветствие, position: {x: 40, y: 160},
     config: {chat_id: "{{chat_id}}", line: Продажи, text: "Здравствуйте,\\nждём вас"}}
  - {id: later, type: from_the_future, version: 3, config: {price: 150000.00, deep: [{a: null}], on: yes}}
links:
  - {from: start, port: next, to: greet}
"""


def base(**changes: Any) -> dict[str, Any]:
    start = {"id": "start", "type": "incoming_webhook", "config": {"fields": ["chat_id"]}}
    return {"format": 1, "name": "Test", "blocks": [start], "links": []} | changes


def codes(raw: Any, content_type: str | None = None) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        parse_document(raw, content_type)
    return [problem.code for problem in caught.value.problems]


def with_fields(*fields: str) -> dict[str, Any]:
    return base(blocks=[{"id": "s", "type": "incoming_webhook", "config": {"fields": list(fields)}}])


def test_json_and_yaml_are_the_same_document() -> None:
    doc = parse_document(EXAMPLE.encode(), "application/yaml; charset=utf-8")
    assert parse_document(to_json(doc), "application/json") == doc
    assert parse_document(to_yaml(doc), "text/yaml") == doc
    assert to_yaml(parse_document(to_json(doc))) == to_yaml(doc)
    assert to_json(parse_document(to_yaml(doc))) == to_json(doc)
    assert parse_document(to_dict(doc)) == doc


def test_an_unknown_block_keeps_its_config_and_number_literals() -> None:
    doc = parse_document(EXAMPLE)
    assert doc.blocks[2].type == "from_the_future"
    assert doc.blocks[2].version == 3
    assert '"price":150000.00' in to_json(doc)
    assert "price: 150000.00" in to_yaml(doc)


def test_yaml_is_read_as_version_1_2_so_yes_is_a_text() -> None:
    assert parse_document(EXAMPLE).blocks[2].config["on"] == "yes"


def test_texts_of_several_lines_are_written_as_literal_blocks() -> None:
    assert "    text: |-\n      Здравствуйте,\n      ждём вас\n" in to_yaml(parse_document(EXAMPLE))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        (["email"], "reserved_name"),
        (["Email"], "reserved_name"),
        ([" EMAIL "], "reserved_name"),
        (["token"], "reserved_name"),
        (["blocks"], "reserved_name"),
        (["1a"], "bad_name"),
        ([""], "empty_name"),
        (["a" * 65], "too_long"),
        (["a", "a"], "duplicate_field"),
        ([f"f{number}" for number in range(51)], "too_many_fields"),
    ],
)
def test_a_field_that_is_bad_reserved_or_double_refuses_the_document(fields: list[str], code: str) -> None:
    assert codes(with_fields(*fields)) == [code]


def test_chat_id_id_and_email1_may_be_fields() -> None:
    assert parse_document(with_fields("Email1", "id", "chat_id")).blocks[0].config["fields"][0] == "Email1"


def test_names_are_kept_in_composed_form() -> None:
    assert parse_document(with_fields("и\u0306мя")).blocks[0].config["fields"] == ["ймя"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "  "}, "name_required"),
        ({"name": None}, "name_required"),
        ({"name": "a" * 101}, "bad_scenario_name"),
        ({"name": "a\u202eb"}, "bad_scenario_name"),
        ({"name": "a\nb"}, "bad_scenario_name"),
        ({"format": 2}, "schema"),
        ({"extra": 1}, "schema"),
        ({"blocks": [{"id": "a"}]}, "schema"),
        ({"blocks": [{"id": "a b", "type": "stop"}]}, "bad_id"),
        ({"blocks": [{"id": "1", "type": "stop"}]}, "bad_id"),
        ({"blocks": [{"id": "a" * 65, "type": "stop"}]}, "bad_id"),
        ({"blocks": [{"id": "a", "type": "stop"}, {"id": "a", "type": "stop"}]}, "duplicate_id"),
        ({"blocks": [{"id": "й", "type": "stop"}, {"id": "и\u0306", "type": "stop"}]}, "duplicate_id"),
        ({"blocks": [{"id": n, "type": "incoming_webhook"} for n in "ab"]}, "two_starts"),
        ({"blocks": [{"id": f"b{n}", "type": "stop"} for n in range(201)]}, "too_many_blocks"),
        ({"variables": [{"name": "phone"}]}, "reserved_name"),
        ({"variables": [{"name": "a"}, {"name": "a"}]}, "duplicate_field"),
        ({"variables": [{"name": "a", "type": "date"}]}, "schema"),
        ({"blocks": [{"id": "a", "type": "stop", "position": {"x": 1e9, "y": 0}}]}, "schema"),
    ],
)
def test_what_cannot_be_kept_is_refused(changes: dict[str, Any], code: str) -> None:
    assert codes(base(**changes)) == [code]


def test_a_schema_problem_names_the_field() -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(base(blocks=[{"id": "a", "typo": 1}]))
    assert [problem.field for problem in caught.value.problems] == ["blocks[0].type", "blocks[0].typo"]
    assert caught.value.problems[0].message == "“blocks[0].type” is missing."


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        (b"\xff\xfe", "application/json"),
        ('{"format": 1, "format": 1}', "application/json"),
        ('{"a": NaN}', "application/json"),
        ('{"a": 1e999}', "application/json"),
        ('{"a": "\\ud800"}', "application/json"),
        ('{"a": "\\u0000"}', "application/json"),
        ("[" * 100_000, "application/json"),
        ('{"a":' * 33 + "1" + "}" * 33, "application/json"),
        ("{", "application/json"),
        ("a: 1\na: 2\n", "application/yaml"),
        ("a: !!python/object:os.system {}\n", "application/yaml"),
        ("a: !!set {x, y}\n", "application/yaml"),
        ("a: .inf\n", "application/yaml"),
        ("1: a\n", "application/yaml"),
        ("a: 1\n---\nb: 2\n", "application/yaml"),
        ("a: *b\n", "application/yaml"),
        ("a: &a [*a]\n", "application/yaml"),
        ("[" * 5_000, "application/yaml"),
        ("a: [\n", "application/yaml"),
        ("a: \x07\n", "application/yaml"),
        ("x" * (512 * 1024 + 1), "application/yaml"),
        ("[]", "application/json"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused_with_a_problem(raw: str | bytes, content_type: str) -> None:
    assert codes(raw, content_type)[0] in ("unreadable", "schema")


def test_an_alias_bomb_is_refused_before_it_grows() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert codes("\n".join(lines), "application/yaml") == ["unreadable"]


def test_a_bomb_of_long_texts_is_refused() -> None:
    bomb = f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 5000)}]\n"
    assert codes(bomb, "application/yaml") == ["unreadable"]


def test_anchors_within_reason_are_read() -> None:
    assert read_yaml("a: &x [1]\nb: *x\n") == {"a": [1], "b": [1]}


def test_names_are_one_name_whatever_their_case() -> None:
    assert name_key(" Заказ ГОТОВ ") == name_key("заказ готов")


letters = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
tricky = st.text(st.sampled_from("a \n:#-|'\"{[\t?!&*%@>~.1e\r\u2028"), max_size=10)
words = st.sampled_from(["yes", "null", "1e5", "0x1f", "2024-01-01", ".5", "---", "=", "<<", "a\n---\nb"])
numbers = st.sampled_from(["150000.00", "1e5", "-0", "9007199254740993", "1E+5"]).map(Number)
values = st.recursive(
    letters | tricky | words | numbers | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(letters | tricky | words, inner, max_size=4),
    max_leaves=12,
)


@given(values)
@settings(max_examples=300, deadline=None)
def test_any_value_comes_back_from_yaml_and_json_as_it_went(value: Any) -> None:
    assert dumps(read_yaml(yaml_text(value))) == dumps(value)
    assert dumps(read_json(dumps(value))) == dumps(value)
