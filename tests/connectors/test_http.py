"""The way out: deadlines, sizes, what is known when a call fails, and that nothing secret shows."""

import gzip
import logging
import socket
import subprocess
import sys
import threading
import time
import traceback

import pytest

from connectors.errors import ConnectorError, EgressRefused, Rejected, Temporary, Unconfirmed

secret = "SECRET-IN-PATH"


def answering(payload: bytes, headers: str = "", status: str = "200 OK"):
    def handle(connection):
        read_request(connection)
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(payload)}\r\nConnection: close\r\n{headers}\r\n"
        connection.sendall(head.encode() + payload)

    return handle


def read_request(connection) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            break
        data += piece
    return data


def reset(connection) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def test_an_answer_has_status_headers_body_and_time(raw, opened):
    server = raw(answering(b'{"a": 1}', "X-One: 1\r\n"))
    response = opened(server.spot).call("GET", server.url + "/x", params={"q": "да"})
    assert (response.status, response.json(), response.headers["x-one"]) == (200, {"a": 1}, "1")
    assert response.ms >= 0


def test_the_host_header_has_the_port_and_cannot_be_changed(raw, opened):
    seen = []

    def handle(connection):
        seen.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    server = raw(handle)
    opened(server.spot).call("GET", server.url, headers={"Host": "other.example.org"})
    assert f"Host: {server.spot}\r\n".encode() in seen[0]
    assert b"other" not in seen[0]


def test_redirects_are_not_followed(raw, opened):
    sink = raw(lambda connection: None)
    server = raw(answering(b"", f"Location: {sink.url}/\r\n", "302 Found"))
    assert opened(server.spot, sink.spot).call("GET", server.url).status == 302
    assert sink.connections == 0


def test_the_environment_cannot_name_a_proxy(raw, opened, monkeypatch):
    sink = raw(lambda connection: None)
    server = raw(answering(b"ok"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, sink.url)
    assert opened(server.spot, sink.spot).call("GET", server.url).body == b"ok"
    assert sink.connections == 0


def test_cookies_are_not_kept(raw, opened):
    seen = []

    def handle(connection):
        seen.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 204 No Content\r\nSet-Cookie: a=1\r\nConnection: close\r\n\r\n")

    server = raw(handle)
    http = opened(server.spot)
    http.call("GET", server.url)
    http.call("GET", server.url)
    assert b"Cookie" not in seen[1]


def drip(head: bytes):
    def handle(connection):
        read_request(connection)
        connection.sendall(head)
        stop = threading.Event()
        while not stop.wait(0.05):
            connection.sendall(b"x")

    return handle


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"])
def test_a_drip_ends_at_the_deadline_as_unconfirmed(head, raw, opened):
    server = raw(drip(head))
    begun = time.monotonic()
    with pytest.raises(Unconfirmed):
        opened(server.spot, total_s=0.4).call("POST", server.url)
    assert time.monotonic() - begun < 1.5


def test_silence_ends_at_the_deadline_as_unconfirmed(raw, opened):
    server = raw(lambda connection: (read_request(connection), connection.recv(1)))
    with pytest.raises(Unconfirmed) as caught:
        opened(server.spot).call("POST", server.url, total_s=0.3)
    assert caught.value.code == "read_timeout"
    assert server.connections == 1


@pytest.mark.parametrize("rst", [True, False])
def test_a_hang_up_after_the_request_is_unconfirmed_and_not_repeated(rst, raw, opened):
    def handle(connection):
        read_request(connection)
        if rst:
            reset(connection)

    server = raw(handle)
    with pytest.raises(Unconfirmed) as caught:
        opened(server.spot).call("POST", server.url, json={})
    assert caught.value.code == "hung_up"
    assert server.connections == 1


def test_a_closed_port_is_temporary(opened):
    with socket.create_server(("127.0.0.1", 0)) as free:
        spot = f"127.0.0.1:{free.getsockname()[1]}"
    begun = time.monotonic()
    with pytest.raises(Temporary) as caught:
        opened(spot).call("POST", f"http://{spot}/{secret}")
    assert caught.value.code == "connect_failed"
    assert time.monotonic() - begun < 2.5


def test_a_failed_connect_is_tried_again(raw, opened, monkeypatch):
    server = raw(answering(b"ok"))
    real, tries = socket.socket.connect, []

    def connect(self, address):
        if address[1] == server.port:
            tries.append(address)
            if len(tries) < 3:
                raise ConnectionRefusedError
        return real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    assert opened(server.spot).call("GET", server.url).body == b"ok"
    assert len(tries) == 3


def test_failed_tls_is_temporary(raw, opened):
    server = raw(lambda connection: (connection.recv(10), connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")))
    with pytest.raises(Temporary) as caught:
        opened(server.spot).call("GET", f"https://{server.spot}/{secret}")
    assert caught.value.code == "tls_error"


def test_a_body_is_cut_at_the_limit(raw, opened):
    server = raw(answering(b"x" * 300_000))
    response = opened(server.spot, max_bytes=1000).call("GET", server.url)
    assert len(response.body) == 1000
    assert response.truncated


def test_a_gzip_bomb_is_bounded(raw, opened):
    bomb = gzip.compress(b"\0" * (200 << 20), 9)
    server = raw(answering(bomb, "Content-Encoding: gzip\r\n"))
    response = opened(server.spot, max_bytes=1 << 20).call("GET", server.url)
    assert len(response.body) == 1 << 20
    assert response.truncated


def test_a_broken_body_of_a_refusal_keeps_the_refusal(raw, opened):
    def handle(connection):
        read_request(connection)
        connection.sendall(b"HTTP/1.1 429 Too Many\r\nContent-Length: 50\r\n\r\n{")

    server = raw(handle)
    response = opened(server.spot).call("GET", server.url)
    assert (response.status, response.truncated) == (429, True)


def test_connections_are_kept_and_a_stale_one_is_replaced(raw, opened):
    def handle(connection):
        for _ in range(2):
            read_request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    server = raw(handle)
    http = opened(server.spot)
    http.call("GET", server.url)
    http.call("GET", server.url)
    assert server.connections == 1
    server.settle()
    assert http.call("POST", server.url, data=b"x").body == b"ok"
    assert server.connections == 2


def test_head_and_body_leave_in_one_piece(raw, opened):
    pieces = []

    def handle(connection):
        pieces.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    server = raw(handle)
    opened(server.spot).call("POST", server.url, json={"text": "whole"})
    assert pieces[0].endswith(b'{"text": "whole"}')


@pytest.mark.parametrize("wrong", [{"method": "G ET"}, {"headers": {"X": "a\r\nB: c"}}, {"json": {1, 2}}])
def test_a_request_that_cannot_be_written_is_rejected(wrong, raw, opened):
    server = raw(answering(b""))
    with pytest.raises(Rejected):
        opened(server.spot).call(**{"method": "GET", "url": server.url, **wrong})
    assert server.connections == 0


def test_no_error_shows_the_address(raw, opened, caplog):
    caplog.set_level(logging.DEBUG)
    hang_up = raw(read_request)
    for url in (f"{hang_up.url}/{secret}", f"https://{hang_up.spot}/{secret}", f"https://127.0.0.1:9/{secret}"):
        with pytest.raises(ConnectorError) as caught:
            opened(hang_up.spot).call("POST", url, total_s=1)
        error = caught.value
        assert error.__context__ is None
        assert error.__cause__ is None
        assert secret not in "".join([str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)])
    assert secret not in caplog.text


def test_calls_go_through_a_proxy_by_connect(raw, opened):
    seen = []

    def proxy(connection):
        seen.append(read_request(connection))
        connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")

    server = raw(proxy)
    with pytest.raises(Temporary) as caught:
        opened(server.spot).call("POST", f"https://api.example.org/{secret}", proxy_url=f"http://me:word@{server.spot}")
    assert caught.value.code == "connect_failed"
    assert seen[0].startswith(b"CONNECT api.example.org:443 ")
    assert secret.encode() not in b"".join(seen)
    assert b"Proxy-Authorization: Basic" in seen[0]


def test_our_own_address_is_not_called(raw, opened):
    server = raw(answering(b""))
    with pytest.raises(EgressRefused):
        opened(server.spot, own=frozenset({server.spot})).call("GET", server.url)
    assert server.connections == 0


def test_calls_work_under_gevent():
    script = """
from gevent import monkey
monkey.patch_all()
import gevent, time
from connectors.egress import Egress
from connectors.errors import Unconfirmed
from connectors.http import Http
from hub.sandbox.faults import Fault
from hub.sandbox.server import Sandbox
sandbox = Sandbox().start()
http = Http(Egress(frozenset({f"127.0.0.1:{sandbox.port}"})))
url = sandbox.url + "/telegram/bot1:test/sendMessage"
for chat in range(100, 120):
    sandbox.board.add(Fault("slow", chat=str(chat), seconds=0.3))
def send(chat):
    return http.call("POST", url, json={"chat_id": chat, "text": "x"}).status
begun = time.monotonic()
jobs = [gevent.spawn(send, chat) for chat in range(100, 120)]
gevent.joinall(jobs, raise_error=True)
assert {job.value for job in jobs} == {200}
assert time.monotonic() - begun < 3, "calls must overlap"
sandbox.board.add(Fault("hang", seconds=20))
try:
    http.call("POST", url, json={"chat_id": 1, "text": "x"}, total_s=0.3)
except Unconfirmed as error:
    assert error.code == "read_timeout"
else:
    raise AssertionError("no deadline")
sandbox.stop()
print("fine")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "fine", done.stderr
