"""The OAuth server: tokens for codes and refresh tokens, and `app.info` to prove a token by."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, request

from hub.sandbox.bitrix24.faults import play_before
from hub.sandbox.bitrix24.model import App, Installation, Portal
from hub.sandbox.bitrix24.refusals import Refusal
from hub.sandbox.bitrix24.tokens import Token
from hub.sandbox.faults import hang_up

if TYPE_CHECKING:
    from hub.sandbox.bitrix24.cloud import Cloud

SERVICE = "bitrix24_oauth"


def blueprint(cloud: "Cloud") -> Blueprint:
    """The addresses /oauth/token/ and /rest/app.info."""
    pages = Blueprint("oauth", __name__)

    @pages.route("/oauth/token", methods=["GET", "POST"], strict_slashes=False)
    @pages.route("/oauth/token/", methods=["GET", "POST"])
    def token() -> Response:
        given = {**request.args.to_dict(), **request.form.to_dict()}
        return _answer(cloud, "token", lambda: _token(cloud, given), given.get("client_id", ""))

    @pages.route("/rest/<name>", methods=["GET", "POST"], strict_slashes=False)
    @pages.route("/rest/<name>/", methods=["GET", "POST"])
    def info(name: str) -> Response:
        body: Any = request.get_json(silent=True) if request.mimetype == "application/json" else None
        given = {**request.args.to_dict(), **request.form.to_dict(), **(body if isinstance(body, dict) else {})}
        method = name.removesuffix(".json")

        def run() -> dict[str, Any]:
            if method != "app.info":
                raise Refusal("ERROR_METHOD_NOT_FOUND", "Method not found!", 404)
            return _app_info(cloud, given.get("auth"))

        return _answer(cloud, method, run, "")

    return pages


def _answer(cloud: "Cloud", what: str, run: Any, caller: str) -> Response:
    played = play_before(cloud.board, SERVICE, what)
    if played.answer is not None:
        return played.answer
    status, error, said = 200, "", ""
    with cloud.lock:
        try:
            body = run()
        except Refusal as refusal:
            status, error, said, body = refusal.status, refusal.code, refusal.said, refusal.body()
        cloud.note(
            portal="oauth",
            method=what,
            params={},
            caller=caller,
            user_id=0,
            status=status,
            error=error,
            said=said,
            ms=0,
        )
    if played.hangs_up:
        return hang_up()
    answered = jsonify(body)
    answered.status_code = status
    return answered


def _token(cloud: "Cloud", given: dict[str, Any]) -> dict[str, Any]:
    grants = {"authorization_code": "code", "refresh_token": "refresh_token"}
    grant = given.get("grant_type", "")
    for name in ("grant_type", "client_id", "client_secret"):
        if not given.get(name):
            raise Refusal("invalid_request", f'No "{name}" parameter found')
    if grant not in grants:
        raise Refusal("invalid_request", "Unsupported grant type")
    secret = given.get(grants[grant])
    if not secret:
        raise Refusal("invalid_request", f'No "{grants[grant]}" parameter found')
    app = cloud.apps.get(given["client_id"])
    if app is None:
        raise Refusal("wrong_client", status=200)
    if given["client_secret"] != app.client_secret:
        raise Refusal("invalid_client", "Client secret is wrong")
    store = cloud.tokens
    held = store.by_refresh.get(secret) or store.codes.get(secret)
    if held is not None and held.client_id == app.client_id:
        _demand_installed(cloud, app, held.member_id)
    if grant == "refresh_token":
        token = store.rotate(secret, app.client_id, cloud.now())
    else:
        token = store.redeem(secret, app.client_id, cloud.now())
    if token is None:
        raise Refusal("invalid_grant", "The refresh token or code is wrong, expired or was used before")
    return _token_body(cloud, app, token)


def _demand_installed(cloud: "Cloud", app: App, member_id: str) -> tuple[Portal, Installation]:
    portal = cloud.portals.get(member_id)
    installation = portal.installations.get(app.client_id) if portal is not None else None
    if portal is None or installation is None:
        raise Refusal("NOT_INSTALLED", "Application is not installed", 401)
    if not installation.paid:
        raise Refusal("PAYMENT_REQUIRED", "Subscription has been ended", 401)
    return portal, installation


def _token_body(cloud: "Cloud", app: App, token: Token) -> dict[str, Any]:
    portal, installation = _demand_installed(cloud, app, token.member_id)
    return {
        "access_token": token.access,
        "expires": int(token.expires),
        "expires_in": round(token.expires - cloud.now()),
        "scope": ",".join(installation.scope),
        "domain": urlsplit(cloud.oauth_url).netloc,
        "server_endpoint": cloud.server_endpoint,
        "status": app.status,
        "client_endpoint": portal.client_endpoint,
        "member_id": portal.member_id,
        "user_id": token.user_id,
        "refresh_token": token.refresh,
    }


def _app_info(cloud: "Cloud", access: Any) -> dict[str, Any]:
    token = cloud.tokens.by_access.get(access) if isinstance(access, str) else None
    if token is None:
        raise Refusal("invalid_client", "The access token is wrong")
    if token.expires <= cloud.now():
        raise Refusal("expired_token", "The access token provided has expired.")
    app = cloud.apps.get(token.client_id)
    portal = cloud.portals.get(token.member_id)
    installation = portal.installations.get(token.client_id) if portal is not None else None
    if app is None or portal is None or installation is None or token.revoked:
        raise Refusal("NOT_INSTALLED", "Application is not installed", 401)
    scope = ",".join(installation.scope)
    now = cloud.now()
    return {
        "result": {
            "client_id": app.client_id,
            "scope": scope,
            "expires": datetime.fromtimestamp(int(token.expires), UTC).isoformat(),
            "install": {
                "installed": installation.installed,
                "version": str(installation.version),
                "status": app.status,
                "scope": scope,
                "domain": portal.domain,
                "uri": portal.url,
                "client_endpoint": portal.client_endpoint,
                "member_id": portal.member_id,
                "member_type": "P",
            },
            "user_id": str(token.user_id),
        },
        "time": {
            "start": now,
            "finish": now,
            "duration": 0.0,
            "processing": 0.0,
            "date_start": datetime.fromtimestamp(int(now), UTC).isoformat(),
            "date_finish": datetime.fromtimestamp(int(now), UTC).isoformat(),
        },
    }
