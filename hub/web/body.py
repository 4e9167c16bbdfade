"""Reading a request's body: all of it or a refusal, since half an event must never be taken for a whole one."""

from flask import request
from gunicorn.http.errors import ParseException

from hub.endpoints.parse import Refused


def read_body(limit: int) -> bytes:
    """The body, or its first `limit` + 1 bytes when it is longer, so that the caller sees that it is too long.

    Raises Refused 400 `incomplete_body` when the caller hung up early or chunked the body wrongly.
    """
    try:
        raw = request.stream.read(limit + 1)
    except (ParseException, OSError, ValueError):
        raise _incomplete() from None
    announced = request.content_length
    if announced is not None and len(raw) < min(announced, limit + 1):
        raise _incomplete()
    return raw


def _incomplete() -> Refused:
    return Refused("incomplete_body", 400, "The body broke off before its end, so nothing of it was kept.")
