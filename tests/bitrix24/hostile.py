"""What an attacker has: a host of his own, a portal of his own, and what everybody may know of a victim."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, Response, request

from hub.core import Hub
from hub.sandbox.bitrix24 import lifecycle
from hub.sandbox.bitrix24.server import DEMO_CLIENT_ID
from hub.sandbox.listening import Listener
from tests.bitrix24.conftest import Simulator, Visitor, token_in

TABLES = (
    *("portal", "stamp", "request"),
    *(f"bitrix24_{name}" for name in ("connection", "token", "registration", "change", "robot_run", "erasure")),
)


class Evil:
    """A host that keeps every request it gets, and would answer whatever is asked."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []
        self._listener = Listener()
        app = Flask("evil", static_folder=None)

        @app.route("/", defaults={"path": ""}, methods=["GET", "POST"])
        @app.route("/<path:path>", methods=["GET", "POST"])
        def take(path: str) -> Response:
            self.got.append((request.full_path, request.get_data()))
            return Response('{"result": {"ID": "1", "ADMIN": true}}', content_type="application/json")

        self._listener.open(app)
        self._listener.start("evil")
        self.spot = f"127.0.0.1:{self._listener.port}"
        self.domain = f"localhost:{self._listener.port}"
        self.url = f"http://{self.domain}"
        self.stop = self._listener.stop


@pytest.fixture
def evil() -> Iterator[Evil]:
    """Whatever a test tries, this host must not have been called at its end."""
    running = Evil()
    yield running
    running.stop()
    assert running.got == []


@pytest.fixture
def victim(visitor: Visitor, hub: Hub) -> dict[str, str]:
    """An installed portal: the path of its handler, its member_id and its application token."""
    first = visitor.install()
    visitor.take_all(token_in(visitor.open(first)))
    visitor.finish(first)
    assert visitor.open(visitor.frame()).status_code == 200
    installation = visitor.simulator.portal.installations[DEMO_CLIENT_ID]
    return {
        "path": installation.handlers[0].handler.partition("hub.test")[2],
        "member_id": visitor.simulator.portal.member_id,
        "application_token": installation.application_token,
        "domain": visitor.simulator.portal.domain,
    }


@pytest.fixture
def attacker(visitor: Visitor) -> Iterator[Any]:
    """Another portal, really connected with the same application, whose administrator means no good."""
    simulator = visitor.simulator
    portal = simulator.add_portal()
    lifecycle.install(simulator.cloud, portal, simulator.app, portal.users[1])
    yield portal
    del simulator.cloud.portals[portal.member_id]


def stored(hub: Hub) -> list[Any]:
    """All that is kept of portals."""
    with hub.db.sql() as sql:
        return [sql.all(f"SELECT * FROM {table} ORDER BY 1") for table in TABLES]


def mint(simulator: Simulator, member_id: str, user_id: int = 1) -> Any:
    """New tokens of a user of a portal, as Bitrix24 gives them to the application's page."""
    return simulator.cloud.tokens.mint(DEMO_CLIENT_ID, member_id, user_id, simulator.cloud.now())


def page_of(token: Any, member_id: str, **more: str) -> dict[str, str]:
    """What Bitrix24 posts to a page, with tokens of one portal and the name of maybe another."""
    return {
        "AUTH_ID": token.access,
        "REFRESH_ID": token.refresh,
        "AUTH_EXPIRES": "3600",
        "member_id": member_id,
        **more,
    }


def event(victim: dict[str, str], name: str = "ONCRMDEALUPDATE", **auth: str) -> dict[str, str]:
    """What the victim's portal posts, with some of its proof changed."""
    own = {"member_id": victim["member_id"], "application_token": victim["application_token"], "domain": "x"} | auth
    return {"event": name, "data[FIELDS][ID]": "42", "ts": "1790000000"} | {
        f"auth[{key}]": value for key, value in own.items()
    }
