"""The worker: sends what is due, carries on runs that are due, frees what dead processes held.

One loop claims, pools of hands do. It claims only as much as there are free hands, since a claim is the beginning of
an attempt. It wakes by the bell or after a tenth of a second, so that what was put off is at most that much late.
"""

import signal
import threading
import time
from functools import partial
from types import FrameType

import structlog

from hub import failpoints
from hub.clock import SECOND, now_us
from hub.core import make_hub
from hub.delivery import processes, sweep
from hub.delivery.dispatch import Dispatch
from hub.errors import StorageUnavailable
from hub.hands import Hands
from hub.logs import configure as configure_logs
from hub.presence import Presence
from hub.runtime import Runtime, make_runtime
from hub.scenarios import store
from hub.settings import Settings
from hub.sql import Sql
from hub.upkeep.keeper import OF_WORKER, Keeper

log = structlog.get_logger(__name__)
POLL_S = 0.1
"""Less than `pacing.BURST_S`, so that a line gets all of its rate."""
RUN_HANDS = 8
HOUSEKEEPING_S = 1.0
STOP_WITHIN_S = 20.0


def run_worker(settings: Settings, stop: threading.Event | None = None) -> int:
    """Work until `stop` is set or a signal says so; 0 when everything in hand was finished."""
    configure_logs(settings.log_format, settings.log_level)
    stop = stop or threading.Event()
    ending = stop

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        ending.set()

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, on_signal)
    hub = make_hub(settings)
    try:
        return Worker(make_runtime(hub), stop).run()
    finally:
        hub.close()


class Worker:
    """The loop of one worker process."""

    def __init__(self, runtime: Runtime, stop: threading.Event) -> None:
        self._runtime = runtime
        self._hub = runtime.hub
        self._stop = stop
        self._presence = Presence(self._hub, "worker")
        self._dispatch = Dispatch(self._hub, runtime.postman, self._presence.wake)
        self._run_hands = Hands(RUN_HANDS, "run")
        self._desks = [(desk, Hands(desk.hands, desk.name)) for desk in runtime.desks]
        self._housekept_at = 0

    def run(self) -> int:
        """Until told to stop."""
        presence = self._presence.start()
        Keeper(self._hub, OF_WORKER).start()
        log.info("worker_started", owner=self._hub.owner)
        pools = [self._run_hands, *(hands for _, hands in self._desks)]
        for hands in pools:
            hands.on_free = presence.wake
        while not self._stop.is_set():
            rings = presence.rings
            try:
                presence.make_sure()
                self._housekeep()
                found = self._dispatch.claim() + self._claim_runs() + self._claim_desks()
                pause_s = 0.0 if found else POLL_S
            except StorageUnavailable as error:
                log.warning("database_unavailable", reason=error.message)
                pause_s = POLL_S
            if pause_s:
                presence.wait(pause_s, since=rings)
        until = time.monotonic() + STOP_WITHIN_S
        ends = [self._dispatch.finish(until - time.monotonic())]
        ends += [hands.finish(until - time.monotonic()) for hands in pools]
        finished = all(ends)
        try:
            self._runtime.recover()
        except StorageUnavailable as error:
            log.warning("left_unsettled", reason=error.message)
        log.info("worker_stopped", owner=self._hub.owner, finished=finished)
        return 0 if finished else 1

    def _claim_runs(self) -> int:
        free = self._run_hands.free
        if free == 0:
            return 0
        owner, now = self._hub.owner, now_us()
        with self._hub.db.sql() as sql:
            due = sql.one("SELECT 1 FROM run WHERE wake_at <= ? AND owner IS NULL LIMIT 1", (now,))
        if due is None:
            return 0
        claimed = self._hub.db.writer.run(lambda sql: store.claim_due(sql, owner=owner, limit=free, now=now))
        self._runtime.runner.hold(run.id for run in claimed)
        for run in claimed:
            self._run_hands.give(partial(self._carry_on, run))
        return len(claimed)

    def _claim_desks(self) -> int:
        found = 0
        for desk, hands in self._desks:
            for work in desk.hand_out(hands.free) if hands.free else ():
                hands.give(work)
                found += 1
        return found

    def _carry_on(self, run: store.RunRow) -> None:
        failpoints.reach(self._hub.settings, "between_advances")
        try:
            self._runtime.runner.execute(run)
        except StorageUnavailable:
            log.warning("run_not_stored", run_id=run.id)
            self._give_back(run)
        except Exception:
            log.exception("run_broke", run_id=run.id)
            try:
                self._hub.db.writer.run(lambda sql: store.fail(sql, run, owner=self._hub.owner, now=now_us()))
            except StorageUnavailable:
                log.warning("run_not_given_back", run_id=run.id)
        finally:
            self._runtime.runner.drop(run.id)
        self._hub.ring()

    def _give_back(self, run: store.RunRow) -> None:
        try:
            self._hub.db.writer.run(
                lambda sql: store.release(sql, run, owner=self._hub.owner, wake_at=now_us() + SECOND)
            )
        except StorageUnavailable:
            log.warning("run_not_given_back", run_id=run.id)

    # ---------------------------------------------------------------- housekeeping

    def _housekeep(self) -> None:
        now = now_us()
        if now - self._housekept_at < HOUSEKEEPING_S * SECOND:
            return
        self._housekept_at = now
        hub = self._hub
        with hub.db.sql() as sql:
            dead = processes.find_dead(sql, owner=hub.owner, lease_s=hub.settings.lease_s, now=now)
            abandoned = sweep.abandoned_lines(sql, dead=dead) if dead else []
            expiring = sweep.expiring_lines(sql, now=now)
        if dead:
            hub.db.writer.run(lambda sql: self._free(sql, dead), lines=abandoned)
        if expiring:
            hub.db.writer.run(lambda sql: sweep.expire(sql, now=now, lines=expiring), lines=expiring)
        # The claims of this process are made in this thread, so none is made between these two looks.
        self._runtime.recover()

    def _free(self, sql: Sql, dead: list[str]) -> None:
        now = now_us()
        # It may have beaten since it was found: then it lives, and goes on with what it holds.
        still = processes.find_dead(sql, owner=self._hub.owner, lease_s=self._hub.settings.lease_s, now=now)
        dead = [one for one in dead if one in still]
        if not dead:
            return  # or another worker was first
        messages = self._runtime.postman.settle_abandoned(sql, dead)
        runs = store.free_dead(sql, dead, now)
        work = sum(desk.free_dead(sql, dead) for desk in self._runtime.desks)
        processes.forget(sql, dead)
        log.info("freed_dead", processes=len(dead), messages=messages, runs=runs, work=work)
