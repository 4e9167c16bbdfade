"""The short way to write a request writes what requests would."""

import pytest
import requests

from connectors.written import write

usual = {"User-Agent": "Hubline", "Accept": "*/*", "Accept-Encoding": "gzip"}
telegram = "https://api.telegram.org/bot1:AA-b_c/sendMessage"
text = 'Привет, "мир" & <b>\n𐍈\ud800'


@pytest.mark.parametrize(
    "parts",
    [
        {"json": {"chat_id": 1, "text": text, "entities": [{"offset": 0.5, "on": True, "none": None}]}},
        {"json": {}},
        {"json": {"text": "a"}, "headers": {"Authorization": "Bearer abc=="}},
        {"json": {"text": "a"}, "headers": {"authorization": "x", "Content-Type": "text/plain", "user-agent": "me"}},
        {"json": {"text": "a"}, "params": {"q": "да"}},
        {"json": ["a"]},
        {"json": {"text": "a"}, "data": {}},
        {"data": {"peer_id": "1", "message": 'Привет & "мир" = 1+1~', "empty": ""}},
        {"data": {"many": ["a", "b"], "number": 1}},
        {"data": b"bytes", "headers": {"Content-Type": "text/plain"}},
        {},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "url",
    [
        telegram,
        "http://127.0.0.1:8443/method/messages.send",
        "https://example.org",
        "https://example.org/",
        "https://example.org:0443/a",
        "https://Example.org/a/./b/../c",
        "https://example.org/a b/%7e?x=1#end",
    ],
)
def test_what_is_written_is_what_requests_would_write(url, parts):
    given = {**parts, "headers": {**usual, **parts.get("headers", {})}}
    if "user-agent" in given["headers"]:
        del given["headers"]["User-Agent"]
    expected = requests.Request("POST", url, **given).prepare()
    written = write("POST", url, **parts)
    assert (written.method, written.url) == ("POST", expected.url)
    assert {name.lower(): str(value) for name, value in written.headers.items()} == {
        name.lower(): str(value) for name, value in expected.headers.items()
    }
    assert _bytes(written.body) == _bytes(expected.body)


@pytest.mark.parametrize(
    "parts",
    [
        {"json": {"number": float("nan")}},
        {"json": {"what": {1, 2}}},
        {"json": {}, "headers": {"Authorization": "Bearer a\r\nX: b"}},
        {"json": {}, "headers": {"Authorization": " a"}},
    ],
    ids=str,
)
def test_what_requests_refuses_is_refused(parts):
    with pytest.raises((ValueError, TypeError)):
        write("POST", telegram, **parts)


def test_headers_of_the_connection_itself_cannot_be_given():
    written = write("POST", telegram, json={"a": 1}, headers={"Host": "other", "Content-Length": "1"})
    assert "Host" not in written.headers
    assert written.headers["Content-Length"] == "8"


def test_a_written_request_shows_no_secret():
    assert "AA-b_c" not in repr(write("POST", telegram, json={"a": "secret"}))


def _bytes(body):
    return body.encode() if isinstance(body, str) else body
