"""What pages are given: a body of a size and within a time, and nothing that no database could keep."""

import io
from collections.abc import Iterator

from flask import request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from hub.web.body import read_body

BODY_LIMIT = 1 << 20


def check() -> None:
    """Read the whole body before anything looks for a form in it: Flask would wait for it for ever, and keep a file of
    any size.

    Raises RequestEntityTooLarge for more than 1 MiB, BadRequest for a zero byte in an address or a form, and what
    `read_body` raises.
    """
    raw = read_body(BODY_LIMIT)
    if len(raw) > BODY_LIMIT:
        raise RequestEntityTooLarge
    request.environ["wsgi.input"] = io.BytesIO(raw)
    request.environ["CONTENT_LENGTH"] = str(len(raw))
    # Of a chunked body Werkzeug would not know the length, and so not that a form is too long for it.
    request.environ.pop("HTTP_TRANSFER_ENCODING", None)
    if any("\0" in text for text in _given()):
        raise BadRequest


def _given() -> Iterator[str]:
    yield from (value for value in (request.view_args or {}).values() if isinstance(value, str))
    for values in (request.args, request.form):
        for name, texts in values.lists():
            yield name
            yield from texts
