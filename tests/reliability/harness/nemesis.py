"""Who kills: a plan made from a seed, and the processes it is played on. It kills nothing but what it started."""

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tests.processes import Product, Running, alive, children, wait_until

Kind = Literal["web_worker", "web_master", "worker"]
START_WITHIN_S = 60.0
LOOK_EVERY_S = 0.01
WEB_PROCESSES = 2
MASTERS = 5  # one of so many kills of the web server takes the master and all its children


@dataclass(frozen=True)
class Kill:
    """A kill, once `after` events of the load are over."""

    after: int
    kind: Kind


def plan(kills: int, events: int, seed: int) -> list[Kill]:
    """Half of the kills for the web server, half for the workers that deliver, one in each slice of the load."""
    chance = random.Random(seed)
    web = kills // 2
    masters = web // MASTERS
    kinds: list[Kind] = ["web_master"] * masters + ["web_worker"] * (web - masters) + ["worker"] * (kills - web)
    chance.shuffle(kinds)
    return [Kill(int((n + chance.random()) * events / kills), kind) for n, kind in enumerate(kinds)]


class Hosts:
    """A web server and two workers, each started anew as soon as it is gone, as a supervisor would.

    Nothing is killed before it is at work: who dies while starting has nothing in hand. `registered()` gives the
    pids of the processes that are.
    """

    def __init__(self, product: Product, registered: Callable[[], set[int]], workers: int = 2) -> None:
        self._product = product
        self._registered = registered
        self.web = product.web()
        self.workers = [product.worker() for _ in range(workers)]

    def kill(self, kind: Kind, chance: random.Random) -> None:
        """Kill with SIGKILL, then start what nobody else starts."""
        if kind == "worker":
            oldest: Running = self.workers.pop(0)
            ended = oldest.process.poll()
            assert ended is None, f"a worker ended by itself with {ended}:\n{oldest.output()}"
            self._at_work([oldest.pid])
            oldest.send(signal.SIGKILL)
            oldest.wait()
            self.workers.append(self._product.worker())
            return
        wait_until(lambda: len(self._web_processes()) == WEB_PROCESSES, within_s=START_WITHIN_S, what="web processes")
        pids = self._web_processes()
        self._at_work(pids)
        if kind == "web_master":
            os.killpg(self.web.pid, signal.SIGKILL)
            self.web.wait()
            self.web = self._product.web(PORT=str(self.web.port))
        else:
            pid = chance.choice(pids)
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: not alive(pid), what=f"the end of {pid}")

    def _web_processes(self) -> list[int]:
        """Those that live: one that was just killed stays a child until its master has heard of it."""
        return [pid for pid in children(self.web.pid) if alive(pid)]

    def _at_work(self, pids: list[int]) -> None:
        wait_until(lambda: self._registered().issuperset(pids), within_s=START_WITHIN_S, what=f"{pids} at work")

    def stop(self) -> None:
        """End all in order, so that they say goodbye."""
        for running in (self.web, *self.workers):
            running.send(signal.SIGTERM)
        for running in (self.web, *self.workers):
            running.wait()


class Nemesis(threading.Thread):
    """Plays a plan on hosts while `done()` events are over. `killed` counts; `error` is what ended it early."""

    def __init__(self, hosts: Hosts, kills: Sequence[Kill], seed: int, done: Callable[[], int]) -> None:
        super().__init__(name="nemesis", daemon=True)
        self.killed: Counter[str] = Counter()
        self.error: BaseException | None = None
        self._hosts = hosts
        self._kills = kills
        self._chance = random.Random(seed)
        self._done = done
        self._pause = threading.Event()

    def run(self) -> None:
        try:
            for kill in self._kills:
                while self._done() < kill.after:
                    self._pause.wait(LOOK_EVERY_S)
                self._hosts.kill(kill.kind, self._chance)
                self.killed[kill.kind] += 1
        except BaseException as error:  # told by whoever joins: a run without its kills proves nothing
            self.error = error
