"""Who kills: a plan made from a seed, and the processes it is played on. It kills nothing but what it started."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tests.processes import Product, Running, children, wait_until

Kind = Literal["web_worker", "web_master", "worker"]
MASTERS = 5  # one of so many kills of the web server takes the master and all its children
MARGIN = 0.04


@dataclass(frozen=True)
class Kill:
    """A kill, `at_s` seconds after the beginning."""

    at_s: float
    kind: Kind


def plan(kills: int, span_s: float, seed: int) -> list[Kill]:
    """Half of the kills for the web server, half for the workers that deliver, over the time of the load."""
    chance = random.Random(seed)
    web = kills // 2
    masters = web // MASTERS
    kinds: list[Kind] = ["web_master"] * masters + ["web_worker"] * (web - masters) + ["worker"] * (kills - web)
    chance.shuffle(kinds)
    times = sorted(chance.uniform(MARGIN, 1 - MARGIN) * span_s for _ in kinds)
    return [Kill(at_s, kind) for at_s, kind in zip(times, kinds, strict=True)]


class Hosts:
    """A web server and two workers, each started anew as soon as it is gone, as a supervisor would."""

    def __init__(self, product: Product, workers: int = 2) -> None:
        self._product = product
        self.web = product.web()
        self.workers = [product.worker() for _ in range(workers)]

    def kill(self, kind: Kind, chance: random.Random) -> None:
        """Kill with SIGKILL, then start what nobody else starts."""
        if kind == "web_worker":
            wait_until(lambda: bool(children(self.web.pid)), what="a web process")
            _end(chance.choice(children(self.web.pid)))
        elif kind == "web_master":
            os.killpg(self.web.pid, signal.SIGKILL)
            self.web.wait()
            self.web = self._product.web(PORT=str(self.web.port))
        else:
            # The one that has run longest: it has most in hand.
            oldest: Running = self.workers.pop(0)
            oldest.send(signal.SIGKILL)
            oldest.wait()
            self.workers.append(self._product.worker())

    def stop(self) -> None:
        """End all in order, so that they say goodbye."""
        for running in (self.web, *self.workers):
            running.send(signal.SIGTERM)
        for running in (self.web, *self.workers):
            running.wait()


class Nemesis(threading.Thread):
    """Plays a plan on hosts. `done` counts what was killed; `error` is what ended it early, if anything did."""

    def __init__(self, hosts: Hosts, kills: Sequence[Kill], seed: int) -> None:
        super().__init__(name="nemesis", daemon=True)
        self.done: Counter[str] = Counter()
        self.error: Exception | None = None
        self._hosts = hosts
        self._kills = kills
        self._chance = random.Random(seed)
        self._pause = threading.Event()

    def run(self) -> None:
        began = time.monotonic()
        try:
            for kill in self._kills:
                self._pause.wait(max(0.0, began + kill.at_s - time.monotonic()))
                self._hosts.kill(kill.kind, self._chance)
                self.done[kill.kind] += 1
        except Exception as error:  # told by whoever joins: a run without its kills proves nothing
            self.error = error


def _end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
