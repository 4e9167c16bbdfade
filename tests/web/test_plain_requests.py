"""Requests that go past WSGI are answered byte for byte like those that do not, and leave their connection usable."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.core import Hub
from hub.portals.models import Portal
from hub.settings import Settings
from tests.processes import Product, Running, wait_until
from tests.scenarios.site import Site, give

pytestmark = pytest.mark.databases("sqlite")
BODY = b'{"n": 5, "text": "abc"}'
CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.fixture
def site(hub: Hub, portal: Portal) -> Site:
    assert portal.id is not None
    return Site(hub, portal.id)


@pytest.fixture
def web(site: Site, settings: Settings, tmp_path: Path) -> Iterator[Running]:
    """One web process that trusts its neighbours' X-Forwarded-For."""
    with Product(settings, tmp_path, {"HUB_TRUSTED_PROXIES": "127.0.0.1/32"}) as product:
        yield product.web().wait_ready("/healthz")


class Caller:
    """A connection on which requests are written as they stand here."""

    def __init__(self, port: int, path: str) -> None:
        self.path = path
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.file = self.socket.makefile("rb")

    def close(self) -> None:
        self.file.close()
        self.socket.close()

    def send(self, head: str, body: bytes = b"", *, method: str = "POST", version: str = "1.1") -> None:
        line = f"{method} {self.path} HTTP/{version}\r\nHost: hub.test\r\n{head}"
        self.socket.sendall(line.encode() + b"\r\n" + body)

    def answer(self) -> tuple[list[str], bytes]:
        """The lines above the body, and the body."""
        lines = []
        while line := self.file.readline().decode().rstrip("\r\n"):
            lines.append(line)
        length = next((int(line[16:]) for line in lines if line.startswith("Content-Length: ")), 0)
        return lines, self.file.read(length)


Dial = Callable[[Running, str], Caller]


@pytest.fixture
def dial() -> Iterator[Dial]:
    """Opens connections, and closes them at the end."""
    made: list[Caller] = []

    def dialled(web: Running, path: str) -> Caller:
        made.append(Caller(web.port, path))
        return made[-1]

    yield dialled
    for caller in made:
        caller.close()


def without_ids(text: str) -> str:
    return re.sub(r"[0-9a-f]{32}|^Date: .*", "…", text)


def told(head: list[str], body: bytes) -> tuple[list[str], str]:
    return [without_ids(line) for line in head], without_ids(body.decode())


@pytest.mark.parametrize("link", ["/api/request/?token={}", "/api/request/get_result/?token={}", "/get?token=unknown"])
@pytest.mark.parametrize("more", ["", "Connection: close\r\n", "Content-Encoding: gzip\r\n"])
def test_an_answer_is_the_same_with_and_without_wsgi(
    web: Running, site: Site, dial: Dial, link: str, more: str
) -> None:
    path = link.format(site.token(site.scenario(give(n="{{body.n}}"))))
    answers = []
    for head, body in (
        (f"Content-Length: {len(BODY)}\r\n", BODY),
        ("Transfer-Encoding: chunked\r\n", CHUNKED),
    ):
        caller = dial(web, path)
        answered = []
        for _ in range(1 if "close" in more else 2):
            caller.send(f"Content-Type: application/json\r\n{more}{head}", body)
            answered.append(told(*caller.answer()))
        if "close" in more:
            assert caller.file.read() == b""
        answers.append(answered)
    assert answers[0] == answers[1]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_an_older_caller_is_answered_in_his_version_and_let_go(
    web: Running, site: Site, dial: Dial, version: str
) -> None:
    caller = dial(web, f"/api/request?token={site.token(site.scenario(give(n='1')))}")
    caller.send(f"Content-Length: {len(BODY)}\r\n", BODY, version=version)
    head, _ = caller.answer()
    assert head[0] == f"HTTP/{version} 200 OK"
    assert ("Connection: keep-alive" in head) == (version == "1.1")
    if version == "1.0":
        assert caller.file.read() == b""


def test_requests_that_come_piecewise_or_all_at_once_are_answered_one_by_one(
    web: Running, site: Site, dial: Dial
) -> None:
    caller = dial(web, f"/api/request/get_result?token={site.token(site.scenario(give(n='{{body.n}}')))}")
    wanted = []
    head = "Content-Type: application/json\r\nContent-Length: 8\r\n"
    for n in range(3):
        caller.send(head, b'{"n": %d}' % n)
        wanted.append(str(n))
    caller.send(head, b'{"n')
    seen = [json.loads(caller.answer()[1])["data"]["n"] for _ in wanted]
    caller.socket.sendall(b'": 7}')
    seen.append(json.loads(caller.answer()[1])["data"]["n"])
    caller.send(head + "Expect: 100-continue\r\n")
    assert caller.answer()[0] == ["HTTP/1.1 100 Continue"]
    caller.socket.sendall(b'{"n": 8}')
    seen.append(json.loads(caller.answer()[1])["data"]["n"])
    assert [str(one) for one in seen] == [*wanted, "7", "8"]


def test_a_body_that_breaks_off_starts_nothing(web: Running, site: Site, dial: Dial) -> None:
    caller = dial(web, f"/api/request?token={site.token(site.scenario(give(n='1')))}")
    caller.send("Content-Length: 50\r\n", b'{"n": 5}')
    caller.socket.shutdown(socket.SHUT_WR)
    head, body = caller.answer()
    assert (head[0], json.loads(body)["code"]) == ("HTTP/1.1 400 BAD REQUEST", "incomplete_body")
    assert site.column("SELECT id FROM request") == []


def test_the_request_keeps_who_called_and_with_what(web: Running, site: Site, dial: Dial) -> None:
    caller = dial(web, f"/api/request?token={site.token(site.scenario(give(n='1')))}&a=%C3%A4")
    head = "X-Forwarded-For: 203.0.113.9\r\nUser-Agent: shop/1\r\nContent-Type: text/plain\r\nX: 1\r\nX: 2\r\n"
    caller.send(f"{head}Content-Length: 3\r\n", b"abc")
    caller.answer()
    with site.hub.db.sql() as sql:
        row = sql.one("SELECT source, agent, content_type, query, raw, size, method FROM request")
    assert row == ("203.0.113.9", "shop/1", "text/plain", "token=***&a=%C3%A4", b"abc", 3, "POST")


def test_a_connection_that_nobody_uses_is_closed(site: Site, settings: Settings, tmp_path: Path, dial: Dial) -> None:
    with Product(settings, tmp_path) as product:
        web = product.web(GUNICORN_CMD_ARGS="--keep-alive 1").wait_ready("/healthz")
        caller = dial(web, "/api/request?token=unknown")
        caller.send("Content-Length: 0\r\n")
        assert caller.answer()[0][0] == "HTTP/1.1 404 NOT FOUND"
        caller.socket.settimeout(0.05)

        def closed() -> bool:
            try:
                return caller.socket.recv(1) == b""
            except TimeoutError:
                return False

        wait_until(closed, within_s=5)
