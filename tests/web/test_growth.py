"""With many rows stored, whatever a link, a worker or a page of the journal asks for is found by an index.

The statements are written down while the product itself makes them; afterwards the database tells how it would go about
each of them. A statement that reads a whole table is quick here and takes seconds in a year.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from bench.fill import fill
from hub.clock import now_us
from hub.core import Hub
from hub.delivery import claiming, journal, processes, sweep
from hub.delivery.outbox import Settlement
from hub.delivery.settling import settle_all
from hub.endpoints import customers, replay
from hub.endpoints import queries as requests
from hub.endpoints.queries import RequestFilter
from hub.portals.models import Portal
from hub.scenarios import came, failed_runs, queries
from hub.scenarios.failed_runs import Failed
from hub.sql import Sql
from tests.conftest import Api
from tests.web.documents import LINE, document

ROWS = 20_000
QUEUED = 4_000
FILLED = ("message", "request", "run")
GROWING = (*FILLED, "attempt", "step", "event_key")
ME = "host:1:me"
EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}
SENT = Settlement(state="sent", outcome="sent", provider_id="7", sent_parts=("7",), http_status=200)


@contextmanager
def written_down(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Every statement made meanwhile that looks for rows, with its values: text → values."""
    found: dict[str, Any] = {}

    def note(text: str, values: Any) -> None:
        if text.split(None, 1)[0].upper() in ("SELECT", "UPDATE", "DELETE", "WITH"):
            found.setdefault(text, values)

    def noting(plain: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Sql, sql: str, values: Any = ()) -> Any:
            note(sql.replace("?", "%s") if hub.db.dialect == "postgresql" else sql, values)
            return plain(self, sql, values)

        return call

    def on_engine(_connection: Any, _cursor: Any, text: str, values: Any, *_more: Any) -> None:
        note(text, values)

    with monkeypatch.context() as patch:
        for name in ("all", "one", "run"):
            patch.setattr(Sql, name, noting(getattr(Sql, name)))
        engine = hub.db.engine
        event.listen(engine, "before_cursor_execute", on_engine)
        yield found
        event.remove(engine, "before_cursor_execute", on_engine)


def whole_tables(hub: Hub, statements: dict[str, Any]) -> list[str]:
    """Those of the statements that would read a growing table from end to end, each with its plan."""
    if hub.db.dialect == "sqlite":
        return _whole_tables(hub, "EXPLAIN QUERY PLAN", statements, GROWING)
    # Left to itself PostgreSQL rightly reads what is small; told to keep to indexes it shows where there is none.
    free = _whole_tables(hub, "EXPLAIN", statements, FILLED, "SET enable_seqscan = on")
    return free + _whole_tables(hub, "EXPLAIN", statements, GROWING, "SET enable_seqscan = off")


def _whole_tables(hub: Hub, explain: str, statements: dict[str, Any], tables: Sequence[str], *first: str) -> list[str]:
    connection = hub.db.connect()
    for setting in first:
        connection.execute(setting)
    read = []
    for text, values in statements.items():
        rows = connection.execute(f"{explain} {text.replace('/*skip locked*/', '')}", values).fetchall()
        plan = [str(row[-1]) for row in rows]
        if any(_reads_all(line, tables) for line in plan):
            read.append("\n".join([text, *plan]))
    connection.close()
    return read


def _reads_all(line: str, tables: Sequence[str]) -> bool:
    """`SCAN message` is SQLite's word for it, also when it goes by an index; `Seq Scan on message` PostgreSQL's."""
    words = line.replace("->", " ").split()
    if words[:1] == ["SCAN"]:
        return words[1] in tables
    return "Seq Scan on" in line and words[words.index("on") + 1] in tables


@pytest.fixture
def link(api: Api, hub: Hub) -> str:
    """The results link of a scenario, on a database with many rows."""
    api.post("/lines", {**LINE, "settings": {"rate_per_s": 0, "rate_per_chat_per_s": 0}})
    made = api.post("/scenarios", document()).get_json()
    short = str(made["links"]["request"].removeprefix("https://hub.test"))
    assert api.client.post(short, json={"chat_id": "5", "id": "1"}).status_code == 200
    assert send(hub) == 1
    fill(hub, ROWS, queued=QUEUED, chats=QUEUED // 4)
    return short


def plans(hub: Hub, statements: dict[str, Any], part: str) -> list[str]:
    """The plans of the statements that have this part."""
    connection = hub.db.connect()
    found = [
        "\n".join(str(row[-1]) for row in connection.execute(f"{EXPLAIN[hub.db.dialect]} {text}", values))
        for text, values in statements.items()
        if part in text
    ]
    connection.close()
    assert found
    return found


def send(hub: Hub, limit: int = 64) -> int:
    """What a worker does to the database in one round; gives the number of messages."""
    now = now_us()
    with hub.db.sql() as sql:
        lines = claiming.ready_lines(sql, now=now)
        claiming.suspect_lines(sql, now=now)
        dead = processes.find_dead(sql, owner=ME, lease_s=60, now=now)
        sweep.abandoned_lines(sql, dead=[*dead, "host:2:dead"])
        sweep.expire(sql, now=now, lines=sweep.expiring_lines(sql, now=now) or lines)
    claimed = hub.db.writer.run(lambda sql: claiming.claim(sql, lines, owner=ME, limit=limit, now=now), lines=lines)
    done = [(one, SENT) for one in claimed]
    hub.db.writer.run(lambda sql: settle_all(sql, done, owner=ME, now=now), lines=lines)
    return len(claimed)


def test_a_worker_finds_its_work_by_indexes(link: str, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    with written_down(hub, monkeypatch) as statements:
        assert send(hub) == 64
        failed = Settlement(state="failed", outcome="rejected", error={"code": "blocked", "message": "No."})
        with hub.db.sql() as sql:
            lines = claiming.ready_lines(sql, now=now_us())
        hub.db.writer.run(lambda sql: sql.run("UPDATE line SET trouble = 1"), lines=lines)
        claimed = hub.db.writer.run(
            lambda sql: claiming.claim(sql, lines, owner=ME, limit=1, now=now_us()), lines=lines
        )
        done = [(one, failed) for one in claimed]
        hub.db.writer.run(lambda sql: settle_all(sql, done, owner=ME, now=now_us()), lines=lines)
        hub.db.writer.run(lambda sql: processes.leave(sql, owner=ME))
    assert len(statements) > 10
    assert whole_tables(hub, statements) == []


def test_a_link_finds_what_it_needs_by_indexes(
    link: str, api: Api, app: Any, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with written_down(app.extensions["hub"], monkeypatch) as statements:
        assert api.client.post(link, json={"chat_id": "5", "id": "2"}).status_code == 200
        assert api.client.post(link, json={"chat_id": "5", "id": "3"}).status_code == 200
    assert statements
    assert whole_tables(hub, statements) == []


@pytest.mark.parametrize(
    "page",
    [
        "/messages?",
        "/messages?state=sent",
        "/messages?state=failed,undelivered",
        "/messages?chat=12345",
        "/messages?scenario={scenario}",
        "/messages?scenario={scenario}&state=failed",
        "/messages?line={line}",
        "/messages?after=2020-01-01T00:00:00Z",
        "/messages?reason=blocked",
        "/runs?",
        "/runs?scenario={scenario}",
        "/runs?status=completed",
        "/requests?",
        "/requests?scenario={scenario}",
        "/requests?outcome=run",
    ],
)
def test_a_page_of_the_journal_is_found_by_indexes(
    page: str, link: str, api: Api, app: Any, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = api.get("/scenarios").get_json()["items"][0]["id"]
    line = api.get("/lines").get_json()["items"][0]["id"]
    with written_down(app.extensions["hub"], monkeypatch) as statements:
        answer = api.get(page.format(scenario=scenario, line=line) + "&limit=20")
    assert answer.status_code == 200
    assert answer.get_json()["items"]
    assert whole_tables(hub, statements) == []
    assert sorted_rows(hub, statements) == []


@pytest.mark.parametrize("rows", ["runs", "requests"])
def test_the_journal_of_a_scenario_is_found_without_the_portals_other_rows(
    rows: str, link: str, api: Api, app: Any, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = api.post("/scenarios", document(name="Another")).get_json()["id"]
    with written_down(app.extensions["hub"], monkeypatch) as statements:
        assert api.get(f"/{rows}?scenario={empty}").get_json()["items"] == []
    for plan in plans(hub, statements, "UNION ALL"):
        assert "_by_scenario" in plan
        assert "_by_portal" not in plan


@pytest.mark.parametrize("more", ["", "&state=sent", "&state=failed,undelivered", "&after=2020-01-01T00:00:00Z"])
def test_a_page_of_a_chat_reads_no_other_chats_messages(
    more: str, link: str, api: Api, app: Any, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with written_down(app.extensions["hub"], monkeypatch) as statements:
        assert api.get(f"/messages?chat=12345{more}&limit=50").status_code == 200
    of_chat = {text: values for text, values in statements.items() if "chat_id_raw" in text and "FROM message" in text}
    for plan in plans(hub, of_chat, ""):
        assert "message_by_chat" in plan
    assert sorted_rows(hub, of_chat) == []


def test_undelivered_is_counted_and_found_by_indexes(
    link: str, app: Any, hub: Hub, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert portal.id is not None
    with written_down(app.extensions["hub"], monkeypatch) as statements, app.extensions["hub"].db.read() as session:
        assert failed_runs.count_undelivered(session, portal.id) == 2 * ROWS // 1000
        (group,) = failed_runs.groups(session, portal.id)
        wanted = Failed(group.scenario_id, group.reason)
        for some in (Failed(), wanted):
            found = failed_runs.find(session, portal.id, some, below="f", limit=50)
            assert len(found) == group.count == failed_runs.count(session, portal.id, some)
            assert len(failed_runs.oldest(session, portal.id, some, limit=5)) == 5
        assert len(customers.of_requests(session, portal.id, [run.request_id for run in found])) == len(found)
    assert whole_tables(hub, statements) == []
    assert sorted_rows(hub, statements) == []


def test_what_came_of_requests_is_found_by_indexes(
    link: str, app: Any, hub: Hub, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert portal.id is not None
    with written_down(app.extensions["hub"], monkeypatch) as statements, app.extensions["hub"].db.read() as session:
        ids = [one.id for one in requests.find(session, portal.id, RequestFilter(), below="f", limit=50)]
        runs = queries.newest_of_requests(session, portal.id, ids)
        assert set(runs) == set(ids)
        assert len(journal.addressed(session, portal.id, [run.id for run in runs.values()])) == 50
    assert whole_tables(hub, statements) == []
    for plan in plans(hub, statements, "request_id IN"):
        assert "run_of_request" in plan
        assert "run_by_portal (portal_id=?)" not in plan
    for plan in plans(hub, statements, "run_id IN"):
        assert "message_by_portal (portal_id=?)" not in plan


def test_what_would_go_out_twice_is_counted_without_all_that_the_portal_has_sent(
    link: str, app: Any, hub: Hub, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert portal.id is not None
    with hub.db.read() as session:
        ids = failed_runs.oldest(session, portal.id, Failed(), limit=5)
    with written_down(app.extensions["hub"], monkeypatch) as statements, app.extensions["hub"].db.sql() as sql:
        replay.would_repeat(sql, portal.id, ids)
    assert whole_tables(hub, statements) == []
    for plan in plans(hub, statements, "run_id IN"):
        assert "message_by_state (portal_id=? AND state=?)" not in plan


def test_the_names_that_a_scenarios_requests_have_brought_are_found_without_the_portals_other_requests(
    link: str, api: Api, app: Any, hub: Hub, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert portal.id is not None
    scenario = api.get("/scenarios").get_json()["items"][0]["id"]
    with written_down(app.extensions["hub"], monkeypatch) as statements, app.extensions["hub"].db.read() as session:
        assert came.names(session, portal.id, scenario) == {"chat_id", "id"}
    assert whole_tables(hub, statements) == []
    for plan in plans(hub, statements, "substr(raw"):
        assert "request_by_scenario" in plan
        assert "request_by_portal (portal_id=?)" not in plan


def test_a_page_that_has_lost_its_index_is_noticed(
    link: str, api: Api, app: Any, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexes = ("message_by_chat", "message_by_portal", "message_by_state")
    hub.db.writer.run(lambda sql: [sql.run(f"DROP INDEX {index}") for index in indexes])
    with written_down(app.extensions["hub"], monkeypatch) as statements:
        api.get("/messages?chat=12345")
    assert whole_tables(hub, statements) != []


def sorted_rows(hub: Hub, statements: dict[str, Any]) -> list[str]:
    """SQLite only: pages for which it would sort all rows that fit, of which there may be a million."""
    if hub.db.dialect != "sqlite":
        return []
    connection = hub.db.connect()
    found = []
    for text, values in statements.items():
        plan = [str(row[-1]) for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", values)]
        if "LIMIT" in text and any("TEMP B-TREE FOR ORDER BY" in line for line in plan):
            found.append("\n".join([text, *plan]))
    connection.close()
    return found
