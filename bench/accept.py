"""Marks A, B, C: how fast links answer, beside bare programs that only store."""

import os
import time
from collections import defaultdict
from dataclasses import dataclass

from bench.databases import Databases
from bench.load import Load, load
from bench.messenger import Messenger
from bench.processes import ROOT, Processes, Running, free_port
from bench.product import Site
from bench.table import Row, median

SECONDS = 4
WARM_UP_S = 2


@dataclass(frozen=True)
class Measured:
    """The rounds of one kind of work: loads, and CPU microseconds of the server for each request."""

    loads: list[Load]
    cpu_us: list[float]

    @property
    def per_s(self) -> float:
        """Requests a second, the middle one."""
        return median([one.per_s for one in self.loads])

    @property
    def p99_ms(self) -> float:
        """The 99th percentile, of the middle round."""
        return median([one.p99_ms for one in self.loads])

    def told(self) -> str:
        """For the table."""
        return f"{self.per_s:,.0f}/s, p99 {self.p99_ms:.0f} ms, {median(self.cpu_us):,.0f} µs CPU"


def accepting(processes: Processes, databases: Databases, kind: str, site: Site, rounds: int) -> list[Row]:
    """Rows of A, B and C on one database. The site's web processes are started here; no worker is at work."""
    web = site.web()
    floor = _floor(processes, databases.bare(kind), site.messenger)
    work: dict[str, tuple[Running, str]] = {
        "floor": (floor, f"{floor.url}/plain"),
        "A": (web, site.message_link(wait=False)),
        "C": (web, site.answer_link()),
        "floor send": (floor, f"{floor.url}/send"),
        "B": (web, site.message_link(wait=True)),
    }
    found = _interleaved(work, rounds)
    web.stop()
    floor.stop()
    a, b, c = (found[name] for name in "ABC")
    plain, sending = found["floor"], found["floor send"]
    return [
        Row("", f"floor of A and C, {kind}", plain.told()),
        _held("A", f"accepted, {kind}", a, plain, 0.6, 50),
        _held("C", f"answered with two values, {kind}", c, plain, 0.6),
        Row("", f"floor of B, {kind}", sending.told()),
        _held("B", f"sent, then answered, {kind}", b, sending, 0.7),
    ]


def with_sends(site: Site, kind: str, rounds: int) -> list[Row]:
    """Mark A with web and worker at work together: do the sends keep pace with what is accepted?"""
    serve = site.serve()
    link = site.message_link(wait=False)
    load(link, WARM_UP_S)
    site.wait_until_settled()
    accepted, sent = [], []
    for _ in range(rounds):
        site.messenger.reset()
        began = time.monotonic()
        one = load(link, SECONDS)
        accepted.append(one.per_s)
        last = site.messenger.wait_for(one.requests, within_s=120)["last"]
        sent.append(one.requests / (last - began))
        site.wait_until_settled()
    serve.stop()
    ratio = median([b / a for a, b in zip(accepted, sent, strict=True)])
    figure = f"{median(accepted):,.0f}/s accepted, {median(sent):,.0f}/s sent"
    return [
        Row("A", f"with one worker sending, {kind}", figure, f"{ratio:.2f}", "≥ 0.90 of what is accepted", ratio >= 0.9)
    ]


def _held(mark: str, what: str, found: Measured, floor: Measured, least: float, p99_ms: float | None = None) -> Row:
    ratio = median([a.per_s / b.per_s for a, b in zip(found.loads, floor.loads, strict=True)])
    goal = f"≥ {least:g} × floor" + (f", p99 ≤ {p99_ms:g} ms" if p99_ms else "")
    reached = ratio >= least and (p99_ms is None or found.p99_ms <= p99_ms)
    return Row(mark, what, found.told(), f"{ratio:.2f}", goal, reached)


def _interleaved(work: dict[str, tuple[Running, str]], rounds: int) -> dict[str, Measured]:
    """Rounds of everything by turns, so that what disturbs the machine disturbs all alike."""
    for _, url in work.values():
        load(url, WARM_UP_S)
    found: dict[str, Measured] = defaultdict(lambda: Measured([], []))
    for _ in range(rounds):
        for name, (server, url) in work.items():
            cpu_s = server.cpu_s()
            one = load(url, SECONDS)
            found[name].loads.append(one)
            found[name].cpu_us.append((server.cpu_s() - cpu_s) / one.requests * 1e6)
    return found


def _floor(processes: Processes, database: str, messenger: Messenger) -> Running:
    port = free_port()
    environment = {"FLOOR_DATABASE": database, "FLOOR_MESSENGER": f"{messenger.url}/bot1:AAAA/sendMessage"}
    processes.python(["-m", "bench.floor"], environment=environment).process.wait(30)
    options = ["--no-control-socket", "--keep-alive", "30", "--chdir", str(ROOT), "-b", f"127.0.0.1:{port}"]
    command = ["-m", "gunicorn", *options, "-w", str(os.cpu_count() or 1), "-k", "gevent", "bench.floor:app"]
    return processes.python(command, environment=environment, port=port).wait_ready("/healthz")
