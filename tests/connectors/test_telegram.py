"""Telegram against its simulator: every refusal gets its class, and what is sent is what arrives."""

import json
import traceback

import pytest

from connectors.channel import Callback, OutgoingMessage
from connectors.channels.telegram import Telegram
from connectors.errors import (
    CallbackRefused,
    ConnectorError,
    LineDown,
    Moved,
    RateLimited,
    Rejected,
    Temporary,
    Unconfirmed,
)
from hub.sandbox.faults import Fault

token = "123456:AAtheTokenNobodyMaySee"


@pytest.fixture
def board(sandbox):
    sandbox.board.reset()
    return sandbox.board


@pytest.fixture
def bot(sandbox, board, opened):
    def make(token=token, **limits):
        http = opened(f"127.0.0.1:{sandbox.port}", **limits)
        return Telegram(Telegram.Config(token=token, api_url=sandbox.url + "/telegram"), http)

    return make


def say(chat="555", text="Привет", **more):
    return OutgoingMessage("m1", chat, text, **more)


def test_an_answer_with_broken_headers_writes_no_token_to_the_log(raw, opened, caplog):
    def handle(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nno header\r\n\r\n")

    server = raw(handle)
    with pytest.raises(Unconfirmed):
        Telegram(Telegram.Config(token=token, api_url=server.url), opened(server.spot)).send(say())
    assert token not in caplog.text


def test_a_message_arrives_and_its_id_names_chat_and_number(bot, board):
    assert bot().send(say()).provider_ids == ("555:1",)
    assert bot().send(say()).provider_ids == ("555:2",)
    assert [(entry.chat, entry.text, entry.accepted) for entry in board.entries()] == [("555", "Привет", True)] * 2


def test_the_line_check_names_the_bot(bot):
    identity = bot().check()
    assert (identity.ok, identity.name, identity.details["id"]) == (True, "@sandbox_bot", 123456)


refusals = [
    ("10400", Rejected, "bad_markup", 400),
    ("10401", LineDown, "token_refused", 401),
    ("10403", Rejected, "blocked", 403),
    ("10404", Rejected, "chat_not_found", 400),
    ("10413", Rejected, "too_large", 413),
    ("10429", RateLimited, "too_many_requests", 429),
    ("10500", Temporary, "provider_down", 503),
    ("10502", Unconfirmed, "provider_down", 502),
    ("10504", Unconfirmed, "provider_down", 504),
    ("10301", Moved, "moved", 400),
    ("10408", Unconfirmed, "hung_up", None),
    ("nobody", Rejected, "chat_not_found", 400),
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


words = [
    (400, "Bad Request: have no rights to send a message", Rejected, "no_rights"),
    (400, "Bad Request: CHAT_WRITE_FORBIDDEN", Rejected, "no_rights"),
    (400, "Bad Request: message is too long", Rejected, "too_long"),
    (400, "Bad Request: BUTTON_DATA_INVALID", Rejected, "bad_button"),
    (400, "Bad Request: failed to get HTTP URL content", Rejected, "file_not_fetched"),
    (400, "Bad Request: something new", Rejected, "400"),
    (403, "Forbidden: user is deactivated", Rejected, "deactivated"),
    (403, "Forbidden: bot can't initiate conversation with a user", Rejected, "never_started"),
    (403, "Forbidden: bot was kicked from the supergroup chat", Rejected, "kicked"),
    (403, "Forbidden: bot is not a member of the channel chat", Rejected, "not_member"),
    (404, "Not Found", LineDown, "token_refused"),
    (429, None, RateLimited, "too_many_requests"),
    (400, "Bad Request: server restart", Temporary, "provider_down"),
    (500, "Internal Server Error", Temporary, "provider_down"),
    (520, None, Unconfirmed, "provider_down"),
    (302, None, LineDown, "redirect"),
    (200, None, Unconfirmed, "bad_answer"),
]


@pytest.mark.parametrize(("status", "description", "kind", "code"), words)
def test_the_words_of_a_refusal_decide_its_code(status, description, kind, code, raw, opened):
    body = json.dumps({"ok": False, "error_code": status, "description": description}) if description else "<html>"

    def handle(connection):
        connection.recv(65536)
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall((head + body).encode())

    server = raw(handle)
    channel = Telegram(Telegram.Config(token=token, api_url=server.url), opened(server.spot))
    with pytest.raises(ConnectorError) as caught:
        channel.send(say())
    assert (type(caught.value), caught.value.code) == (kind, code)


def test_a_flood_refusal_holds_the_line_as_long_as_it_says(bot):
    with pytest.raises(RateLimited) as caught:
        bot().send(say("20429"))
    assert (caught.value.retry_after_s, caught.value.scope) == (2, "line")
    assert bot().send(say("20429")).provider_ids == ("20429:1",)


def test_a_down_provider_comes_back(bot):
    for _ in range(2):
        with pytest.raises(Temporary):
            bot().send(say("20500"))
    bot().send(say("20500"))


def test_a_moved_chat_names_its_new_address(bot):
    with pytest.raises(Moved) as caught:
        bot().send(say("30301"))
    assert caught.value.address == "-10030001"
    bot().send(say(caught.value.address))


def test_a_message_the_bot_took_before_hanging_up_is_in_the_record(bot, board):
    with pytest.raises(Unconfirmed):
        bot().send(say("40408"))
    assert [entry.accepted for entry in board.entries()] == [True]


@pytest.mark.parametrize("bad", ["1:revoked", "notatoken"])
def test_a_refused_token_takes_the_line_down(bad, bot):
    with pytest.raises(LineDown):
        bot(bad).send(say())
    with pytest.raises(LineDown):
        bot(bad).check()


def test_long_text_goes_in_parts_and_resumes_after_a_failure(bot, board):
    text = "😀" * 5000
    board.add(Fault("hangup_after", chat="556", times=1))
    with pytest.raises(Unconfirmed):
        bot().send(say("556", text))
    board.reset()
    done = bot().send(say("556", text))
    assert done.provider_ids == ("556:1", "556:2", "556:3")
    assert "".join(entry.text for entry in board.entries()) == text


def test_buttons_go_as_short_keys_and_links(bot, board):
    buttons = (
        {"id": "x" * 100, "label": "Да", "kind": "reply"},
        {"id": "2", "label": "Сайт", "kind": "url", "url": "https://example.org"},
    )
    bot().send(say(buttons=buttons))
    assert board.entries()[0].buttons == ["Да", "Сайт"]
    with pytest.raises(Rejected) as caught:
        bot().send(say(buttons=({"id": "2", "label": "Сайт", "kind": "url", "url": "nowhere"},)))
    assert caught.value.code == "bad_button"


@pytest.mark.parametrize(
    ("url", "method"), [("https://e.org/A.PNG?x=1", "sendphoto"), ("https://e.org/a.pdf", "senddocument")]
)
def test_a_file_goes_by_its_address_with_a_caption(url, method, bot, board):
    bot().send(say(text="Счёт", file_url=url))
    assert [(e.method, e.file, e.text) for e in board.entries()] == [(method, url, "Счёт")]


def test_text_too_long_for_a_caption_follows_the_file(bot, board):
    bot().send(say(text="x" * 1025, file_url="https://e.org/a.pdf"))
    assert [(e.method, len(e.text)) for e in board.entries()] == [("senddocument", 0), ("sendmessage", 1025)]


def callback(channel, update, secret=None):
    headers = {"X-Telegram-Bot-Api-Secret-Token": channel.webhook_secret if secret is None else secret}
    return channel.read(Callback(headers, {}, json.dumps(update).encode()))


def test_a_text_and_a_press_are_read(bot):
    person = {"id": 555, "first_name": "Anna", "last_name": "K"}
    chat = {"id": 555, "type": "private"}
    message = {"message_id": 7, "from": person, "chat": chat, "text": "Hi"}
    (said,) = callback(bot(), {"update_id": 1, "message": message})
    assert (said.kind, said.event_id, said.chat_id, said.text, said.sender, said.provider_id) == (
        "message", "1", "555", "Hi", "Anna K", "555:7",
    )  # fmt: skip
    assert said.raw["message"]["text"] == "Hi"
    press = {"id": "9", "from": person, "message": message, "data": "b:0"}
    (pressed,) = callback(bot(), {"update_id": 2, "callback_query": press})
    assert (pressed.kind, pressed.chat_id, pressed.text, pressed.provider_id) == ("button", "555", "b:0", "555:7")
    blocked = {"chat": chat, "from": person, "new_chat_member": {"status": "kicked"}}
    assert callback(bot(), {"update_id": 3, "my_chat_member": blocked})[0].kind == "blocked"
    assert callback(bot(), {"update_id": 4, "poll": {}})[0].kind == "other"


def test_a_callback_without_the_lines_secret_is_refused(bot):
    for secret in ("", "wrong", "тайна"):
        with pytest.raises(CallbackRefused):
            callback(bot(), {"update_id": 1}, secret)
    for body in ([], {}, "x"):
        with pytest.raises(CallbackRefused):
            callback(bot(), body)


def test_a_token_that_would_change_the_address_is_refused():
    with pytest.raises(ValueError):
        Telegram.Config(token="1:x/../y")
