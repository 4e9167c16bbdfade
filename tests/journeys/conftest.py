"""A product that runs as real processes, started once per database for all journeys that leave it as it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.accounts.keys import create_key
from hub.core import make_hub
from hub.portals.service import local_portal
from hub.sandbox.server import Sandbox
from hub.settings import Settings
from tests.conftest import free_port
from tests.databases import Source, wanted
from tests.journeys.installation import Installation
from tests.processes import Product

QUICK_RETRIES = "0.4,0.4,0.4,0.4,0.4"


def new_key(settings: Settings) -> str:
    """A key of the management API for the portal `local`."""
    hub = make_hub(settings)
    try:
        with hub.db.write() as session:
            portal = local_portal(session, settings)
            assert portal.id is not None
            return create_key(session, portal.id, "journeys")
    finally:
        hub.close()


@pytest.fixture(scope="session", params=wanted())
def installation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _running_sandbox: Sandbox
) -> Iterator[Installation]:
    """`hub serve` on a database of its own, with one Telegram line; retries come soon."""
    source: Source = request.getfixturevalue("_sqlite" if request.param == "sqlite" else "_postgres")
    folder: Path = tmp_path_factory.mktemp("installation")
    url = source.fresh(folder)
    port = free_port()
    settings = Settings(
        database_url=url,
        instance_dir=folder / "instance",
        secret_key="a secret key for tests only",
        encryption_keys=("an encryption key for tests only",),
        egress_allow=(f"127.0.0.1:{_running_sandbox.port}",),
        testing=True,
    )
    key = new_key(settings)
    with Product(settings, folder, {"HUB_RETRY_SCHEDULE_S": QUICK_RETRIES}) as product:
        running = product.serve("--port", str(port), PORT=str(port)).wait_ready()
        made = Installation(running.url, key, _running_sandbox)
        made.add_line(rate_per_s=0, rate_per_chat_per_s=0)
        yield made
        made.close()
    source.drop(url)
