"""Parameters of links and forms: decoding, nesting and limits."""

import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.endpoints.parse import Refused, brackets, find_parameter, parse_query
from hub.values import Value


def refusal(raw: bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        parse_query(raw)
    return caught.value


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"", {}),
        (b"token=T&chat_id=79990000001&id=5", {"token": "T", "chat_id": "79990000001", "id": "5"}),
        (b"chat_id=+79", {"chat_id": " 79"}),
        (b"a=%D0%92%D0%B0%2b%26", {"a": "Ва+&"}),
        (b"%D0%B8%D0%BC%D1%8F=1", {"имя": "1"}),
        (b"a=100%&b=%zz", {"a": "100%", "b": "%zz"}),
        (b"a=1&a=2", {"a": "2"}),
        (b"a&b=&=c&&d=x=y", {"a": "", "b": "", "d": "x=y"}),
        (b"a=%00", {"a": "\ufffd"}),
        (b"a[]=1&a[]=2", {"a": ["1", "2"]}),
        (b"a[1]=y&a[0]=x", {"a": ["x", "y"]}),
        (b"a[1]=y", {"a": {"1": "y"}}),
        (b"a[01]=y", {"a": {"01": "y"}}),
        (b"a[0]=x&a[b]=y", {"a": {"0": "x", "b": "y"}}),
        (b"a[][n]=x&a[][n]=y", {"a": [{"n": "x"}, {"n": "y"}]}),
        (b"a%5Bb%5D=1", {"a": {"b": "1"}}),
        (b"a[999999999]=1&a[]=2", {"a": {"999999999": "1", "1000000000": "2"}}),
        (b"data[FIELDS][ID]=456", {"data": {"FIELDS": {"ID": "456"}}}),
        (b"a[b=1&c]=2&[d]=3&e[f]g=4", {"a[b": "1", "c]": "2", "[d]": "3", "e[f]g": "4"}),
    ],
)
def test_a_query_is_read(raw: bytes, value: Value) -> None:
    assert parse_query(raw) == value


@pytest.mark.parametrize("raw", [b"a=1&a[b]=2", b"a[b]=2&a=1", b"a[]=1&a[0][b]=2", b"a[b][c]=1&a[b]=2"])
def test_conflicting_shapes_are_refused(raw: bytes) -> None:
    assert (refusal(raw).code, refusal(raw).status) == ("conflicting_field", 400)


def test_the_limits_of_a_query_hold() -> None:
    assert len(parse_query(b"&".join(b"p%d=1" % number for number in range(200)))) == 200
    assert refusal(b"&".join(b"p%d=1" % number for number in range(201))).code == "too_many_fields"
    assert parse_query(b"a=" + b"x" * 8188)
    assert (refusal(b"a=" + b"x" * 8189).code, refusal(b"a=" + b"x" * 8189).status) == ("query_too_long", 414)
    assert parse_query(b"a" + b"[b]" * 16 + b"=1")
    assert refusal(b"a" + b"[b]" * 17 + b"=1").code == "too_deep"
    assert refusal(b"a" * 513 + b"=1").code == "key_too_long"
    assert refusal(b"a[" + b"b" * 129 + b"]=1").code == "key_too_long"
    assert refusal(b"a=%D0").code == "invalid_encoding"


def test_a_huge_index_costs_nothing() -> None:
    began = time.process_time()
    assert brackets([(f"a[{'9' * 128}]", "1"), ("a[]", "2")])["a"]["9" * 128] == "1"
    assert time.process_time() - began < 1


def test_a_token_is_found_even_where_the_rest_is_refused() -> None:
    assert find_parameter(b"a=1&a[b]=2&c=%D0&token=T", "token") == "T"
    assert find_parameter(b"a=1", "token") is None


@settings(deadline=None)
@given(st.binary(max_size=100) | st.text("ab[]&=%+09", max_size=60).map(str.encode))
def test_any_query_is_either_read_or_refused(raw: bytes) -> None:
    find_parameter(raw, "token")
    with suppress(Refused):
        parse_query(raw)
