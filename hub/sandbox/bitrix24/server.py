"""Serves the simulated Bitrix24: every portal on a port of its own under `localhost`, the OAuth server on 127.0.0.1."""

import hashlib
from typing import Any

from flask import Flask, Response, request

from hub.sandbox.bitrix24 import control, desk, oauth, rest
from hub.sandbox.bitrix24.cloud import Cloud
from hub.sandbox.bitrix24.model import App, Portal
from hub.sandbox.faults import Board
from hub.sandbox.listening import Listener

FIRST_MEMBER = hashlib.md5(b"hubline sandbox", usedforsecurity=False).hexdigest()
DEMO_CLIENT_ID = "local.6a1b2c3d4e5f60.71829304"
DEMO_CLIENT_SECRET = "sandbox-only-secret"  # noqa: S105 - only the simulated OAuth server knows this application
DEMO_SCOPE = ("crm", "placement", "bizproc", "messageservice", "im", "imopenlines", "imconnector", "user_brief")


class Bitrix24:
    """A running portal and its OAuth server; ports of 0 take free ones.

    `app_url` is the root of the application (the product), registered under DEMO_CLIENT_ID; a test may register
    another by `cloud.add_app`. Raises OSError when a port is busy.
    """

    def __init__(
        self, portal_port: int = 0, oauth_port: int = 0, board: Board | None = None, app_url: str = ""
    ) -> None:
        self.board = board or Board()
        self.cloud = Cloud(self.board)
        self._oauth = Listener(oauth_port)
        self._portals: list[Listener] = []
        self._started = False
        self.cloud.oauth_url = f"http://127.0.0.1:{self._oauth.port}"
        self._oauth.open(_app("oauth", oauth.blueprint(self.cloud)))
        self.cloud.make_portal, self.cloud.move_portal = self.add_portal, self.move_portal
        try:
            self.portal = self.add_portal(portal_port, member_id=FIRST_MEMBER)
        except OSError:
            self._oauth.stop()
            raise
        self.app = self.cloud.add_app(demo_app(app_url))

    def add_portal(self, port: int = 0, **more: Any) -> Portal:
        """Another portal at its own address `localhost:port`; `more` are fields of Portal."""
        listener = Listener(port)
        domain = f"localhost:{listener.port}"
        more.setdefault("member_id", hashlib.md5(domain.encode(), usedforsecurity=False).hexdigest())
        portal = self.cloud.add_portal(domain, **more)
        self._serve(listener, portal)
        return portal

    def move_portal(self, portal: Portal, port: int = 0) -> str:
        """Give a portal a new domain; REST at the old one answers 302 from now on. Returns the new domain."""
        listener = Listener(port)
        with self.cloud.lock:
            portal.domain = f"localhost:{listener.port}"
        self._serve(listener, portal)
        return portal.domain

    def _serve(self, listener: Listener, portal: Portal) -> None:
        pages = (rest.blueprint(self.cloud, portal), desk.blueprint(self.cloud, portal))
        listener.open(_app("portal", *pages, control.blueprint(self.cloud, portal)))
        self._portals.append(listener)
        if self._started:
            listener.start("bitrix24-portal")

    @property
    def spots(self) -> list[str]:
        """The `ip:port` of every address `localhost` may mean, as HUB_EGRESS_ALLOW wants them."""
        ports = [self._oauth.port, *(listener.port for listener in self._portals)]
        return [f"{ip}:{port}" for port in ports for ip in ("127.0.0.1", "[::1]")]

    def start(self) -> "Bitrix24":
        """Serve in threads."""
        self._started = True
        self._oauth.start("bitrix24-oauth")
        for listener in self._portals:
            listener.start("bitrix24-portal")
        return self

    def stop(self) -> None:
        """Stop serving; what still waits to be delivered is lost."""
        self.board.stopping.set()
        self.cloud.stop()
        for listener in (self._oauth, *self._portals):
            listener.stop()


def demo_app(app_url: str) -> App:
    """The product as an application whose pages are under `app_url`."""
    base = app_url.rstrip("/")
    return App(
        client_id=DEMO_CLIENT_ID,
        client_secret=DEMO_CLIENT_SECRET,
        app_url=f"{base}/bitrix24/app" if base else "",
        install_url=f"{base}/bitrix24/install" if base else "",
        scope=list(DEMO_SCOPE),
    )


def _app(name: str, *pages: Any) -> Flask:
    app = Flask(f"hub.sandbox.bitrix24.{name}", static_folder=None, template_folder=str(desk.TEMPLATES))
    app.json.sort_keys = False  # type: ignore[attr-defined]
    for blueprint in pages:
        app.register_blueprint(blueprint)

    @app.after_request
    def headers(answer: Response) -> Response:
        answer.headers.setdefault("X-Content-Type-Options", "nosniff")
        answer.headers.setdefault("Content-Security-Policy", "default-src 'none'")
        if request.path.startswith("/rest"):
            answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    return app
