"""The portal's pages: the desk to click on, the frame around an application's page, its script, and sign-in."""

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, jsonify, redirect, render_template, request, send_from_directory
from werkzeug.wrappers import Response as AnyResponse

from hub.sandbox.bitrix24 import frames
from hub.sandbox.bitrix24.model import App, Portal, User
from hub.sandbox.bitrix24.refusals import Refusal

if TYPE_CHECKING:
    from hub.sandbox.bitrix24.cloud import Cloud

STATIC = Path(__file__).parent / "static"
TEMPLATES = Path(__file__).parent / "templates"
FAULTS = (
    ("Событие потеряется", {"service": "bitrix24_events", "kind": "lost"}),
    ("Событие придёт дважды", {"service": "bitrix24_events", "kind": "twice"}),
    ("Событие опоздает на 10 с", {"service": "bitrix24_events", "kind": "late", "seconds": 10}),
    (
        "REST: слишком часто (503)",
        {"service": "bitrix24", "kind": "error", "code": "QUERY_LIMIT_EXCEEDED", "status": 503},
    ),
    ("REST: метод занят (429)", {"service": "bitrix24", "kind": "429"}),
    ("REST: страница 502", {"service": "bitrix24", "kind": "status", "status": 502}),
    ("REST: токен истёк", {"service": "bitrix24", "kind": "error", "code": "expired_token", "status": 401}),
    ("REST: отвечает через 5 с", {"service": "bitrix24", "kind": "slow", "seconds": 5}),
    ("REST: молчит", {"service": "bitrix24", "kind": "hang", "seconds": 30}),
    ("REST: сделает и оборвёт связь", {"service": "bitrix24", "kind": "hangup_after"}),
    (
        "OAuth: wrong_client (200)",
        {"service": "bitrix24_oauth", "kind": "error", "code": "wrong_client", "status": 200, "chat": "token"},
    ),
    ("OAuth: страница 502", {"service": "bitrix24_oauth", "kind": "status", "status": 502}),
)


def blueprint(cloud: "Cloud", portal: Portal) -> Blueprint:
    """The pages of one portal."""
    pages = Blueprint("desk", __name__)

    @pages.get("/")
    def desk() -> Response:
        return _page(render_template("desk.html", portal=portal, faults=FAULTS), "")

    @pages.get("/app/<client_id>/")
    def app_page(client_id: str) -> Response:
        """The portal's page around a page of the application; `placement`, `ID` and other options in the query."""
        options = {key: value for key, value in request.args.items() if key not in ("placement", "user", "finished")}
        return _around(client_id, request.args.get("placement", "DEFAULT"), options)

    @pages.get("/marketplace/view/<client_id>/")
    def app_link(client_id: str) -> Response:
        """A link to the application in notices and messages: its `params` are what the application is opened with."""
        named = ((re.fullmatch(r"params\[(\w+)\]", key), value) for key, value in request.args.items())
        options = {key[1]: value for key, value in named if key is not None}
        return _around(client_id, "REST_APP_URI", options)

    def _around(client_id: str, placement: str, options: dict[str, str]) -> Response:
        with cloud.lock:
            installation = portal.installations.get(client_id)
            user = _viewer(portal)
            try:
                if installation is None:
                    raise Refusal("NOT_INSTALLED", "Приложение не установлено.", 404)
                bound = next((row.handler for row in installation.placements if row.placement == placement), "")
                if placement != "DEFAULT" and not bound:
                    raise Refusal("ERROR_PLACEMENT_NOT_FOUND", "Это место приложение не занимало.", 404)
                frame = frames.render(
                    cloud,
                    portal,
                    installation,
                    user,
                    placement=placement,
                    url=bound,
                    options=options,
                    finished="finished" in request.args,
                )
            except Refusal as refusal:
                page = _page(render_template("notice.html", portal=portal, said=refusal.said), "")
                page.status_code = refusal.status
                return page
        return _page(render_template("frame.html", portal=portal, frame=frame, user=user), frame.origin)

    @pages.post("/_frame/<sid>/<command>")
    def command(sid: str, command: str) -> Response:
        asked = request.get_json(silent=True)
        try:
            return jsonify(frames.command(cloud, portal, sid, command, asked if isinstance(asked, dict) else {}))
        except Refusal as refusal:
            answered = jsonify(refusal.body())
            answered.status_code = refusal.status
            return answered

    @pages.get("/oauth/authorize/")
    def authorize() -> AnyResponse:
        client_id = request.args.get("client_id", "")
        with cloud.lock:
            app, installation = cloud.apps.get(client_id), portal.installations.get(client_id)
            if app is None or installation is None or not app.app_url:
                said = "Приложение не найдено или не установлено на этом портале."
                page = _page(render_template("notice.html", portal=portal, said=said), "")
                page.status_code = 400
                return page
            return redirect(_redirect(cloud, portal, app, _viewer(portal)), 302)

    @pages.get("/api/v1/")
    def script() -> Response:
        answered = send_from_directory(STATIC, "bx24.js", mimetype="text/javascript")
        answered.headers["Access-Control-Allow-Origin"] = "*"
        return answered

    @pages.get("/static/<name>")
    def static_file(name: str) -> Response:
        return send_from_directory(STATIC, name)

    def _viewer(here: Portal) -> User:
        wanted = request.args.get("user", "1")
        return here.users.get(int(wanted) if wanted.isdigit() else 1) or here.user(1)

    return pages


def _redirect(cloud: "Cloud", portal: Portal, app: App, user: User) -> str:
    query = {
        "code": cloud.tokens.code(app.client_id, portal.member_id, user.id, cloud.now()),
        "state": request.args.get("state", ""),
        "domain": portal.domain,
        "member_id": portal.member_id,
        "scope": ",".join(app.scope),
        "server_domain": urlsplit(cloud.oauth_url).netloc,
    }
    return app.app_url + ("&" if urlsplit(app.app_url).query else "?") + urlencode(query)


def _page(html: str, framed: str) -> Response:
    answered = Response(html, content_type="text/html; charset=utf-8")
    answered.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        f"frame-src 'self' {framed}; form-action 'self' {framed}; frame-ancestors 'self'"
    )
    return answered
