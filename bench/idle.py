"""Marks L and M: how soon a message goes out of an idle system, what the processes weigh, how soon they answer."""

import json
import statistics
import time
from urllib.request import Request, urlopen

from bench.load import load
from bench.processes import Running, pss_mib
from bench.product import Site
from bench.table import Row

REQUESTS = 100
EVERY_S = 0.1
MOST_MIB, MOST_EACH_MIB = 400, 120


def idle(site: Site, kind: str) -> list[Row]:
    """The rows of L and M. Memory is looked at after some load, since that is when it counts."""
    began = time.monotonic()
    serve = site.serve()
    started_s = time.monotonic() - began
    rows = [Row("M", f"start until /readyz says 200, {kind}", f"{started_s:.1f} s", "", "≤ 3 s", started_s <= 3)]
    rows.append(_latency(site, kind))
    for link in (site.message_link(wait=False), site.message_link(wait=True), site.answer_link()):
        load(link, 3)
    site.wait_until_settled()
    rows.append(_memory(serve, kind))
    serve.stop()
    return rows


def _latency(site: Site, kind: str) -> Row:
    """From the request to the first attempt at the messenger, with a pause between two requests."""
    link = site.message_link(wait=False)
    late_ms = []
    for number in range(REQUESTS):
        site.messenger.reset()
        payment = [{"name": "Order 17", "amount": 1, "currency": "EUR"}, {"email1": "ann@example.org"}]
        body = {"id": f"idle-{number}", "chat_id": 10_000 + number, "customer": {"name": "Ann"}, "payment": payment}
        request = Request(link, json.dumps(body).encode(), {"Content-Type": "application/json"})
        began = time.monotonic()
        with urlopen(request, timeout=10):
            late_ms.append((site.messenger.wait_for(1, within_s=10)["first"] - began) * 1000)
        time.sleep(EVERY_S)  # the pause is the work here: this is about a system that has nothing to do
    middle, last = statistics.median(late_ms), statistics.quantiles(late_ms, n=100, method="inclusive")[98]
    figure = f"median {middle:.0f} ms, p99 {last:.0f} ms"
    reached = middle <= 50 and last <= 300
    return Row("L", f"request until first attempt, {kind}", figure, "", "median ≤ 50 ms, p99 ≤ 300 ms", reached)


def _memory(serve: Running, kind: str) -> Row:
    each = [pss_mib(pid) for pid in serve.tree()]
    figure = f"{sum(each):.0f} MiB in {len(each)} processes, {max(each):.0f} MiB the largest"
    reached = sum(each) <= MOST_MIB and max(each) <= MOST_EACH_MIB
    return Row("M", f"memory (PSS), {kind}", figure, "", f"≤ {MOST_MIB} MiB, ≤ {MOST_EACH_MIB} MiB each", reached)
