"""Who really calls: X-Forwarded-* count only from the proxies that the operator named."""

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hub.errors import ConfigurationError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class TrustedProxies:
    """WSGI middleware: takes the caller's address from X-Forwarded-For, reading from the right for as long as the
    address that was added is itself a trusted proxy; and the scheme from X-Forwarded-Proto."""

    def __init__(self, app: "WSGIApplication", networks: Iterable[str]) -> None:
        self._app = app
        try:
            self._networks = [ipaddress.ip_network(network, strict=False) for network in networks]
        except ValueError as error:
            raise ConfigurationError(f"HUB_TRUSTED_PROXIES: {error}") from None

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        peer = environ.get("REMOTE_ADDR", "")
        if self._trusted(peer):
            environ["REMOTE_ADDR"] = self.caller(peer, environ.get("HTTP_X_FORWARDED_FOR", ""))
            scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").strip()
            if scheme in ("http", "https"):
                environ["wsgi.url_scheme"] = scheme
        return self._app(environ, start_response)

    def caller(self, peer: str, forwarded_for: str) -> str:
        """Who calls when `peer` is connected and sends this X-Forwarded-For."""
        caller = peer
        for added in reversed(forwarded_for.split(",")):
            if not added.strip() or not self._trusted(caller):
                break
            caller = added.strip()[:64]
        return caller

    def _trusted(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)
