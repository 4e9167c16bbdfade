"""Mark D: messages lie queued over many chats; how long until the messenger has had them all."""

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.databases import Databases
from bench.messenger import Messenger
from bench.processes import ROOT, BenchError, Running
from bench.product import Site
from bench.table import Row, median
from hub.clock import SECOND, now_us
from hub.delivery import outbox
from hub.delivery.outbox import Entry
from hub.ids import new_id
from hub.sql import Sql

MESSAGES = 5_000
CHATS = 500
_AT_ONCE = 500
_DAY = 86_400 * SECOND


@dataclass(frozen=True)
class Drained:
    """`per_s`: messages a second, from the moment the line may send to the last message at the messenger. `cpu_us`:
    CPU time that the workers took for one message."""

    per_s: float
    cpu_us: float


def draining(databases: Databases, kind: str, site: Site, rounds: int) -> list[Row]:
    """The rows of mark D on one database."""
    first = site.worker()
    bare = databases.bare(kind)
    drain(site, [first], messages=MESSAGES // 5)
    floors, ones, delayed = [], [], []
    for _ in range(rounds):
        floors.append(_floor(bare, site.messenger))
        ones.append(drain(site, [first]))
        delayed.append(drain(site, [first], delay_ms=50))
    pair = [first, site.worker()]
    drain(site, pair, messages=MESSAGES // 5)
    twos = [drain(site, pair) for _ in range(rounds)]
    for worker in pair:
        worker.stop()
    one, two, slow = (median([drained.per_s for drained in found]) for found in (ones, twos, delayed))
    of_floor = median([a.per_s / b.per_s for a, b in zip(ones, floors, strict=True)])
    return [
        Row("", f"floor of D, {kind}", _told(floors)),
        Row("D", f"one worker, {kind}", _told(ones), "", "≥ 800/s", one >= 800),
        Row("D", f"one worker beside the floor, {kind}", "", f"{of_floor:.2f}", "≥ 0.8 × floor", of_floor >= 0.8),
        Row("D", f"two workers, {kind}", _told(twos), f"{two / one:.2f}", "≥ 1.7 × one", two >= 1.7 * one),
        Row("D", f"one worker, answers after 50 ms, {kind}", _told(delayed), "", "≥ 800/s", slow >= 800),
    ]


def drain(site: Site, workers: Sequence[Running], *, delay_ms: float = 0, messages: int = MESSAGES) -> Drained:
    """Queue the messages while the line may not send, let it send, and wait until all have come."""
    site.messenger.reset(delay_ms)
    _set_line(site, "paused")
    enqueue(site, messages)
    cpu_s = sum(worker.cpu_s() for worker in workers)
    began = time.monotonic()
    _set_line(site, "active")
    site.hub.ring()
    seen = site.messenger.wait_for(messages, within_s=120)
    site.wait_until_settled()
    cpu_s = sum(worker.cpu_s() for worker in workers) - cpu_s
    return Drained(messages / (seen["last"] - began), cpu_s / messages * 1e6)


def enqueue(site: Site, messages: int, chats: int = CHATS) -> None:
    """Put messages into the outbox as the product itself does, round the chats."""
    now = now_us()
    entries = [
        Entry(
            id=new_id(),
            portal_id=site.portal_id,
            line_id=site.line,
            run_id=None,
            block="send",
            iteration=1,
            messenger="telegram",
            chat_id=str(10_000 + number % chats),
            chat_id_raw=str(10_000 + number % chats),
            text=f"Hello Ann Example, payment Order 17 is 1200.5 EUR #{number}",
            extra={},
            due_at=now,
            expires_at=now + _DAY,
        )
        for number in range(messages)
    ]
    for start in range(0, messages, _AT_ONCE):
        _put(site, entries[start : start + _AT_ONCE], now)


def _put(site: Site, entries: Iterable[Entry], now: int) -> None:
    def job(sql: Sql) -> None:
        for entry in entries:
            outbox.enqueue(sql, entry, now=now)

    site.hub.db.writer.run(job, lines=[site.line])


def _set_line(site: Site, state: str) -> None:
    site.hub.db.writer.run(lambda sql: sql.run("UPDATE line SET state = ? WHERE id = ?", (state, site.line)))


def _told(found: Sequence[Drained]) -> str:
    per_s, cpu_us = median([one.per_s for one in found]), median([one.cpu_us for one in found])
    return f"{per_s:,.0f}/s, {cpu_us:,.0f} µs CPU"


def _floor(database: str, messenger: Messenger) -> Drained:
    messenger.reset()
    command = [sys.executable, "-m", "bench.floor_drain", database, str(messenger.port), str(MESSAGES)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(done.stderr)
    return Drained(**json.loads(done.stdout))
