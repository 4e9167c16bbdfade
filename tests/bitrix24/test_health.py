"""The checks about a portal, and the button that mends what they find."""

from typing import Any

import pytest

from hub.accounts import users
from hub.bitrix24 import install
from hub.core import Hub
from hub.upkeep.health import checks_of
from tests.bitrix24.conftest import Connected

PASSWORD = "correct horse"
OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def connected(connected: Connected) -> Connected:
    """A portal whose installation was gone through to its end."""
    install.note_finished(connected.hub, connected.portal_id)
    return connected


def states(connected: Connected) -> dict[str, str]:
    checks = checks_of(connected.hub, connected.portal_id)
    return {check.name: check.state for check in checks if check.name.startswith("bitrix24")}


def sign_in(hub: Hub, portal_id: int, client: Any) -> None:
    with hub.db.write() as session:
        users.create_user(session, portal_id, email="olga@shop.test", password=PASSWORD, role="admin")
    signed = client.post("/login", data={"email": "olga@shop.test", "password": PASSWORD}, headers=OWN)
    assert signed.status_code == 303


def test_a_portal_whose_events_are_not_registered_is_mended_by_the_button(connected: Connected, client: Any) -> None:
    assert states(connected)["bitrix24_events"] == "failed"
    sign_in(connected.hub, connected.portal_id, client)
    assert 'action="/health/repair/bitrix24_events"' in client.get("/health").get_data(as_text=True)
    assert client.post("/health/repair/bitrix24_events", headers=OWN).status_code == 303
    assert states(connected) == {"bitrix24_token": "ok", "bitrix24_events": "ok", "bitrix24_handlers": "ok"}
    assert connected.calls("event.bind") or connected.calls("batch")
    assert 'action="/health/repair/bitrix24_events"' not in client.get("/health").get_data(as_text=True)


def test_an_installation_that_was_left_before_its_end_is_told_and_is_not_ours_to_mend(
    connected: Connected, client: Any
) -> None:
    install.take(connected.bitrix24, connected.portal_id, "events")
    connected.hub.db.writer.run(lambda sql: sql.run("UPDATE bitrix24_connection SET finished = FALSE"))
    found = {check.name: check for check in checks_of(connected.hub, connected.portal_id)}["bitrix24_events"]
    assert found.state == "warning"
    assert "“Next”" in found.action
    sign_in(connected.hub, connected.portal_id, client)
    shown = client.get("/health?lang=ru").get_data(as_text=True)
    assert "Установка не закончена, поэтому портал пока не присылает событий." in shown
    assert 'action="/health/repair/bitrix24_events"' not in shown
    install.note_finished(connected.hub, connected.portal_id)
    assert states(connected)["bitrix24_events"] == "ok"


def test_events_that_still_go_to_an_earlier_address_are_told(connected: Connected) -> None:
    install.take(connected.bitrix24, connected.portal_id, "events")
    assert states(connected)["bitrix24_events"] == "ok"
    connected.hub.db.writer.run(
        lambda sql: sql.run("UPDATE bitrix24_registration SET handler = 'https://old.test/bitrix24/event'")
    )
    assert states(connected)["bitrix24_events"] == "failed"


def test_a_portal_that_lets_nobody_in_is_told_with_who_can_mend_it(connected: Connected) -> None:
    connected.hub.db.writer.run(
        lambda sql: sql.run("UPDATE portal SET state = 'needs_reauth' WHERE id = ?", (connected.portal_id,))
    )
    found = {check.name: check for check in checks_of(connected.hub, connected.portal_id)}["bitrix24_token"]
    assert found.state == "failed"
    assert "administrator" in found.action


def test_a_viewer_may_not_repair(connected: Connected, client: Any) -> None:
    with connected.hub.db.write() as session:
        users.create_user(session, connected.portal_id, email="v@shop.test", password=PASSWORD, role="viewer")
    client.post("/login", data={"email": "v@shop.test", "password": PASSWORD}, headers=OWN)
    assert "/health/repair/" not in client.get("/health").get_data(as_text=True)
    assert client.post("/health/repair/bitrix24_events", headers=OWN).status_code == 403
