"""Quiet hours of a portal: its scenarios write to nobody then, people may."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hub.core import Hub
from hub.delivery.models import Message
from hub.portals.models import Portal
from tests.conftest import Api
from tests.web.documents import LINE, document
from tests.web.test_api_messages import put
from tests.web.test_pages_settings import post, signed_in

MOSCOW = ZoneInfo("Europe/Moscow")
Send = Callable[[], dict[str, Any]]


def hours(begin: float, end: float) -> dict[str, str]:
    """From and till, as hours from now on."""
    now = datetime.now(MOSCOW)
    return {name: f"{now + timedelta(hours=at):%H:%M}" for name, at in (("from", begin), ("to", end))}


@pytest.fixture
def send(api: Api) -> Send:
    """Makes a message by calling a link; gives it as the API shows it."""
    api.post("/lines", LINE)

    def call(**config: Any) -> dict[str, Any]:
        given = document(name=f"Scenario {len(api.get('/scenarios').get_json()['items'])}")
        given["blocks"][1]["config"] |= config
        made = api.post("/scenarios", given).get_json()
        link = made["links"]["request"].removeprefix("https://hub.test")
        run = api.client.post(link, json={"chat_id": "5", "id": "7"}).get_json()["run"]
        message = api.get(f"/runs/{run}").get_json()["messages"][0]
        return dict(api.get(f"/messages/{message}").get_json())

    return call


def due_in(message: dict[str, Any]) -> timedelta:
    return datetime.fromisoformat(message["due_at"]) - datetime.now(UTC)


def test_what_a_scenario_writes_in_quiet_hours_waits_until_they_are_over_and_the_journal_says_so(
    api: Api, send: Send, app: Any, hub: Hub, portal: Portal
) -> None:
    quiet = hours(-1, 2)
    assert api.patch("/portals/local", {"quiet_hours": quiet}).get_json()["quiet_hours"] == quiet
    message = send()
    assert timedelta(hours=1, minutes=58) < due_in(message) < timedelta(hours=2, minutes=1)
    shown = signed_in(app, hub, portal, "editor@shop.test", "editor").get(f"/journal/messages/{message['id']}")
    assert f"тихие часы: оно уйдёт после {quiet['to']}" in shown.get_data(as_text=True)


def test_outside_of_them_and_where_a_block_says_so_messages_go_at_once(api: Api, send: Send) -> None:
    api.patch("/portals/local", {"quiet_hours": hours(1, 2)})
    assert due_in(send()) < timedelta(0)
    api.patch("/portals/local", {"quiet_hours": hours(-1, 2)})
    assert due_in(send(any_time=True)) < timedelta(0)
    api.patch("/portals/local", {"quiet_hours": {"from": "", "to": ""}})
    assert due_in(send()) < timedelta(0)


def test_when_the_hours_change_or_go_so_does_what_waits_for_their_end(api: Api, send: Send) -> None:
    api.patch("/portals/local", {"quiet_hours": hours(-1, 2)})
    message, own = send()["id"], send(quiet_hours=hours(-1, 3))["id"]
    api.patch("/portals/local", {"quiet_hours": hours(-1, 4)})
    assert timedelta(hours=3, minutes=58) < due_in(api.get(f"/messages/{message}").get_json())
    api.patch("/portals/local", {"quiet_hours": {"from": "", "to": ""}})
    assert due_in(api.get(f"/messages/{message}").get_json()) < timedelta(0)
    assert due_in(api.get(f"/messages/{own}").get_json()) > timedelta(hours=2), "its block has hours of its own"


def test_a_person_sends_one_message_without_waiting_for_their_end(
    api: Api, send: Send, app: Any, hub: Hub, portal: Portal
) -> None:
    api.patch("/portals/local", {"quiet_hours": hours(-1, 2)})
    message = send()["id"]
    editor = signed_in(app, hub, portal, "editor@shop.test", "editor")
    assert "Отправить сейчас" in editor.get(f"/journal/messages/{message}").get_data(as_text=True)
    assert post(editor, f"/journal/messages/{message}/now").status_code == 303
    assert due_in(api.get(f"/messages/{message}").get_json()) < timedelta(0)
    assert post(editor, f"/journal/messages/{message}/now").status_code == 409
    another = send()["id"]
    assert due_in(api.post(f"/messages/{another}/send-now").get_json()) < timedelta(0)
    assert api.post(f"/messages/{another}/send-now").status_code == 409


def test_what_a_person_sends_again_goes_whatever_the_hour(api: Api, send: Send, hub: Hub) -> None:
    api.patch("/portals/local", {"quiet_hours": hours(-1, 2)})
    message = send()["id"]
    put(hub, message, "failed", "blocked")
    assert api.post(f"/messages/{message}/redeliver", {}).status_code == 200
    assert due_in(api.get(f"/messages/{message}").get_json()) < timedelta(0)
    with hub.db.sql() as sql:
        assert sql.one(f"SELECT quiet FROM {Message.__tablename__} WHERE id = ?", (message,)) == (None,)


@pytest.mark.parametrize("wrong", [("21:00", ""), ("21:00", "21:00"), ("24:00", "09:00"), ("9:00", "21:00")])
def test_hours_that_are_none_are_refused_by_the_page_and_by_the_api(
    api: Api, app: Any, hub: Hub, portal: Portal, wrong: tuple[str, str]
) -> None:
    answer = api.patch("/portals/local", {"quiet_hours": {"from": wrong[0], "to": wrong[1]}})
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["code"] == "quiet_hours_invalid"
    admin = signed_in(app, hub, portal, "admin@shop.test", "admin")
    given = {"time_zone": "Europe/Moscow", "language": "ru", "quiet_from": wrong[0], "quiet_to": wrong[1]}
    assert post(admin, "/settings", **given).status_code == 422
    assert post(admin, "/settings", **given | {"quiet_from": "21:00", "quiet_to": "09:00"}).status_code == 303
    assert api.get("/portals/local").get_json()["quiet_hours"] == {"from": "21:00", "to": "09:00"}
