"""Bodies by content type, and the connection check."""

import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.endpoints.parse import Body, Refused, is_check, parse_body
from hub.values import Value

form_type = "application/x-www-form-urlencoded; charset=UTF-8"
multipart_type = "multipart/form-data; boundary=B"


def parse(raw: bytes, content_type: str | None) -> Body:
    return parse_body(raw, content_type, tolerant=True)


def refusal(raw: bytes, content_type: str | None) -> Refused:
    with pytest.raises(Refused) as caught:
        parse(raw, content_type)
    return caught.value


def part(name: str, content: bytes, more: str = "") -> bytes:
    return f'--B\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + content + b"\r\n"


@pytest.mark.parametrize("content_type", [None, "application/json", form_type, multipart_type, "image/png"])
def test_an_empty_body_is_none_whatever_its_type(content_type: str | None) -> None:
    assert parse(b"", content_type) == parse(b"\r\n", content_type) == Body("none")


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=utf-8", "application/cloudevents+json"]
)
def test_json_types_are_read_as_json(content_type: str) -> None:
    assert parse(b'{"a":1,}', content_type).value == {"a": 1}
    assert refusal(b"{a:1}", content_type).code == "invalid_json"


def test_a_bitrix24_event_is_nested() -> None:
    body = parse(b"data[FIELDS][ID]=456&event=ONCRMDEALUPDATE", form_type)
    assert body == Body("form", {"data": {"FIELDS": {"ID": "456"}}, "event": "ONCRMDEALUPDATE"})


def test_a_form_has_its_own_limits() -> None:
    body = parse(b"&".join(b"p%d=1" % number for number in range(1000)), form_type)
    assert body.value == {f"p{number}": "1" for number in range(1000)}
    assert refusal(b"&" * 1000 + b"a=1", form_type).code == "too_many_fields"


def test_a_form_with_unstorable_characters_carries_a_note() -> None:
    body = parse(b"a=x%00", form_type)
    assert body.value == {"a": "x\ufffd"}
    assert [note.code for note in body.notes] == ["sanitized"]


def test_a_multipart_form_gives_its_fields_without_its_files() -> None:
    raw = part("имя", "Вася".encode()) + part("f", b"\xff\x00", '; filename="a.png"') + part("a[b]", b"1") + b"--B--"
    assert parse(raw, multipart_type) == Body("multipart", {"имя": "Вася", "a": {"b": "1"}})


@pytest.mark.parametrize(
    ("raw", "content_type", "code"),
    [
        (part("a", b"1"), multipart_type, "invalid_form"),
        (b"--B\r\nX: y\r\n\r\n1\r\n--B--", multipart_type, "invalid_form"),
        (part("a", b"\xff") + b"--B--", multipart_type, "invalid_encoding"),
        (part("a", b"1") * 101 + b"--B--", multipart_type, "too_many_fields"),
        (part("a", b"x" * 500_001) + b"--B--", multipart_type, "body_too_large"),
        (b"x", "multipart/form-data", "invalid_form"),
        (b"x", "multipart/form-data; boundary=" + "B" * 71, "invalid_form"),
        (b"x", "multipart/mixed; boundary=B", "unsupported_media_type"),
        (b"<a/>", "application/xml", "unsupported_media_type"),
        (b"{}", "json", "unsupported_media_type"),
        (b"{}", "application/json; charset=windows-1251", "invalid_encoding"),
        (b"a=1", "application/x-www-form-urlencoded; charset=koi8-r", "invalid_encoding"),
        (b"\xff", "text/plain", "invalid_encoding"),
        (b"x" * (1024 * 1024 + 1), "text/plain", "body_too_large"),
    ],
)
def test_what_cannot_be_read_is_refused(raw: bytes, content_type: str, code: str) -> None:
    assert refusal(raw, content_type).code == code


@pytest.mark.parametrize("content_type", [None, "", "text/plain; charset=utf-8"])
@pytest.mark.parametrize(
    ("raw", "kind", "value"),
    [
        ('{"a":1,}', "json", {"a": 1}),
        ("[1]", "json", [1]),
        ("hello", "text", "hello"),
        ("{a:1}", "text", "{a:1}"),
        ("«Привет»", "text", "«Привет»"),
        ("\ufeffhello", "text", "hello"),
        ("abcd\x00", "text", "abcd\ufffd"),
        ("[" * 100, "text", "[" * 100),
    ],
)
def test_a_text_is_json_where_it_can_be(content_type: str | None, raw: str, kind: str, value: Value) -> None:
    body = parse(raw.encode(), content_type)
    assert (body.kind, body.value) == (kind, value)


@pytest.mark.parametrize(
    ("query", "body", "check"),
    [
        ({"token": "T"}, Body("form", {"test": "test"}), True),
        ({"token": "T", "chat_id": ""}, Body("form", {"test": "test"}), True),
        ({"token": "T"}, Body("text", "test=test"), True),
        ({"token": "T", "template_id": "1", "test": "test"}, None, True),
        ({"test": "test"}, Body("none"), True),
        ({"test": "test", "a": "1"}, None, False),
        ({"test": "test"}, Body("form", {"a": "1"}), False),
        ({}, Body("form", {"test": "test", "a": "1"}), False),
        ({}, Body("json", {"test": "test"}), False),
        ({}, None, False),
    ],
)
def test_test_alone_is_the_connection_check(query: dict[str, Value], body: Body | None, check: bool) -> None:
    assert is_check(query, body) is check


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        (b"&" * 2**20, form_type),
        (b"%" * 2**20, form_type),
        (b"a=" + b"%41" * 349_000, form_type),
        (b"[" * 2**20, form_type),
        (b"--B\r\n" * 200_000, multipart_type),
        (b"--B\r\n" + b"\r" * 1_000_000, multipart_type),
        (b"--B\r\nContent-Disposition: form-data; " + b"a=1; " * 200_000 + b"\r\n\r\nx\r\n--B--", multipart_type),
        (part("a", b"\r\n--B" * 200_000), multipart_type),
    ],
)
def test_a_bomb_is_answered_within_a_second(raw: bytes, content_type: str) -> None:
    began = time.process_time()
    with suppress(Refused):
        parse(raw, content_type)
    assert time.process_time() - began < 1


pieces = [
    b"--B",
    b"--B--",
    b"\r\n",
    b"Content-Disposition: form-data; name=a",
    b"; filename=x",
    b": ",
    b"\n",
    b"\xff",
    b"v",
]
bodies = st.binary(max_size=100) | st.lists(st.sampled_from(pieces), max_size=20).map(b"".join)
types = st.none() | st.text(max_size=30) | st.sampled_from([form_type, multipart_type, "text/plain", "a/b+json"])


@settings(deadline=None)
@given(bodies, types)
def test_any_body_is_either_read_or_refused(raw: bytes, content_type: str | None) -> None:
    with suppress(Refused):
        parse(raw, content_type)


def test_json_that_is_labelled_as_a_form_is_read_as_json_with_a_note() -> None:
    body = parse_body(b'{"chat_id": "7", "n": 1.50}', "application/x-www-form-urlencoded", tolerant=True)
    assert body.kind == "json"
    assert body.value["chat_id"] == "7"
    assert [note.code for note in body.notes] == ["type_mismatch"]
    form = parse_body(b"{a}=1", "application/x-www-form-urlencoded", tolerant=True)
    assert form.kind == "form"
