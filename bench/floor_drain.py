"""The floor of draining: claim a batch, send it by many greenlets, mark it, again. No order, no retries, no lines.

It sends by the product's own way out, so that the two differ in everything but the HTTP client. Prints what it took:
`{"per_s", "cpu_us"}`, messages a second and CPU time for each. Arguments: database (a path for SQLite, a postgresql://
address), the messenger's port, how many messages.
"""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import sqlite3  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from typing import Any  # noqa: E402

import psycopg  # noqa: E402
from gevent.pool import Pool  # noqa: E402

from connectors.egress import Egress  # noqa: E402
from connectors.http import Http  # noqa: E402

HANDS = 64
Row = tuple[int, str]


def open_database(address: str) -> Any:
    """A connection that flushes as the product's do."""
    if address.startswith("postgresql"):
        return psycopg.connect(address, autocommit=True, prepare_threshold=2)
    connection = sqlite3.connect(address, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def main(address: str, port: int, count: int) -> None:
    """Fill the table, empty it, and print how fast."""
    on_postgres = address.startswith("postgresql")
    mark = "%s" if on_postgres else "?"
    connection = open_database(address)
    cursor = connection.cursor()
    cursor.execute("DROP TABLE IF EXISTS floor_queue")
    cursor.execute("CREATE TABLE floor_queue (id INTEGER PRIMARY KEY, state INTEGER NOT NULL, body TEXT NOT NULL)")
    cursor.execute("CREATE INDEX floor_due ON floor_queue (id) WHERE state = 0")
    rows = [(n, f"Hello Ann Example, payment Order 17 is 1200.5 EUR #{n}") for n in range(count)]
    cursor.execute("BEGIN")
    cursor.executemany(f"INSERT INTO floor_queue (id, state, body) VALUES ({mark}, 0, {mark})", rows)
    cursor.execute("COMMIT")
    http = Http(Egress(frozenset({f"127.0.0.1:{port}"})))
    url = f"http://127.0.0.1:{port}/bot1:AAAA/sendMessage"
    claim = (
        "UPDATE floor_queue SET state = 1 WHERE id IN"
        f" (SELECT id FROM floor_queue WHERE state = 0 ORDER BY id LIMIT {HANDS}) RETURNING id, body"
    )
    done = f"UPDATE floor_queue SET state = 2 WHERE id = {mark}"

    def send(row: Row) -> tuple[int]:
        answer = http.call("POST", url, json={"chat_id": row[0], "text": row[1]}).json()
        assert answer["ok"] is True
        return (row[0],)

    pool = Pool(HANDS)
    began, cpu = time.monotonic(), time.process_time()
    while batch := cursor.execute(claim).fetchall():
        sent = pool.map(send, batch)
        cursor.execute("BEGIN")
        cursor.executemany(done, sent)
        cursor.execute("COMMIT")
    took, cpu = time.monotonic() - began, time.process_time() - cpu
    print(json.dumps({"per_s": count / took, "cpu_us": cpu / count * 1e6}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
