"""What Bitrix24 posts, read within limits, and what every address here shares."""

from typing import Any

from flask import current_app, request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from hub.bitrix24.client import Bitrix24
from hub.bitrix24.verify import Forged
from hub.core import Hub
from hub.endpoints.parse import Refused, parse_body, parse_query
from hub.errors import HubError
from hub.runtime import Runtime
from hub.values import Value
from hub.web.body import read_body

BODY_LIMIT = 64 * 1024
FAILURES = RateLimitItemPerMinute(60)


class TooOften(HubError):
    """Too many claims from one address were not proven; each of them costs a question to Bitrix24."""

    status, code = 429, "rate_limited"

    def __init__(self) -> None:
        super().__init__("Too many requests that Bitrix24 does not confirm; try again later.", retry_after=60)


class TooLarge(HubError):
    """More than any portal posts."""

    status, code = 413, "body_too_large"

    def __init__(self) -> None:
        super().__init__("The body is larger than 64 KiB.")


def hub() -> Hub:
    """This process's Hub."""
    found: Hub = current_app.extensions["hub"]
    return found


def runtime() -> Runtime:
    """This process's parts."""
    found: Runtime = current_app.extensions["hub.runtime"]
    return found


def bitrix24() -> Bitrix24:
    """What calls to portals need."""
    return runtime().bitrix24


def fields() -> dict[str, Value]:
    """The form (PHP brackets nest) or the JSON object of the request.

    Raises Forged for anything else, TooLarge, and Refused for a body that broke off.
    """
    raw = read_body(BODY_LIMIT)
    if len(raw) > BODY_LIMIT:
        raise TooLarge
    try:
        value = parse_body(raw, request.headers.get("Content-Type"), tolerant=False).value
    except Refused:
        raise Forged from None
    if not isinstance(value, dict):
        raise Forged
    return value


def query() -> dict[str, Value]:
    """The parameters of the address. Raises Forged for what cannot be read."""
    try:
        return parse_query(request.query_string)
    except Refused:
        raise Forged from None


def admit() -> None:
    """Raises TooOften for an address from which too much came that was not proven."""
    limiter, source = _limiter()
    if not limiter.test(FAILURES, source):
        raise TooOften


def note_failure() -> None:
    """Count a claim that was not proven."""
    limiter, source = _limiter()
    limiter.hit(FAILURES, source)


def _limiter() -> tuple[FixedWindowRateLimiter, str]:
    extensions: dict[str, Any] = current_app.extensions
    found = extensions.setdefault("hub.bitrix24.failures", FixedWindowRateLimiter(MemoryStorage()))
    return found, request.remote_addr or ""
