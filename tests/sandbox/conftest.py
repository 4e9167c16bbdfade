"""A running portal, an application that takes what the portal posts, and short ways to call both."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from flask import Flask, Response, request

from hub.sandbox.bitrix24 import php
from hub.sandbox.bitrix24.server import Bitrix24
from hub.sandbox.listening import Listener
from tests.processes import wait_until


class Application:
    """Stands for the product: keeps every form that is posted to it, by path, and answers 200 (or what is set)."""

    def __init__(self) -> None:
        self.forms: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.status = 200
        self.location = ""
        self.entered = threading.Event()
        self.release = threading.Event()
        self.release.set()
        self._listener = Listener()
        app = Flask("application", static_folder=None)

        @app.route("/<path:path>", methods=["GET", "POST"])
        def take(path: str) -> Response:
            self.entered.set()
            self.release.wait(20)
            body = php.decode(request.form.items(multi=True))
            self.forms.append((path, body, {"type": request.mimetype, "agent": request.user_agent.string}))
            return Response("ok", self.status, {"Location": self.location} if self.location else {})

        self._listener.open(app)
        self._listener.start("application")
        self.url = f"http://127.0.0.1:{self._listener.port}"

    def got(self, path: str, count: int = 1) -> list[dict[str, Any]]:
        """The forms posted to a path, once there are `count` of them."""
        wait_until(lambda: len(self._bodies(path)) >= count, what=f"{count} forms at {path}")
        return self._bodies(path)

    def _bodies(self, path: str) -> list[dict[str, Any]]:
        return [body for at, body, _ in list(self.forms) if at == path]

    def stop(self) -> None:
        self.release.set()
        self._listener.stop()


class Portal:
    """A portal as an application sees it, and its control addresses."""

    def __init__(self, bitrix: Bitrix24, application: Application, session: requests.Session) -> None:
        self.bitrix, self.application, self._session = bitrix, application, session
        self.url, self.oauth = bitrix.portal.url, bitrix.cloud.oauth_url
        self.token = self.refresh = ""

    def control(self, action: str, *, on: str = "", **body: Any) -> Any:
        answer = self._session.post(f"{on or self.url}/_control/{action}", json=body, timeout=30)
        assert answer.headers["Content-Type"].startswith("application/json"), answer.text
        return answer.json()

    def read(self, what: str) -> Any:
        return self._session.get(f"{self.url}/_control/{what}", timeout=30).json()

    def install(self, *, finish: bool = True, **more: Any) -> Any:
        """Install, take the tokens of the first page, and end the wizard."""
        installed = self.control("install", **more)
        frame = installed["frame"]
        self.token, self.refresh = frame["fields"]["AUTH_ID"], frame["fields"]["REFRESH_ID"]
        if finish:
            self.control(f"frame/{frame['sid']}/setInstallFinish")
        return installed

    def call(self, method: str, *, token: str | None = None, on: str = "", **params: Any) -> requests.Response:
        body = {"auth": self.token if token is None else token, **params}
        return self._session.post(f"{on or self.url}/rest/{method}", json=body, timeout=30, allow_redirects=False)

    def result(self, method: str, **params: Any) -> Any:
        answer = self.call(method, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def refused(self, method: str, **params: Any) -> tuple[int, str]:
        answer = self.call(method, **params)
        return answer.status_code, answer.json()["error"]

    def get(self, url: str, **query: Any) -> requests.Response:
        return self._session.get(url, params=query, timeout=30, allow_redirects=False)

    def post(self, url: str, **options: Any) -> requests.Response:
        return self._session.post(url, timeout=30, allow_redirects=False, **options)


@pytest.fixture(scope="module")
def bitrix() -> Iterator[Bitrix24]:
    running = Bitrix24().start()
    yield running
    running.stop()


@pytest.fixture
def application() -> Iterator[Application]:
    running = Application()
    yield running
    running.stop()


@pytest.fixture
def portal(bitrix: Bitrix24, application: Application) -> Iterator[Portal]:
    """A portal on its first day, where nothing is limited and the application is registered but not installed."""
    with requests.Session() as session:
        session.trust_env = False
        running = Portal(bitrix, application, session)
        running.control("reset")
        running.control("portal", burst=0, modern=True, plan="pro", moved_to="", operating_cost_s=0.0)
        running.control("portal", features=["rest_offline_extended", "rest_auth_connector"], operating_limit_s=480.0)
        running.control(
            "app",
            client_id=bitrix.app.client_id,
            app_url=f"{application.url}/app",
            install_url=f"{application.url}/install",
            scope=list(bitrix.app.scope),
            api_only=False,
            status="L",
            version=1,
        )
        yield running


@pytest.fixture
def installed(portal: Portal) -> Portal:
    """A portal with the application installed by the administrator."""
    portal.install()
    return portal
