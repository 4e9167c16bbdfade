"""Connections that go only where the guard allows and stop at the call's deadline: what `http.py` is built on."""

import http.client
import io
import socket
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError

from connectors.egress import Egress
from connectors.errors import EgressRefused

idle_limit_s = 30.0
_options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]


@dataclass
class Call:
    """One call on its way. `sent` becomes true once the first bytes of the request were handed to the system."""

    egress: Egress
    connect_s: float
    deadline: float
    sent: bool = False
    tunnelling: bool = False

    def left(self, at_most: float = float("inf")) -> float:
        """Seconds until the deadline, at most `at_most`. Raises TimeoutError when none are left."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the call's time is over")
        return min(seconds, at_most)


current: ContextVar[Call] = ContextVar("current_call")


class _DeadlineRaw(io.RawIOBase):
    """A socket's raw reader whose every read waits no longer than the call has left."""

    def __init__(self, raw: Any, sock: Any, left: Callable[[], float]) -> None:
        self._raw, self._sock, self._left = raw, sock, left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._left())
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _DeadlineResponse(http.client.HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_DeadlineRaw(raw, sock, current.get().left))


if TYPE_CHECKING:
    _Base = HTTPConnection
else:
    _Base = object


class _Guarded(_Base):
    """What both connection classes share. The guard sees the very host and port the connection would use."""

    scheme: ClassVar[str]
    response_class = _DeadlineResponse
    idle_since = float("inf")

    def _new_conn(self) -> socket.socket:
        call = current.get()
        proxied = self.proxy is not None
        scheme = self.proxy.scheme or "http" if self.proxy is not None else self.scheme
        addresses = call.egress.addresses(scheme, self._dns_host, self.port, proxy=proxied)
        until = time.monotonic() + call.left(call.connect_s)
        for place, address in enumerate(addresses):
            seconds = (until - time.monotonic()) / (len(addresses) - place)
            if seconds <= 0:
                break
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                for option in _options:
                    sock.setsockopt(*option)
                sock.settimeout(seconds)
                sock.connect((address, self.port))
                peer = str(sock.getpeername()[0])
            except OSError:
                sock.close()
                continue
            if peer != address:
                sock.close()
                raise EgressRefused("The connection ended at another address than the one that was checked.")
            sock.settimeout(call.left(call.connect_s))
            return sock
        raise NewConnectionError(self, "no connection")

    def _tunnel(self) -> None:
        call = current.get()
        call.tunnelling = True
        try:
            super()._tunnel()
        finally:
            call.tunnelling = False

    def send(self, data: Any) -> None:
        call = current.get()
        if self.sock is not None:
            self.sock.settimeout(call.left())
        super().send(data)
        if not call.tunnelling:
            call.sent = True

    def getresponse(self) -> Any:
        answer = super().getresponse()
        self.idle_since = time.monotonic()
        return answer

    @property
    def is_connected(self) -> bool:
        """False too after a long idle time: the other side is likely to hang up just as we write."""
        return super().is_connected and time.monotonic() - self.idle_since < idle_limit_s


class _PlainConnection(_Guarded, HTTPConnection):
    scheme = "http"


class _TlsConnection(_Guarded, HTTPSConnection):
    scheme = "https"


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_pools = {"http": _PlainPool, "https": _TlsPool}


class GuardedAdapter(HTTPAdapter):
    """The requests adapter whose pools use guarded connections, straight or through a proxy."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **more: Any) -> None:
        """Make the pools for straight calls."""
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **more)
        self.poolmanager.pool_classes_by_scheme = _pools

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        """The pools for calls through one proxy, http or https."""
        manager = self.proxy_manager.get(proxy)
        if manager is None:
            headers = self.proxy_headers(proxy)
            manager = ProxyManager(proxy, proxy_headers=headers, num_pools=32, maxsize=64, **more)
            manager.pool_classes_by_scheme = _pools
            self.proxy_manager[proxy] = manager
        return manager
