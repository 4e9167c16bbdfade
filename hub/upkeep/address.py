"""Whether this installation is reached at the address that it gives to others."""

import ipaddress
from dataclasses import dataclass

from connectors.egress import Egress, lookup, parse
from connectors.errors import ConnectorError
from connectors.http import Http

CONNECT_S = 3.0
TOTAL_S = 5.0


@dataclass(frozen=True)
class Reached:
    """How it went. `local`: the address means this machine, so nobody else can use it. `reason`: why it could not be
    reached."""

    ok: bool
    local: bool
    detail: str
    reason: str = ""


def reach(base_url: str) -> Reached:
    """Ask our own `/healthz` there. The address is the operator's, so it may be private or plain http; the usual
    way out refuses both, and calls to ourselves."""
    try:
        target = parse(base_url)
        found = _addresses(target.host, target.port)
        if all(_is_here(one) for one in found):
            return Reached(True, True, f"{base_url} means this machine: messengers and Bitrix24 cannot call it.")
        allow = frozenset(f"[{one}]:{target.port}" if ":" in one else f"{one}:{target.port}" for one in found)
        way = Http(Egress(allow=allow, resolve=lambda _host, _port: found), CONNECT_S, TOTAL_S)
        try:
            answer = way.call("GET", f"{base_url}/healthz", service="our own address")
        finally:
            way.close()
    except ConnectorError as error:
        return Reached(False, False, f"{base_url} cannot be reached from here.", error.message)
    if answer.status == 200 and b'"status":"ok"' in answer.body:
        return Reached(True, False, f"{base_url} leads here.")
    return Reached(False, False, f"At {base_url} something else answers, with status {answer.status}.")


def _addresses(host: str, port: int) -> list[str]:
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        return lookup(host, port)


def _is_here(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback
