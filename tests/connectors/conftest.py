"""A running sandbox, a way out that may reach it, and raw servers that behave badly."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from connectors.egress import Egress
from connectors.http import Http
from hub.sandbox.server import Sandbox


class RawServer:
    """A server that hands each connection to a function and counts them."""

    def __init__(self, handle: Callable[[socket.socket], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.spot = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.spot}"
        self.connections = 0
        self.stopping = threading.Event()
        self._handle = handle
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if self.stopping.is_set():
                connection.close()
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                self._handle(connection)
            except OSError:
                return

    def settle(self) -> None:
        """Wait until all connections so far are closed on this side."""
        for thread in list(self._threads[1:]):
            thread.join(3)

    def stop(self) -> None:
        self.stopping.set()
        socket.create_connection(("127.0.0.1", self.port), 1).close()
        for thread in list(self._threads):
            thread.join(3)
        self._listener.close()


@pytest.fixture
def raw() -> Iterator[Callable[[Callable[[socket.socket], None]], RawServer]]:
    servers: list[RawServer] = []

    def make(handle: Callable[[socket.socket], None]) -> RawServer:
        servers.append(RawServer(handle))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def opened() -> Iterator[Callable[..., Http]]:
    """Makes an Http that may reach the given `ip:port` spots."""
    made: list[Http] = []

    def make(*spots: str, own: frozenset[str] = frozenset(), **limits: float) -> Http:
        made.append(Http(Egress(frozenset(spots), own), **limits))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for http in made:
        http.close()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    running = Sandbox().start()
    yield running
    running.stop()
