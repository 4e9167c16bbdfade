"""The results link's wait: carry the run on in this process as far as it goes, else watch until it is done.

The request is stored by now, so a caller must not be told to send it again: whatever goes wrong here, a run that has
not ended is answered 202, with the address of its result.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import structlog

from hub.clock import SECOND, from_us, now_us
from hub.core import Hub
from hub.delivery.outbox import Claimed
from hub.delivery.postman import Postman
from hub.endpoints.intake import Outcome
from hub.errors import StorageUnavailable
from hub.ids import result_token
from hub.scenarios import store
from hub.scenarios.awaited import settled_state
from hub.scenarios.runner import RunInputs, Runner
from hub.scenarios.store import RunRow
from hub.sql import Sql
from hub.values import loads

T = TypeVar("T")
log = structlog.get_logger(__name__)
LOOK_EVERY_S = 0.25
ENDED = ("completed", "partial", "failed", "cancelled", "expired")


@dataclass(frozen=True)
class Answer:
    """Status and JSON body for a caller of the results link."""

    status: int
    body: dict[str, Any]


class Waiting:
    """Waits for runs on behalf of callers. At most `most` callers of this process wait at once."""

    def __init__(
        self,
        hub: Hub,
        runner: Runner,
        postman: Postman,
        *,
        most: int,
        wait: Callable[[float], bool],
        stopping: Callable[[], bool],
    ) -> None:
        """`wait(s)` sleeps until the bell rings, at most so long; `stopping()` says that the process is to end."""
        self._hub = hub
        self._runner = runner
        self._postman = postman
        self._most = most
        self._wait = wait
        self._stopping = stopping
        self._waiting = 0
        self._lock = threading.Lock()

    def follow(self, outcome: Outcome, until: int) -> Answer:
        """The answer for the run that a request began; `until` in µs. Messages already claimed for this caller are
        sent first.

        Raises LookupError for a run that is not there any more.
        """
        run_id = outcome.run_id
        assert run_id is not None
        goes_on = self._survive(lambda: self._begin(outcome, until), run_id)
        answer = self._look(run_id)
        if answer.status != 202 or not goes_on:
            return answer
        with self._lock:
            full = self._waiting >= self._most
            self._waiting += 0 if full else 1
        if full:
            return answer
        try:
            while answer.status == 202 and goes_on and now_us() < until and not self._stopping():
                goes_on = self._survive(lambda: self._carry_on_or_wait(run_id, until), run_id)
                answer = self._look(run_id)
        finally:
            with self._lock:
                self._waiting -= 1
        return answer

    def answer(self, run_id: str, *, patient: bool = True) -> Answer:
        """What there is to say of a run right now. `patient`: as in `Database.sql`.

        Raises LookupError for an unknown run, StorageUnavailable.
        """
        with self._hub.db.sql(patient=patient) as sql:
            row = sql.one("SELECT status, result, error FROM run WHERE id = ?", (run_id,))
        if row is None:
            raise LookupError(run_id)
        status, result, error = row
        if result is not None:
            # What “return result” built is the answer, whatever becomes of the rest of the run.
            return Answer(200, {"status": "done", "run": run_id, "data": loads(result)})
        if status == "failed":
            told = loads(error) if error else {"code": "failed", "message": "The run failed.", "block": None}
            body = {
                "status": "failed",
                "run": run_id,
                "block": told.get("block"),
                "error": {"code": told["code"], "message": told["message"]},
            }
            return Answer(502 if told.get("blame") == "messenger" else 422, body)
        if status in ("cancelled", "expired"):
            error_body = {"code": status, "message": f"The run was {status}."}
            return Answer(422, {"status": "failed", "run": run_id, "block": None, "error": error_body})
        if status in ENDED:
            return Answer(200, {"status": "done", "run": run_id, "data": {}})
        return self._running(run_id)

    def _running(self, run_id: str) -> Answer:
        token = result_token(self._hub.settings.secret_key, run_id)
        url = f"{self._hub.settings.base_url}/api/request/result/{run_id}?token={token}"
        return Answer(202, {"status": "running", "run": run_id, "result_url": url})

    def _look(self, run_id: str) -> Answer:
        """What there is to say of a run, as far as that can be read now."""
        try:
            return self.answer(run_id, patient=False)
        except StorageUnavailable:
            return self._running(run_id)

    def _survive(self, work: Callable[[], None], run_id: str) -> bool:
        """Work for a caller; whether to go on with it. What is left undone by an error is found by
        `Runtime.recover`."""
        try:
            work()
        except StorageUnavailable as error:
            log.warning("wait_disturbed", run_id=run_id, reason=error.message)
            self._wait(LOOK_EVERY_S)
        except Exception:
            log.exception("wait_broke", run_id=run_id)
            return False
        return True

    def _carry_on_or_wait(self, run_id: str, until: int) -> None:
        if not self._carry_on(run_id, until):
            self._wait(min(LOOK_EVERY_S, max(0.0, (until - now_us()) / SECOND)))

    def _carry_on(self, run_id: str, until: int) -> bool:
        """Execute the run here if it is due and nobody else has it."""
        now = now_us()
        with self._hub.db.sql() as sql:
            row = sql.one("SELECT wake_at, owner FROM run WHERE id = ?", (run_id,))
        if row is None or row[1] is not None or row[0] is None or row[0] > now:
            return False
        self._runner.hold([run_id])
        try:
            claimed = self._hub.db.writer.run(lambda sql: store.claim(sql, [run_id], owner=self._hub.owner))
            if not claimed:
                return False
            messages = self._runner.execute(claimed[0], interactive_until=from_us(until))
        finally:
            self._runner.drop(run_id)
        self._deliver(messages)
        return True

    def _begin(self, outcome: Outcome, until: int) -> None:
        if outcome.run is None:
            self._deliver(outcome.claimed)
            return
        (message,) = outcome.claimed
        self._postman.hold([message])
        try:
            more = self._go_on(outcome.run, message, outcome.inputs, until)
        finally:
            self._postman.drop([message])
            self._runner.drop(outcome.run.id)
        self._deliver(more)

    def _go_on(self, run: RunRow, message: Claimed, inputs: RunInputs | None, until: int) -> list[Claimed]:
        """Send the message that a run of this process waits for, and store in one commit what came of it and what the
        run did next."""
        settlement, now = self._postman.call(message), now_us()
        outcomes, stored = [(message, settlement)], False

        def with_outcome(job: Callable[[Sql], T], lines: Iterable[str]) -> T:
            nonlocal stored
            stored = True
            return self._postman.settle_with(outcomes, job, lines, now=now)

        try:
            told = replace(run, awaited=settled_state(message, settlement, now))
            return self._runner.execute(told, interactive_until=from_us(until), inputs=inputs, first=with_outcome)
        finally:
            if not stored:
                self._postman.settle(outcomes)

    def _deliver(self, claimed: tuple[Claimed, ...] | list[Claimed]) -> None:
        self._postman.hold(claimed)
        try:
            for message in claimed:
                self._postman.deliver(message)
        finally:
            self._postman.drop(claimed)
