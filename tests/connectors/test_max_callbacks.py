"""What MAX tells us: taken only with the line's secret, and read as events."""

import json

import pytest

from connectors.channel import Callback
from connectors.channels.max import Max
from connectors.egress import Egress
from connectors.errors import CallbackRefused
from connectors.http import Http

secret = "a-secret_of-ours"
anna = {"user_id": 42, "first_name": "Anna", "last_name": "K", "username": None, "is_bot": False, "name": "Anna K"}
said = {
    "sender": anna,
    "recipient": {"chat_id": 9001, "chat_type": "dialog", "user_id": 77},
    "timestamp": 1767225600100,
    "body": {"mid": "mid.abc", "seq": 1, "text": "Hi", "attachments": None},
}
pressed = {"timestamp": 1, "callback_id": "f9LHx", "payload": "b:0", "user": anna}


def line(**more):
    return Max(Max.Config(**{"token": "f9LH", "secret": secret, **more}), Http(Egress()))


def update(kind, **told):
    body = {"update_type": kind, "timestamp": 1767225600123, **told}
    return Callback({"X-MAX-Bot-Api-Secret": secret}, {}, json.dumps(body).encode())


def read(kind, **told):
    (found,) = line().read(update(kind, **told))
    return found.kind, found.chat_id, found.text, found.provider_id, found.sender


def test_what_people_say_and_press_is_read_and_an_answer_goes_back_to_where_it_came_from():
    assert read("message_created", message=said) == ("message", "42", "Hi", "mid.abc", "Anna K")
    group = said | {"recipient": {"chat_id": -7, "chat_type": "chat"}}
    assert read("message_created", message=group) == ("message", "-7", "Hi", "mid.abc", "Anna K")
    bots = {"sender": {"user_id": 77, "first_name": "Bot", "is_bot": True}, "body": {"mid": "mid.d", "text": "x"}}
    question = said | bots
    assert read("message_callback", callback=pressed, message=question) == ("button", "42", "b:0", "mid.d", "Anna K")
    in_group = group | bots
    assert read("message_callback", callback=pressed, message=in_group)[:2] == ("button", "-7")
    assert read("message_callback", callback=pressed, message=None) == ("button", "42", "b:0", "", "Anna K")


def test_a_picture_without_words_is_a_message_without_text():
    image = said | {"body": {"mid": "mid.abc", "text": None, "attachments": [{"type": "image", "payload": {}}]}}
    assert read("message_created", message=image)[:3] == ("message", "42", "")


def test_who_starts_and_stops_the_bot_is_told():
    for kind, told in (("bot_started", "unblocked"), ("bot_stopped", "blocked"), ("dialog_removed", "blocked")):
        assert read(kind, chat_id=9001, user=anna)[:2] == (told, "42")
    for kind, told in (("bot_added", "unblocked"), ("bot_removed", "blocked")):
        assert read(kind, chat_id=-7, user=anna)[:2] == (told, "-7")


def test_what_bots_say_and_what_is_not_known_is_passed_over():
    assert read("message_created", message=said | {"sender": {"user_id": 77, "is_bot": True}})[0] == "other"
    for kind in ("message_edited", "message_removed", "dialog_muted", "something_new"):
        assert read(kind, message=said)[0] == "other"


def test_a_repeat_has_the_id_of_the_first():
    for kind, told, id in (
        ("message_created", {"message": said}, "mid.abc"),
        ("message_callback", {"callback": pressed}, "f9LHx"),
        ("bot_started", {"user": anna}, ""),
    ):
        (first,), (again,) = (line().read(update(kind, **told)) for _ in range(2))
        assert first.event_id == again.event_id == (id or first.event_id) != ""


def test_a_callback_without_the_secret_or_of_another_form_is_refused():
    body = update("bot_started", user=anna).body
    wrong = [Callback(headers, {}, body) for headers in ({}, {"X-Max-Bot-Api-Secret": "x"})]
    wrong += [Callback({"X-Max-Bot-Api-Secret": "тайна"}, {}, body)]
    wrong += [Callback({"X-Max-Bot-Api-Secret": secret}, {}, odd) for odd in (b"", b"[]", b"{}", b"\xff", b'"x"')]
    for callback in wrong:
        with pytest.raises(CallbackRefused):
            line().read(callback)
    for callback in (Callback({"X-Max-Bot-Api-Secret": ""}, {}, body), Callback({}, {}, body)):
        with pytest.raises(CallbackRefused):
            line(secret=None).read(callback)
