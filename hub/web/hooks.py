"""The links: `/api/request/`, `/get/`, `/api/request/get_result/`, and a run's own `result_url`.

Nearly all requests come by the first three, and none of them needs sessions, languages or a routing table. So they
are answered by a WSGI application of their own in front of Flask's, which costs a fraction of Flask's CPU. Only
refusals go through Flask, to be told like everywhere else.
"""

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, Response, current_app, request
from werkzeug.exceptions import MethodNotAllowed

from hub.clock import SECOND, now_us
from hub.endpoints.admission import Arrived
from hub.endpoints.intake import NOT_FOUND, Gone, Intake, Kept, Outcome
from hub.endpoints.parse import limits
from hub.endpoints.waiting import Answer, Waiting
from hub.ids import result_token, same
from hub.values import dumps_bytes
from hub.web.body import read_input, read_stream
from hub.web.limiter import LinkRates
from hub.web.problems import of_error, problem
from hub.web.proxies import TrustedProxies
from hub.web.security import HEADERS, secured

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

METHODS = ("GET", "POST", "PUT", "PATCH")
SILENT = ("HEAD", "OPTIONS")
"""Scanners and monitors send these; they start nothing."""
USUAL = frozenset({"/api/request", "/api/request/", "/get", "/get/"})
RESULT = frozenset({"/api/request/get_result", "/api/request/get_result/"})
_TYPE = "application/json; charset=utf-8"
_HEADERS = [("Content-Type", _TYPE), ("Cache-Control", "no-store"), *HEADERS]
_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
blueprint = Blueprint("hooks", __name__)


def register(app: Flask, intake: Intake, waiting: Waiting, rates: LinkRates) -> None:
    """Add the links to an application."""
    app.extensions["hub.waiting"] = waiting
    app.register_blueprint(blueprint)
    app.extensions["hub.links"] = links = Links(app, intake, waiting, rates)
    app.wsgi_app = links  # type: ignore[method-assign]


class Links:
    """WSGI middleware: answers at the links, and leaves every other address to the application.

    `hub.web.gunicorn_worker` goes past WSGI for what is plain at the links: `take`, and, should that raise, `refuse`.
    `proxies`: those in front of the whole application, whose middleware is passed by then, too.
    """

    paths = USUAL | RESULT
    headers = "".join(f"{name}: {value}\r\n" for name, value in _HEADERS) + "Content-Length: "

    def __init__(self, app: Flask, intake: Intake, waiting: Waiting, rates: LinkRates) -> None:
        self._app = app
        self._elsewhere = app.wsgi_app
        self._intake = intake
        self._waiting = waiting
        self._rates = rates
        self.proxies: TrustedProxies | None = None

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        path = environ.get("PATH_INFO", "")
        if path not in self.paths:
            return self._elsewhere(environ, start_response)
        try:
            answer = self._answer(_arrived(environ), wait=path in RESULT)
        except Exception as error:
            return self.refuse(error, environ, start_response)
        body = dumps_bytes(answer.body)
        start_response(_LINES[answer.status], [*_HEADERS, ("Content-Length", str(len(body)))])
        return [body]

    def take(
        self, request: Any, connection: Any, peer: str, fields: "Mapping[str, str]", *, announced: int, is_here: bool
    ) -> tuple[str, bytes]:
        """Status line and body for one of gunicorn's own requests at a link, whose body is `announced` bytes long and
        has come already (`is_here`) or not yet. `fields`: its headers by lower-case name. Raises as `refuse` takes."""
        answer = self._answer(
            Arrived(
                method=_method(request.method),
                query=request.query.encode("latin-1"),
                body=b""
                if request.method == "GET"
                else read_stream(lambda: request.body, announced, limits.body_bytes, connection, is_here=is_here),
                content_type=fields.get("content-type", ""),
                headers=fields,
                source=peer if self.proxies is None else self.proxies.caller(peer, fields.get("x-forwarded-for", "")),
                received_at=now_us(),
            ),
            wait=request.path in RESULT,
        )
        return _LINES[answer.status], dumps_bytes(answer.body)

    def refuse(
        self, error: Exception, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "Iterable[bytes]":
        """Tell the caller of a link what went wrong, as the application tells it everywhere."""
        with self._app.request_context(environ):
            return secured(_refusal(error))(environ, start_response)

    def _answer(self, arrived: Arrived, *, wait: bool) -> Answer:
        """Store and start; then answer at once, or `wait` for the result."""
        outcome = self._accept(arrived, wait=wait)
        if not wait:
            return Answer(outcome.status, outcome.answer)
        if outcome.run_id is None or outcome.wait_s is None:
            if outcome.status == 409:
                answer = outcome.answer
                raise _Refusal(409, answer["code"], answer["detail"], request=answer["request"])
            return Answer(outcome.status, outcome.answer)
        until = arrived.received_at + int(outcome.wait_s * SECOND)
        try:
            return self._waiting.follow(outcome, until)
        except LookupError:
            # An event's key is remembered for longer than a portal may keep its runs.
            return Answer(outcome.status, outcome.answer)

    def _accept(self, arrived: Arrived, *, wait: bool) -> Outcome:
        if len(arrived.body) > limits.body_bytes:
            # Too large to keep: the caller learns it without a look at the token.
            raise _Refusal(413, "body_too_large", "The body is larger than 1 MiB.")
        self._within(self._rates.caller(arrived.source))
        try:
            target = self._intake.target(arrived)
            self._within(self._rates.link(target.scenario_id, target.portal_id))
            return self._intake.accept(arrived, target, wait=wait)
        except Gone:
            self._within(self._rates.unknown(arrived.source), "Too many unknown links were tried.")
            raise _Refusal(404, "not_found", NOT_FOUND) from None

    @staticmethod
    def _within(wait_s: int | None, otherwise: str = "Too many requests came at once; nothing was kept.") -> None:
        if wait_s is not None:
            raise _Refusal(429, "rate_limited", otherwise, retry_after=wait_s)


class _Refusal(Exception):
    """A refusal as `problem` takes it."""

    def __init__(self, status: int, code: str, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.members = status, code, detail, members


def _refusal(error: Exception) -> Response:
    if isinstance(error, _Refusal):
        return problem(error.status, error.code, error.detail, **error.members)
    if isinstance(error, Kept):
        refused = error.refused
        members = {"request": error.request_id, "line": refused.line, "column": refused.column}
        return problem(refused.status, refused.code, refused.message, **members)
    if isinstance(error, MethodNotAllowed) and request.method in SILENT:
        return Response(headers={"Allow": ", ".join(error.valid_methods or ())})
    return of_error(error)


def _method(method: str) -> str:
    if method not in METHODS:
        raise MethodNotAllowed(valid_methods=[*METHODS, *SILENT])
    return method


def _arrived(environ: "WSGIEnvironment") -> Arrived:
    method = _method(environ["REQUEST_METHOD"])
    return Arrived(
        method=method,
        query=environ.get("QUERY_STRING", "").encode("latin-1"),
        body=b"" if method == "GET" else read_input(environ, limits.body_bytes),
        content_type=environ.get("CONTENT_TYPE", ""),
        headers={
            name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")
        },
        source=environ.get("REMOTE_ADDR", ""),
        received_at=now_us(),
    )


@blueprint.get("/api/request/result/<run_id>")
def later(run_id: str) -> Response:
    """The result of a run that outlasted the wait; known only to who was given this address."""
    waiting: Waiting = current_app.extensions["hub.waiting"]
    token = request.args.get("token", "")
    secret = current_app.extensions["hub"].settings.secret_key
    if not same(token, result_token(secret, run_id)):
        return problem(404, "not_found", NOT_FOUND)
    try:
        answered = waiting.answer(run_id)
    except LookupError:
        return problem(404, "not_found", NOT_FOUND)
    made = Response(dumps_bytes(answered.body), status=answered.status, content_type=_TYPE)
    made.headers["Cache-Control"] = "no-store"
    return made
