"""SMSC against its simulator: errors inside a 200, and one SMS for one id of ours."""

import json
import traceback

import pytest
import requests

from connectors.channel import OutgoingMessage
from connectors.channels.smsc import Smsc
from connectors.errors import (
    ConnectorError,
    LineDown,
    RateLimited,
    Rejected,
    Temporary,
    Unconfirmed,
    Unsupported,
)
from hub.ids import new_id
from hub.sandbox.faults import Fault

token = "demoKeyNobodyMaySee"
anna = "79991234567"
message_id = new_id()


@pytest.fixture
def board(sandbox):
    sandbox.board.reset()
    return sandbox.board


@pytest.fixture
def account(sandbox, board, opened):
    def make(token=token, **more):
        http = opened(f"127.0.0.1:{sandbox.port}")
        return Smsc(Smsc.Config(api_url=sandbox.url + "/smsc", token=token, **more), http)

    return make


def say(chat=anna, text="Привет", id=message_id, **more):
    return OutgoingMessage(id, chat, text, **more)


def test_a_message_arrives_under_an_id_of_ours(account, board):
    assert account().send(say()).provider_ids == (f"{message_id}-0",)
    (entry,) = board.entries()
    assert (entry.chat, entry.text, entry.accepted) == (anna, "Привет", True)


def test_an_account_is_named_by_its_key_or_by_login_and_password(account, board):
    account(login="demo", token="demo-password", sender="Shop").send(say())
    for wrong in ({"login": "anna"}, {"login": "demo", "token": "wrong"}, {"token": "demo-revoked"}, {"token": "x"}):
        for call in (account(**wrong).check, lambda wrong=wrong: account(**wrong).send(say(id=new_id()))):
            with pytest.raises(LineDown) as caught:
                call()
            assert caught.value.code == "token_refused"


def test_a_line_that_is_asked_tells_its_balance(account):
    identity = account(sender="Shop").check()
    assert (identity.ok, identity.name, identity.details) == (True, "Shop", {"balance": "178.10"})


@pytest.mark.parametrize(("answer", "code"), [({"balance": "0.00"}, "no_money"), ({"balance": "-7.5"}, "no_money")])
def test_an_account_without_money_is_down(answer, code, raw, opened):
    with pytest.raises(LineDown) as caught:
        answering(raw, opened, 200, answer).check()
    assert caught.value.code == code


def test_an_account_with_a_credit_may_owe(raw, opened):
    assert answering(raw, opened, 200, {"balance": "-7.5", "credit": "100"}).check().ok


@pytest.mark.parametrize(
    "answer", [{"balance": "1 234.50"}, {"balance": None}, {"balance": "1", "credit": "?"}, {"x": 1}]
)
def test_a_balance_that_cannot_be_read_is_not_called_empty(answer, raw, opened):
    with pytest.raises(Unconfirmed):
        answering(raw, opened, 200, answer).check()


def test_a_balance_may_be_a_number(raw, opened):
    with pytest.raises(LineDown):
        answering(raw, opened, 200, {"balance": 0}).check()


def test_a_repeat_of_what_may_have_arrived_is_looked_up_and_not_sent_twice(account, board):
    with pytest.raises(Unconfirmed):
        account().send(say("79990000408"))
    repeat = account().send(say("79990000408", repeated=True))
    assert repeat.provider_ids == (f"{message_id}-0",)
    assert [entry.method for entry in board.entries() if entry.chat] == ["send"]
    assert Smsc.carries.idempotent


def test_a_repeat_of_what_did_not_arrive_is_sent(account, board):
    board.add(Fault("status", status=502, chat=anna))
    with pytest.raises(Unconfirmed):
        account().send(say())
    assert account().send(say(repeated=True)).provider_ids == (f"{message_id}-0",)
    assert [entry.accepted for entry in board.entries() if entry.chat] == [False, True]


@pytest.mark.parametrize(("status", "posts"), [(-3, 2), ("-3", 2), (20, 2), (25, 2), (-1, 1), ("1", 1), (0, 1)])
def test_a_repeat_is_sent_if_smsc_does_not_have_it_or_has_given_it_up(status, posts, raw, opened):
    asked = []

    def handle(connection):
        asked.append(connection.recv(65536).split()[1].decode())
        body = json.dumps({"status": status} if "status.php" in asked[-1] else {"id": f"{message_id}-0", "cnt": 1})
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall((head + body).encode())

    server = raw(handle)
    line = Smsc(Smsc.Config(token=token, api_url=server.url), opened(server.spot))
    line.send(say(repeated=True))
    assert asked == ["/sys/status.php", "/sys/send.php"][:posts]


def test_the_same_text_within_a_minute_waits_unless_it_is_the_same_message(account, board):
    account().send(say())
    assert account().send(say()).provider_ids == (f"{message_id}-0",)
    with pytest.raises(RateLimited) as caught:
        account().send(say(id=new_id()))
    assert (caught.value.code, caught.value.retry_after_s, caught.value.scope) == ("same_text", 60, "chat")
    account().send(say("79991234568", id=new_id()))
    account().send(say(text="Другое", id=new_id()))
    assert sum(entry.accepted for entry in board.entries()) == 3


@pytest.mark.parametrize(
    ("typed", "dialled"),
    [("+7 (999) 123-45-67", anna), ("8 999 123-45-67", anna), (anna, anna), ("anna", ""), ("٧٩٩٩", ""), ("", "")],
)
def test_a_phone_is_dialled_by_its_digits(typed, dialled, account):
    assert account().address(typed) == dialled


refusals = [
    ("79990000401", LineDown, "token_refused", 200),
    ("79990000402", LineDown, "no_money", 200),
    ("79990000403", Rejected, "not_reachable", 200),
    ("79990000404", Rejected, "wrong_number", 200),
    ("79990000406", Rejected, "text_forbidden", 200),
    ("79990000408", Unconfirmed, "hung_up", None),
    ("79990000429", RateLimited, "same_text", 200),
    ("79990000500", Temporary, "provider_down", 503),
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


rows = [(RateLimited, (4, 9)), (Unconfirmed, (99,)), (LineDown, (2, 3)), (Rejected, (1, 5, 6, 7, 8))]


@pytest.mark.parametrize(("kind", "number"), [(kind, number) for kind, numbers in rows for number in numbers])
def test_every_known_error_has_its_class_and_a_code_of_words(kind, number, account, board):
    board.add(Fault("status", status=number, chat=anna))
    with pytest.raises(ConnectorError) as caught:
        account().send(say())
    assert type(caught.value) is kind
    assert caught.value.code.replace("_", "").isalpha()


def answering(raw, opened, status, answer):
    body = answer if isinstance(answer, str) else json.dumps(answer)

    def handle(connection):
        connection.recv(65536)
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall((head + body).encode())

    server = raw(handle)
    return Smsc(Smsc.Config(token=token, api_url=server.url), opened(server.spot))


answers = [
    (200, {"error": f"new for {token}", "error_code": 77}, Rejected, "77"),
    (200, {"error": "odd", "error_code": "odd"}, Unconfirmed, "bad_answer"),
    (200, {"cnt": 1}, Unconfirmed, "bad_answer"),
    (200, "<html>", Unconfirmed, "bad_answer"),
    (302, "", LineDown, "redirect"),
    (400, "", Rejected, "400"),
    (404, "", LineDown, "api_address"),
    (429, "", RateLimited, "too_many_requests"),
    (500, "", Unconfirmed, "provider_down"),
    (503, "", Temporary, "provider_down"),
]


@pytest.mark.parametrize(("status", "answer", "kind", "code"), answers)
def test_an_answer_that_is_not_smscs_usual_one_has_its_class_too(status, answer, kind, code, raw, opened):
    with pytest.raises(ConnectorError) as caught:
        answering(raw, opened, status, answer).send(say())
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert token not in repr(vars(caught.value))


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, {"error": "x", "error_code": 1}),
        (200, {"err": 0}),
        (200, {"status": None}),
        (200, {"status": "sent?"}),
        (400, ""),
        (502, ""),
    ],
)
def test_a_message_that_could_not_be_looked_up_is_not_called_refused(status, answer, raw, opened):
    with pytest.raises(Unconfirmed):
        answering(raw, opened, status, answer).send(say(repeated=True))


def test_long_text_goes_in_parts_and_a_failed_part_is_taken_up_without_doubles(account, board):
    text = "".join(f"{place:04}" for place in range(425))
    board.add(Fault("hangup_after", chat=anna))
    with pytest.raises(Unconfirmed) as caught:
        account().send(say(text=text))
    done = account().send(say(text=text, repeated=True), caught.value.sent)
    assert done.provider_ids == tuple(f"{message_id}-{place}" for place in range(3))
    assert "".join(entry.text for entry in board.entries() if entry.accepted) == text


def test_a_file_or_a_button_costs_no_call(account, board):
    for more in ({"file_url": "https://e.org/a.pdf"}, {"buttons": ({"id": "1", "label": "Да", "kind": "reply"},)}):
        with pytest.raises(Unsupported):
            account().send(say(**more))
    assert board.entries() == []


@pytest.mark.parametrize(
    ("form", "number"),
    [
        ({"apikey": ""}, 2),
        ({"apikey": "whatever"}, 2),
        ({"apikey": "", "psw": "demo"}, 2),
        ({"fmt": ""}, 1),
        ({"charset": ""}, 1),
        ({"mes": " "}, 1),
        ({"mes": "x" * 1001}, 1),
        ({"phones": ""}, 1),
        ({"phones": "12345"}, 7),
        ({"id": "тайна"}, 1),
        ({"sender": "слишком длинное имя"}, 6),
    ],
)
def test_the_simulator_refuses_what_smsc_refuses(form, number, sandbox, board):
    full = {"apikey": token, "fmt": "3", "charset": "utf-8", "phones": anna, "mes": "Привет", "id": "7", **form}
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(f"{sandbox.url}/smsc/sys/send.php", data=full, timeout=5)
    assert (answer.status_code, answer.json()["error_code"]) == (200, number)
