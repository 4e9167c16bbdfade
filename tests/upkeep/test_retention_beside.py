"""Requests are accepted as ever while much is deleted."""

import threading
import time
from pathlib import Path

import requests

from hub.clock import now_us
from hub.core import Hub
from hub.portals.models import Portal
from hub.settings import Settings
from hub.upkeep import retention
from tests.processes import Product
from tests.scenarios.site import Site, give
from tests.upkeep.rows import fill


def test_requests_are_accepted_without_delay_while_many_rows_are_deleted(
    hub: Hub, portal: Portal, settings: Settings, tmp_path: Path
) -> None:
    assert portal.id is not None
    fill(hub, portal.id, 6000, body=1000)
    site = Site(hub, portal.id)
    token = site.token(site.scenario(give(a="1")))
    stop, since = threading.Event(), now_us()
    with Product(settings, tmp_path) as product:
        web = product.web().wait_ready("/healthz")
        thread = threading.Thread(
            target=lambda: retention.turn(hub, stop),
        )
        thread.start()
        took = []
        with requests.Session() as session:
            for number in range(300):
                began = time.monotonic()
                answer = session.post(f"{web.url}/get/?token={token}", json={"n": number}, timeout=10)
                took.append(time.monotonic() - began)
                assert answer.status_code == 200
        deleting = thread.is_alive()
        stop.set()
        thread.join(15)
    with hub.db.sql() as sql:
        (left,) = sql.all("SELECT count(*) FROM message")[0]
        (accepted,) = sql.all("SELECT count(*) FROM request WHERE received_at > ?", (since,))[0]
    assert deleting, "all was deleted before the last request came: nothing was shown"
    assert left < 6000
    assert accepted == 300
    took.sort()
    assert took[-1] < 2, f"the slowest took {took[-1]:.2f} s"
    assert took[len(took) // 2] < 0.15, f"half took longer than {took[len(took) // 2]:.3f} s"
