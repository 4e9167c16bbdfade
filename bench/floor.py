"""The floor of accepting: Flask below gunicorn's gevent worker, and a group commit of one row for each request.

Nothing else is done: no parsing, no scenario, no run. What the product takes beyond this is the price of what it is.
`/plain` stores and answers; `/send` stores, makes one call over a pooled connection, and answers with its id.
Environment: FLOOR_DATABASE (a path for SQLite, a postgresql:// address), FLOOR_MESSENGER.
"""

import fcntl
import os
import sqlite3
import time
from collections import deque
from typing import Any

import gevent
import orjson
import psycopg
import urllib3
from flask import Flask, Response, request
from gevent import monkey
from gevent.event import Event

DATABASE = os.environ["FLOOR_DATABASE"]
MESSENGER = os.environ.get("FLOOR_MESSENGER", "")
ON_POSTGRES = DATABASE.startswith("postgresql")
KEY = "BIGSERIAL" if ON_POSTGRES else "INTEGER"
CREATE = f"CREATE TABLE IF NOT EXISTS floor (id {KEY} PRIMARY KEY, created_at BIGINT, body TEXT)"
INSERT = "INSERT INTO floor (created_at, body) VALUES (?, ?)".replace("?", "%s" if ON_POSTGRES else "?")
BATCH = 256


def connect() -> Any:
    """A connection that flushes as the product's do."""
    if ON_POSTGRES:
        return psycopg.connect(DATABASE, autocommit=True, prepare_threshold=2)
    connection = sqlite3.connect(DATABASE, timeout=30, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


class Group:
    """Greenlets wait, one native thread commits for all of them."""

    def __init__(self) -> None:
        self._inbox: Any = None
        self._finished: deque[list[tuple[Any, Event]]] = deque()

    def put(self, row: tuple[Any, ...]) -> None:
        """Give the row over and wait until it is durable."""
        if self._inbox is None:
            self._start()
        done = Event()
        self._inbox.put((row, done))
        done.wait()

    def _start(self) -> None:
        self._inbox = monkey.get_original("queue", "SimpleQueue")()
        self._watcher = gevent.get_hub().loop.async_()
        self._watcher.start(self._wake)
        monkey.get_original("_thread", "start_new_thread")(self._run, ())

    def _wake(self) -> None:
        while self._finished:
            for _, done in self._finished.popleft():
                done.set()

    def _run(self) -> None:
        connection = connect()
        cursor = connection.cursor()
        lock = None if ON_POSTGRES else os.open(f"{DATABASE}.lock", os.O_CREAT | os.O_RDWR)
        while True:
            batch = [self._inbox.get()]
            while len(batch) < BATCH and not self._inbox.empty():
                batch.append(self._inbox.get())
            if lock is not None:
                fcntl.flock(lock, fcntl.LOCK_EX)
            cursor.execute("BEGIN" if ON_POSTGRES else "BEGIN IMMEDIATE")
            cursor.executemany(INSERT, [row for row, _ in batch])
            cursor.execute("COMMIT")
            if lock is not None:
                fcntl.flock(lock, fcntl.LOCK_UN)
            self._finished.append(batch)
            self._watcher.send()


app = Flask(__name__)
group = Group()
pool = urllib3.PoolManager(maxsize=64)


@app.post("/plain")
def plain() -> Response:
    """Store and answer."""
    group.put((time.time_ns(), request.get_data(cache=False, as_text=True)))
    return Response(b'{"ok":true}', mimetype="application/json")


@app.post("/send")
def send() -> Response:
    """Store, send, and answer."""
    raw = request.get_data(cache=False, as_text=True)
    group.put((time.time_ns(), raw))
    body = orjson.dumps({"chat_id": 12345, "text": f"Hello {orjson.loads(raw)['id']}"})
    answer = pool.request("POST", MESSENGER, body=body, headers={"Content-Type": "application/json"})
    return Response(
        orjson.dumps({"id": orjson.loads(answer.data)["result"]["message_id"]}), mimetype="application/json"
    )


@app.get("/healthz")
def healthz() -> str:
    """Ready."""
    return "ok"


if __name__ == "__main__":
    connect().execute(CREATE)
