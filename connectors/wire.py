"""Connections that go only where the guard allows and stop at the call's deadline: what `http.py` is built on.

They are urllib3's, used without the session of requests above them: that one costs twice as much CPU as a call itself.
"""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH, urldefragauth
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError
from urllib3.util import Timeout

from connectors.egress import Egress, Target
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
    _held: bytearray | None = None

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

    def request(self, *arguments: Any, **more: Any) -> None:
        """Write a request. Head and body leave in one piece; in two they cost each side a system call more."""
        self._held = bytearray()
        try:
            super().request(*arguments, **more)
            whole = bytes(self._held)
        finally:
            self._held = None
        self.send(whole)

    def send(self, data: Any) -> None:
        if self._held is not None:
            self._held += data
            return
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
        if self.sock is None or time.monotonic() - self.idle_since >= idle_limit_s:
            return False
        self.sock.settimeout(0)
        try:
            # Either its end or bytes that nobody asked for: both are no use to the next request.
            self.sock.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return False


class _PlainConnection(_Guarded, HTTPConnection):
    scheme = "http"


class _TlsConnection(_Guarded, HTTPSConnection):
    scheme = "https"


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_size: dict[str, Any] = {"maxsize": 128}
_tls: dict[str, Any] = {"cert_reqs": "CERT_REQUIRED", "ca_certs": DEFAULT_CA_BUNDLE_PATH}
_hosts_kept = 128


class Pools:
    """Kept connections, straight or through a proxy. Safe for threads and greenlets. `more_ca` are certificates of
    authorities (PEM) that a request may trust beside the usual ones."""

    def __init__(self, more_ca: str = "") -> None:
        self._straight: dict[tuple[Target, bool], HTTPConnectionPool] = {}
        self._proxied: dict[tuple[str, bool], ProxyManager] = {}
        self._trust = {False: _tls, True: _tls | {"ca_cert_data": more_ca} if more_ca else _tls}

    def send(
        self,
        target: Target,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Any,
        *,
        proxy_url: str | None,
        timeout: Timeout,
        more_ca: bool = False,
    ) -> BaseHTTPResponse:
        """One request to `target`, which is where `url` leads; no redirects, no repeats, and the answer's body is not
        read yet. With `more_ca` the further authorities are trusted, too. Raises what urllib3 raises."""
        options: dict[str, Any] = {"retries": False, "redirect": False, "preload_content": False}
        if proxy_url is None:
            path = url[url.index("/", url.index("://") + 3) :]
            pool = self._straight_to(target, more_ca)
            return pool.urlopen(method, path, body=body, headers=headers, timeout=timeout, **options)
        manager = self._through(proxy_url, more_ca)
        return manager.urlopen(method, url, body=body, headers=headers, timeout=timeout, **options)

    def close(self) -> None:
        """Close the idle connections."""
        for pool in self._straight.values():
            pool.close()
        for manager in self._proxied.values():
            manager.clear()
        self._straight, self._proxied = {}, {}

    def _straight_to(self, target: Target, more_ca: bool) -> HTTPConnectionPool:
        pool = self._straight.get((target, more_ca))
        if pool is None:
            if len(self._straight) >= _hosts_kept:
                # Calls under way keep the pool they have; its connections are closed with it.
                del self._straight[next(iter(self._straight))]
            host = f"[{target.host}]" if ":" in target.host else target.host
            trust = self._trust[more_ca]
            made = _TlsPool(host, target.port, **trust, **_size) if target.scheme == "https" else None
            pool = self._straight[target, more_ca] = made or _PlainPool(host, target.port, **_size)
        return pool

    def _through(self, proxy_url: str, more_ca: bool) -> ProxyManager:
        manager = self._proxied.get((proxy_url, more_ca))
        if manager is None:
            headers = HTTPAdapter().proxy_headers(proxy_url)
            trust = self._trust[more_ca]
            manager = ProxyManager(urldefragauth(proxy_url), proxy_headers=headers, num_pools=32, **trust, **_size)
            manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
            self._proxied[proxy_url, more_ca] = manager
        return manager
