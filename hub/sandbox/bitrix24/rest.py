"""The portal's REST: reads a call in any encoding, checks it in the portal's order, and wraps the answer."""

import logging
import time
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, jsonify, request

from hub.sandbox.bitrix24 import batch, methods, php
from hub.sandbox.bitrix24.calls import Call, Method, Page, registry
from hub.sandbox.bitrix24.events import Hit
from hub.sandbox.bitrix24.faults import play_before
from hub.sandbox.bitrix24.model import Portal, Webhook
from hub.sandbox.bitrix24.refusals import Refusal
from hub.sandbox.faults import hang_up

if TYPE_CHECKING:
    from hub.sandbox.bitrix24.cloud import Cloud

log = logging.getLogger(__name__)
SERVICE = "bitrix24"
NO_AUTH = "Wrong authorization data"


def blueprint(cloud: "Cloud", portal: Portal) -> Blueprint:
    """The addresses under /rest of one portal."""
    pages = Blueprint("rest", __name__)
    methods.load()

    @pages.route("/rest/<path:path>", methods=["GET", "POST", "OPTIONS"], strict_slashes=False)
    def call(path: str) -> Response:
        if request.method == "OPTIONS":
            return _open_to_all(Response(status=200))
        here = request.environ["SERVER_PORT"] == portal.domain.rpartition(":")[2]
        if portal.moved_to or not here:
            query = f"?{request.query_string.decode()}" if request.query_string else ""
            return Response(
                status=302, headers={"Location": f"http://{portal.moved_to or portal.domain}/rest/{path}{query}"}
            )
        webhook, name = _split(portal, path)
        played = play_before(cloud.board, SERVICE, name)
        if played.answer is not None:
            cloud.note(**_record(portal, name, {}, "", 0, played.answer.status_code, "fault", "", 0))
            return _open_to_all(played.answer)
        status, body = answer(cloud, portal, name, read_params(), webhook, request.remote_addr or "")
        return hang_up() if played.hangs_up else _open_to_all(_json(body, status))

    return pages


def answer(
    cloud: "Cloud", portal: Portal, name: str, params: dict[str, Any], webhook: Webhook | bool | None, source: str
) -> tuple[int, dict[str, Any]]:
    """Carry a call out. Returns the status and the body, and writes it down.

    webhook: the incoming webhook it came through, False when its code is wrong, None for an application's token.
    """
    started, caller, user_id = time.time(), "", 0
    status, error, said = 200, "", ""
    body: dict[str, Any]
    with cloud.lock:
        try:
            if not cloud.limits.admit(portal.member_id, source, portal.burst, portal.rate, cloud.now()):
                raise Refusal("QUERY_LIMIT_EXCEEDED", "Too many requests", 503)
            method = _find(name)
            call = _identify(cloud, portal, params, webhook)
            caller = call.installation.app.client_id if call.installation else "webhook"
            user_id = call.user.id
            if method is None:
                body = batch.run(call, lambda inner: _perform(inner, caller))
                body["time"] = _time(cloud, portal, started, None)
            else:
                body = _perform((method, call), caller)
            call.hit.flush()
        except Refusal as refusal:
            status, error, said, body = refusal.status, refusal.code, refusal.said, refusal.body()
        cloud.note(
            **_record(portal, name, params, caller, user_id, status, error, said, int((time.time() - started) * 1000))
        )
    return status, body


def read_params() -> dict[str, Any]:
    """The parameters of the request: query, then form; JSON only where there is no form. PHP brackets nest."""
    params = php.decode(request.args.items(multi=True))
    form = list(request.form.items(multi=True))
    if form:
        return params | php.decode(form)
    if request.mimetype == "application/json":
        found = request.get_json(silent=True)
        if isinstance(found, dict):
            params |= found
    return params


def _split(portal: Portal, path: str) -> tuple[Webhook | bool | None, str]:
    """`1/code/crm.deal.get.json/` as the webhook and the method; None as the webhook without one."""
    parts = path.strip("/").split("/")
    name = parts[-1]
    for ending in (".json", ".xml"):
        name = name.removesuffix(ending)
    if len(parts) == 1:
        return None, name
    known = next((hook for hook in portal.webhooks if [str(hook.user_id), hook.code] == parts[:2]), None)
    return known or False, name


def _find(name: str) -> Method | None:
    """The method; None for `batch`. Raises Refusal."""
    return None if name.lower() == "batch" else registry.find(name)


def _identify(cloud: "Cloud", portal: Portal, params: dict[str, Any], webhook: Webhook | bool | None) -> Call:
    """Who calls, and for which application. Raises Refusal as the portal does. Takes the token out of the params."""
    bearer = request.headers.get("Authorization", "")
    given = params.pop("auth", None) or params.pop("access_token", None)
    if webhook is not None:
        if not isinstance(webhook, Webhook):
            raise Refusal("INVALID_CREDENTIALS", "Invalid request credentials", 401)
        user = portal.user(webhook.user_id)
        return Call(cloud, portal, user, webhook.scope, Hit(cloud, portal, user), params)
    if given is None and bearer.lower().startswith("bearer "):
        given = bearer[7:].strip()
    token = cloud.tokens.by_access.get(given) if isinstance(given, str) else None
    if token is None:
        raise Refusal("NO_AUTH_FOUND", NO_AUTH, 401)
    if token.expires <= cloud.now():
        raise Refusal("expired_token", "The access token provided has expired.", 401)
    installation = portal.installations.get(token.client_id)
    if installation is None and token.member_id == portal.member_id:
        raise Refusal("APPLICATION_NOT_FOUND", "Application not found", 401)
    if installation is None or token.revoked or token.member_id != portal.member_id:
        raise Refusal("invalid_token", "Unable to get application by token", 401)
    user = portal.user(token.user_id)
    if not user.active:
        raise Refusal("authorization_error", "Unable to authorize user", 401)
    if user.id in installation.barred:
        raise Refusal("user_access_error", "The user does not have access to the application", 403)
    if not installation.paid:
        raise Refusal("PAYMENT_REQUIRED", "Subscription has been ended", 401)
    hit = Hit(cloud, portal, user, token)
    hit.connector = str(params.get("auth_connector") or "")
    return Call(cloud, portal, user, installation.scope, hit, params, installation, token.access)


def _perform(inner: tuple[Method, Call], caller: str) -> dict[str, Any]:
    """Run one method and wrap its result. Raises Refusal."""
    method, call = inner
    cloud, portal = call.cloud, call.portal
    started = time.time()
    method.check(call)
    spent, _ = cloud.limits.operating(portal.member_id, caller, method.name, cloud.now())
    if spent > portal.operating_limit_s:
        raise Refusal("OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.", 429)
    method.check_caller(call)
    try:
        result = method.run(call)
    except Refusal:
        raise
    except Exception:
        # A bug of the simulator, or parameters of a shape that nobody thought of: the trace tells.
        log.exception("The simulated method %s failed", method.name)
        raise Refusal("INTERNAL_SERVER_ERROR", "Internal server error", 500) from None
    finally:
        took = time.time() - started + portal.operating_cost_s
        cloud.limits.add(portal.member_id, caller, method.name, took, cloud.now())
    body: dict[str, Any] = {"result": result.rows if isinstance(result, Page) else result}
    if isinstance(result, Page):
        body |= {"next": result.following} if result.following is not None else {}
        body |= {"total": result.total} if result.total is not None else {}
    operating = cloud.limits.operating(portal.member_id, caller, method.name, cloud.now())
    body["time"] = _time(cloud, portal, started, operating)
    return body


def _time(cloud: "Cloud", portal: Portal, started: float, operating: tuple[float, int] | None) -> dict[str, Any]:
    finished = time.time()
    ahead = cloud.now() - finished
    block: dict[str, Any] = {
        "start": started + ahead,
        "finish": finished + ahead,
        "duration": finished - started,
        "processing": finished - started,
        "date_start": cloud.stamp(portal, started + ahead),
        "date_finish": cloud.stamp(portal, finished + ahead),
    }
    if operating is not None:
        block |= {"operating_reset_at": operating[1], "operating": operating[0]}
    return block


def _record(
    portal: Portal,
    name: str,
    params: dict[str, Any],
    caller: str,
    user_id: int,
    status: int,
    error: str,
    said: str,
    ms: int,
) -> dict[str, Any]:
    kept = {key: value for key, value in params.items() if key not in ("auth", "access_token")}
    return {
        "portal": portal.domain,
        "method": name,
        "params": kept,
        "caller": caller,
        "user_id": user_id,
        "status": status,
        "error": error,
        "said": said,
        "ms": ms,
    }


def _json(body: dict[str, Any], status: int) -> Response:
    answered = jsonify(body)
    answered.status_code = status
    return answered


def _open_to_all(answered: Response) -> Response:
    answered.headers["Access-Control-Allow-Origin"] = "*"
    answered.headers["Access-Control-Allow-Headers"] = "origin, content-type, accept, authorization"
    return answered
