"""The product under test: its lines and scenarios, and the clients that call its links."""

from dataclasses import dataclass
from typing import Any

from tests.journeys.installation import Installation, Scenario, answer, assign, send
from tests.reliability.harness.generator import Chat, Client
from tests.reliability.harness.provider import Provider

LINES = 8
CLIENTS = 8
CHATS = 200
RESULT_CHATS = 10
RESULT_SHARE = 40  # one of so many events comes by the results link
RESULT_WAIT_S = 5


@dataclass(frozen=True)
class Site:
    """Clients ready to begin, and the secrets that no log may hold."""

    clients: tuple[Client, ...]
    secrets: tuple[str, ...]


def build(
    at: Installation, provider: Provider, *, channel: str, on_unconfirmed: str, events: int, rate_per_s: float
) -> Site:
    """Lines that each hold a share of the chats, scenarios that end at once or wait for the message, one with a
    caller who waits for the result."""
    links = [_line(at, provider, channel, on_unconfirmed, number) for number in range(LINES)]
    usual = [Chat(_number(n), links[n % LINES].short) for n in range(CHATS)]
    result = _scenario(at, channel, 0, answer(said="{{id}}"), result_wait_s=RESULT_WAIT_S)
    waited = [Chat(_number(CHATS + n), result.result.partition("&")[0]) for n in range(RESULT_CHATS)]
    by_result = events // RESULT_SHARE
    shares = [(events - by_result + n) // CLIENTS for n in range(CLIENTS)]
    span_s = events / rate_per_s
    clients = [Client(usual[n::CLIENTS], share, span_s / max(share, 1)) for n, share in enumerate(shares)]
    clients.append(Client(waited, by_result, span_s / max(by_result, 1), by_result=True))
    tokens = [scenario.short.partition("token=")[2].partition("&")[0] for scenario in (*links, result)]
    return Site(tuple(clients), tuple(tokens))


def _line(at: Installation, provider: Provider, channel: str, on_unconfirmed: str, number: int) -> Scenario:
    settings = {"rate_per_s": 0, "rate_per_chat_per_s": 0, "on_unconfirmed": on_unconfirmed}
    line = {"name": f"Line {number}", "channel": channel, "config": provider.config, "settings": settings}
    made = at.api("POST", "/lines", line)
    assert made.status_code == 201, made.text
    if number % 2 == 0:
        return _scenario(at, channel, number)
    return _scenario(at, channel, number, assign("noted", seen="{{id}}"), wait_for="sent")


def _scenario(at: Installation, channel: str, line: int, *after: dict[str, Any], **more: Any) -> Scenario:
    """Sends the event's key to the event's chat, then does what comes after."""
    wait_for = {"wait_for": more.pop("wait_for")} if "wait_for" in more else {}
    message = send("{{id}}", "{{chat_id}}", line=f"Line {line}", messenger=channel, **wait_for)
    return at.scenario(message, *after, event_key="id", **more)


def _number(n: int) -> str:
    """A chat whose number asks the simulators for nothing special; a phone number as well."""
    return f"7999{n:03d}7777"
