"""Reading a request's body: all of it or a refusal, since half an event must never be taken for a whole one."""

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

from flask import request
from gunicorn.http.errors import ParseException
from werkzeug.wsgi import get_content_length, get_input_stream

from hub.endpoints.parse import Refused

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

WHOLE_BODY_S = 30.0


def read_body(limit: int) -> bytes:
    """The body of Flask's current request; see `read_input`."""
    return read_input(request.environ, limit)


def read_input(environ: "WSGIEnvironment", limit: int) -> bytes:
    """The body, or its first `limit` + 1 bytes when it is longer, so that the caller sees that it is too long.

    Raises Refused 400 `incomplete_body` when the caller hung up early or chunked the body wrongly, 408
    `request_timeout` when the whole of it takes more than 30 seconds.
    """
    announced = get_content_length(environ)
    return read_stream(lambda: get_input_stream(environ), announced, limit, environ.get("gunicorn.socket"))


def read_stream(
    stream: Callable[[], Any], announced: int | None, limit: int, connection: Any, *, is_here: bool = False
) -> bytes:
    """`read_input` for a stream of `announced` bytes that comes over a connection. `is_here`: all of it has come."""
    try:
        with nullcontext() if is_here else _in_time(connection):
            raw: bytes = stream().read(limit + 1)
    except (ParseException, OSError, ValueError):
        raise _incomplete() from None
    if announced is not None and len(raw) < min(announced, limit + 1):
        raise _incomplete()
    return raw


@contextmanager
def _in_time(connection: Any) -> Iterator[None]:
    """Under gevent, end a body that drips in; elsewhere (tests) nothing drips."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None or not monkey.is_module_patched("socket"):
        yield
        return
    import gevent

    timeout = gevent.Timeout(WHOLE_BODY_S)
    timeout.start()
    try:
        yield
    except gevent.Timeout as caught:
        if caught is not timeout:
            raise
        if connection is not None:
            # Else gunicorn would go on reading what is left of the body before the next request.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
        message = "The body took more than 30 seconds, so nothing of it was kept."
        raise Refused("request_timeout", 408, message) from None
    finally:
        timeout.close()


def _incomplete() -> Refused:
    return Refused("incomplete_body", 400, "The body broke off before its end, so nothing of it was kept.")
