"""A station on a database of its own; long variants only when asked for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.core import Hub
from hub.sandbox.server import Sandbox
from tests.reliability.station import Station, standing

LONG = os.environ.get("HUB_TEST_LONG") == "1"
QUICK = "0.2,0.5,1,2"


@pytest.fixture
def station(hub: Hub, tmp_path: Path, sandbox: Sandbox) -> Iterator[Station]:
    """Lines and an outbox; nothing runs yet."""
    with standing(hub, tmp_path, sandbox, QUICK) as made:
        yield made
