"""What SMSC tells at a line's address: reports by our own ids, and what people answer."""

from urllib.parse import urlencode

import pytest

from connectors.channel import Callback
from connectors.channels.smsc import Smsc
from connectors.egress import Egress
from connectors.errors import CallbackRefused
from connectors.http import Http
from hub.ids import new_id

anna = "79991234567"
message_id = new_id()


@pytest.fixture
def account():
    return Smsc(Smsc.Config(token="demo"), Http(Egress()))


def posted(**form):
    return Callback({"Content-Type": "application/x-www-form-urlencoded"}, {}, urlencode(form).encode())


def report(**more):
    return {"id": f"{message_id}-0", "phone": anna, "status": "1", "time": "25.11.2026 10:00:00", "err": "0", **more}


@pytest.mark.parametrize(
    ("status", "kind", "state"),
    [
        ("-1", "other", ""),
        ("0", "status", "sent"),
        ("1", "status", "delivered"),
        ("2", "status", "read"),
        ("4", "status", "read"),
        *[(code, "status", "undelivered") for code in ("-2", "3", "20", "22", "23", "24", "25")],
        ("99", "other", ""),
    ],
)
def test_a_status_names_the_message_by_both_ids(status, kind, state, account):
    (event,) = account.read(posted(**report(status=status, err="248")))
    assert (event.kind, event.state, event.provider_id) == (kind, state, f"{message_id}-0")
    assert (event.message_id, event.chat_id, event.event_id) == (message_id, anna, f"{message_id}-0:{status}")
    assert ("error 248" in event.text) is (state == "undelivered")


def test_a_report_may_come_in_the_address_and_about_a_message_of_another(account):
    (event,) = account.read(Callback({}, report(id="42"), b""))
    assert (event.provider_id, event.message_id, event.state) == ("42", "", "delivered")


def test_what_a_person_answers_is_read(account):
    (event,) = account.read(posted(id="7", phone=f"+{anna}", mes="Спасибо", to="79990000000"))
    assert (event.kind, event.chat_id, event.text, event.event_id) == ("message", anna, "Спасибо", "7")


def test_a_report_that_repeats_the_text_is_still_a_report(account):
    (event,) = account.read(posted(**report(mes="Готов")))
    assert (event.kind, event.state) == ("status", "delivered")


def test_smsc_hears_nothing_but_that_all_is_well(account):
    assert account.answer(posted(**report())) == ""


@pytest.mark.parametrize(
    "callback",
    [
        Callback({}, {}, b"\xff"),
        Callback({}, {}, b"&".join(b"a=1" for _ in range(501))),
        Callback({}, {}, b""),
        posted(id="7", phone=anna),
        posted(phone=anna, status="1"),
        posted(**report(status="soon")),
    ],
)
def test_what_is_no_report_is_refused(callback, account):
    with pytest.raises(CallbackRefused):
        account.read(callback)
