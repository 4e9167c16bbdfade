"""What people who may only look on are not shown: whatever would let them act."""

from typing import Any

import pytest

from hub.core import Hub
from hub.portals.models import Portal
from tests.conftest import Api
from tests.web.documents import LINE, document
from tests.web.people import OWN, sign_in


@pytest.fixture
def viewer(app: Any, hub: Hub, portal: Portal) -> Any:
    return sign_in(hub, portal, app.test_client(), "viewer")


@pytest.fixture
def editor(app: Any, hub: Hub, portal: Portal) -> Any:
    return sign_in(hub, portal, app.test_client(), "editor")


def test_the_token_of_a_link_is_shown_to_those_who_may_start_the_scenario_only(
    viewer: Any, editor: Any, api: Api
) -> None:
    api.post("/lines", LINE)
    made = api.post("/scenarios", document()).json
    token = made["links"]["token_only"].partition("token=")[2]
    for address in ("/api/v1/scenarios", f"/api/v1/scenarios/{made['id']}", f"/scenarios/{made['id']}", "/journal"):
        assert token in editor.get(address, headers=OWN).text, address
        seen = viewer.get(address, headers=OWN)
        assert seen.status_code == 200
        assert token not in seen.text, address
    masked = viewer.get(f"/api/v1/scenarios/{made['id']}", headers=OWN).json["links"]
    assert masked["request"].endswith(f"?token=•••&chat_id=&id=&template_id={made['id']}")


def test_what_a_constant_put_into_a_step_is_shown_to_those_who_may_change_it_only(
    viewer: Any, editor: Any, api: Api, client: Any
) -> None:
    api.post("/lines", LINE)
    assert api.put("/constants/shop_key", {"value": "very-secret-value"}).status_code == 200
    made = document()
    send = made["blocks"][1]
    call = {
        "id": "keep",
        "type": "set_variable",
        "config": {
            "variables": [
                {"name": "header", "value": "Bearer {{shop_key}}"},
                {"name": "asked", "value": "{{body.password}}"},
                {"name": "plain", "value": "order {{id}}"},
                {"name": "louder", "value": "{{shop_key | upper}}"},
                {"name": "passed_on", "value": "Bearer {{louder}}"},
            ]
        },
    }
    made["blocks"] = [made["blocks"][0], call, send]
    made["links"] = [{"from": "start", "port": "next", "to": "keep"}, {"from": "keep", "port": "next", "to": "greet"}]
    link = api.post("/scenarios", made).json["links"]["token_only"].removeprefix("https://hub.test")
    sent = {"chat_id": "79991234567", "id": "1042", "password": "another-secret"}
    run = client.post(link, json=sent).json["run"]
    for address in (f"/api/v1/runs/{run}", f"/journal/runs/{run}"):
        seen = viewer.get(address, headers=OWN).text
        assert "order 1042" in seen, address
        assert "very-secret-value" not in seen.lower(), address
        assert "another-secret" not in seen, address
        assert "very-secret-value" in editor.get(address, headers=OWN).text, address
