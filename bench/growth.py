"""Mark G: does the product stay quick when a million requests are stored and a hundred thousand messages wait?"""

import statistics
import time
from urllib.parse import urlencode

from bench.accept import SECONDS, WARM_UP_S
from bench.fill import QUEUED, QUEUED_CHATS, fill
from bench.load import load
from bench.product import Site
from bench.table import Row, median
from hub.clock import now_us
from hub.delivery import claiming
from hub.delivery.outbox import Settlement
from hub.delivery.settling import settle_all

CLAIMS = 200
AT_ONCE = 64
OWNER = "bench:0:growth"
_SENT = Settlement(state="sent", outcome="sent", provider_id="1", sent_parts=("1",), http_status=200)


def growing(empty: Site, full: Site, kind: str, requests: int, rounds: int) -> list[Row]:
    """The rows of mark G on one database: an installation that is filled beside one that is not."""
    serve = full.serve()
    load(full.message_link(wait=False), 1)
    full.wait_until_settled()
    serve.stop()
    began = time.monotonic()
    fill(full.hub, requests)
    size = f"{requests:,} requests, {QUEUED:,} queued, {kind}"
    rows = [Row("", f"filling with {size}", f"{time.monotonic() - began:.0f} s")]
    webs = [site.web() for site in (empty, full)]
    links = [site.message_link(wait=False) for site in (empty, full)]
    for link in links:
        load(link, WARM_UP_S)
    pairs = [[load(link, SECONDS).per_s for link in links] for _ in range(rounds)]
    ratio = median([filled / bare for bare, filled in pairs])
    figure = f"{median([filled for _, filled in pairs]):,.0f}/s of {median([bare for bare, _ in pairs]):,.0f}/s"
    rows.append(Row("G", f"accepted with {size}", figure, f"{ratio:.2f}", "≥ 0.7 × empty", ratio >= 0.7))
    rows += _pages(full, kind)
    for web in webs:
        web.stop()
    rows.append(_claims(full, kind))
    return rows


def _pages(site: Site, kind: str) -> list[Row]:
    """The journal's pages by every filter there is, each read three times; the slowest counts."""
    scenario = site.api("GET", "/scenarios")["items"][0]["id"]
    month_ago = "2000-01-01T00:00:00Z"
    chosen = {
        "messages": ({}, {"state": "sent"}, {"state": "failed"}, {"chat": "12345"}, {"line": site.line}),
        "messages of": ({"scenario": scenario}, {"reason": "blocked", "state": "failed"}, {"after": month_ago}),
        "runs": ({}, {"scenario": scenario}, {"status": "completed"}, {"status": "failed"}, {"status": "waiting"}),
        "requests": ({}, {"scenario": scenario}, {"outcome": "run"}, {"outcome": "refused"}),
    }
    slowest = (0.0, "")
    for what, filters in chosen.items():
        for chosen_filter in filters:
            path = f"/{what.split()[0]}?{urlencode({**chosen_filter, 'limit': 50})}"
            took_ms = median([_ms(site, path) for _ in range(3)])
            slowest = max(slowest, (took_ms, path))
    figure = f"{slowest[0]:.0f} ms ({slowest[1]})"
    return [Row("G", f"slowest filtered page of the journal, {kind}", figure, "", "≤ 500 ms", slowest[0] <= 500)]


def _ms(site: Site, path: str) -> float:
    began = time.monotonic()
    site.api("GET", path)
    return (time.monotonic() - began) * 1000


def _claims(site: Site, kind: str) -> Row:
    """What a worker does to get messages: look, claim and commit. Settled in between, so that heads keep coming."""
    took_ms = []
    for turn in range(CLAIMS):
        began, now = time.monotonic(), now_us()
        with site.hub.db.sql() as sql:
            lines = claiming.ready_lines(sql, now=now)
        claimed = site.hub.db.writer.run(
            lambda sql, lines=lines, now=now, turn=turn: claiming.claim(
                sql, lines, owner=OWNER, limit=AT_ONCE, now=now, turn=turn
            ),
            lines=lines,
        )
        took_ms.append((time.monotonic() - began) * 1000)
        assert len(claimed) == AT_ONCE
        outcomes = [(one, _SENT) for one in claimed]
        site.hub.db.writer.run(
            lambda sql, outcomes=outcomes, now=now: settle_all(sql, outcomes, owner=OWNER, now=now), lines=lines
        )
    late = statistics.quantiles(took_ms, n=100, method="inclusive")[98]
    figure = f"median {statistics.median(took_ms):.1f} ms, p99 {late:.1f} ms"
    what = f"claim of {AT_ONCE} of {QUEUED_CHATS:,} chats, {kind}"
    return Row("G", what, figure, "", "p99 ≤ 10 ms", late <= 10)
