"""Refusals of the API and the links: every error leaves as `application/problem+json` (RFC 9457).

What a stranger may read is decided here once: a code, one sentence, and a `trace_id` that finds the log entry. What
went wrong inside is only logged.
"""

from collections.abc import Callable
from typing import Any

import structlog
from flask import Flask, Response, current_app, g, has_request_context, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from hub.endpoints.parse import Refused
from hub.errors import HubError
from hub.ids import new_id
from hub.validation import errors_of
from hub.values import dumps_bytes
from hub.web.access.identity import asking
from hub.web.sentences import said

ErrorPage = Callable[[Response], Response]
"""Shows a problem to a person: an application's `extensions["hub.error_page"]`."""
MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5

_http: dict[int, tuple[str, str]] = {
    400: ("bad_request", "The request cannot be understood."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take this method."),
    406: ("not_acceptable", "No form of the answer that was asked for exists."),
    408: ("request_timeout", "The request did not arrive in time."),
    411: ("length_required", "The request must say how long it is."),
    413: ("body_too_large", "The body is too large."),
    414: ("query_too_long", "The address is too long."),
    415: ("unsupported_media_type", "This content type cannot be read here."),
    429: ("rate_limited", "There were too many requests; try again later."),
    431: ("headers_too_large", "The headers are too large."),
}


def problem(status: int, code: str, detail: str, **members: Any) -> Response:
    """An answer with the members of RFC 9457, `code`, `trace_id` and whatever else is given (None is left out).

    503 and 429 also say when to try again: member `retry_after`, in seconds.
    """
    if status in (429, 503):
        members.setdefault("retry_after", RETRY_AFTER_S)
    shown: dict[str, Any] = {
        "type": f"/problems/{code.replace('_', '-')}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": _in_words(detail),
        "instance": _instance(),
        "code": code,
        "trace_id": trace_id(),
    }
    shown |= {name: _in_words(value) for name, value in members.items() if value is not None}
    answer = Response(dumps_bytes(shown), status=status, content_type=f"{MEDIA_TYPE}; charset=utf-8")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    if "retry_after" in members:
        answer.headers["Retry-After"] = str(members["retry_after"])
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _in_words(told: Any) -> Any:
    """A sentence in the language of the person who is asking, and the messages of a list; programs are told English."""
    if not has_request_context() or asking() is None:
        return told
    if isinstance(told, list):
        return [one | {"message": said(one["message"])} if _has_message(one) else one for one in told]
    return said(told) if isinstance(told, str) else told


def _has_message(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("message"), str)


def trace_id() -> str:
    """The id by which the log knows the current request."""
    if not has_request_context():
        return new_id()
    found: str = g.setdefault("trace_id", new_id())
    return found


def of_error(error: Exception) -> Response:
    """The answer for any exception; one that nobody foresaw is logged and says nothing about itself."""
    made = _problem_of(error)
    painter: ErrorPage | None = current_app.extensions.get("hub.error_page")
    if painter is not None and made.status_code >= 400 and _for_a_person():
        return painter(made)
    return made


def _for_a_person() -> bool:
    """Programs are told in JSON, browsers that ask for a page get a page."""
    if request.path.startswith(("/api/", "/get", "/channels/", "/bitrix24/", "/metrics")):
        return False
    return request.accept_mimetypes.best_match(["application/problem+json", "application/json", "text/html"]) == (
        "text/html"
    )


def _problem_of(error: Exception) -> Response:
    if isinstance(error, HubError):
        return problem(error.status, error.code, error.message, **error.members)
    if isinstance(error, Refused):
        return problem(error.status, error.code, error.message, line=error.line, column=error.column)
    if isinstance(error, ValidationError):
        return problem(422, "validation", "The request cannot be kept like this.", errors=errors_of(error))
    if isinstance(error, HTTPException):
        return _of_http(error)
    structlog.get_logger("hub.web").error("unexpected_error", trace_id=trace_id(), exc_info=error)
    return problem(500, "internal", "Something went wrong here. It has been noted; please try again.")


def register(app: Flask) -> None:
    """Answer every error of an application this way."""
    app.register_error_handler(Exception, of_error)


def _of_http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        redirect = error.get_response()
        return Response(status=status, headers=dict(redirect.headers))
    code, detail = _http.get(status, ("internal" if status >= 500 else "refused", "The request was refused."))
    answer = problem(status, code, detail)
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        answer.headers["Allow"] = ", ".join(sorted(allowed))
    return answer


def _instance() -> str | None:
    """The address that was called, without anything secret: where a token is part of the path, its pattern."""
    if not has_request_context():
        return None
    if request.url_rule is not None and "token" in request.url_rule.arguments:
        return request.url_rule.rule
    return request.path[:200]
