"""A number that is put right under “Undelivered” goes to the contact that the wrong one came from, if asked for."""

from typing import Any

import pytest

from hub.bitrix24.call_desk import CallDesk
from hub.delivery import lines
from hub.values import dumps
from tests.bitrix24.conftest import control
from tests.bitrix24.scene import CONTACT, Scene
from tests.bitrix24.test_calls import work
from tests.bitrix24.test_fields_page import OWN, sign_in

WRONG, RIGHT = "+7 999 000-00-01", "8 (999) 000-00-02"
BOX = 'name="write_back"'


def send(chat_id: str = "{{phone}}") -> dict[str, Any]:
    return {"id": "greet", "type": "send_message", "config": {"line": "Phones", "chat_id": chat_id, "text": "Hello"}}


@pytest.fixture
def contact(scene: Scene) -> int:
    """A contact with two numbers, and a line that takes phone numbers."""
    with scene.hub.db.write() as session:
        config = {"token": "t", "phone_number_id": "1"}
        lines.create(session, scene.hub, scene.portal_id, name="Phones", channel="whatsapp", config=config)
    phones = [{"VALUE_TYPE": "MOBILE", "VALUE": WRONG}, {"VALUE_TYPE": "WORK", "VALUE": "+79990000009"}]
    asked = {"do": "add", "entityTypeId": CONTACT, "fields": {"NAME": "Anna", "PHONE": phones}}
    return int(control(scene.connected.simulator, "card", **asked)["id"])


def failed(scene: Scene, contact: int, **send_to: str) -> str:
    """A message for a new deal of the contact that did not arrive; its id."""
    scene.scenario(send(**send_to), on="created")
    scene.tell(scene.deal(TITLE="A chair", CONTACT_ID=contact), "ADD")
    scene.work()
    error = '{"code":"blocked","message":"No."}'
    scene.hub.db.writer.run(
        lambda sql: sql.run("UPDATE message SET state = 'failed', head = ?, error = ?", (False, error))
    )
    ((message_id,),) = scene.rows("SELECT id FROM message")
    return str(message_id)


def line(scene: Scene, name: str = "Phones") -> str:
    return str(scene.rows("SELECT id FROM line WHERE name = ?", name)[0][0])


def phones(scene: Scene, contact: int) -> list[tuple[str, str]]:
    rows = scene.connected.portal.crm.items[CONTACT][contact]["FM"]
    return [(row["VALUE_TYPE"], row["VALUE"]) for row in rows]


def test_the_number_put_right_replaces_the_wrong_one_of_the_contact_and_no_other(
    scene: Scene, client: Any, contact: int
) -> None:
    message = failed(scene, contact)
    olga = sign_in(client, scene.connected, "editor")
    assert olga.get("/undelivered").text.count(BOX) == 1
    form = {"chat_id": RIGHT, "line": line(scene), "write_back": "yes"}
    sent = olga.post(f"/undelivered/{message}/send", data=form, headers=OWN)
    assert sent.status_code == 303
    assert scene.rows("SELECT state, chat_id FROM message") == [("queued", "79990000002")]
    assert phones(scene, contact)[0] == ("MOBILE", WRONG)
    assert work(CallDesk(scene.connected.bitrix24)) == 1
    assert phones(scene, contact) == [("MOBILE", "+79990000002"), ("WORK", "+79990000009")]


def test_without_being_asked_for_nothing_is_written(scene: Scene, client: Any, contact: int) -> None:
    message = failed(scene, contact)
    olga = sign_in(client, scene.connected, "editor")
    form = {"chat_id": RIGHT, "line": line(scene)}
    assert olga.post(f"/undelivered/{message}/send", data=form, headers=OWN).status_code == 303
    assert scene.rows("SELECT key FROM bitrix24_call") == []


def test_a_number_that_is_no_contacts_cannot_be_written_back(scene: Scene, client: Any, contact: int) -> None:
    message = failed(scene, contact, chat_id="79990000077")
    olga = sign_in(client, scene.connected, "editor")
    assert BOX not in olga.get("/undelivered").text
    form = {"chat_id": RIGHT, "line": line(scene), "write_back": "yes"}
    assert olga.post(f"/undelivered/{message}/send", data=form, headers=OWN).status_code == 409
    assert scene.rows("SELECT state FROM message") == [("failed",)]


@pytest.mark.parametrize(
    "odd",
    [
        {"PHONE": [{"ID": "5", "VALUE": WRONG}]},
        {"ID": "none", "PHONE": [{"ID": "5", "VALUE": WRONG}]},
        {"ID": [], "PHONE": [{"ID": "5", "VALUE": WRONG}]},
        {"ID": "7", "PHONE": [{"VALUE": WRONG}]},
        {"ID": "7", "PHONE": {"0": {"ID": "5", "VALUE": WRONG}}},
        [],
    ],
)
def test_a_contact_that_was_kept_in_an_odd_form_is_no_place_to_write_to(
    scene: Scene, client: Any, contact: int, odd: Any
) -> None:
    failed(scene, contact)
    kept = dumps({"bitrix": {"contact": odd}}).encode()
    scene.hub.db.writer.run(lambda sql: sql.run("UPDATE request SET raw = ?", (kept,)))
    shown = sign_in(client, scene.connected, "editor").get("/undelivered")
    assert shown.status_code == 200
    assert BOX not in shown.text


def test_the_number_of_a_chat_is_not_written_as_a_phone(scene: Scene, client: Any, contact: int) -> None:
    message = failed(scene, contact)
    olga = sign_in(client, scene.connected, "editor")
    form = {"chat_id": "4242", "line": line(scene, "Sales"), "write_back": "yes"}
    assert olga.post(f"/undelivered/{message}/send", data=form, headers=OWN).status_code == 422
    assert scene.rows("SELECT state FROM message") == [("failed",)]
    assert scene.rows("SELECT key FROM bitrix24_call") == []
