"""The messenger: the product's own simulators, refusing, breaking and losing answers by chance."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from hub.sandbox.faults import Entry, Rates
from hub.sandbox.server import Sandbox
from tests.reliability.harness.history import Delivery

SECRET = "CrashHarnessSecret"
RATES = Rates(limited=0.02, failing=0.02, lost=0.005)


@dataclass(frozen=True)
class Channel:
    """How a line of a kind is configured here, and where its simulator records a message's call."""

    config: dict[str, Any]
    path: str
    method: str


CHANNELS = {
    "telegram": Channel({"token": f"1:{SECRET}"}, "/telegram", "sendmessage"),
    "max": Channel({"token": f"f9LH{SECRET}"}, "/max", "messages"),
    "vk": Channel({"token": f"vk1.a.{SECRET}", "group_id": "1"}, "/vk", "messages.send"),
    "whatsapp": Channel({"token": f"EAA{SECRET}", "phone_number_id": "1"}, "/whatsapp", "messages.text"),
}


class Provider:
    """One messenger, from `start` on."""

    def __init__(self, channel: str, seed: int) -> None:
        self.sandbox = Sandbox()
        self._channel = CHANNELS[channel]
        self.sandbox.board.play_at_random(RATES, seed)

    @property
    def config(self) -> dict[str, Any]:
        """The config of a line that leads here."""
        return self._channel.config | {"api_url": self.sandbox.url + self._channel.path}

    def deliveries(self) -> tuple[Delivery, ...]:
        """Every call to send something, in the order of the record."""
        return tuple(
            Delivery(one.text, one.chat, one.accepted, "hung up" not in one.outcome) for one in self._entries()
        )

    def played(self) -> dict[str, int]:
        """How often each fault was played."""
        outcomes = Counter(_fault(one) for one in self._entries())
        return {name: outcomes[name] for name in ("limited", "failing", "lost")}

    def _entries(self) -> list[Entry]:
        return [one for one in self.sandbox.board.entries() if one.method.lower() == self._channel.method]


def _fault(entry: Entry) -> str:
    if entry.accepted:
        return "lost" if "hung up" in entry.outcome else "taken"
    if entry.outcome == "repeat":
        return "repeat"
    return "failing" if entry.status == 500 else "limited"
