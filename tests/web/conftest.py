"""People of the portal, and a second portal beside it for everything that must not be seen across."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from hub.accounts.keys import create_key
from hub.clock import now_us
from hub.core import Hub
from hub.portals.models import Portal
from tests.conftest import Api
from tests.web.people import Person, sign_in


@pytest.fixture
def stranger(client: FlaskClient, hub: Hub, portal: Portal) -> Api:
    """The management API with a key of another portal."""
    with hub.db.write() as session:
        other = Portal(member_id="other", installed_at=now_us(), time_zone="Europe/Moscow")
        session.add(other)
        session.flush()
        assert other.id is not None
        return Api(client, create_key(session, other.id, "stranger"))


@pytest.fixture
def viewer(app: Any, hub: Hub, portal: Portal) -> Person:
    return Person(sign_in(hub, portal, app.test_client(), "viewer"))


@pytest.fixture
def editor(app: Any, hub: Hub, portal: Portal) -> Person:
    return Person(sign_in(hub, portal, app.test_client(), "editor"))
