"""SMS.ru against its simulator: errors of the call and of the number, both inside a 200."""

import json
import traceback

import pytest
import requests

from connectors.channel import OutgoingMessage
from connectors.channels.smsru import Smsru
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

token = "demo-KeyNobodyMaySee"
anna = "79991234567"


@pytest.fixture
def board(sandbox):
    sandbox.board.reset()
    return sandbox.board


@pytest.fixture
def account(sandbox, board, opened):
    def make(token=token, **more):
        http = opened(f"127.0.0.1:{sandbox.port}")
        return Smsru(Smsru.Config(api_url=sandbox.url + "/smsru", token=token, **more), http)

    return make


def say(chat=anna, text="Привет", **more):
    return OutgoingMessage("m1", chat, text, **more)


def test_a_message_arrives_and_gets_an_id_of_the_provider(account, board):
    (sent,) = account(sender="Shop").send(say()).provider_ids
    (entry,) = board.entries()
    assert (entry.chat, entry.text, entry.accepted, entry.provider_id) == (anna, "Привет", True, sent)


def test_a_line_that_is_asked_tells_its_balance(account):
    identity = account(sender="Shop").check()
    assert (identity.ok, identity.name, identity.details) == (True, "Shop", {"balance": "4122.56"})


@pytest.mark.parametrize("wrong", ["bad", "demo-revoked"])
def test_a_refused_key_takes_the_line_down(wrong, account):
    for call in (account(wrong).check, lambda: account(wrong).send(say())):
        with pytest.raises(LineDown) as caught:
            call()
        assert caught.value.code == "token_refused"


def test_a_message_whose_answer_was_lost_is_left_to_a_person():
    assert not Smsru.carries.idempotent


@pytest.mark.parametrize(
    ("typed", "dialled"), [("+7 (999) 123-45-67", anna), ("8 999 123-45-67", anna), ("anna", ""), ("", "")]
)
def test_a_phone_is_dialled_by_its_digits(typed, dialled, account):
    assert account().address(typed) == dialled


refusals = [
    ("79990000401", LineDown, "token_refused", 200),
    ("79990000402", LineDown, "no_money", 200),
    ("79990000403", Rejected, "not_reachable", 200),
    ("79990000404", Rejected, "wrong_number", 200),
    ("79990000406", Rejected, "sender_refused", 200),
    ("79990000408", Unconfirmed, "hung_up", None),
    ("79990000409", Rejected, "stop_list", 200),
    ("79990000429", Temporary, "provider_down", 200),
    ("79990000430", Rejected, "recipient_limit", 200),
    ("79990000500", Temporary, "provider_down", 200),
    ("79990000502", Unconfirmed, "provider_down", 502),
    ("79990000504", Unconfirmed, "provider_down", 504),
    ("12345", Rejected, "wrong_number", 200),
]


@pytest.mark.parametrize(("chat", "kind", "code", "status"), refusals)
def test_each_refusal_has_its_class_and_shows_no_key(chat, kind, code, status, account):
    with pytest.raises(ConnectorError) as caught:
        account().send(say(chat))
    error = caught.value
    assert (type(error), error.code, error.status) == (kind, code, status)
    shown = "".join([str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)])
    assert token not in shown


rows = [
    (Temporary, (220,)),
    (RateLimited, (206,)),
    (LineDown, (200, 201, 300, 301, 302)),
    (Rejected, (202, 203, 204, 205, 207, 208, 209, 210, 211, 212, 230, 231, 232)),
]


@pytest.mark.parametrize(("kind", "number"), [(kind, number) for kind, numbers in rows for number in numbers])
def test_every_known_error_has_its_class_and_a_code_of_words(kind, number, account, board):
    board.add(Fault("status", status=number, chat=anna))
    with pytest.raises(ConnectorError) as caught:
        account().send(say())
    assert type(caught.value) is kind
    assert caught.value.code.replace("_", "").isalpha()


def test_a_daily_limit_holds_the_line_for_an_hour(account, board):
    board.add(Fault("status", status=206, chat=anna))
    with pytest.raises(RateLimited) as caught:
        account().send(say())
    assert (caught.value.retry_after_s, caught.value.scope) == (3600, "line")


def answering(raw, opened, status, answer):
    body = answer if isinstance(answer, str) else json.dumps(answer)

    def handle(connection):
        connection.recv(65536)
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall((head + body).encode())

    server = raw(handle)
    return Smsru(Smsru.Config(token=token, api_url=server.url), opened(server.spot))


def of_number(**told):
    return {"status": "OK", "status_code": 100, "sms": {anna: told}}


answers = [
    (200, of_number(status_code=777, status_text=f"new for {token}"), Rejected, "777"),
    (200, {"status": "ERROR", "status_code": 500}, Temporary, "provider_down"),
    (200, of_number(status_code="odd"), Unconfirmed, "bad_answer"),
    (200, of_number(status_code=100), Unconfirmed, "bad_answer"),
    (200, {"status": "OK", "status_code": 100, "sms": []}, Unconfirmed, "bad_answer"),
    (200, {"status": "OK"}, Unconfirmed, "bad_answer"),
    (200, "<html>", Unconfirmed, "bad_answer"),
    (302, "", LineDown, "redirect"),
    (400, "", Rejected, "400"),
    (404, "", LineDown, "api_address"),
    (429, "", RateLimited, "too_many_requests"),
    (500, "", Unconfirmed, "provider_down"),
    (503, "", Temporary, "provider_down"),
]


@pytest.mark.parametrize(("status", "answer", "kind", "code"), answers)
def test_an_answer_that_is_not_the_usual_one_has_its_class_too(status, answer, kind, code, raw, opened):
    with pytest.raises(ConnectorError) as caught:
        answering(raw, opened, status, answer).send(say())
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert token not in repr(vars(caught.value))


@pytest.mark.parametrize("letter", ["ы", "😀", "x"])
def test_long_text_goes_in_parts_of_which_each_has_room_in_eight_sms(letter, account, board):
    text = letter * 1000
    assert len(account().send(say(text=text)).provider_ids) == len(board.entries()) > 1
    assert "".join(entry.text for entry in board.entries()) == text


def test_a_file_or_a_button_costs_no_call(account, board):
    for more in ({"file_url": "https://e.org/a.pdf"}, {"buttons": ({"id": "1", "label": "Да", "kind": "reply"},)}):
        with pytest.raises(Unsupported):
            account().send(say(**more))
    assert board.entries() == []


@pytest.mark.parametrize(
    ("form", "number"),
    [
        ({"api_id": ""}, 200),
        ({"api_id": "whatever"}, 200),
        ({"json": ""}, 211),
        ({"msg": " "}, 203),
        ({"msg": "ы" * 537}, 205),
        ({"msg": "x" * 1225}, 205),
        ({"to": "12345"}, 202),
        ({"from": "слишком длинное имя"}, 204),
    ],
)
def test_the_simulator_refuses_what_the_provider_refuses(form, number, sandbox, board):
    full = {"api_id": token, "json": "1", "to": anna, "msg": "Привет", **form}
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(f"{sandbox.url}/smsru/sms/send", data=full, timeout=5)
        told = answer.json()
        assert answer.status_code == 200
        assert number in (told["status_code"], *(one["status_code"] for one in told.get("sms", {}).values()))
        by_get = session.get(f"{sandbox.url}/smsru/sms/send", params=full | {"api_id": token}, timeout=5)
        assert by_get.json()["status_code"] == 210
