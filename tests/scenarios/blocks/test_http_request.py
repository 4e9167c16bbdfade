"""Calling another service."""

from typing import Any

import pytest
from pydantic import ValidationError

from hub.scenarios.block import Fail, Go, Perform, PortalNames
from hub.scenarios.check import check
from hub.values import Number
from tests.scenarios.fakes import FakeContext, FakePortal, block, document, run

GET = {"method": "GET", "url": "https://api.example/orders/{{id}}"}
POST = {"method": "POST", "url": "https://api.example/"}


def ask(config: dict[str, Any], **variables: Any) -> Any:
    return run("http_request", config, FakeContext({"id": "5"} | variables))


def answer(config: dict[str, Any], status: int = 200, body: str = "", **resumed: Any) -> Any:
    response = {"status": status, "headers": {"content-type": "text/plain"}, "body": body, "ms": 12}
    return run("http_request", config, FakeContext(resumed={"kind": "performed", "response": response} | resumed))


PORTAL = FakePortal(PortalNames(constants=frozenset({"key"})))


def found(**config: Any) -> list[tuple[str, str]]:
    doc = document({"id": "h", "type": "http_request", "config": GET | config}, start={"fields": ["id", "key"]})
    return [(one.code, one.severity) for one in check(doc, PORTAL)[1]]


def test_a_get_is_rendered_and_may_be_repeated() -> None:
    outcome = ask(GET | {"headers": {"X-Id": "{{id}}"}, "query": {"q": "a b"}, "timeout_s": 5, "retries": 2})
    assert outcome == Perform(
        "http",
        {
            "method": "GET",
            "url": "https://api.example/orders/5",
            "headers": {"X-Id": "5"},
            "params": {"q": "a b"},
            "timeout_s": Number("5.0"),
            "retries": Number("2"),
            "body": None,
        },
        repeatable=True,
    )


def test_a_json_body_keeps_types_and_literals() -> None:
    spec = ask(POST | {"json": {"id": "{{id}}", "sum": "{{sum}}", "n": None}}, sum=Number("150000.00")).spec
    assert spec["body"] == '{"id":"5","sum":150000.00,"n":null}'
    assert spec["content_type"] == "application/json"


def test_a_form_is_encoded_and_a_text_is_sent_as_it_is() -> None:
    assert ask(POST | {"form": {"a b": "{{x}}"}}, x="я&1").spec["body"] == "a%20b=%D1%8F%261"
    assert ask(POST | {"text": "id {{id}}"}).spec["body"] == "id 5"
    assert ask(POST).repeatable is False


def test_values_in_the_address_are_encoded() -> None:
    assert ask(GET, id="я 1").spec["url"] == "https://api.example/orders/%D1%8F%201"


@pytest.mark.parametrize(
    ("config", "variables", "code"),
    [
        ({"url": "{{u}}"}, {"u": "file:///etc/passwd"}, "bad_url"),
        ({"url": "{{u}}"}, {"u": ""}, "bad_url"),
        ({"url": "{{u}}"}, {"u": "https://a@b/"}, "bad_url"),
        ({"url": "{{u}}"}, {"u": "https://a/\r\nX: y"}, "bad_url"),
        ({"url": "{{u}}"}, {"u": "https://[/"}, "bad_url"),
        ({"url": "{{u}}"}, {"u": "https://a/" + "я" * 500}, "bad_url"),
        ({"headers": {"X-A": "{{u}}"}}, {"u": "a\r\nHost: b"}, "bad_header"),
        ({"method": "POST", "json": {str(n): "{{u}}" for n in range(10)}}, {"u": "я" * 15_000}, "body_too_large"),
    ],
)
def test_a_call_that_may_not_be_made_fails(config: dict[str, Any], variables: dict[str, Any], code: str) -> None:
    outcome = ask(GET | config, **variables)
    assert isinstance(outcome, Fail)
    assert outcome.code == code


def test_a_json_answer_is_a_value_and_another_one_a_text() -> None:
    outcome = answer(GET, 201, '{"sum": 10.50}')
    assert isinstance(outcome, Go)
    assert set(outcome.output) == set(block("http_request").outputs)
    assert outcome.output["body"] == {"sum": Number("10.50")}
    assert outcome.output["status"] == 201
    assert answer(GET, body="hello").output["body"] == "hello"
    assert len(answer(GET, body="я" * 100_000).output["body"].encode()) == 64 * 1024
    assert answer(GET, body="[" * 100_000).output["body"].startswith("[[[")


@pytest.mark.parametrize(
    ("expect", "status", "body", "code"),
    [
        (None, 404, "", "http_4xx"),
        (None, 503, "", "http_5xx"),
        (None, 302, "", None),
        (404, 404, "", None),
        ([200, 201], 202, "", "http_unexpected"),
        ([200], 500, "", "http_5xx"),
        ("json", 200, "<html>", "not_json"),
        ("json", 200, "[]", None),
        ("json", 400, "[]", "http_4xx"),
    ],
)
def test_an_answer_is_judged_by_what_was_expected(expect: Any, status: int, body: str, code: str | None) -> None:
    outcome = answer(GET | {"expect": expect}, status, body)
    assert getattr(outcome, "code", None) == code
    assert outcome.output["status"] == status


def test_a_call_that_did_not_come_back_fails_with_its_own_code() -> None:
    failed = answer(GET, response=None, error={"code": "timeout", "message": "No answer in 15 s."})
    assert (failed.code, failed.message) == ("timeout", "No answer in 15 s.")
    assert answer(POST, kind="interrupted").code == "interrupted"


@pytest.mark.parametrize(
    "config",
    [
        {"method": "TRACE"},
        {"text": "a"},
        {"method": "POST", "text": "a", "json": None},
        {"headers": {"Host": "a"}},
        {"headers": {"proxy-authorization": "a"}},
        {"headers": {"a b": "a"}},
        {"timeout_s": 16},
        {"retries": 4},
        {"headers": {f"X-{number}": "" for number in range(33)}},
        {"url": "https://a/" + "a" * 2048},
    ],
)
def test_requests_beyond_the_limits_are_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        block("http_request").Config.model_validate(GET | config)


def test_what_is_doubtful_is_told_before_publishing() -> None:
    assert found(url="ftp://a") == [("bad_url", "error")]
    assert found(headers={"Authorization": "Bearer abc"}) == [("secret_in_document", "warning")]
    assert found(headers={"Authorization": "Bearer {{const.key}}"}) == []
    assert found(method="POST", retries=1) == [("unsafe_retries", "warning")]
    assert found(method="POST", retries=1, headers={"Idempotency-Key": "{{run.id}}"}) == []
