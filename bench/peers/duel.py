"""Rounds by turns: the product with its worker at work, and others that are given the same."""

from collections.abc import Callable
from pathlib import Path

from bench.accept import SECONDS, WARM_UP_S
from bench.load import load
from bench.messenger import Messenger
from bench.peers import nodered
from bench.peers.peer import Peer
from bench.processes import Processes, Running, pss_mib
from bench.product import Site
from bench.table import Row, median

PEERS: dict[str, Callable[[Processes, Path, str], Peer]] = {"nodered": nodered.start}
OWN = "Hubline"


def beside(processes: Processes, folder: Path, site: Site, names: list[str], rounds: int) -> list[Row]:
    """The rows of A, B and C, and of memory after that. Sends are part of what A counts: a second of it is one in
    which so many requests were answered and their messages came."""
    peers = [PEERS[name](processes, folder, site.messenger.url) for name in names]
    serve = site.serve()
    own = {"A": site.message_link(wait=False), "B": site.message_link(wait=True), "C": site.answer_link()}
    rows: list[Row] = []
    for mark, link in own.items():
        links = {OWN: link} | {peer.name: peer.links[mark] for peer in peers}
        found: dict[str, list[float]] = {name: [] for name in links}
        for one in links.values():
            _per_s(mark, one, site.messenger, WARM_UP_S)
        for _ in range(rounds):
            for name, one in links.items():
                found[name].append(_per_s(mark, one, site.messenger, SECONDS))
        rows.append(Row("", f"{mark}, {OWN}", f"{median(found[OWN]):,.0f}/s"))
        for peer in peers:
            ratio = median([a / b for a, b in zip(found[OWN], found[peer.name], strict=True)])
            goal = peer.goals[mark]
            figure = f"{median(found[peer.name]):,.0f}/s"
            rows.append(Row(mark, f"{OWN} beside {peer.name}", figure, f"{ratio:.2f}", f"≥ {goal:g} ×", ratio >= goal))
    rows += [_memory(name, running) for name, running in [(OWN, serve), *((one.name, one.running) for one in peers)]]
    for running in (serve, *(peer.running for peer in peers)):
        running.stop()
    return rows


def _per_s(mark: str, link: str, messenger: Messenger, seconds: int) -> float:
    """Requests a second; the messages of mark A have to have come, too."""
    messenger.reset()
    one = load(link, seconds)
    if mark != "A":
        return one.per_s
    seen = messenger.wait_for(one.requests, within_s=120)
    return one.requests / max(one.requests / one.per_s, seen["last"] - seen["first"])


def _memory(name: str, running: Running) -> Row:
    each = [pss_mib(pid) for pid in running.tree()]
    return Row("", f"memory (PSS) after that, {name}", f"{sum(each):.0f} MiB in {len(each)} processes")
