"""Link and body together, and the key of an event."""

import pytest

from hub.endpoints.parse import Body, Inputs, Refused, event_key, merge, parse_body, parse_query
from hub.values import Value

fields = ["chat_id", "id"]


def arrive(query: bytes, raw: bytes = b"", content_type: str | None = "application/json") -> Inputs:
    return merge(fields, parse_query(query), parse_body(raw, content_type, tolerant=True))


def codes(inputs: Inputs) -> list[tuple[str, str]]:
    return [(note.code, note.path) for note in inputs.notes]


def test_declared_parameters_of_the_link_fill_the_fields() -> None:
    inputs = arrive(b"token=T&chat_id=79990000001&id=5&template_id=7")
    assert inputs == Inputs({"chat_id": "79990000001", "id": "5"}, None, {"chat_id": "79990000001", "id": "5"}, [])


def test_an_undeclared_parameter_is_kept_but_fills_nothing() -> None:
    inputs = arrive(b"token=T&foo=x")
    assert inputs.locals == {"chat_id": "", "id": ""}
    assert (inputs.query, inputs.undeclared) == ({"foo": "x"}, ["foo"])


def test_the_body_wins_over_the_link() -> None:
    inputs = arrive(b"chat_id=1&id=7", b'{"chat_id":"2","foo":"x"}')
    assert inputs.locals == {"chat_id": "2", "id": "7"}
    assert inputs.body == {"chat_id": "2", "foo": "x"}
    assert (inputs.undeclared, inputs.notes) == ([], ())


@pytest.mark.parametrize(("sent", "value"), [(b'""', ""), (b"null", None)])
def test_an_empty_value_of_the_body_wins_with_a_note(sent: bytes, value: Value) -> None:
    inputs = arrive(b"chat_id=1", b'{"chat_id":%s}' % sent)
    assert inputs.locals["chat_id"] == value
    assert codes(inputs) == [("empty_hides_link", "chat_id")]


@pytest.mark.parametrize("sent", [b"0", b"false"])
def test_zero_and_false_are_values_like_any_other(sent: bytes) -> None:
    assert codes(arrive(b"chat_id=1", b'{"chat_id":%s}' % sent)) == []


def test_the_long_link_gives_the_same_as_the_short_one() -> None:
    raw = b'{"chat_id":"89999999999","Email1":"a@b.c"}'
    long, short = arrive(b"token=T&chat_id=&id=&template_id=1", raw), arrive(b"token=T", raw)
    assert (long.locals, long.body, long.notes) == (short.locals, short.body, short.notes)


def test_a_system_name_in_the_body_is_noted_on_the_top_level_only() -> None:
    assert codes(arrive(b"", b'{"email":"a@b.c","payment":{"name":"x"},"Email1":"y"}')) == [("reserved_name", "email")]


def test_notes_of_the_body_come_along() -> None:
    assert codes(arrive(b"", b'{"a":1,}')) == [("json_repaired", "R3")]


def test_a_body_that_is_no_object_fills_no_field() -> None:
    inputs = arrive(b"id=1", b'[{"id":2}]')
    assert (inputs.locals["id"], inputs.body) == ("1", [{"id": 2}])
    assert arrive(b"", b"hello", "text/plain").body == "hello"


@pytest.mark.parametrize(
    ("path", "headers", "key"),
    [
        ("tranid", {"Idempotency-Key": "h"}, "path:t1"),
        ("payment.id", {}, "path:150000.00"),
        ("items[1].ok", {}, "path:true"),
        ("chat_id", {}, "path:79"),
        ("body.tranid", {}, "path:t1"),
        ("query.foo", {}, "path:x"),
        ("payment", {"idempotency-key": "h"}, "key:h"),
        ("empty", {"Webhook-Id": "w", "IDEMPOTENCY-KEY": "h"}, "key:h"),
        ("long", {"webhook-id": "w"}, "key:w"),
        ("items[9].ok", {}, None),
        ("items.ok", {}, None),
        ("a..b[", {}, None),
        (None, {"X-Request-Id": "r"}, None),
    ],
)
def test_the_key_of_an_event_comes_from_the_path_then_the_headers(
    path: str | None, headers: dict[str, str], key: str | None
) -> None:
    body = Body(
        "json",
        parse_body(
            b'{"tranid":"t1","payment":{"id":150000.00},"items":[{},{"ok":true}],"empty":"","long":"%s"}'
            % (b"x" * 256),
            "application/json",
            tolerant=False,
        ).value,
    )
    assert event_key(path, merge(fields, {"chat_id": "79", "foo": "x"}, body), headers) == key


@pytest.mark.parametrize("value", ["", "a b", "é", "x" * 256, "a\n"])
def test_a_malformed_key_header_is_refused(value: str) -> None:
    with pytest.raises(Refused) as caught:
        event_key(None, merge([], {}, None), {"Idempotency-Key": value})
    assert (caught.value.code, caught.value.status) == ("invalid_header", 400)
