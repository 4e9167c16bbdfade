"""What Meta tells us: signed over its raw bytes, for this number only, and read as events."""

import hashlib
import hmac
import json

import pytest

from connectors.channel import Callback
from connectors.channels.whatsapp import Whatsapp
from connectors.egress import Egress
from connectors.errors import CallbackRefused
from connectors.http import Http

secret = "appSecretNobodyMaySee"
anna = "79991234567"


@pytest.fixture
def number():
    def make(**more):
        config = {"token": "EAA", "phone_number_id": "1122", "app_secret": secret, "verify_token": "verify", **more}
        return Whatsapp(Whatsapp.Config(**config), Http(Egress()))

    return make


def signed(told, key=secret, name="X-Hub-Signature-256"):
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    return Callback({name: "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}, {}, body)


def update(field="messages", number_id="1122", **value):
    metadata = {"display_phone_number": "972", "phone_number_id": number_id}
    return {"entry": [{"id": "9", "changes": [{"field": field, "value": {"metadata": metadata, **value}}]}]}


def said(number, **message):
    people = [{"profile": {"name": "Anna"}, "wa_id": anna}]
    (event,) = number().read(signed(update(contacts=people, messages=[{"from": anna, "id": "wamid.x", **message}])))
    return event


def test_what_people_write_and_press_is_read(number):
    event = said(number, type="text", text={"body": "Hi"})
    assert (event.kind, event.event_id, event.chat_id, event.text, event.sender, event.provider_id) == (
        "message", "wamid.x", anna, "Hi", "Anna", "wamid.x",
    )  # fmt: skip
    assert said(number, type="image", image={"id": "1", "caption": "Фото"}).text == "Фото"
    about = {"context": {"id": "wamid.q"}}
    press = said(number, type="interactive", interactive={"type": "x", "button_reply": {"id": "b:1"}}, **about)
    assert (press.kind, press.text, press.provider_id) == ("button", "b:1", "wamid.q")
    row = said(number, type="interactive", interactive={"type": "x", "list_reply": {"id": "b:4"}}, **about)
    assert (row.kind, row.text) == ("button", "b:4")
    assert said(number, type="button", button={"payload": "yes", "text": "Да"}, **about).text == "yes"
    assert said(number, type="system", system={"type": "user_changed_number"}).kind == "other"


@pytest.mark.parametrize(
    ("status", "kind", "state"),
    [
        ("sent", "status", "sent"),
        ("delivered", "status", "delivered"),
        ("read", "status", "read"),
        ("played", "status", "read"),
        ("failed", "status", "undelivered"),
        ("warmed", "other", ""),
    ],
)
def test_a_status_names_the_message_by_both_ids(status, kind, state, number):
    told = {"id": "wamid.x", "status": status, "recipient_id": anna, "biz_opaque_callback_data": "m1"}
    errors = [{"code": 131047, "title": "Re-engagement message", "error_data": {"details": "24 hours have passed"}}]
    (event,) = number().read(signed(update(statuses=[told | ({"errors": errors} if status == "failed" else {})])))
    assert (event.kind, event.state, event.provider_id, event.message_id) == (kind, state, "wamid.x", "m1")
    assert event.event_id == f"wamid.x:{status}"
    assert event.text == ("24 hours have passed" if status == "failed" else "")


def test_what_is_about_another_number_or_another_matter_is_left_alone(number):
    message = {"from": anna, "id": "wamid.x", "type": "text", "text": {"body": "Hi"}}
    assert number().read(signed(update(number_id="7", messages=[message]))) == []
    assert number().read(signed(update(field="account_update", messages=[message]))) == []
    assert number().read(signed({"entry": [None, {"changes": "x"}]})) == []


def test_a_callback_must_be_signed_over_its_very_bytes(number):
    good = signed(update())
    assert number().read(signed(update(), name="x-hub-signature-256")) == []
    for wrong in (
        Callback(good.headers, {}, good.body + b" "),
        Callback({}, {}, good.body),
        Callback({"X-Hub-Signature-256": "sha256=тайна"}, {}, good.body),
        signed(update(), key="other"),
        signed(b"{"),
        signed([]),
    ):
        with pytest.raises(CallbackRefused):
            number().read(wrong)
    with pytest.raises(CallbackRefused):
        number(app_secret=None).read(signed(update(), key=""))


def test_the_challenge_is_answered_only_for_our_verify_token(number):
    query = {"hub.mode": "subscribe", "hub.challenge": "123", "hub.verify_token": "verify"}
    asked = Callback({}, query, b"")
    assert number().read(asked) == []
    assert number().answer(asked) == "123"
    assert number().answer(signed(update())) == ""
    for bad in ({"hub.verify_token": "x"}, {"hub.challenge": "<b>"}, {"hub.mode": "unsubscribe"}):
        with pytest.raises(CallbackRefused):
            number().read(Callback({}, query | bad, b""))
    with pytest.raises(CallbackRefused):
        number(verify_token=None).read(Callback({}, query | {"hub.verify_token": ""}, b""))
