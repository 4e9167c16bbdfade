"""A simulated portal and its OAuth server, and a product that is connected with them."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors.bitrix24.oauth import AppInfo
from hub.bitrix24 import connections
from hub.bitrix24.client import Bitrix24, PortalClient
from hub.clock import now_us
from hub.core import Hub
from hub.portals.models import Portal, Stamp
from hub.sandbox.bitrix24 import lifecycle
from hub.sandbox.bitrix24 import model as simulated
from hub.sandbox.bitrix24.server import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET
from hub.sandbox.bitrix24.server import Bitrix24 as Simulator
from hub.settings import Settings


@pytest.fixture(scope="module")
def _simulator() -> Iterator[Simulator]:
    running = Simulator().start()
    yield running
    running.stop()


@pytest.fixture
def simulator(_simulator: Simulator) -> Simulator:
    """A portal on its first day that limits nothing, with the application registered and not installed."""
    control(_simulator, "reset")
    control(_simulator, "portal", burst=0, modern=True, plan="pro", moved_to="", operating_cost_s=0.0)
    _simulator.cloud.tokens.refreshes = 0
    return _simulator


@pytest.fixture
def settings(database_url: str, tmp_path: Path, _simulator: Simulator, sandbox_port: int) -> Settings:
    """Settings of a product that knows the simulated portal's application."""
    return portal_settings(_simulator, database_url, tmp_path, sandbox_port)


def portal_settings(simulator: Simulator, database_url: str, folder: Path, sandbox_port: int) -> Settings:
    """The same for whoever has started everything himself."""
    return Settings(
        database_url=database_url,
        instance_dir=folder / "instance",
        secret_key="a secret key for tests only",
        encryption_keys=("an encryption key for tests only",),
        public_url="https://hub.test",
        egress_allow=(f"127.0.0.1:{sandbox_port}", *simulator.spots),
        bitrix24_client_id=DEMO_CLIENT_ID,
        bitrix24_client_secret=DEMO_CLIENT_SECRET,
        bitrix24_oauth_urls=(simulator.cloud.oauth_url,),
        bitrix24_js_url=f"{simulator.portal.url}/api/v1/",
        testing=True,
    )


def bitrix24_environment(settings: Settings) -> dict[str, str]:
    """What a process of the product needs beside `tests.processes.environment` to call the simulated portal."""
    return {
        "HUB_PUBLIC_URL": settings.public_url,
        "HUB_BITRIX24_CLIENT_ID": settings.bitrix24_client_id,
        "HUB_BITRIX24_CLIENT_SECRET": settings.bitrix24_client_secret,
        "HUB_BITRIX24_OAUTH_URLS": ",".join(settings.bitrix24_oauth_urls),
        "HUB_LEASE_S": "2",
    }


def control(simulator: Simulator, action: str, **body: Any) -> Any:
    """One of the simulator's control addresses."""
    answer = requests.post(f"{simulator.portal.url}/_control/{action}", json=body, timeout=30)
    answer.raise_for_status()
    return answer.json()


@dataclass
class Connected:
    """A portal of the simulator that the product is connected with, by the tokens of its administrator."""

    hub: Hub
    bitrix24: Bitrix24
    simulator: Simulator
    portal_id: int
    portal: simulated.Portal

    @property
    def client(self) -> PortalClient:
        """Calls to the portal."""
        return self.bitrix24.client(self.portal_id)

    def calls(self, method: str = "") -> list[Any]:
        """What the portal and the OAuth server were asked, of one method if named."""
        return [call for call in list(self.simulator.cloud.calls) if not method or call.method == method]

    def state(self) -> str:
        """The portal's state as the product has it."""
        with self.hub.db.sql() as sql:
            row = sql.one("SELECT state FROM portal WHERE id = ?", (self.portal_id,))
        assert row is not None
        return str(row[0])

    def one(self, query: str, *values: Any) -> Any:
        """The first column of the first row."""
        with self.hub.db.sql() as sql:
            row = sql.one(query, values)
        return None if row is None else row[0]

    def expire(self, *, refresh: bool = False) -> None:
        """Let the access tokens be over, or with `refresh` the refresh tokens."""
        self.simulator.cloud.tokens.expire(
            DEMO_CLIENT_ID, self.portal.member_id, self.simulator.cloud.now(), refresh=refresh
        )

    def tokens_end(self) -> None:
        """Let the product believe that its access tokens are over, as after an hour."""
        self.hub.db.writer.run(lambda sql: sql.run("UPDATE bitrix24_token SET expires_at = ?", (now_us(),)))

    def give_tokens(self, user_id: int = 1) -> None:
        """Store new tokens of a user, as opening the application does."""
        cloud = self.simulator.cloud
        pair = cloud.tokens.mint(DEMO_CLIENT_ID, self.portal.member_id, user_id, cloud.now())
        admin = self.portal.users[user_id].admin
        self.hub.db.writer.run(
            lambda sql: self.bitrix24.tokens.store(
                sql,
                self.portal_id,
                user_id,
                access=pair.access,
                refresh=pair.refresh,
                expires_in=3600,
                admin=admin,
                name="Anna",
            )
        )


def connect(hub: Hub, simulator: Simulator, portal: simulated.Portal) -> Connected:
    """Install the application on a simulated portal and store what an installation stores of it."""
    installation = lifecycle.install(simulator.cloud, portal, simulator.app, portal.users[1])
    installation.installed = True
    with hub.db.write() as session:
        stored = Portal(
            member_id=portal.member_id,
            domain=portal.domain,
            installed_at=now_us(),
            scopes=json.dumps(installation.scope),
            time_zone="Europe/Moscow",
        )
        session.add(stored)
        session.flush()
        assert stored.id is not None
        session.add(Stamp(portal_id=stored.id))
        portal_id = stored.id
    info = AppInfo(
        client_id=DEMO_CLIENT_ID,
        member_id=portal.member_id,
        domain=portal.domain,
        client_endpoint=portal.client_endpoint,
        user_id=1,
        scopes=tuple(installation.scope),
        status="L",
        version="1",
    )

    def job(sql: Any) -> None:
        connections.keep(
            sql, hub, info, portal_id=portal_id, oauth_url=simulator.cloud.oauth_url, user_id=1, now=now_us()
        )
        connections.keep_application_token(sql, hub, portal_id, installation.application_token)

    hub.db.writer.run(job)
    made = Connected(hub, Bitrix24(hub), simulator, portal_id, portal)
    made.give_tokens()
    return made


@pytest.fixture
def connected(hub: Hub, simulator: Simulator) -> Connected:
    """The product connected with the simulated portal."""
    return connect(hub, simulator, simulator.portal)


@dataclass
class Visitor:
    """A browser in the simulated portal's frame, and the portal's queue: what both post to the product."""

    app: Any
    simulator: Simulator

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    def install(self, **more: Any) -> Any:
        """The portal installs the application: the frame of its first page."""
        self.address_app()
        return control(self.simulator, "install", **more).get("frame")

    def address_app(self, **more: Any) -> None:
        """Tell the portal where the application is; nobody listens there, the test posts itself."""
        base = self.app.extensions["hub"].settings.base_url
        addresses = {"app_url": f"{base}/bitrix24/app", "install_url": f"{base}/bitrix24/install"}
        control(self.simulator, "app", **({"client_id": DEMO_CLIENT_ID, "api_only": False} | addresses | more))

    def frame(self, **more: Any) -> Any:
        """The frame of a page of the installed application."""
        return control(self.simulator, "frame", **more)

    def open(self, frame: Any, **changes: Any) -> Any:
        """Post a frame's form, with some of its fields changed (None: left out)."""
        _, _, rest = frame["action"].partition("://")
        path = "/" + rest.partition("/")[2]
        fields = {name: value for name, value in (frame["fields"] | changes).items() if value is not None}
        return self.client.post(path, data=fields)

    def finish(self, frame: Any) -> None:
        """Tell the portal that the installation is over."""
        control(self.simulator, f"frame/{frame['sid']}/setInstallFinish")

    def steps(self, token: str, step: str | None = None) -> Any:
        """How the steps stand, after taking one."""
        headers = {"Authorization": f"Bearer {token}"}
        if step is None:
            return self.client.get("/bitrix24/steps", headers=headers)
        return self.client.post("/bitrix24/steps", json={"step": step}, headers=headers)

    def take_all(self, token: str) -> Any:
        """Take the steps one after the other, as the page does."""
        shown = self.steps(token).json
        while shown["next"]:
            shown = self.steps(token, shown["next"]).json
        return shown


def token_in(page: Any) -> str:
    """The signed token that a page holds."""
    found = re.search(r'data-token="([^"]+)"', page.get_data(as_text=True))
    assert found is not None, page.get_data(as_text=True)[:2000]
    return found[1]


@pytest.fixture
def visitor(app: Any, simulator: Simulator) -> Visitor:
    """Opens pages of the product as the simulated portal does."""
    return Visitor(app, simulator)


@pytest.fixture
def scene(connected: Connected) -> Any:
    """A connected portal with the desk that looks at its cards."""
    from tests.bitrix24.scene import make_scene

    return make_scene(connected)
