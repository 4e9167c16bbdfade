"""MAX against its simulator: people and groups, every refusal by its code, and what MAX tells us."""

import json
import traceback

import pytest
import requests
from flask import Flask

from connectors.channel import OutgoingMessage
from connectors.channels.max import Max
from connectors.errors import ConnectorError, LineDown, RateLimited, Rejected, Temporary, Unconfirmed, Unsupported
from hub.sandbox.faults import Board, Fault
from hub.sandbox.messengers import max as simulator

token = "f9LHtheTokenNobodyMaySee"


@pytest.fixture
def board(sandbox):
    sandbox.board.reset()
    return sandbox.board


@pytest.fixture
def bot(sandbox, board, opened):
    def make(token=token, **more):
        return Max(Max.Config(token=token, api_url=sandbox.url + "/max", **more), opened(f"127.0.0.1:{sandbox.port}"))

    return make


def say(chat="555", text="Привет", id="m1", **more):
    return OutgoingMessage(id, chat, text, **more)


def test_a_message_arrives_at_a_person_and_in_a_group_and_its_id_is_the_mid(bot, board):
    (to_person,) = bot().send(say()).provider_ids
    (to_group,) = bot().send(say(" -70000001 ")).provider_ids
    assert to_person.startswith("mid.")
    assert [(entry.chat, entry.text, entry.provider_id) for entry in board.entries()] == [
        ("555", "Привет", to_person), ("-70000001", "Привет", to_group),
    ]  # fmt: skip


def test_a_person_is_addressed_as_a_user_and_a_group_as_a_chat_with_the_bare_token(raw, opened):
    asked = []

    def handle(connection):
        asked.append(connection.recv(65536).decode())
        body = json.dumps({"message": {"body": {"mid": "mid.1"}}})
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall((head + body).encode())

    server = raw(handle)
    channel = Max(Max.Config(token=token, api_url=server.url), opened(server.spot))
    channel.send(say("5"))
    channel.send(say("-5"))
    assert asked[0].startswith("POST /messages?user_id=5&disable_link_preview=true HTTP/1.1\r\n")
    assert asked[1].startswith("POST /messages?chat_id=-5&disable_link_preview=true HTTP/1.1\r\n")
    assert f"\r\nAuthorization: {token}\r\n" in asked[0]


def test_a_recipient_that_is_no_number_costs_no_call(bot, board):
    for wrong in ("@anna", "0", "12x", "-", "9" * 20):
        with pytest.raises(Rejected) as caught:
            bot().send(say(wrong))
        assert caught.value.code == "chat_not_found"
    assert board.entries() == []


def test_the_line_check_names_the_bot_and_wants_a_bot(bot, raw, opened):
    identity = bot().check()
    assert (identity.ok, identity.name, identity.details["user_id"]) == (True, "@sandbox_bot", 77)
    person = answering(raw, opened, 200, {"user_id": 1, "first_name": "Anna", "is_bot": False}).check()
    assert (person.ok, person.name) == (False, "Anna")


refusals = [
    ("10401", LineDown, "token_refused", 401),
    ("10403", Rejected, "blocked", 403),
    ("10404", Rejected, "chat_not_found", 404),
    ("10405", Rejected, "never_started", 403),
    ("10408", Unconfirmed, "hung_up", None),
    ("10429", RateLimited, "too_many_requests", 429),
    ("10500", Temporary, "provider_down", 503),
    ("10502", Unconfirmed, "provider_down", 502),
    ("10504", Unconfirmed, "provider_down", 504),
]


@pytest.mark.parametrize(("chat", "kind", "code", "status"), refusals)
def test_each_refusal_has_its_class_and_shows_no_token(chat, kind, code, status, bot):
    with pytest.raises(ConnectorError) as caught:
        bot().send(say(chat))
    error = caught.value
    assert (type(error), error.code, error.status) == (kind, code, status)
    shown = "".join([str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)])
    assert token not in shown
    assert error.__context__ is None


def answering(raw, opened, status, answer, more=""):
    body = answer if isinstance(answer, str) else json.dumps(answer)

    def handle(connection):
        connection.recv(65536)
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{more}\r\n"
        connection.sendall((head + body).encode())

    server = raw(handle)
    return Max(Max.Config(token=token, api_url=server.url), opened(server.spot))


answers = [
    (403, {"code": "verify.token", "message": "Invalid access_token"}, LineDown, "token_refused"),
    (400, {"code": "too.many.requests", "message": "x"}, RateLimited, "too_many_requests"),
    (403, {"code": "chat.denied", "message": "something new"}, Rejected, "no_chat_access"),
    (403, {"code": "new.code", "message": "x"}, Rejected, "no_chat_access"),
    (404, {"code": "dialog.not.found", "message": "x"}, Rejected, "chat_not_found"),
    (400, {"code": "proto.payload", "message": "text: size must be between 0 and 4000"}, Rejected, "too_long"),
    (400, {"code": "proto.payload", "message": "inline_keyboard: url"}, Rejected, "bad_button"),
    (400, {"code": "proto.payload", "message": "x"}, Rejected, "bad_request"),
    (400, {"code": "new.code", "message": "x"}, Rejected, "400"),
    (405, {"error": "method not allowed"}, Rejected, "bad_request"),
    (200, {"message": {"body": {}}}, Unconfirmed, "bad_answer"),
    (200, {"success": False}, Unconfirmed, "bad_answer"),
    (200, "<html>", Unconfirmed, "bad_answer"),
    (302, "", LineDown, "redirect"),
    (401, "", LineDown, "token_refused"),
    (404, "", LineDown, "api_address"),
    (429, "", RateLimited, "too_many_requests"),
    (500, {"code": "internal.error", "message": "x"}, Temporary, "provider_down"),
]


@pytest.mark.parametrize(("status", "answer", "kind", "code"), answers)
def test_the_code_of_an_answer_says_more_than_its_status(status, answer, kind, code, raw, opened):
    with pytest.raises(ConnectorError) as caught:
        answering(raw, opened, status, answer).send(say())
    assert (type(caught.value), caught.value.code) == (kind, code)


def test_a_pause_lasts_as_long_as_max_says_else_a_second(bot, board, raw, opened):
    board.add(Fault("429", seconds=7))
    for wanted in (7, 1):
        with pytest.raises(RateLimited) as caught:
            bot().send(say("20429"))
        assert (caught.value.retry_after_s, caught.value.scope) == (wanted, "line")
    assert len(bot().send(say("20429")).provider_ids) == 1
    with pytest.raises(RateLimited) as caught:
        answering(raw, opened, 429, "", "Retry-After: soon\r\n").send(say())
    assert caught.value.retry_after_s == 1


def test_an_echoed_token_is_not_kept(raw, opened):
    channel = answering(raw, opened, 401, {"code": "verify.token", "message": f"no {token}"})
    for call in (channel.check, lambda: channel.send(say())):
        with pytest.raises(LineDown) as caught:
            call()
        assert token not in repr(vars(caught.value))


@pytest.mark.parametrize("wrong", ["bad", "f9LHrevoked", f"Bearer-{token}"])
def test_a_refused_token_takes_the_line_down_and_the_record_shows_the_message(wrong, bot, board):
    for call in (bot(wrong).check, lambda: bot(wrong).send(say())):
        with pytest.raises(LineDown):
            call()
    assert [(entry.text, entry.accepted) for entry in board.entries()] == [("Привет", False)]


def test_a_token_or_a_secret_that_no_header_can_hold_is_refused():
    for wrong in ({"token": "a b"}, {"token": "токен"}, {"secret": "four"}, {"secret": "five!"}, {"secret": "x" * 257}):
        with pytest.raises(ValueError):
            Max.Config(**{"token": token, **wrong})


def test_long_text_goes_in_parts_and_resumes_after_a_failure(bot, board):
    text = "ы" * 9000
    board.add(Fault("hangup_after", chat="556"))
    with pytest.raises(Unconfirmed) as caught:
        bot().send(say("556", text))
    assert caught.value.sent == ()
    board.reset()
    assert len(bot().send(say("556", text)).provider_ids) == 3
    assert "".join(entry.text for entry in board.entries()) == text


@pytest.mark.parametrize("count", [1, 8, 30])
def test_any_mix_of_buttons_makes_a_keyboard_max_takes(count, bot, board):
    buttons = tuple(
        {"id": str(n), "label": f"Кнопка {n} " + "x" * 140, "kind": "url", "url": "https://example.org"}
        if n % 3 == 0
        else {"id": str(n), "label": f"Кнопка {n}", "kind": "reply"}
        for n in range(count)
    )
    bot().send(say(buttons=buttons))
    (entry,) = board.entries()
    assert len(entry.buttons) == count
    assert (len(entry.buttons[0]), entry.buttons[0][-1]) == (128, "…")


def test_a_bad_link_of_a_button_is_refused_and_a_file_costs_no_call(bot, board):
    with pytest.raises(Rejected) as caught:
        bot().send(say(buttons=({"id": "2", "label": "Сайт", "kind": "url", "url": "nowhere"},)))
    assert caught.value.code == "bad_button"
    board.reset()
    with pytest.raises(Unsupported):
        bot().send(say(file_url="https://e.org/a.pdf"))
    assert board.entries() == []


def keyboard(*rows):
    return [{"type": "inline_keyboard", "payload": {"buttons": list(rows)}}]


press = {"type": "callback", "text": "a", "payload": "b"}
link = {"type": "link", "text": "a", "url": "https://e.org"}


@pytest.mark.parametrize(
    ("query", "body", "words"),
    [
        ("", {}, "One of user_id and chat_id"),
        ("user_id=5&chat_id=-5", {}, "One of user_id and chat_id"),
        ("user_id=-5", {}, "recipient"),
        ("user_id=anna", {}, "recipient"),
        ("user_id=5", {"text": " "}, "must not be empty"),
        ("user_id=5", {"text": "x" * 4001}, "size must be between"),
        ("user_id=5", {"format": "rtf"}, "format"),
        ("user_id=5", {"attachments": [{"type": "image", "payload": {"url": "https://e.org/a.png"}}]}, "attachments"),
        ("user_id=5", {"attachments": "x"}, "well formed"),
        ("user_id=5", {"attachments": keyboard()}, "too many buttons"),
        ("user_id=5", {"attachments": keyboard(*[[press]] * 31)}, "too many buttons"),
        ("user_id=5", {"attachments": keyboard([press] * 8)}, "a row has 1 to 7"),
        ("user_id=5", {"attachments": keyboard([link] * 4)}, "a row has 1 to 3"),
        ("user_id=5", {"attachments": keyboard([press | {"payload": "x" * 1025}])}, "payload"),
        ("user_id=5", {"attachments": keyboard([press | {"text": "x" * 129}])}, "text"),
        ("user_id=5", {"attachments": keyboard([link | {"url": "https://e.org/" + "x" * 2048}])}, "url"),
        ("user_id=5", {"attachments": keyboard([{"type": "chat", "text": "a"}])}, "unknown type"),
    ],
)
def test_the_simulator_refuses_what_max_refuses(query, body, words, sandbox, board):
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            f"{sandbox.url}/max/messages?{query}",
            json={"text": "x", **body},
            headers={"Authorization": token},
            timeout=5,
        )
    assert (answer.status_code, answer.json()["code"]) == (400, "proto.payload")
    assert words in answer.json()["message"]


def test_the_simulator_takes_the_token_in_the_header_only(sandbox, board):
    with requests.Session() as session:
        session.trust_env = False
        for headers in ({}, {"Authorization": f"Bearer {token}"}):
            url = f"{sandbox.url}/max/messages?user_id=5&access_token={token}"
            answer = session.post(url, json={"text": "x"}, headers=headers, timeout=5)
            assert (answer.status_code, answer.json()["code"]) == (401, "verify.token")


def test_the_simulator_subscribes_https_addresses_with_a_sound_secret(sandbox, board):
    good = {"url": "https://hub.example.org/channels/x", "secret": "a-secret_5"}
    with requests.Session() as session:
        session.trust_env = False

        def status(**change):
            url = f"{sandbox.url}/max/subscriptions"
            return session.post(url, json=good | change, headers={"Authorization": token}, timeout=5).status_code

        assert (status(), status(url="http://e.org/"), status(url="https://e.org:8443/"), status(secret="four")) == (
            200, 400, 400, 400,
        )  # fmt: skip


def test_the_simulator_counts_messages_of_a_chat_and_of_all_when_asked_to():
    for state in (simulator.State(per_chat_per_s=2), simulator.State(per_s=2)):
        app = Flask("counting")
        app.register_blueprint(simulator.blueprint(Board(), state))
        client = app.test_client()

        def post(chat, client=client):
            url, headers = f"/messages?user_id={chat}", {"Authorization": token}
            return client.post(url, json={"text": "x"}, headers=headers).status_code

        assert [post(5), post(5), post(5)] == [200, 200, 429]
        assert post(6) == (200 if state.per_chat_per_s else 429)
