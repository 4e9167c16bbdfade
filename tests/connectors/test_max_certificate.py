"""MAX's host has a certificate of an authority that no usual bundle has: it is trusted when the operator says so, for
calls to MAX alone, beside the usual authorities."""

import json

import pytest

from connectors import wire
from connectors.channel import OutgoingMessage
from connectors.channels.max import Max
from connectors.channels.telegram import Telegram
from connectors.errors import Temporary
from tests.connectors.authority import Authority

answer = json.dumps({"is_bot": True, "username": "b", "message": {"body": {"mid": "mid.1"}}}).encode()


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture
def server(raw, authority, tmp_path):
    """A MAX with a certificate of that authority, for 127.0.0.1 or another address."""

    def make(ip="127.0.0.1", of=authority, behind=None):
        serve = of.serving(tmp_path, reply, ip)
        return raw(serve if behind is None else lambda connection: behind(connection, serve))

    return make


def reply(connection):
    connection.recv(65536)
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer)}\r\nConnection: close\r\n\r\n"
    connection.sendall(head.encode() + answer)


def max_at(server, http, **more):
    return Max(Max.Config(token="f9LH", api_url=f"https://{server.spot}", **more), http)


def fails_to(call):
    with pytest.raises(Temporary) as caught:
        call()
    return caught.value.code


def test_without_the_authority_the_line_says_that_tls_failed_and_nothing_is_sent(server, opened):
    spot = server()
    channel = max_at(spot, opened(spot.spot))
    assert fails_to(channel.check) == "tls_error"
    assert fails_to(lambda: channel.send(OutgoingMessage("m", "5", "x"))) == "tls_error"


def test_with_the_authority_messages_go(server, opened, authority):
    spot = server()
    channel = max_at(spot, opened(spot.spot, more_ca=authority.pem))
    assert channel.check().name == "@b"
    assert channel.send(OutgoingMessage("m", "5", "x")).provider_ids == ("mid.1",)


def test_a_certificate_for_another_address_is_refused_all_the_same(server, opened, authority):
    spot = server("127.0.0.2")
    assert fails_to(max_at(spot, opened(spot.spot, more_ca=authority.pem)).check) == "tls_error"


def test_other_calls_do_not_trust_the_authority_even_to_the_same_server(server, opened, authority):
    spot = server()
    http = opened(spot.spot, more_ca=authority.pem)
    assert max_at(spot, http).check().ok
    assert fails_to(lambda: http.call("GET", f"https://{spot.spot}/me")) == "tls_error"
    bot = Telegram(Telegram.Config(token="1:a", api_url=f"https://{spot.spot}"), http)
    assert fails_to(bot.check) == "tls_error"


def test_the_usual_authorities_are_trusted_on(server, opened, authority, tmp_path, monkeypatch):
    usual = Authority()
    (tmp_path / "usual.pem").write_text(usual.pem)
    monkeypatch.setitem(wire._tls, "ca_certs", str(tmp_path / "usual.pem"))
    spot = server(of=usual)
    assert max_at(spot, opened(spot.spot, more_ca=authority.pem)).check().ok


def test_the_authority_is_trusted_through_a_proxy_too(server, opened, authority):
    def proxy(connection, serve):
        while not connection.recv(65536).endswith(b"\r\n\r\n"):
            pass
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        serve(connection)

    spot = server(behind=proxy)
    for more_ca, works in ((authority.pem, True), ("", False)):
        channel = max_at(spot, opened(spot.spot, more_ca=more_ca), proxy_url=f"http://{spot.spot}")
        if works:
            assert channel.check().ok
        else:
            assert fails_to(channel.check) == "tls_error"
