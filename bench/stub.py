"""A messenger that costs almost nothing: it answers every POST as Telegram answers sendMessage.

One thread and epoll, so that it takes as little as possible of the cores that are being measured. Its port is the
first line it prints. GET /stats gives `{"count", "unique", "first", "last"}`: how many posts came, how many different
texts, and when the first and the last came (seconds of the monotonic clock, which all processes of a host share);
GET /reset/<ms> forgets them and answers from now on after that many milliseconds.
"""

import heapq
import itertools
import json
import re
import select
import socket
import sys
import time

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TEXT = re.compile(rb'"text": ?"((?:[^"\\]|\\.)*)"')
_ANSWER = b'{"ok":true,"result":{"message_id":%d,"date":1700000000,"chat":{"id":12345,"type":"private"}}}'


class Stub:
    """The loop and what it has seen."""

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=4096)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._epoll = select.epoll()
        self._epoll.register(self._listener.fileno(), select.EPOLLIN)
        self._peers: dict[int, tuple[socket.socket, bytearray]] = {}
        self._later: list[tuple[float, int, int, bytes]] = []
        self._order = itertools.count()
        self._forget(0.0)

    def run(self) -> None:
        """Until the process is ended."""
        own = self._listener.fileno()
        while True:
            wait_s = max(0.0, self._later[0][0] - time.monotonic()) if self._later else -1
            for number, _ in self._epoll.poll(wait_s):
                if number == own:
                    self._accept()
                else:
                    self._read(number)
            now = time.monotonic()
            while self._later and self._later[0][0] <= now:
                _, _, number, answer = heapq.heappop(self._later)
                self._write(number, answer)

    def _forget(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._count = 0
        self._texts: set[bytes] = set()
        self._first = self._last = 0.0

    def _accept(self) -> None:
        peer, _ = self._listener.accept()
        peer.setblocking(False)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._peers[peer.fileno()] = (peer, bytearray())
        self._epoll.register(peer.fileno(), select.EPOLLIN)

    def _read(self, number: int) -> None:
        peer, buffer = self._peers[number]
        try:
            data = peer.recv(65_536)
        except ConnectionError:
            data = b""
        if not data:
            self._epoll.unregister(number)
            del self._peers[number]
            peer.close()
            return
        buffer += data
        while (end := buffer.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(buffer, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(buffer) < whole:
                return
            self._handle(number, bytes(buffer[:end]), bytes(buffer[end + 4 : whole]))
            del buffer[:whole]

    def _handle(self, number: int, head: bytes, body: bytes) -> None:
        if not head.startswith(b"POST"):
            self._write(number, _http(self._told(head.split(b" ", 2)[1].decode())))
            return
        self._last = time.monotonic()
        self._first = self._first or self._last
        self._count += 1
        text = _TEXT.search(body)
        self._texts.add(text[1] if text else body)
        answer = _http(_ANSWER % self._count)
        if self._delay_s:
            heapq.heappush(self._later, (self._last + self._delay_s, next(self._order), number, answer))
        else:
            self._write(number, answer)

    def _told(self, path: str) -> bytes:
        if path.startswith("/reset/"):
            self._forget(float(path.rpartition("/")[2]) / 1000)
        seen = {"count": self._count, "unique": len(self._texts), "first": self._first, "last": self._last}
        return json.dumps(seen).encode()

    def _write(self, number: int, answer: bytes) -> None:
        # An answer is far smaller than the socket's buffer, so one call takes it whole.
        peer = self._peers.get(number)
        if peer is not None:
            try:
                peer[0].send(answer)
            except ConnectionError:
                return  # the next read from it says so too, and closes


def _http(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


if __name__ == "__main__":
    stub = Stub(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(stub.port, flush=True)
    stub.run()
