"""Fills a database as a month of work would: a million requests with their runs and messages, and a long queue.

The rows are copies of those that one real request left behind, made by the database itself; ids and times are spread
over the thirty days before. Steps and attempts are left out, since they are only ever found by their run or message.
"""

from typing import Any

from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.schema import metadata
from hub.sql import Sql

MONTH_US = 30 * 86_400 * SECOND
QUEUED = 100_000
QUEUED_CHATS = 5_000
_AT_ONCE = 50_000
# 32 hexadecimal digits that sort before every id the product makes, each kind of row in a range of its own.
_ID = {"sqlite": "printf('%032x', {0} + n.x)", "postgresql": "lpad(to_hex(({0} + n.x)::bigint), 32, '0')"}
_NUMBERS = "WITH RECURSIVE n(x) AS (SELECT CAST(? AS BIGINT) UNION ALL SELECT x + 1 FROM n WHERE x < ?)"
_REQUESTS, _RUNS, _MESSAGES, _WAITING = (kind * 10**12 for kind in (1, 2, 3, 4))


def fill(hub: Hub, requests: int, *, queued: int = QUEUED, chats: int = QUEUED_CHATS) -> None:
    """Multiply the newest request, run and sent message there are; `queued` more messages wait in `chats` chats."""
    dialect = hub.db.dialect
    own = {name: _ID[dialect].format(first) for name, first in (("request", _REQUESTS), ("run", _RUNS))}
    sent, waiting = _ID[dialect].format(_MESSAGES), _ID[dialect].format(_WAITING)
    now = now_us()
    at = f"({now - MONTH_US} + n.x * {MONTH_US // (requests + 1)})"
    text = "CAST({} AS VARCHAR)".format
    chat = text("10000 + n.x % 50000")
    # One of a thousand failed, so that a filter has something rare to find.
    rare = "CASE WHEN n.x % 1000 = 0 THEN {} ELSE {} END".format
    empty = """'{"code":"chat_id_empty","message":"The ChatID is empty.","block":"greet","blame":"data"}'"""
    broken = {"status": rare("'failed'", "old.status"), "reason": rare("'chat_id_empty'", "NULL")}
    broken["error"] = rare(empty, "NULL")
    copies: list[tuple[str, int, dict[str, str]]] = [
        ("request", requests, {"id": own["request"], "run_id": own["run"], "received_at": at}),
        ("run", requests, {"id": own["run"], "request_id": own["request"], "created_at": at, "ended_at": at} | broken),
    ]
    times = {"due_at": at, "created_at": at, "sent_at": at, "ended_at": at}
    ids = {"id": sent, "run_id": own["run"], "chat_id": chat, "chat_id_raw": chat, "provider_id": text("n.x")}
    blocked = """'{"code":"blocked","message":"The recipient blocked the bot."}'"""
    failed = {"state": rare("'failed'", "'sent'"), "error": rare(blocked, "NULL")}
    copies.append(("message", requests, {**ids, **times, **failed}))
    chat = text(f"900000 + n.x % {chats}")
    open_ones = {"id": waiting, "run_id": "NULL", "chat_id": chat, "chat_id_raw": chat, "state": "'queued'"}
    open_ones |= {"head": f"n.x <= {chats}", "due_at": str(now), "expires_at": str(now + MONTH_US)}
    open_ones |= {"attempts": "0", "provider_id": "NULL", "sent_at": "NULL", "ended_at": "NULL", "sent_parts": "'[]'"}
    copies.append(("message", queued, open_ones))
    templates = {table: _newest(hub, table) for table in ("request", "run", "message")}
    for table, count, changed in copies:
        for first in range(1, count + 1, _AT_ONCE):
            _copy(hub, table, templates[table], changed, first, min(first + _AT_ONCE - 1, count))
    _know_what_is_there(hub)


def _newest(hub: Hub, table: str) -> str:
    with hub.db.sql() as sql:
        row = sql.one(f"SELECT max(id) FROM {table}" + (" WHERE state = 'sent'" if table == "message" else ""))
    assert row is not None
    assert row[0] is not None
    return str(row[0])


def _copy(hub: Hub, table: str, template: str, changed: dict[str, str], first: int, last: int) -> None:
    columns = [column.name for column in metadata.tables[table].columns if column.name != "seq"]
    values = ", ".join(changed.get(name, f"old.{name}") for name in columns)
    statement = (
        f"INSERT INTO {table} ({', '.join(columns)}) {_NUMBERS} SELECT {values} FROM n CROSS JOIN {table} AS old"
        " WHERE old.id = ?"
    )
    if hub.db.dialect == "postgresql":
        statement = statement.replace(" % ", " %% ")
    hub.db.writer.run(lambda sql: sql.run(statement, (first, last, template)))


def _know_what_is_there(hub: Hub) -> None:
    """PostgreSQL's autovacuum looks at a table within a minute of such a change; SQLite never does by itself."""
    if hub.db.dialect != "postgresql":
        return

    def analyze(sql: Sql) -> Any:
        for table in ("request", "run", "message"):
            sql.connection.execute(f"ANALYZE {table}")

    hub.db.writer.run(analyze)
