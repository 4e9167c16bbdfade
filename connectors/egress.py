"""Which addresses may be called: public ones over https, and the single targets the operator opened.

A name is resolved once, every address it has is checked, and the connection goes to an address from that very list,
so a second look-up cannot lead elsewhere.
"""

import ipaddress
import re
import socket
import threading
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

from connectors.errors import EgressRefused, Temporary

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

https_ports = frozenset({443, 8443})
proxy_ports = frozenset({80, 443, 3128, 8080, 8443, 8888})
url_limit = 2048
dns_limit_s = 5.0

_closed = tuple(
    ipaddress.ip_network(net)
    for net in [
        "0.0.0.0/8",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    ]
)
_open_v6 = ipaddress.ip_network("2000::/3")  # all that is handed out to the public lies here
_forbidden = re.compile(r"[\x00-\x20\x7f-\x9f\\\u00a0\u2028\u2029]")
_host = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\.?", re.ASCII)
_numeric_end = re.compile(r"(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)\.?$", re.ASCII)


@dataclass(frozen=True)
class Target:
    """A parsed address: `host` lower-case ASCII without brackets, `port` always set."""

    scheme: str
    host: str
    port: int


def is_public(address: IPAddress) -> bool:
    """Whether an address belongs to the open internet and to no private, special or translating range."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address not in _open_v6:
            return False
    if any(address in net for net in _closed):
        return False
    return address.is_global and not address.is_multicast


@lru_cache(maxsize=256)
def parse(url: str, *, userinfo: bool = False) -> Target:
    """Read a URL strictly. Raises EgressRefused for another scheme, user information, or any odd spelling."""
    if len(url) > url_limit or _forbidden.search(url):
        raise EgressRefused("The address is too long or has characters an address cannot have.")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname or ""
    except ValueError:
        raise EgressRefused("The address cannot be read.") from None
    if parts.scheme not in ("http", "https"):
        raise EgressRefused("The address must begin with https://.")
    if "@" in parts.netloc and not userinfo:
        raise EgressRefused("The address must not hold a user name or password.")
    return Target(parts.scheme, _clean_host(host), port if port else (443 if parts.scheme == "https" else 80))


def _clean_host(host: str) -> str:
    if ":" in host:
        try:
            return str(ipaddress.IPv6Address(host)) if "%" not in host else _odd()
        except ValueError:
            _odd()
    plain = unicodedata.normalize("NFKC", host).replace("\u3002", ".").lower()
    if _numeric_end.search(plain):
        try:
            return str(ipaddress.IPv4Address(host)) if host.isascii() else _odd()
        except ValueError:
            _odd()
    try:
        ascii_host = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        _odd()
    if len(ascii_host) > 253 or not _host.fullmatch(ascii_host.lower()):
        _odd()
    return ascii_host.lower()


def _odd() -> str:
    raise EgressRefused("The host of the address is spelled in a way this service does not accept.")


def lookup(host: str, port: int) -> list[str]:
    """All addresses of a name, in the system's order. Raises Temporary(dns_failed) after 5 seconds or on failure."""
    found: list[str] = []

    def work() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return
        found.extend(dict.fromkeys(str(row[4][0]) for row in rows))

    thread = threading.Thread(target=work, name="lookup", daemon=True)
    thread.start()
    thread.join(dns_limit_s)
    if thread.is_alive() or not found:
        raise Temporary("The name of the server could not be looked up.", code="dns_failed")
    return found


@dataclass(frozen=True)
class Egress:
    """The guard. `allow` opens exact `ip:port` or `[ipv6]:port`; `own` names our `host:port`, refused always."""

    allow: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    resolve: Callable[[str, int], list[str]] = field(default=lookup, repr=False, compare=False)

    def addresses(self, scheme: str, host: str, port: int, *, proxy: bool = False) -> list[str]:
        """The checked addresses to connect to. Raises EgressRefused, or Temporary when the name has none."""
        host = host.strip("[]")
        self._not_own(host, port)
        literal = _literal(host)
        found = [str(literal)] if literal else self.resolve(host, port)
        opened = True
        for text in found:
            address = _literal(text)
            if address is None:
                raise EgressRefused("The server has an address this service does not call.")
            self._not_own(str(address), port)
            if _spell(str(address), port) in self.allow:
                continue
            opened = False
            if not is_public(address):
                raise EgressRefused("The server has an address this service does not call.")
        if not opened:
            self._plain_rules(scheme, port, proxy=proxy)
        return found

    def check_behind_proxy(self, target: Target) -> None:
        """Check a target that a proxy will look up: its port, and its address when it is written as one."""
        literal = _literal(target.host)
        if literal is not None:
            self.addresses(target.scheme, target.host, target.port)
            return
        self._not_own(target.host, target.port)
        if target.host.rstrip(".") == "localhost" or target.host.rstrip(".").endswith(".localhost"):
            raise EgressRefused("The server has an address this service does not call.")
        self._plain_rules(target.scheme, target.port, proxy=False)

    def _plain_rules(self, scheme: str, port: int, *, proxy: bool) -> None:
        if proxy:
            if port not in proxy_ports:
                raise EgressRefused("The proxy must listen on port 80, 443, 3128, 8080, 8443 or 8888.")
        elif scheme != "https" or port not in https_ports:
            raise EgressRefused("The address must use https on port 443 or 8443.")

    def _not_own(self, host: str, port: int) -> None:
        if _spell(host.rstrip(".").lower(), port) in self.own:
            raise EgressRefused("The address is this service itself.")


def _literal(host: str) -> IPAddress | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _spell(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
