"""What a portal refuses is told by its code, whatever the status, and by what has to be done next."""

from typing import Any

import pytest

from connectors.bitrix24 import errors, php
from connectors.bitrix24.errors import refusal
from connectors.errors import LineDown, RateLimited, Rejected, Temporary, Unconfirmed

KINDS: list[tuple[str, int, type[Exception]]] = [
    ("expired_token", 401, errors.TokenExpired),
    ("expired_token", 200, errors.TokenExpired),
    ("invalid_token", 401, errors.TokenExpired),
    ("NO_AUTH_FOUND", 401, errors.TokenExpired),
    ("invalid_grant", 400, errors.Disconnected),
    ("invalid_client", 400, errors.Disconnected),
    ("wrong_client", 200, errors.Disconnected),
    ("NOT_INSTALLED", 401, errors.Disconnected),
    ("ERROR_OAUTH", 401, errors.Disconnected),
    ("APPLICATION_NOT_FOUND", 401, errors.Disconnected),
    ("PORTAL_DELETED", 410, errors.Disconnected),
    ("PORTAL_DELETED", 500, errors.Disconnected),
    ("authorization_error", 401, errors.UserRefused),
    ("user_access_error", 403, errors.UserRefused),
    ("PAYMENT_REQUIRED", 401, errors.PaymentRequired),
    ("QUERY_LIMIT_EXCEEDED", 503, errors.Busy),
    ("OVERLOAD_LIMIT", 503, errors.Busy),
    ("OPERATION_TIME_LIMIT", 429, errors.MethodBlocked),
    ("ACCESS_DENIED", 403, errors.Denied),
    ("ACCESS_DENIED", 400, errors.Denied),
    ("insufficient_scope", 401, errors.Denied),
    ("INVALID_CREDENTIALS", 403, errors.Denied),
    ("WRONG_AUTH_TYPE", 403, errors.Denied),
    ("WRONG_LICENSE", 403, errors.Denied),
    ("METHOD_CONFIRM_WAITING", 401, errors.Denied),
    ("NOT_FOUND", 400, errors.Missing),
    ("ERROR_METHOD_NOT_FOUND", 404, errors.NoSuchMethod),
    ("ERROR_ARGUMENT", 200, errors.Refused),
    ("ERROR_CORE", 400, errors.Refused),
    ("100", 400, errors.Refused),
    ("INTERNAL_SERVER_ERROR", 500, Unconfirmed),
    ("SOMETHING_NEW", 500, Unconfirmed),
    ("SOMETHING_NEW", 400, errors.Refused),
]


@pytest.mark.parametrize(("code", "status", "kind"), KINDS)
def test_the_code_decides_what_is_done_next(code: str, status: int, kind: type[Exception]) -> None:
    error = refusal({"error": code, "error_description": "Words."}, status)
    assert type(error) is kind
    assert (error.code, error.status) == (code, status)
    assert "Words." in error.message


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Not found", errors.Missing),
        ("Access denied", errors.Denied),
        ("ID is not defined or invalid", errors.Refused),
        ("", errors.Refused),
    ],
)
def test_an_empty_code_is_an_error_too_and_its_words_decide(said: str, kind: type[Exception]) -> None:
    assert type(refusal({"error": "", "error_description": said}, 400)) is kind


def test_every_kind_tells_what_the_house_does_with_it() -> None:
    """By the classes that scenarios and the outbox know."""
    assert issubclass(errors.TokenExpired, Temporary)
    assert issubclass(errors.Disconnected, LineDown)
    assert issubclass(errors.PaymentRequired, LineDown)
    assert issubclass(errors.Busy, RateLimited)
    assert issubclass(errors.MethodBlocked, RateLimited)
    assert issubclass(errors.Missing, Rejected)


def test_a_blocked_method_tells_until_when_if_the_portal_does() -> None:
    body: dict[str, Any] = {"error": "OPERATION_TIME_LIMIT", "time": {"operating_reset_at": 1790000600}}
    told, untold = refusal(body, 429), refusal({"error": "OPERATION_TIME_LIMIT"}, 429)
    assert isinstance(told, errors.MethodBlocked)
    assert isinstance(untold, errors.MethodBlocked)
    assert (told.until, untold.until) == (1790000600, None)


def test_an_overloaded_portal_is_left_alone_for_longer_than_a_busy_one() -> None:
    busy, overloaded = refusal({"error": "QUERY_LIMIT_EXCEEDED"}, 503), refusal({"error": "OVERLOAD_LIMIT"}, 503)
    assert isinstance(busy, errors.Busy)
    assert isinstance(overloaded, errors.Busy)
    assert overloaded.retry_after_s > 100 * busy.retry_after_s


@pytest.mark.parametrize("code", [None, 7, [], {}, {"code": "ACCESS_DENIED"}])
def test_a_code_of_an_odd_type_is_an_error_and_no_crash(code: Any) -> None:
    assert isinstance(refusal({"error": code, "error_description": ["odd"]}, 400), Rejected)


def test_params_are_written_with_brackets_and_encoded() -> None:
    params = {"id": 42, "filter": {">=DATE": "2026-09-01"}, "select": ["ID", "UF_*"], "phone": "+1555", "yes": True}
    assert php.encode(params) == (
        "id=42&filter%5B%3E%3DDATE%5D=2026-09-01&select%5B0%5D=ID&select%5B1%5D=UF_%2A&phone=%2B1555&yes=1"
    )
    assert php.encode({"none": None, "no": False, "empty": []}) == "none=&no=0"


def test_empty_maps_that_php_writes_as_lists_are_maps_again() -> None:
    assert php.as_map([]) == {}
    assert php.as_map(["a", "b"]) == {"0": "a", "1": "b"}
    assert php.as_map({"a": 1}) == {"a": 1}
    assert php.as_map(None) == {}
