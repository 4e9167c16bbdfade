"""Fixtures of the tests of delivery."""

import pytest

from hub.core import Hub
from hub.portals.models import Portal
from tests.delivery.queue import Queue


@pytest.fixture
def queue(hub: Hub, portal: Portal) -> Queue:
    """A line with nothing in it."""
    assert portal.id is not None
    return Queue(hub, portal.id)
