"""What SMS.ru tells at a line's address: reports by its own ids, signed where they are."""

import hashlib
from urllib.parse import urlencode

import pytest

from connectors.channel import Callback
from connectors.channels.smsru import Smsru
from connectors.egress import Egress
from connectors.errors import CallbackRefused
from connectors.http import Http

key = "demo-key"


@pytest.fixture
def account():
    return Smsru(Smsru.Config(token=key), Http(Egress()))


def posted(*entries, **more):
    return Callback({}, {}, urlencode({f"data[{n}]": entry for n, entry in enumerate(entries)} | more).encode())


def entry(code, number="202647-1000001"):
    return f"sms_status\n{number}\n{code}\n1763640000"


def signature(*entries, key=key):
    return hashlib.sha256((key + "".join(entries)).encode()).hexdigest()


@pytest.mark.parametrize(
    ("code", "kind", "state"),
    [
        ("-1", "other", ""),
        ("100", "other", ""),
        ("101", "other", ""),
        ("102", "status", "sent"),
        ("103", "status", "delivered"),
        ("110", "status", "read"),
        *[(code, "status", "undelivered") for code in ("104", "105", "106", "107", "108", "150")],
    ],
)
def test_a_status_names_the_message_by_the_providers_id(code, kind, state, account):
    (event,) = account.read(posted(entry(code)))
    assert (event.kind, event.state, event.provider_id) == (kind, state, "202647-1000001")
    assert event.event_id == f"202647-1000001:{code}"
    assert (f"status {code}" in event.text) is (state == "undelivered")


def test_one_callback_tells_of_many_messages_and_is_answered_with_100(account):
    callback = posted(entry("103"), entry("102", "202647-1000002"), "callcheck_status\n1\n401\n1763640000", "odd")
    assert [event.state for event in account.read(callback)] == ["delivered", "sent", "", ""]
    assert account.answer(callback) == "100"


def test_a_hash_is_checked_where_there_is_one(account):
    entries = entry("103"), entry("102")
    assert len(account.read(posted(*entries, hash=signature(*entries)))) == 2
    for wrong in (signature(*entries, key="other"), signature(entries[0]), "тайна", ""):
        with pytest.raises(CallbackRefused):
            account.read(posted(*entries, hash=wrong))


@pytest.mark.parametrize("body", [b"", b"\xff", b"id=1&status=1", b"&".join(b"data[0]=1" for _ in range(501))])
def test_what_is_no_report_is_refused(body, account):
    with pytest.raises(CallbackRefused):
        account.read(Callback({}, {}, body))
