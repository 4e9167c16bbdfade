"""The portal's queue server: posts forms to handlers, once each, and keeps a record of what came of it.

Nothing is ever repeated, as with the real one. Handlers are served side by side, each in order, unless a fault for the
service `bitrix24_events` says otherwise: `lost`, `twice`, `late` by `seconds` (later ones overtake it).
"""

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests

from hub.sandbox.bitrix24 import php
from hub.sandbox.faults import Board

SERVICE = "bitrix24_events"
AGENT = "Bitrix24 Webhook Engine"
TIMEOUT_S = 10.0
KEPT = 5000

Build = Callable[[], dict[str, Any]]


@dataclass
class Delivery:
    """One POST. `kind` is `event`, `robot`, `sms` or `webhook`, `name` the event or code; times are Unix seconds.

    `outcome` goes from `waiting` to `answered`, `lost` or the reason of a failure; `fields` are flat, as posted.
    """

    number: int
    kind: str
    name: str
    url: str
    member_id: str
    queued_at: float
    sent_at: float = 0.0
    status: int = 0
    outcome: str = "waiting"
    answer: str = ""
    ms: int = 0
    fields: dict[str, str] = field(default_factory=dict)


@dataclass
class _Lane:
    """What waits for one handler, by due time."""

    waiting: list[tuple[float, int, Delivery, Build]] = field(default_factory=list)
    thread: threading.Thread | None = None


class Queue:
    """Threads that deliver, one for each handler. Safe for threads."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._changed = threading.Condition()
        self._lanes: dict[str, _Lane] = {}
        self._numbers = itertools.count(1)
        self._under_way = 0
        self._stopping = False
        self.record: deque[Delivery] = deque(maxlen=KEPT)

    def put(self, kind: str, name: str, url: str, member_id: str, build: Build) -> Delivery:
        """Post what `build` gives to `url` soon; `build` runs at the time of sending, so that tokens are fresh."""
        delivery = Delivery(next(self._numbers), kind, name, url, member_id, time.time())
        fault = self._board.take(SERVICE, name)
        with self._changed:
            self.record.append(delivery)
            if fault is not None and fault.kind == "lost":
                delivery.outcome = "lost"
                return delivery
            due = time.monotonic() + (fault.seconds if fault is not None and fault.kind == "late" else 0.0)
            self._enter(due, delivery, build)
            if fault is not None and fault.kind == "twice":
                again = Delivery(next(self._numbers), kind, name, url, member_id, time.time())
                self.record.append(again)
                self._enter(due, again, build)
        return delivery

    def deliveries(self, after: int = 0) -> list[Delivery]:
        """The record from number `after` on."""
        with self._changed:
            return [delivery for delivery in self.record if delivery.number > after]

    def wait_idle(self, within_s: float) -> bool:
        """Wait until everything that is due has been posted; False when the time was over before."""
        with self._changed:
            return self._changed.wait_for(self._idle, within_s)

    def forget(self) -> None:
        """Drop what waits, and the record."""
        with self._changed:
            for lane in self._lanes.values():
                lane.waiting.clear()
            self.record.clear()
            self._changed.notify_all()

    def stop(self) -> None:
        """End the threads; what still waits is lost."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            threads = [lane.thread for lane in self._lanes.values() if lane.thread is not None]
        for thread in threads:
            thread.join(TIMEOUT_S + 1)

    def _idle(self) -> bool:
        now = time.monotonic()
        return not self._under_way and not any(
            lane.waiting and lane.waiting[0][0] <= now for lane in self._lanes.values()
        )

    def _enter(self, due: float, delivery: Delivery, build: Build) -> None:
        lane = self._lanes.setdefault(_place(delivery.url), _Lane())
        heapq.heappush(lane.waiting, (due, delivery.number, delivery, build))
        if lane.thread is None:
            lane.thread = threading.Thread(target=self._serve, args=(lane,), name="bitrix24-queue", daemon=True)
            lane.thread.start()
        self._changed.notify_all()

    def _serve(self, lane: _Lane) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while True:
                taken = self._next(lane)
                if taken is None:
                    return
                try:
                    self._post(session, *taken)
                finally:
                    with self._changed:
                        self._under_way -= 1
                        self._changed.notify_all()

    def _next(self, lane: _Lane) -> tuple[Delivery, Build] | None:
        with self._changed:
            while not self._stopping:
                wait = lane.waiting[0][0] - time.monotonic() if lane.waiting else None
                if wait is not None and wait <= 0:
                    _, _, delivery, build = heapq.heappop(lane.waiting)
                    self._under_way += 1
                    return delivery, build
                self._changed.wait(wait)
        return None

    def _post(self, session: requests.Session, delivery: Delivery, build: Build) -> None:
        pairs = php.encode(build())
        delivery.fields = dict(pairs)
        delivery.sent_at = time.time()
        try:
            answer = session.post(
                delivery.url,
                data=pairs,
                headers={"User-Agent": AGENT, "Accept": "*/*"},
                timeout=TIMEOUT_S,
                allow_redirects=False,
            )
            delivery.status, delivery.answer, delivery.outcome = answer.status_code, answer.text[:2000], "answered"
        except requests.RequestException as error:
            delivery.outcome = type(error).__name__
        delivery.ms = int((time.time() - delivery.sent_at) * 1000)


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}"
