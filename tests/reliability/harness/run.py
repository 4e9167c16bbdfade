"""One run: start everything, load it, kill under it, let it come to rest, look."""

import re
import shutil
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from connectors.registry import channel
from hub.db import Database
from hub.settings import Settings
from tests.journeys.conftest import new_key
from tests.journeys.installation import Installation
from tests.processes import Product
from tests.reliability.harness import checkers, report
from tests.reliability.harness.generator import Load
from tests.reliability.harness.history import History, Rules
from tests.reliability.harness.nemesis import WEB_PROCESSES, Hosts, Nemesis, plan
from tests.reliability.harness.provider import SECRET, Provider
from tests.reliability.harness.site import build
from tests.reliability.harness.stored import Stored, database

HANDS = 4
LEASE_S = 10.0
STALLED_AFTER_S = 60.0
ENVIRONMENT = {
    "HUB_RETRY_SCHEDULE_S": "0.2,0.5,1,2,2,2",
    "HUB_LEASE_S": str(LEASE_S),
    "HUB_WORKER_THREADS": str(HANDS),
    "HUB_WEB_WORKERS": str(WEB_PROCESSES),
    "HUB_LOG_LEVEL": "info",
}


@dataclass(frozen=True)
class Options:
    """What a run is to do. `rate`: events a second that the clients offer."""

    database: str
    channel: str
    on_unconfirmed: str
    events: int
    kills: int
    seed: int
    rate: float


def run(options: Options) -> dict[str, Any]:
    """The run's line of results; its `ok` says whether all held. The folder of a run that went wrong stays, and the
    line names it."""
    folder = Path(tempfile.mkdtemp(prefix="hubline-crash-"))
    provider = Provider(options.channel, options.seed)
    with database(options.database) as url:
        settings = Settings(
            database_url=url,
            instance_dir=folder / "instance",
            secret_key="a secret key for crashes only",
            encryption_keys=("an encryption key for crashes only",),
            egress_allow=(f"127.0.0.1:{provider.sandbox.port}",),
            testing=True,
        )
        provider.sandbox.start()
        try:
            line = _run(options, settings, folder, provider)
        finally:
            provider.sandbox.stop()
    if line["ok"]:
        shutil.rmtree(folder)
        return line
    return line | {"folder": str(folder)}


def _run(options: Options, settings: Settings, folder: Path, provider: Provider) -> dict[str, Any]:
    key = new_key(settings)
    db = Database(settings)
    stored = Stored(db, LEASE_S)
    try:
        with Product(settings, folder, ENVIRONMENT) as product:
            hosts = Hosts(product, stored.registered)
            hosts.web.wait_ready()
            at = Installation(hosts.web.url, key, provider.sandbox)
            site = build(
                at,
                provider,
                channel=options.channel,
                on_unconfirmed=options.on_unconfirmed,
                events=options.events,
                rate_per_s=options.rate,
            )
            load = Load(site.clients)
            kills = plan(options.kills, options.events, options.seed)
            nemesis = Nemesis(hosts, kills, options.seed, lambda: load.done)
            nemesis.start()
            operations = load.run()
            nemesis.join()
            if nemesis.error is not None:
                raise nemesis.error
            loaded = time.monotonic()
            leftovers = _rest(stored)
            drained_s = round(time.monotonic() - loaded, 1)
            at.close()
            hosts.stop()
        killed = nemesis.killed
        history = History(
            rules=Rules(
                options.on_unconfirmed,
                hands=HANDS,
                web_hands=sum(client.by_result for client in site.clients),
                worker_kills=killed["worker"],
                web_kills=killed["web_worker"] + killed["web_master"],
                recognises=channel(options.channel).carries.idempotent,
            ),
            operations=tuple(operations),
            deliveries=provider.deliveries(),
            messages=stored.messages(),
            runs=stored.runs(),
            leftovers=leftovers,
            damage=stored.damage(),
            leaks=_leaks(folder, (SECRET, key, *site.secrets)),
        )
    finally:
        db.close()
    asked = asdict(options) | {"killed": dict(killed)}
    seen = {"drained_s": drained_s, "faults": provider.played(), "taken_for_dead": _taken_for_dead(folder)}
    return report.summary(history, checkers.check(history), asked=asked, seen=seen)


def _rest(stored: Stored) -> tuple[str, ...]:
    """Wait until nothing is open any more; what still is when nothing has moved for long."""
    pause, least, moved_at = threading.Event(), stored.unfinished(), time.monotonic()
    while leftovers := stored.leftovers():
        now, open_now = time.monotonic(), stored.unfinished()
        if open_now < least:
            least, moved_at = open_now, now
        if now - moved_at > STALLED_AFTER_S:
            return leftovers
        pause.wait(0.1)
    return ()


def _leaks(folder: Path, secrets: tuple[str, ...]) -> tuple[str, ...]:
    pattern = re.compile("|".join(re.escape(secret) for secret in secrets))
    return tuple(
        f"{log.name}:{number}"
        for log in sorted(folder.glob("*.log"))
        for number, words in enumerate(log.read_text(errors="replace").splitlines(), 1)
        if pattern.search(words)
    )


def _taken_for_dead(folder: Path) -> int:
    """How often a process that lived was too slow to say so: a sign that the machine is too small for the load."""
    return sum(log.read_text(errors="replace").count('"taken_for_dead"') for log in folder.glob("*.log"))
