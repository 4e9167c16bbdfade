"""WhatsApp against its simulator: phones, the 24-hour window, buttons and Meta's numbers."""

import json
import traceback

import pytest
import requests

from connectors.channel import OutgoingMessage
from connectors.channels.whatsapp import Whatsapp
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

token = "EAAtheTokenNobodyMaySee"
anna = "79991234567"


@pytest.fixture
def board(sandbox):
    sandbox.board.reset()
    return sandbox.board


@pytest.fixture
def number(sandbox, board, opened):
    def make(token=token, place="/graph", **more):
        http = opened(f"127.0.0.1:{sandbox.port}")
        config = {"token": token, "phone_number_id": "1122", **more}
        return Whatsapp(Whatsapp.Config(api_url=sandbox.url + place, **config), http)

    return make


def say(chat=anna, text="Привет", **more):
    return OutgoingMessage("m1", chat, text, **more)


@pytest.mark.parametrize("place", ["/graph", "/whatsapp"])
def test_a_message_arrives_and_gets_a_wamid(place, number, board):
    (sent,) = number(place=place).send(say()).provider_ids
    (entry,) = board.entries()
    assert sent.startswith("wamid.")
    assert (entry.chat, entry.text, entry.accepted, entry.provider_id) == (anna, "Привет", True, sent)


def test_our_message_id_goes_along_and_a_user_id_goes_as_recipient(raw, opened):
    asked = []
    channel = answering(raw, opened, 200, {"messages": [{"id": "wamid.1"}]}, asked)
    channel.send(say())
    channel.send(say("RU.1349120865"))
    first, second = asked
    assert (first["to"], first["biz_opaque_callback_data"]) == (anna, "m1")
    assert second["recipient"] == "RU.1349120865"
    assert "to" not in second


def answering(raw, opened, status, answer, asked=None):
    body = answer if isinstance(answer, str) else json.dumps(answer)

    def handle(connection):
        request = b""
        while b"\r\n\r\n" not in request or not request.endswith(b"}"):
            request += connection.recv(65536)
        if asked is not None:
            asked.append(json.loads(request.partition(b"\r\n\r\n")[2]))
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall((head + body).encode())

    server = raw(handle)
    return Whatsapp(Whatsapp.Config(token=token, phone_number_id="1", api_url=server.url), opened(server.spot))


@pytest.mark.parametrize(
    ("typed", "dialled"),
    [
        ("+7 (999) 123-45-67", anna),
        ("8 999 123-45-67", anna),
        (anna, anna),
        ("+81 3 1234 5678", "81312345678"),
        ("RU.1349120865", "RU.1349120865"),
        ("anna", ""),
        ("٧٩٩٩", ""),
        ("", ""),
    ],
)
def test_a_phone_is_dialled_by_its_digits(typed, dialled, number):
    assert number().address(typed) == dialled


def test_what_is_no_phone_costs_no_call(number, board):
    with pytest.raises(Unsupported):
        number().send(say("anna"))
    assert board.entries() == []


def test_the_line_check_names_the_number(number):
    identity = number().check()
    assert (identity.ok, identity.name) == (True, "Sandbox +7 999 000-00-00")
    assert identity.details["quality_rating"] == "GREEN"


refusals = [
    ("79990000401", LineDown, "token_refused", 401),
    ("79990000404", Rejected, "not_in_test_list", 400),
    ("79990000408", Unconfirmed, "hung_up", None),
    ("79990000429", RateLimited, "too_many_requests", 400),
    ("79990000500", Temporary, "provider_down", 500),
    ("79990000502", Unconfirmed, "provider_down", 502),
    ("79990000504", Unconfirmed, "provider_down", 504),
    ("79990001026", Rejected, "undeliverable", 400),
    ("79990001047", Rejected, "window_closed", 400),
    ("79990001056", RateLimited, "pair_rate", 400),
    ("12345", Rejected, "bad_request", 400),
]


@pytest.mark.parametrize(("chat", "kind", "code", "status"), refusals)
def test_each_refusal_has_its_class_and_shows_no_token(chat, kind, code, status, number):
    with pytest.raises(ConnectorError) as caught:
        number().send(say(chat))
    error = caught.value
    assert (type(error), error.code, error.status) == (kind, code, status)
    shown = "".join([str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)])
    assert token not in shown
    assert error.__context__ is None


rows = [
    (Temporary, (1, 2, 131000, 131016, 131057)),
    (RateLimited, (4, 613, 80007, 130429, 131056, 133016, 131048, 131049, 131064)),
    (Rejected, (131026, 131047, 131050, 130472, 131021, 131030, 137000, 131062, 100, 131008, 131009, 131051)),
    (Rejected, (131052, 131053, 132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 132068, 132069)),
    (Rejected, (135000, 131063)),
    (LineDown, (0, 190, 3, 10, 200, 250, 299, 33, 368, 131005, 131031, 130497, 131037, 131042, 131044, 131045, 133010)),
]


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in rows for code in codes])
def test_every_known_error_has_its_class_and_a_code_of_words(kind, code, number, board):
    board.add(Fault("status", status=code, chat=anna))
    with pytest.raises(ConnectorError) as caught:
        number().send(say())
    assert type(caught.value) is kind
    assert caught.value.code.replace("_", "").isalpha()


answers = [
    (400, {"error": {"code": 77777, "message": "new"}}, Rejected, "77777"),
    (400, {"error": {"code": 77777, "message": "new", "is_transient": True}}, Temporary, "77777"),
    (500, {"error": {"code": 77777, "message": "new"}}, Temporary, "77777"),
    (200, {"messages": []}, Unconfirmed, "bad_answer"),
    (200, "<html>", Unconfirmed, "bad_answer"),
    (302, "", LineDown, "redirect"),
    (400, "", Rejected, "400"),
    (401, "", LineDown, "token_refused"),
    (404, "", LineDown, "api_address"),
    (429, "", RateLimited, "too_many_requests"),
    (500, "", Unconfirmed, "provider_down"),
    (503, "", Temporary, "provider_down"),
]


@pytest.mark.parametrize(("status", "answer", "kind", "code"), answers)
def test_an_answer_without_a_known_number_has_its_class_too(status, answer, kind, code, raw, opened):
    with pytest.raises(ConnectorError) as caught:
        answering(raw, opened, status, answer).send(say())
    assert (type(caught.value), caught.value.code) == (kind, code)


@pytest.mark.parametrize(
    ("code", "seconds", "scope"),
    [(130429, 5, "line"), (131056, 6, "chat"), (131049, 3600, "chat"), (131048, 3600, "line")],
)
def test_a_limit_holds_what_it_is_about(code, seconds, scope, number, board):
    board.add(Fault("status", status=code))
    with pytest.raises(RateLimited) as caught:
        number().send(say())
    assert (caught.value.retry_after_s, caught.value.scope) == (seconds, scope)
    number().send(say())


@pytest.mark.parametrize("wrong", ["bad", "EAArevoked"])
def test_a_refused_token_takes_the_line_down(wrong, number):
    for call in (number(wrong).check, lambda: number(wrong).send(say())):
        with pytest.raises(LineDown):
            call()


def test_a_message_taken_before_the_hang_up_is_in_the_record_and_may_not_be_repeated_blindly(number, board):
    with pytest.raises(Unconfirmed):
        number().send(say("79990000408"))
    assert [entry.accepted for entry in board.entries()] == [True]
    assert not Whatsapp.carries.idempotent


def test_long_text_goes_in_parts(number, board):
    text = "ы" * 9000
    assert len(number().send(say(text=text)).provider_ids) == 3
    assert "".join(entry.text for entry in board.entries()) == text


def replies(count):
    return tuple({"id": str(n), "label": f"Ответ {n} длиннее двадцати", "kind": "reply"} for n in range(count))


link = {"id": "l", "label": "Сайт", "kind": "url", "url": "https://example.org"}


@pytest.mark.parametrize(
    ("buttons", "text", "method", "labels", "shown"),
    [
        (replies(3), "?", "messages.interactive", 3, "?"),
        (replies(10), "?", "messages.interactive", 10, "?"),
        (replies(2), "x" * 2000, "messages.interactive", 2, "x" * 2000),
        ((link,), "?", "messages.interactive", 1, "?"),
        ((link, link), "?", "messages.text", 0, "?\nСайт: https://example.org\nСайт: https://example.org"),
        ((*replies(1), link), "?", "messages.interactive", 1, "?\nСайт: https://example.org"),
    ],
)
def test_buttons_take_the_form_that_fits_and_no_link_is_lost(buttons, text, method, labels, shown, number, board):
    number().send(say(text=text, buttons=buttons))
    (entry,) = board.entries()
    assert (entry.method, len(entry.buttons), entry.text) == (method, labels, shown)


def test_buttons_without_a_place_are_told_before_the_call(number, board):
    for message in (
        say(text="", file_url="https://e.org/a.pdf", buttons=replies(1)),
        say(file_url="https://e.org/a.pdf", buttons=replies(4)),
        say(text="x" * 4090, buttons=(*replies(1), link)),
        say(text="x" * 4090, buttons=(link, link)),
    ):
        with pytest.raises(Unsupported):
            number().send(message)
    assert board.entries() == []


@pytest.mark.parametrize(
    ("url", "kind"),
    [("https://e.org/A.PNG?x=1", "image"), ("https://e.org/a.mp4", "video"), ("https://e.org/%D1%87.pdf", "document")],
)
def test_a_file_goes_by_its_address_with_a_caption_or_buttons(url, kind, number, board):
    number().send(say(text="Счёт", file_url=url))
    number().send(say(text="Счёт", file_url=url, buttons=replies(2)))
    assert [(e.method, e.file, e.text, len(e.buttons)) for e in board.entries()] == [
        (f"messages.{kind}", url, "Счёт", 0),
        ("messages.interactive", url, "Счёт", 2),
    ]


def asking(form, action):
    return {"type": "interactive", "interactive": {"type": form, "body": {"text": "x"}, "action": action}}


template = {"name": "order", "language": {"code": "ru"}}


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({}, 0),
        ({"to": "79990001047", "type": "template", "template": template}, 0),
        ({"to": "79990001047"}, 131047),
        ({"messaging_product": "x"}, 100),
        ({"to": ""}, 131008),
        ({"to": "RU.1349"}, 131009),
        ({"text": {"body": "x" * 4097}}, 100),
        ({"text": {"body": " "}}, 131008),
        ({"text": "x"}, 131008),
        ({"type": "pigeon"}, 131051),
        ({"type": "image", "image": {"link": "ftp://x"}}, 131053),
        ({"type": "template", "template": {"name": "order"}}, 131008),
        (asking("list", {}), 131008),
        (asking("list", {"button": "x", "sections": 1}), 131009),
        (asking("button", {"buttons": []}), 131009),
        (asking("pie", {}), 131009),
    ],
)
def test_the_simulator_refuses_what_meta_refuses(more, code, sandbox, board):
    body = {"messaging_product": "whatsapp", "to": anna, "type": "text", "text": {"body": "x"}, **more}
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {token}"
        answer = session.post(f"{sandbox.url}/graph/v25.0/1122/messages", json=body, timeout=5)
    assert answer.json().get("error", {}).get("code", 0) == code


def test_an_id_that_would_change_the_address_is_refused():
    with pytest.raises(ValueError):
        Whatsapp.Config(token=token, phone_number_id="1/../2")
