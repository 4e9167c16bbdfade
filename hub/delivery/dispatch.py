"""The sending half of a worker: claims what is due, has it sent by many hands, and settles together what came back.

A message is in hand from its claim until its outcome is stored, and a process has at most `HUB_WORKER_THREADS` of them
in hand. The hand that comes back first stores its outcome; those that come back meanwhile share the next commit.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import structlog

from hub.clock import now_us
from hub.core import Hub
from hub.delivery import claiming
from hub.delivery.outbox import Claimed
from hub.delivery.postman import Postman, StoredLine, stored_lines
from hub.delivery.settling import Outcome
from hub.errors import StorageUnavailable
from hub.hands import Hands
from hub.sql import Sql

log = structlog.get_logger(__name__)


class Dispatch:
    """Of one worker. `wake` is called whenever more may be claimed."""

    def __init__(self, hub: Hub, postman: Postman, wake: Callable[[], None]) -> None:
        self._hub = hub
        self._postman = postman
        self._wake = wake
        self._most = hub.settings.worker_threads
        # One more than are in hand: the one that stores what the others bring.
        self._hands = Hands(self._most + 1, "send")
        self._lock = threading.Lock()
        self._in_hand: Counter[str] = Counter()
        self._outcomes: list[Outcome] = []
        self._storing = False
        self._alone = False
        self._turn = 0

    def claim(self) -> int:
        """Claim as many due messages as may be in hand and have them sent; how many. Raises StorageUnavailable."""
        free = self._most - self._in_hand.total()
        if free <= 0 or self._alone:
            return 0
        # A look before the claim: an idle worker must not take the write lock ten times a second.
        now = now_us()
        with self._hub.db.sql() as sql:
            lines = claiming.ready_lines(sql, now=now)
            suspects = sorted(claiming.suspect_lines(sql, now=now).intersection(lines))
        if not lines or (suspects and free < self._most):
            return 0
        if suspects and (claimed := self._claim(suspects, 1, alone=True)):
            # Until it is through nothing else is claimed.
            self._alone = True
        else:
            self._turn += 1
            claimed = self._claim(lines, free)
        self._postman.hold(message for message, _ in claimed)
        with self._lock:
            self._in_hand.update(message.line_id for message, _ in claimed)
        for message, line in claimed:
            self._hands.give(partial(self._send, message, line))
        return len(claimed)

    def finish(self, within_s: float) -> bool:
        """Wait until nothing is in hand, at most this long; False when something was left."""
        return self._hands.finish(within_s)

    def _claim(self, lines: Sequence[str], limit: int, *, alone: bool = False) -> list[tuple[Claimed, StoredLine]]:
        owner, now, turn = self._hub.owner, now_us(), self._turn

        def job(sql: Sql) -> list[tuple[Claimed, StoredLine]]:
            claimed = claiming.claim(
                sql, lines, owner=owner, limit=limit, now=now, room=self._room, turn=turn, alone=alone
            )
            stored = stored_lines(sql, {message.line_id for message in claimed})
            return [(message, stored[message.line_id]) for message in claimed]

        return self._hub.db.writer.run(job, lines=lines)

    def _room(self, line_id: str) -> int:
        """A line may have at most half of what may be in hand, so that one that hangs leaves the others theirs."""
        return max(1, self._most // 2) - self._in_hand[line_id]

    def _send(self, message: Claimed, line: StoredLine) -> None:
        try:
            settlement = self._postman.attempt(message, line)
        except BaseException:
            self._let_go([message])
            raise
        with self._lock:
            self._outcomes.append((message, settlement))
            if self._storing:
                return
            self._storing = True
        self._store()

    def _store(self) -> None:
        while (batch := self._next_batch()) is not None:
            try:
                self._postman.settle(batch)
            except StorageUnavailable as error:
                log.error("outcome_not_stored", reason=error.message, messages=len(batch))
            except Exception:
                log.exception("settling_broke", messages=len(batch))
            self._let_go([message for message, _ in batch])

    def _let_go(self, messages: Sequence[Claimed]) -> None:
        self._postman.drop(messages)
        with self._lock:
            self._alone = False
            self._in_hand.subtract(message.line_id for message in messages)
        self._wake()

    def _next_batch(self) -> list[Outcome] | None:
        with self._lock:
            batch, self._outcomes = self._outcomes, []
            self._storing = bool(batch)
            return batch or None
