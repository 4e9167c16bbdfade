"""The figures that monitoring reads are what is in the database now."""

import re
from typing import Any

import pytest

from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.ids import id_at, new_id
from hub.portals.models import Portal
from hub.sql import Sql
from hub.upkeep.metrics import Metric, figures, prometheus
from tests.delivery.queue import NOW, Queue
from tests.scenarios.site import Site, give


@pytest.fixture
def queue(hub: Hub, portal: Portal) -> Queue:
    assert portal.id is not None
    return Queue(hub, portal.id)


def read(hub: Hub, now: int = NOW) -> dict[str, float]:
    """Every sample by its name with its labels."""
    with hub.db.sql() as sql:
        text = prometheus(figures(sql, now=now, lease_s=60))
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")}


def test_the_queue_is_counted_by_channel_and_state_with_the_age_of_what_should_have_gone(queue: Queue) -> None:
    for chat in ("a", "a", "b", "c"):
        queue.put(chat)
    queue.claim(limit=1)
    found = read(queue.hub, NOW + 12 * SECOND)
    assert found['hub_queue_messages{channel="telegram",state="queued"}'] == 3
    assert found['hub_queue_messages{channel="telegram",state="sending"}'] == 1
    assert found["hub_oldest_due_message_seconds"] == 12


@pytest.mark.parametrize(("state", "age"), [("active", 12), ("unreachable", 12), ("paused", 0), ("auth_failed", 0)])
def test_only_lines_that_nobody_stopped_can_be_late(queue: Queue, state: str, age: float) -> None:
    queue.put()
    queue.hub.db.writer.run(lambda sql: sql.run("UPDATE line SET state = ?", (state,)))
    found = read(queue.hub, NOW + 12 * SECOND)
    assert found["hub_oldest_due_message_seconds"] == age
    assert found[f'hub_lines{{channel="telegram",state="{state}"}}'] == 1
    assert sum(number for name, number in found.items() if name.startswith("hub_lines")) == 1


def test_a_message_for_later_is_not_late(queue: Queue) -> None:
    queue.put(due_at=NOW + 3600 * SECOND)
    assert read(queue.hub)["hub_oldest_due_message_seconds"] == 0


def test_attempts_of_the_last_five_minutes_are_counted_by_their_outcome(queue: Queue) -> None:
    for chat in "abc":
        queue.put(chat)
    one, two, _ = queue.claim()
    queue.settle(one, "sent")
    queue.settle(two, "failed", "rejected")
    found = read(queue.hub, NOW + 299 * SECOND)
    assert [found[f'hub_recent_attempts{{outcome="{name}"}}'] for name in ("sent", "rejected", "open", "moved")] == [
        1,
        1,
        1,
        0,
    ]
    assert read(queue.hub, NOW + 301 * SECOND)['hub_recent_attempts{outcome="sent"}'] == 0


def test_requests_and_runs_that_are_not_over_are_counted(hub: Hub, portal: Portal) -> None:
    assert portal.id is not None
    site = Site(hub, portal.id)
    token = site.token(site.scenario({"id": "rest", "type": "pause", "config": {"for_s": 600}}, give(a="1")))
    for _ in range(2):
        site.post(token, {})
    site.carry_on()
    found = read(hub, now_us())
    assert found['hub_recent_requests{outcome="run"}'] == 2
    assert found['hub_open_runs{status="waiting"}'] == 2
    later = read(hub, now_us() + 301 * SECOND)
    assert later['hub_recent_requests{outcome="run"}'] == 0
    hub.db.writer.run(lambda sql: sql.run("UPDATE run SET status = 'completed', wake_at = NULL"))
    assert read(hub)['hub_open_runs{status="waiting"}'] == 0


def test_ids_sort_by_the_moment_of_their_making() -> None:
    before = id_at(now_us() - 1000)
    made = new_id()
    assert before < made < id_at(now_us() + 2000)


def test_large_numbers_keep_their_digits_and_labels_are_escaped() -> None:
    text = prometheus([Metric("m", "Help.", ("name",), [(('a"\\\n',), 1_234_567_890)])])
    assert text == '# HELP m Help.\n# TYPE m gauge\nm{name="a\\"\\\\\\n"} 1234567890\n'


def test_the_page_is_in_prometheus_own_format(client: Any) -> None:
    page = client.get("/metrics")
    assert page.status_code == 200
    assert page.content_type == "text/plain; version=0.0.4; charset=utf-8"
    sample = re.compile(r'[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? -?[0-9.]+')
    lines = page.get_data(as_text=True).splitlines()
    assert all(line.startswith(("# HELP ", "# TYPE ")) or sample.fullmatch(line) for line in lines)
    assert "hub_oldest_due_message_seconds 0" in page.get_data(as_text=True)


@pytest.mark.databases("sqlite")
def test_no_figure_reads_a_whole_table_of_messages_attempts_requests_or_runs(hub: Hub) -> None:
    """As SQLite plans it; PostgreSQL's plans depend on how many rows there are."""
    asked: list[tuple[str, tuple[Any, ...]]] = []

    class Noting(Sql):
        def all(self, sql: str, values: Any = ()) -> list[tuple[Any, ...]]:
            asked.append((sql, tuple(values)))
            return super().all(sql, values)

        def one(self, sql: str, values: Any = ()) -> tuple[Any, ...] | None:
            asked.append((sql, tuple(values)))
            return super().one(sql, values)

    with hub.db.sql() as sql:
        figures(Noting(sql.connection, "sqlite"), now=NOW, lease_s=60)
        for statement, values in asked:
            plan = [row[-1] for row in sql.all(f"EXPLAIN QUERY PLAN {statement}", values)]
            scans = [step for step in plan if re.match(r"SCAN (message|attempt|request|run)\b", step)]
            # These indexes hold only what is not over.
            small = re.compile(r"\b(run_due|run_awaits|run_owned|message_expiry|message_chat)\b")
            assert not [step for step in scans if not small.search(step)], (statement, plan)
