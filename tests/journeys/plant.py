"""A product whose web server and workers are started and killed one by one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hub.sandbox.server import Sandbox
from hub.settings import Settings
from tests.journeys.conftest import QUICK_RETRIES, new_key
from tests.journeys.installation import Installation, Scenario
from tests.processes import Product, Running, children, wait_until

FINAL = ("sent", "unconfirmed", "failed", "expired", "cancelled")


@dataclass
class Plant:
    """A product whose web server runs and whose worker does not yet."""

    product: Product
    web: Running
    at: Installation

    def end(self, chat: str, count: int = 1) -> list[str]:
        """How the messages to a chat ended, oldest first."""
        wait_until(
            lambda: [one["state"] in FINAL for one in self.at.messages_to(chat)] == [True] * count,
            within_s=30,
            what=f"the end of {count} messages",
        )
        return [one["state"] for one in self.at.messages_to(chat)]

    def states(self) -> list[str]:
        """The states of all messages, oldest first."""
        found: list[str] = []
        cursor = ""
        while True:
            page = self.at.read(f"/messages?limit=200{cursor}")
            found += [one["state"] for one in page["items"]]
            if not page["next"]:
                return found[::-1]
            cursor = f"&cursor={page['next']}"

    def ends(self, count: int, within_s: float = 60) -> list[str]:
        """How all messages ended, oldest first, once there are `count`."""

        def ended() -> bool:
            states = self.states()
            return len(states) == count and set(states) <= set(FINAL)

        wait_until(ended, within_s=within_s, what=f"the end of {count} messages")
        return self.states()

    def web_processes(self) -> list[int]:
        """The pids of the web processes."""
        return children(self.web.pid)


@contextmanager
def standing(settings: Settings, folder: Path, sandbox: Sandbox, **more: str) -> Iterator[Plant]:
    """A plant with one Telegram line; retries come soon. `more`: further settings by the names of their variables."""
    with Product(settings, folder, {"HUB_RETRY_SCHEDULE_S": QUICK_RETRIES, **more}) as product:
        key = new_key(settings)
        web = product.web()
        at = Installation(web.url, key, sandbox)
        web.wait_ready("/healthz")
        at.add_line(rate_per_s=0, rate_per_chat_per_s=0)
        yield Plant(product, web, at)
        at.close()


def rule(plant: Plant, on_unconfirmed: str) -> None:
    """What the line does with a message of which nobody knows whether it was sent."""
    changed = plant.at.api("PATCH", f"/lines/{plant.at.line}", {"settings": {"on_unconfirmed": on_unconfirmed}})
    assert changed.status_code == 200, changed.text


def accept(plant: Plant, scenario: Scenario, text: str) -> None:
    """Have the usual link take an event."""
    assert plant.at.post(scenario.short, {"id": text}).json()["status"] == "accepted"
