"""Tokens of portals: one refresh at a time over all processes, nothing lost by a rotation, and a way back."""

import json
import threading
from pathlib import Path

import pytest

from connectors.bitrix24.errors import Disconnected, PaymentRequired
from connectors.errors import Temporary, Unconfirmed
from hub.sandbox.bitrix24.server import DEMO_CLIENT_ID
from hub.sandbox.faults import Fault
from tests.bitrix24.conftest import Connected, connect
from tests.processes import Product, Running, wait_until

CALLER = """
import sys, time
from pathlib import Path
from hub.bitrix24.client import Bitrix24
from hub.core import make_hub
from hub.settings import Settings
hub = make_hub(Settings.from_env())
client = Bitrix24(hub).client(int(sys.argv[1]))
start = Path(sys.argv[2])
start.with_name(sys.argv[3]).touch()
while not start.exists():
    time.sleep(0.005)
print("user", client.call("profile").result["ID"])
hub.close()
"""


def environment(connected: Connected) -> dict[str, str]:
    settings = connected.hub.settings
    return {
        "HUB_BITRIX24_CLIENT_ID": settings.bitrix24_client_id,
        "HUB_BITRIX24_CLIENT_SECRET": settings.bitrix24_client_secret,
        "HUB_BITRIX24_OAUTH_URLS": ",".join(settings.bitrix24_oauth_urls),
    }


def callers(product: Product, connected: Connected, folder: Path, count: int, **more: str) -> list[Running]:
    """Processes that all call the portal at the same moment."""
    start = folder / "start"
    names = [f"ready-{number}" for number in range(count)]
    running = [product.start("-c", CALLER, str(connected.portal_id), str(start), name, **more) for name in names]
    wait_until(lambda: all((folder / name).exists() for name in names), within_s=60, what="all callers ready")
    start.touch()
    return running


def test_eight_processes_at_the_end_of_a_token_refresh_it_once(connected: Connected, tmp_path: Path) -> None:
    connected.expire()
    connected.tokens_end()
    with Product(connected.hub.settings, tmp_path, environment(connected)) as product:
        running = callers(product, connected, tmp_path, 8)
        for process in running:
            assert process.wait() == 0, process.output()
    assert all("user 1" in process.output() for process in running)
    assert connected.simulator.cloud.tokens.refreshes == 1
    assert connected.state() == "active"


def test_threads_of_one_process_refresh_once_too(connected: Connected) -> None:
    connected.expire()
    connected.tokens_end()
    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(connected.client.call("profile").result["ID"])) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == ["1"] * 8
    assert connected.simulator.cloud.tokens.refreshes == 1


def test_a_token_that_the_portal_does_not_take_is_refreshed_and_the_call_repeated(connected: Connected) -> None:
    connected.expire()
    assert connected.client.call("profile").result["ID"] == "1"
    assert [call.error for call in connected.calls("profile")] == ["expired_token", ""]
    assert connected.simulator.cloud.tokens.refreshes == 1


def test_a_token_that_works_is_not_refreshed(connected: Connected) -> None:
    for _ in range(3):
        connected.client.call("profile")
    assert connected.simulator.cloud.tokens.refreshes == 0


def test_both_new_tokens_are_stored_together_and_sealed(connected: Connected) -> None:
    connected.tokens_end()
    connected.client.call("profile")
    access = connected.bitrix24.tokens.access(connected.portal_id).token
    pair = connected.simulator.cloud.tokens.by_access[access]
    with connected.hub.db.sql() as sql:
        row = sql.one("SELECT access_sealed, refresh_sealed FROM bitrix24_token")
    assert row is not None
    assert access not in row[0] + row[1]
    place = {"table": "bitrix24_token", "column": "refresh", "row": f"{connected.portal_id}:1"}
    assert connected.hub.box.open(row[1], **place) == pair.refresh


def test_a_kill_after_the_rotation_needs_a_person_and_heals_when_one_opens_the_application(
    connected: Connected, tmp_path: Path
) -> None:
    connected.expire()
    connected.tokens_end()
    with Product(connected.hub.settings, tmp_path, environment(connected)) as product:
        (dying,) = callers(product, connected, tmp_path, 1, HUB_CRASH_AT="after_token_refresh")
        assert dying.wait() == -9, dying.output()
    assert connected.simulator.cloud.tokens.refreshes == 1
    # What the dead process held runs out; here the time is set forward instead of waited for.
    connected.hub.db.writer.run(lambda sql: sql.run("UPDATE bitrix24_token SET refreshing_until = 1"))
    with pytest.raises(Disconnected):
        connected.client.call("profile")
    assert connected.state() == "needs_reauth"
    before = len(connected.calls())
    with pytest.raises(Disconnected):
        connected.client.call("profile")
    assert len(connected.calls()) == before
    connected.give_tokens()
    assert connected.client.call("profile").result["ID"] == "1"


def test_who_waits_for_a_refresh_by_a_dead_process_is_told_to_try_later(
    connected: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.bitrix24.tokens.WAIT_S", 0.2)
    connected.tokens_end()
    connected.hub.db.writer.run(lambda sql: sql.run("UPDATE bitrix24_token SET refreshing_until = ?", (1 << 60,)))
    with pytest.raises(Temporary):
        connected.client.call("profile")
    assert connected.simulator.cloud.tokens.refreshes == 0
    assert connected.state() == "active"


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (Fault("error", status=400, service="bitrix24_oauth", chat="token", code="invalid_grant"), "needs_reauth"),
        (Fault("error", status=200, service="bitrix24_oauth", chat="token", code="wrong_client"), "needs_reauth"),
        (Fault("error", status=401, service="bitrix24_oauth", chat="token", code="PAYMENT_REQUIRED"), "suspended"),
    ],
)
def test_what_the_oauth_server_refuses_for_good_changes_the_portals_state(
    connected: Connected, fault: Fault, state: str
) -> None:
    connected.tokens_end()
    connected.simulator.board.add(fault)
    with pytest.raises((Disconnected, PaymentRequired)):
        connected.client.call("profile")
    assert connected.state() == state


@pytest.mark.parametrize("kind", ["status", "hangup_after"])
def test_an_oauth_server_that_is_away_changes_nothing(connected: Connected, kind: str) -> None:
    connected.tokens_end()
    connected.simulator.board.add(Fault(kind, status=503, service="bitrix24_oauth", chat="token"))
    with pytest.raises((Temporary, Unconfirmed)):
        connected.client.call("profile")
    assert connected.state() == "active"
    assert connected.one("SELECT refreshing_until FROM bitrix24_token") is None


def test_tokens_of_another_portal_are_never_stored(connected: Connected, hub: object) -> None:
    """An administrator may have posted a refresh token that is not his portal's."""
    other = connected.simulator.add_portal()
    try:
        connect(connected.hub, connected.simulator, other)
        cloud = connected.simulator.cloud
        foreign = cloud.tokens.mint(DEMO_CLIENT_ID, other.member_id, 1, cloud.now())
        place = {"table": "bitrix24_token", "column": "refresh", "row": f"{connected.portal_id}:1"}
        sealed = connected.hub.box.seal(foreign.refresh, **place)
        connected.hub.db.writer.run(
            lambda sql: sql.run(
                "UPDATE bitrix24_token SET refresh_sealed = ?, expires_at = 1 WHERE portal_id = ?",
                (sealed, connected.portal_id),
            )
        )
        with pytest.raises(Disconnected):
            connected.client.call("profile")
        assert connected.state() == "needs_reauth"
        endpoint = connected.one(
            "SELECT client_endpoint FROM bitrix24_connection WHERE portal_id = ?", connected.portal_id
        )
        assert endpoint == connected.portal.client_endpoint
    finally:
        del connected.simulator.cloud.portals[other.member_id]


def test_another_administrators_token_serves_when_the_first_may_not_use_the_application(connected: Connected) -> None:
    connected.portal.users[2].admin = True
    try:
        connected.give_tokens(2)
        connected.portal.installations[DEMO_CLIENT_ID].barred.add(1)
        with pytest.raises(Disconnected):
            connected.client.call("profile")
        assert connected.state() == "active"
        assert connected.client.call("profile").result["ID"] == "2"
    finally:
        connected.portal.users[2].admin = False


def test_no_token_stands_in_the_record_of_calls(connected: Connected) -> None:
    access = connected.bitrix24.tokens.access(connected.portal_id)
    connected.client.call("profile")
    assert access.token not in json.dumps([call.params for call in connected.calls()])
    assert access.token not in repr(access)
