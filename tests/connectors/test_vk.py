"""VK against its simulator: errors inside a 200, and one message for one random_id."""

import json
import traceback

import pytest
import requests

from connectors.channel import OutgoingMessage
from connectors.channels.vk import Vk, random_id
from connectors.errors import (
    ConnectorError,
    LineDown,
    RateLimited,
    Rejected,
    Temporary,
    Unconfirmed,
    Unsupported,
)
from hub.sandbox.faults import Fault

token = "vk1.a.theTokenNobodyMaySee"


@pytest.fixture
def board(sandbox):
    sandbox.board.reset()
    return sandbox.board


@pytest.fixture
def community(sandbox, board, opened):
    def make(token=token, **more):
        http = opened(f"127.0.0.1:{sandbox.port}")
        config = {"token": token, "group_id": "club7", **more}
        return Vk(Vk.Config(api_url=sandbox.url + "/vk", **config), http)

    return make


def say(chat="555", text="Привет", id="m1", **more):
    return OutgoingMessage(id, chat, text, **more)


def test_a_message_arrives_and_its_id_is_the_communitys_own_count(community, board):
    assert community().send(say(id="m1")).provider_ids == ("1",)
    assert community().send(say("2000000001", id="m2")).provider_ids == ("2",)
    assert community().send(say("durov", id="m3")).provider_ids == ("3",)
    assert [(entry.chat, entry.text, entry.accepted) for entry in board.entries()] == [
        ("555", "Привет", True), ("2000000001", "Привет", True), ("durov", "Привет", True),
    ]  # fmt: skip


def test_a_repeat_gives_the_first_id_and_is_delivered_once(community, board):
    first = community().send(say())
    assert community().send(say()) == first
    assert [entry.accepted for entry in board.entries()] == [True, False]
    assert community().send(say(id="other")) != first


def test_a_message_taken_before_the_hang_up_is_not_doubled_by_its_repeat(community, board):
    with pytest.raises(Unconfirmed):
        community().send(say("40408"))
    assert community().send(say("40408")).provider_ids == ("1",)
    assert sum(entry.accepted for entry in board.entries()) == 1
    assert Vk.carries.idempotent
    assert Vk.carries.idempotent_s == 50 * 60


def test_random_ids_have_31_bits_and_are_never_zero():
    numbers = [random_id(f"m{place}:0") for place in range(2000)]
    assert all(0 < number < 2**31 for number in numbers)
    assert len(set(numbers)) == len(numbers)
    assert random_id("m1:0") == random_id("m1:0") != random_id("m1:1")


def test_the_line_check_names_the_community_and_wants_the_right_to_write(community, raw, opened):
    identity = community().check()
    assert (identity.ok, identity.name, identity.details["id"]) == (True, "Sandbox", 7)
    mute = answering(raw, opened, 200, {"response": {"permissions": [{"name": "wall"}], "groups": [{"id": 7}]}})
    assert mute.check().ok is False


refusals = [
    ("10401", LineDown, "token_refused", 200),
    ("10403", Rejected, "blocked", 200),
    ("10404", Rejected, "chat_not_found", 200),
    ("10408", Unconfirmed, "hung_up", None),
    ("10429", RateLimited, "too_many_requests", 200),
    ("10500", Temporary, "provider_down", 200),
    ("10502", Unconfirmed, "provider_down", 502),
    ("10504", Unconfirmed, "provider_down", 504),
    ("10901", Rejected, "not_allowed", 200),
    ("10902", Rejected, "privacy", 200),
    ("10912", LineDown, "bots_off", 200),
    ("10914", Rejected, "too_long", 200),
    ("b a d", Rejected, "bad_request", 200),
]


@pytest.mark.parametrize(("chat", "kind", "code", "status"), refusals)
def test_each_refusal_has_its_class_and_shows_no_token(chat, kind, code, status, community):
    with pytest.raises(ConnectorError) as caught:
        community().send(say(chat))
    error = caught.value
    assert (type(error), error.code, error.status) == (kind, code, status)
    shown = "".join([str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)])
    assert token not in shown
    assert error.__context__ is None


def answering(raw, opened, status, answer):
    body = answer if isinstance(answer, str) else json.dumps(answer)

    def handle(connection):
        connection.recv(65536)
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall((head + body).encode())

    server = raw(handle)
    return Vk(Vk.Config(token=token, api_url=server.url), opened(server.spot))


rows = [
    (Temporary, (1, 10, 43)),
    (Unconfirmed, (36,)),
    (RateLimited, (6, 9, 29, 32)),
    (LineDown, (4, 5, 7, 14, 15, 17, 20, 23, 27, 28, 38, 40, 42, 912, 1116, 1117, 3300, 3609)),
    (Rejected, (18, 37, 104, 113, 900, 901, 902, 917, 922, 925, 927, 932, 935, 936, 945, 946, 950, 962, 985, 987)),
    (Rejected, (988, 1012, 3610, 8, 100, 910, 911, 913, 914, 921, 940, 943, 944, 969, 22, 105, 121, 129)),
]


@pytest.mark.parametrize(("kind", "number"), [(kind, number) for kind, numbers in rows for number in numbers])
def test_every_known_error_has_its_class_and_a_code_of_words(kind, number, community, board):
    board.add(Fault("status", status=number, chat="555"))
    with pytest.raises(ConnectorError) as caught:
        community().send(say())
    assert type(caught.value) is kind
    assert caught.value.code.replace("_", "").isalpha()


answers = [
    (200, {"error": {"error_code": 77777, "error_msg": "new"}}, Rejected, "77777"),
    (200, {"response": "soon"}, Unconfirmed, "bad_answer"),
    (200, "<html>", Unconfirmed, "bad_answer"),
    (302, "", LineDown, "redirect"),
    (400, "", Rejected, "400"),
    (404, "", LineDown, "api_address"),
    (429, "", RateLimited, "too_many_requests"),
    (500, "", Unconfirmed, "provider_down"),
    (503, "", Temporary, "provider_down"),
]


@pytest.mark.parametrize(("status", "answer", "kind", "code"), answers)
def test_an_answer_that_is_not_vks_usual_one_has_its_class_too(status, answer, kind, code, raw, opened):
    with pytest.raises(ConnectorError) as caught:
        answering(raw, opened, status, answer).send(say())
    assert (type(caught.value), caught.value.code) == (kind, code)


def test_an_echoed_token_is_not_kept(raw, opened):
    echoed = [{"key": "x" * 400, "value": "y"}, {"key": "access_token", "value": token}]
    channel = answering(
        raw, opened, 200, {"error": {"error_code": 5, "error_msg": f"no {token}", "request_params": echoed}}
    )
    for call in (channel.check, lambda: channel.send(say())):
        with pytest.raises(LineDown) as caught:
            call()
        assert token[:12] not in repr(vars(caught.value))


def test_too_many_requests_hold_the_line_and_a_flood_the_chat(community, board):
    with pytest.raises(RateLimited) as caught:
        community().send(say("20429"))
    assert (caught.value.retry_after_s, caught.value.scope) == (1, "line")
    assert community().send(say("20429")).provider_ids == ("1",)
    board.add(Fault("status", status=9))
    with pytest.raises(RateLimited) as caught:
        community().send(say())
    assert (caught.value.retry_after_s, caught.value.scope) == (120, "chat")


@pytest.mark.parametrize("wrong", ["bad", "vk1.revoked"])
def test_a_refused_token_takes_the_line_down(wrong, community):
    for call in (community(wrong).check, lambda: community(wrong).send(say())):
        with pytest.raises(LineDown):
            call()


def test_long_text_goes_in_parts_and_a_failed_part_is_taken_up_without_doubles(community, board):
    text = "ы" * 9000
    board.add(Fault("hangup_after", chat="556"))
    with pytest.raises(Unconfirmed):
        community().send(say("556", text))
    assert community().send(say("556", text)).provider_ids == ("1", "2", "3")
    assert "".join(entry.text for entry in board.entries() if entry.accepted) == text


@pytest.mark.parametrize("count", [1, 6, 7, 10])
def test_any_mix_of_buttons_makes_a_keyboard_vk_takes(count, community, board):
    buttons = tuple(
        {"id": str(n), "label": f"Кнопка {n} " + "x" * 40, "kind": "url", "url": "https://example.org"}
        if n % 3 == 0
        else {"id": str(n), "label": f"Кнопка {n}", "kind": "reply"}
        for n in range(count)
    )
    community().send(say(buttons=buttons))
    (entry,) = board.entries()
    assert len(entry.buttons) == count
    assert (len(entry.buttons[0]), entry.buttons[0][-1]) == (40, "…")


def test_a_bad_link_of_a_button_is_refused_and_a_file_costs_no_call(community, board):
    with pytest.raises(Rejected) as caught:
        community().send(say(buttons=({"id": "2", "label": "Сайт", "kind": "url", "url": "nowhere"},)))
    assert caught.value.code == "bad_button"
    board.reset()
    with pytest.raises(Unsupported):
        community().send(say(file_url="https://e.org/a.pdf"))
    assert board.entries() == []


@pytest.mark.parametrize(
    ("form", "number"),
    [
        ({"access_token": ""}, 5),
        ({"access_token": "whatever"}, 5),
        ({"v": ""}, 8),
        ({"random_id": ""}, 100),
        ({"random_id": str(2**31)}, 100),
        ({"message": " "}, 100),
        ({"message": "x" * 4097}, 914),
        ({"peer_id": ""}, 100),
        ({"keyboard": "{"}, 911),
        ({"keyboard": '{"inline": true, "buttons": [[], []]}'}, 911),
        ({"keyboard": json.dumps({"inline": True, "buttons": [[{"action": {"type": "text"}}]]})}, 911),
    ],
)
def test_the_simulator_refuses_what_vk_refuses(form, number, sandbox, board):
    full = {"access_token": token, "v": "5.199", "peer_id": "5", "random_id": "1", "message": "x", **form}
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(f"{sandbox.url}/vk/method/messages.send", data=full, timeout=5)
        assert answer.status_code == 200
        assert answer.json()["error"]["error_code"] == number
        unknown = session.post(f"{sandbox.url}/vk/method/messages.fly", data=full | {"access_token": token}, timeout=5)
        assert unknown.json()["error"]["error_code"] in (3, 8)
