"""The worker's own loop, in a thread of the test."""

import threading
from collections.abc import Sequence

import pytest

from hub.core import Hub
from hub.delivery import processes, sweep
from hub.sql import Sql
from hub.worker import run_worker
from tests.processes import wait_until


def test_a_worker_goes_on_when_another_freed_the_dead_before_it(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = threading.Event()
    of_the_dead = sweep.abandoned_lines

    def another_was_first(sql: Sql, *, dead: Sequence[str]) -> list[str]:
        hub.db.writer.run(lambda other: processes.forget(other, list(dead)))
        looked.set()
        return of_the_dead(sql, dead=dead)

    monkeypatch.setattr(sweep, "abandoned_lines", another_was_first)
    hub.db.writer.run(lambda sql: processes.register(sql, owner="elsewhere:1:dead", kind="worker", now=1))
    stop, ended = threading.Event(), list[int]()
    worker = threading.Thread(target=lambda: ended.append(run_worker(hub.settings, stop)))
    worker.start()
    try:
        wait_until(looked.is_set, within_s=20, what="a look for the dead")
    finally:
        stop.set()
        worker.join(30)
    assert ended == [0]
