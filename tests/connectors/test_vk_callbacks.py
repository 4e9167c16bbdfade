"""What VK tells us: taken only with the line's secret and for its community, and read as events."""

import json

import pytest

from connectors.channel import Callback
from connectors.channels import vk
from connectors.channels.vk import Vk
from connectors.egress import Egress
from connectors.errors import CallbackRefused
from connectors.http import Http

secret = "callbackSecret"


@pytest.fixture
def community():
    def make(**more):
        config = {"token": "vk1", "group_id": "club7", "confirmation": "a1b2", "secret": secret, **more}
        return Vk(Vk.Config(**config), Http(Egress()))

    return make


def event(kind, told, **more):
    body = {"type": kind, "group_id": 7, "event_id": "e1", "v": "5.199", "secret": secret, "object": told, **more}
    return Callback({}, {}, json.dumps(body).encode())


def read(channel, kind, told):
    (found,) = channel.read(event(kind, told))
    return found.kind, found.chat_id, found.text, found.provider_id


def test_what_people_say_press_and_allow_is_read(community):
    line = community()
    message = {"id": 5, "peer_id": 42, "from_id": 42, "text": "Да", "payload": '{"button": "b:0"}'}
    assert read(line, "message_new", {"message": message | {"payload": None}}) == ("message", "42", "Да", "5")
    assert read(line, "message_new", {"message": message}) == ("button", "42", "b:0", "5")
    assert read(line, "message_new", {"message": message | {"payload": '{"command":"start"}'}})[0] == "message"
    pressed = {"user_id": 42, "peer_id": 42, "event_id": "x", "payload": {"button": "b:1"}}
    assert read(line, "message_event", pressed) == ("button", "42", "b:1", "")
    assert read(line, "message_deny", {"user_id": 42})[:2] == ("blocked", "42")
    assert read(line, "message_allow", {"user_id": 42})[:2] == ("unblocked", "42")
    assert read(line, "message_reply", {"peer_id": 42, "text": "x"})[0] == "other"
    (seen,) = line.read(event("message_read", {"peer_id": 42, "read_message_id": 9}))
    assert (seen.kind, seen.state, seen.provider_id, seen.event_id) == ("status", "read", "9", "e1")


def test_the_pressed_key_is_the_one_that_was_sent():
    keyboard = vk._keyboard(({"id": "a", "label": "A", "kind": "reply"},))
    assert vk._pressed(keyboard["buttons"][0][0]["action"]["payload"]) == "b:0"


def test_an_event_without_an_id_gets_the_same_one_when_it_comes_again(community):
    old = event("message_deny", {"user_id": 1}, event_id=None)
    first, again = community().read(old), community().read(old)
    assert first[0].event_id == again[0].event_id != ""


def test_the_confirmation_is_answered_with_its_string_and_all_else_with_ok(community):
    line = community()
    bare = Callback({}, {}, b'{"type": "confirmation", "group_id": 7}')
    for asked in (bare, event("confirmation", None)):
        assert line.read(asked) == []
        assert line.answer(asked) == "a1b2"
    assert line.answer(event("message_deny", {"user_id": 1})) == "ok"


def test_a_callback_without_the_secret_or_of_another_community_is_refused(community):
    denied = {"user_id": 1}
    wrong = [event("message_deny", denied, **bad) for bad in ({"secret": "x"}, {"secret": None}, {"group_id": 8})]
    wrong += [event("confirmation", None, secret="x")]
    wrong += [Callback({}, {}, body) for body in (b"", b"[]", b"{}", b"\xff", b'"x"')]
    for callback in wrong:
        with pytest.raises(CallbackRefused):
            community().read(callback)
    unset = community(secret=None, confirmation="")
    for callback in (
        event("message_deny", denied, secret=""),
        Callback({}, {}, b'{"type":"confirmation","group_id":7}'),
    ):
        with pytest.raises(CallbackRefused):
            unset.read(callback)
