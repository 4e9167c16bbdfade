"""JSON from strangers: what is read, what is repaired, what is refused and where."""

import json
import time
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hub.endpoints.parse import Refused, parse_json
from hub.values import Number, Value, dumps

# The sample bodies of ChatApp's help page on incoming webhooks, exactly as they stand there.
flat_sample = """\u00a0{

“Email1”: “…@gmail.com”,

“name_client”: “test”,

“chat_id”: “89999999999”,

“tranid”: “test”,

“formid”: “formtest”,

“utm_source”: “google”,

“utm_medium”: “cpc”,

“utm_campaign”: “promo”

}"""
nested_sample = """\u00a0

{

“payment”: {

“name”: “Вася”

“Email1”: “…@gmail.com”,

}

}"""
list_sample = (
    "\u00a0\n\n“payment” : [ { “name”: “Вася” “email1”: “…@mail.ru” } { “name” : “Петя” “email1”: “…@yandex.ru” } ]"
)


def read(text: str | bytes, tolerant: bool = True) -> Value:
    return parse_json(text.encode() if isinstance(text, str) else text, tolerant=tolerant)[0]


def repairs(text: str) -> list[str]:
    notes = parse_json(text.encode(), tolerant=True)[1]
    return [note.path for note in notes if note.code == "json_repaired"]


def refusal(text: str | bytes, tolerant: bool = True) -> Refused:
    with pytest.raises(Refused) as caught:
        read(text, tolerant)
    return caught.value


def test_the_flat_sample_gives_its_eight_keys() -> None:
    value = read(flat_sample)
    assert len(value) == 8
    assert (value["Email1"], value["name_client"], value["utm_source"]) == ("…@gmail.com", "test", "google")
    assert repairs(flat_sample) == ["R1", "R2"]


def test_the_nested_sample_is_read_with_its_missing_and_its_trailing_comma() -> None:
    assert read(nested_sample) == {"payment": {"name": "Вася", "Email1": "…@gmail.com"}}
    assert repairs(nested_sample.lstrip("\u00a0")) == ["R2", "R3", "R4"]


def test_the_list_sample_is_read_without_its_outer_braces() -> None:
    people = read(list_sample)["payment"]
    assert people == [{"name": "Вася", "email1": "…@mail.ru"}, {"name": "Петя", "email1": "…@yandex.ru"}]
    assert repairs(list_sample) == ["R1", "R2", "R4", "R5"]


@pytest.mark.parametrize("sample", [flat_sample, nested_sample, list_sample])
def test_a_strict_link_refuses_the_samples(sample: str) -> None:
    assert refusal(sample, tolerant=False).code == "invalid_json"


@pytest.mark.parametrize(
    ("text", "value", "repair"),
    [
        ("\ufeff[1]", [1], "R1"),
        ('{"a":\u200b1}', {"a": 1}, "R1"),
        ("{«a»: „b“}", {"a": "b"}, "R2"),
        ('[“say "hi"”]', ['say "hi"'], "R2"),
        ("[“a\\n\\u0041”]", ["a\nA"], "R2"),
        ('{"a":1,}', {"a": 1}, "R3"),
        ("[1,]", [1], "R3"),
        ('["a" "b"]', ["a", "b"], "R4"),
        ("[[1] [2]]", [[1], [2]], "R4"),
        ('"a": 1', {"a": 1}, "R5"),
    ],
)
def test_each_repair_is_made_and_named(text: str, value: Value, repair: str) -> None:
    assert read(text) == value
    assert repairs(text) == [repair]


def test_a_repair_is_named_once_however_often_it_was_made() -> None:
    assert repairs("[[1,],[2,],]") == ["R3"]


def test_typographic_marks_and_odd_spaces_inside_a_string_are_left_alone() -> None:
    text = '{"a":"« “x” »\u00a0\u200b,]"}'
    assert read(text) == json.loads(text)
    assert repairs(text) == []


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("{a:1}", 1, 2),
        ('{"a" 1}', 1, 6),
        ('{"a":1', 1, 7),
        ('{\n  "a": 1\n  "b" 2}', 3, 3),
        ("[1 2]", 1, 4),
        ("[1,,2]", 1, 4),
        ("{,}", 1, 2),
        ('{"a":1]', 1, 7),
        ('"a":1}', 1, 6),
        ('["a" "b"] 1', 1, 11),
        ("[NaN]", 1, 2),
        ("[-Infinity]", 1, 2),
        ("[1e999]", 1, 2),
        ("[1e99999999999999999999999]", 1, 2),
        ("[01]", 1, 3),
        ("['a']", 1, 2),
        ("[1] // x", 1, 5),
        ('["a\nb"]', 1, 4),
        ("[“a]", 1, 2),
        (" ", 1, 2),
    ],
)
def test_what_cannot_be_repaired_is_refused_with_its_place(text: str, line: int, column: int) -> None:
    refused = refusal(text)
    assert (refused.code, refused.status, refused.line, refused.column) == ("invalid_json", 400, line, column)


def test_a_refusal_does_not_quote_what_was_sent() -> None:
    assert "secret" not in refusal('{"secret" "secret"').message


def test_numbers_keep_their_literals() -> None:
    text = '{"n":150000.00,"e":1e5,"i":9007199254740993,"z":-0.0,"o":{"a":1},"b":true,"x":null}'
    value = read(text)
    assert dumps(value) == text
    assert isinstance(value["n"], Number)
    assert read("1E+308") == Decimal("1e308")


def test_the_last_of_equal_keys_wins_with_a_note_on_its_path() -> None:
    value, notes = parse_json(b'{"p":[{"a":1,"a":2,"a b":0,"a b":1}]}', tolerant=False)
    assert value == {"p": [{"a": 2, "a b": 1}]}
    assert [(note.code, note.path) for note in notes] == [
        ("duplicate_key", "p[0].a"),
        ("duplicate_key", 'p[0]["a b"]'),
    ]


def test_characters_that_cannot_be_stored_are_replaced_with_a_note() -> None:
    value, notes = parse_json(b'{"a":"x\\u0000\\ud800y","\\udfff":"\\ud83d\\ude00"}', tolerant=False)
    assert value == {"a": "x\ufffd\ufffdy", "\ufffd": "😀"}
    assert [(note.code, note.path) for note in notes] == [("sanitized", "a")]


def test_a_byte_order_mark_is_taken_even_on_a_strict_link() -> None:
    value, notes = parse_json(b"\xef\xbb\xbf{}", tolerant=False)
    assert value == {}
    assert [note.path for note in notes] == ["R1"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1251"])
def test_only_utf_8_is_read(encoding: str) -> None:
    assert refusal('{"имя":"Вася"}'.encode(encoding)).code == "invalid_encoding"


def test_the_limits_are_reached_and_not_passed() -> None:
    assert read("[" * 32 + "]" * 32)
    assert refusal("[" * 33 + "]" * 33).code == "too_deep"
    keys = [f'"{number}":1' for number in range(10_001)]
    assert len(read("{" + ",".join(keys[:-1]) + "}")) == 10_000
    assert refusal("{" + ",".join(keys) + "}").code == "too_many_fields"
    assert refusal("[" + "1," * 10_000 + "1]").code == "too_many_fields"
    assert read("1" * 128) == Decimal("1" * 128)
    assert refusal("1" * 129).code == "number_too_long"
    assert read(f'{{"{"k" * 256}":1}}')
    assert refusal(f'{{"{"k" * 257}":1}}').code == "key_too_long"
    assert refusal(f'["{"x" * (256 * 1024 + 1)}"]').code == "string_too_long"
    too_large = refusal(b" " * (1024 * 1024 + 1))
    assert (too_large.code, too_large.status) == ("body_too_large", 413)


@pytest.mark.parametrize(
    "bomb",
    [
        "[" * 2**20,
        '{"a":' * 200_000,
        "[" + "1," * 500_000,
        "1" * 2**20,
        '"' + "\\" * (2**20 - 1),
        "“" + '\\"' * 400_000,
        "“" + 'a"' * 400_000,
        '["a" ' * 200_000,
        "[" + '"a" ' * 200_000 + "]",
        "\u00a0" * 500_000,
        "\n" * 1_000_000 + "x",
        "{" + '"a":1,' * 150_000 + "}",
        '"' + "\\u0000" * 170_000 + '" x',
    ],
)
def test_a_bomb_is_refused_within_a_second(bomb: str) -> None:
    began = time.process_time()
    refusal(bomb)
    assert time.process_time() - began < 1


trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text("abc«“\n", max_size=5), inner, max_size=5),
    max_leaves=20,
)


@settings(deadline=None)
@given(trees, st.booleans(), st.booleans())
def test_valid_json_is_read_as_the_standard_says(tree: Value, tolerant: bool, ascii_only: bool) -> None:
    text = json.dumps(tree, ensure_ascii=ascii_only)
    value, notes = parse_json(text.encode(), tolerant=tolerant)
    assert value == json.loads(text)
    assert notes == ()


scraps = st.lists(
    st.sampled_from([*'{}[]:,"“”«»„\\ \n\ufeff\u00a0', '"a"', "“b”", "1", "-", "1e5", "true", "nul", "\\u0000", "\x00"])
)


@settings(deadline=None)
@given(st.binary(max_size=200) | scraps.map("".join).map(str.encode))
def test_any_bytes_are_either_read_or_refused(raw: bytes) -> None:
    for tolerant in (True, False):
        with suppress(Refused):
            value, notes = parse_json(raw, tolerant=tolerant)
            assert tolerant or all(note.path == "R1" for note in notes if note.code == "json_repaired")
            json.loads(dumps(value))


@settings(deadline=None)
@given(st.binary(max_size=200) | scraps.map("".join).map(str.encode) | trees.map(json.dumps).map(str.encode))
def test_the_quick_way_says_what_the_careful_reader_says(raw: bytes) -> None:
    mark = b"\xef\xbb\xbf"  # sends a text through the careful reader
    assume(not raw.startswith(mark) and b"\x00" not in raw[:4])

    def said(text: bytes) -> tuple[str, str]:
        try:
            value, notes = parse_json(text, tolerant=True)
        except Refused as refused:
            return refused.code, ""
        return dumps(value), str([note for note in notes if note.path != "R1"])

    assert said(raw) == said(mark + raw)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[" * 32 + "1" + "]" * 32, ""),
        ("[" * 31 + '{"a":{}}' + "]" * 31, "too_deep"),
        ("[" + ",".join(["[1,1]"] * 6_666) + "]", ""),
        ("[" + ",".join(["[1,1]"] * 6_667) + "]", "too_many_fields"),
        ("[" + ",".join(['{"a":1,"b":1}'] * 5_001) + "]", "too_many_fields"),
        ("1e309", "invalid_json"),
        ("[-0, 1e-308, 12E3]", ""),
        ("[NaN]", "invalid_json"),
        ('{"a":"' + "x" * 262_145 + '"}', "string_too_long"),
        ('["\\ud83d\\ude00", "\\u0410"]', ""),
    ],
)
def test_limits_hold_whichever_way_a_text_is_read(text: str, code: str) -> None:
    for raw in (text, "\ufeff" + text):
        if code:
            assert refusal(raw).code == code
        else:
            read(raw)
