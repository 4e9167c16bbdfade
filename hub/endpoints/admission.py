"""Whether a request may come in at its link, by what its start block demands, and its body. Pure."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.endpoints.parse import Body, Refused, parse_body
from hub.ids import new_id, same
from hub.language import Scope, compile_template
from hub.scenarios.library import PortalView


@dataclass(frozen=True)
class Arrived:
    """A request as it came in. `headers`: by lower-case name; `source`: the caller's address; `received_at` in µs."""

    method: str
    query: bytes
    body: bytes
    content_type: str
    headers: Mapping[str, str]
    source: str
    received_at: int
    id: str = field(default_factory=new_id)


def admit(arrived: Arrived, view: PortalView, config: Any) -> None:
    """Check method, address and secret header against the start block's config, if there is one. Raises Refused."""
    if config is None:
        return
    if getattr(config, "post_only", False) and arrived.method == "GET":
        raise Refused("method_not_allowed", 405, "This link takes only requests with a body (POST, PUT, PATCH).")
    allowed = getattr(config, "allow_ips", ())
    if allowed and not any(_inside(arrived.source, network) for network in allowed):
        raise Refused("sender_not_allowed", 403, "This link does not take requests from the caller's address.")
    secret = getattr(config, "secret_header", None)
    if secret is not None:
        scope = Scope(constants=view.constants, globals={}, zone=view.zone)
        expected = compile_template(secret.value).render(scope).text
        given = arrived.headers.get(secret.name.lower(), "")
        if not expected or not same(given, expected):
            raise Refused("secret_header_wrong", 401, "The header that this link demands is missing or wrong.")


def body_of(arrived: Arrived, config: Any) -> Body:
    """The body, read by its type. Raises Refused."""
    encoding = arrived.headers.get("content-encoding", "")
    if encoding and encoding.lower() != "identity":
        raise Refused("unsupported_media_type", 415, "Compressed bodies are not read here.")
    return parse_body(arrived.body, arrived.content_type or None, tolerant=getattr(config, "tolerant_json", True))


def _inside(address: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
