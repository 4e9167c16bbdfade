"""The links: `/api/request/`, `/get/`, `/api/request/get_result/`, and a run's own `result_url`."""

from typing import Any

from flask import Blueprint, Flask, Response, current_app, request

from hub.clock import SECOND, now_us
from hub.endpoints.intake import NOT_FOUND, Arrived, Gone, Intake, Kept, Outcome
from hub.endpoints.parse import limits
from hub.endpoints.waiting import Waiting
from hub.ids import result_token, same
from hub.values import dumps_bytes
from hub.web.body import read_body
from hub.web.limiter import LinkRates
from hub.web.problems import problem

METHODS = ("GET", "POST", "PUT", "PATCH")
blueprint = Blueprint("hooks", __name__)


def register(app: Flask, intake: Intake, waiting: Waiting, rates: LinkRates) -> None:
    """Add the links to an application."""
    app.extensions["hub.intake"] = intake
    app.extensions["hub.waiting"] = waiting
    app.extensions["hub.rates"] = rates
    app.register_blueprint(blueprint)


@blueprint.before_request
def head_starts_nothing() -> Response | None:
    """Scanners and monitors send HEAD; Flask would take it for GET."""
    return Response(status=200) if request.method == "HEAD" else None


@blueprint.route("/api/request", methods=METHODS, strict_slashes=False)
@blueprint.route("/api/request/", methods=METHODS)
@blueprint.route("/get", methods=METHODS, strict_slashes=False)
@blueprint.route("/get/", methods=METHODS)
def usual() -> Response:
    """Store, start, answer at once."""
    arrived = _arrived()
    outcome = _accept(arrived, wait=False)
    return outcome if isinstance(outcome, Response) else _json(outcome.status, outcome.answer)


@blueprint.route("/api/request/get_result", methods=METHODS, strict_slashes=False)
@blueprint.route("/api/request/get_result/", methods=METHODS)
def result() -> Response:
    """Store, start, wait for the result."""
    arrived = _arrived()
    outcome = _accept(arrived, wait=True)
    if isinstance(outcome, Response):
        return outcome
    if outcome.run_id is None or outcome.wait_s is None:
        if outcome.status == 409:
            answer = outcome.answer
            return problem(409, answer["code"], answer["detail"], request=answer["request"])
        return _json(outcome.status, outcome.answer)
    waiting: Waiting = current_app.extensions["hub.waiting"]
    until = arrived.received_at + int(outcome.wait_s * SECOND)
    try:
        answered = waiting.follow(outcome.run_id, outcome.claimed, until)
    except LookupError:
        # An event's key is remembered for longer than a portal may keep its runs.
        return _json(outcome.status, outcome.answer)
    return _json(answered.status, answered.body)


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
    return _json(answered.status, answered.body)


def _arrived() -> Arrived:
    raw = b"" if request.method == "GET" else read_body(limits.body_bytes)
    return Arrived(
        method=request.method,
        query=request.query_string,
        body=raw,
        content_type=request.headers.get("Content-Type", ""),
        headers=dict(request.headers.items()),
        source=request.remote_addr or "",
        received_at=now_us(),
    )


def _accept(arrived: Arrived, *, wait: bool) -> Outcome | Response:
    intake: Intake = current_app.extensions["hub.intake"]
    rates: LinkRates = current_app.extensions["hub.rates"]
    if len(arrived.body) > limits.body_bytes:
        # Too large to keep: the caller learns it without a look at the token.
        return problem(413, "body_too_large", "The body is larger than 1 MiB.")
    wait_s = rates.caller(arrived.source)
    if wait_s is not None:
        return _too_many(wait_s)
    try:
        target = intake.target(arrived)
        wait_s = rates.link(target.scenario_id, target.portal_id)
        if wait_s is not None:
            return _too_many(wait_s)
        return intake.accept(arrived, target, wait=wait)
    except Gone:
        wait_s = rates.unknown(arrived.source)
        if wait_s is not None:
            return problem(429, "rate_limited", "Too many unknown links were tried.", retry_after=wait_s)
        return problem(404, "not_found", NOT_FOUND)
    except Kept as kept:
        refused = kept.refused
        return problem(
            refused.status,
            refused.code,
            refused.message,
            request=kept.request_id,
            line=refused.line,
            column=refused.column,
        )


def _too_many(wait_s: int) -> Response:
    return problem(429, "rate_limited", "Too many requests came at once; nothing was kept.", retry_after=wait_s)


def _json(status: int, answer: dict[str, Any]) -> Response:
    made = Response(dumps_bytes(answer), status=status, content_type="application/json; charset=utf-8")
    made.headers["Cache-Control"] = "no-store"
    return made
