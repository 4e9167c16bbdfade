"""The sandbox's memory, shared by all simulated messengers: what was asked, and which faults are to be played.

Every request is recorded before it is answered, so the record is the truth about what a messenger took, even when
the caller never heard of it.
"""

import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request

fault_kinds = ("status", "hang", "slow", "hangup_after", "429", "error", "lost", "twice", "late", "refuse")
record_limit = 200_000


@dataclass
class Entry:
    """One request. `accepted` tells whether the messenger took the message; `at` is Unix time in seconds."""

    number: int
    at: float
    service: str
    method: str
    chat: str
    text: str
    outcome: str
    accepted: bool
    status: int
    provider_id: str = ""
    buttons: list[str] = field(default_factory=list)
    file: str = ""


@dataclass
class Fault:
    """A fault for the next `times` requests (0: all that follow), of one chat or service if named. `seconds`: wait, or
    retry_after. `code` is the error's name, for the kind `error`; `refuse` is a recipient who does not want us.
    """

    kind: str
    status: int = 503
    times: int = 1
    chat: str | None = None
    seconds: float = 2.0
    service: str | None = None
    code: str = ""


@dataclass(frozen=True)
class Rates:
    """Shares, from 0 to 1, of the requests to send that meet a fault by chance: a 429 that asks for a second, an
    HTTP 500, and a message that is taken without the caller hearing of it."""

    limited: float = 0.0
    failing: float = 0.0
    lost: float = 0.0


class Board:
    """The record and the faults. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._entries: list[Entry] = []
        self._faults: list[Fault] = []
        self._logged_out: set[str] = set()
        self._rates = Rates()
        self._chance = random.Random()
        self._tries: Counter[tuple[str, str]] = Counter()
        self._ids: Counter[tuple[str, str]] = Counter()
        self.stopping = threading.Event()

    def record(self, service: str, method: str, chat: str, *, outcome: str, status: int, **more: Any) -> Entry:
        """Write a request down. `more` are the other fields of Entry."""
        more = {"text": "", "accepted": False, **more}
        with self._lock:
            entry = Entry(
                next(self._numbers), time.time(), service, method, chat, outcome=outcome, status=status, **more
            )
            self._entries.append(entry)
            if len(self._entries) > record_limit:
                del self._entries[: record_limit // 10]
        return entry

    def entries(self, after: int = 0) -> list[Entry]:
        """The record from the entry after number `after` on."""
        with self._lock:
            return [entry for entry in self._entries if entry.number > after]

    def next_id(self, service: str, chat: str) -> int:
        """The next message number of a chat, from 1."""
        with self._lock:
            self._ids[service, chat] += 1
            return self._ids[service, chat]

    def tried(self, service: str, chat: str) -> int:
        """Count a try at a chat and return how many there were before."""
        with self._lock:
            before = self._tries[service, chat]
            self._tries[service, chat] += 1
            return before

    def add(self, fault: Fault) -> None:
        """Play a fault from now on."""
        with self._lock:
            self._faults.append(fault)

    def play_at_random(self, rates: Rates, seed: int) -> None:
        """From now on let requests meet faults by chance; those that were asked for go first."""
        with self._lock:
            self._rates, self._chance = rates, random.Random(seed)

    def take(self, service: str, chat: str) -> Fault | None:
        """The fault this request meets, used up by one."""
        with self._lock:
            for fault in sorted(self._faults, key=lambda one: one.chat is None):
                if fault.chat in (None, chat) and fault.service in (None, service):
                    if fault.times == 1:
                        self._faults.remove(fault)
                    elif fault.times:
                        fault.times -= 1
                    return fault
            return self._by_chance()

    def faults(self) -> list[Fault]:
        """The faults that are still to be played."""
        with self._lock:
            return list(self._faults)

    def calm(self) -> None:
        """Forget all faults, and let every account in again."""
        with self._lock:
            self._faults.clear()
            self._logged_out.clear()

    def log(self, service: str, *, out: bool) -> None:
        """Refuse every token of a messenger from now on, or take them again."""
        with self._lock:
            (self._logged_out.add if out else self._logged_out.discard)(service)

    def logged_out(self) -> list[str]:
        """The messengers that refuse every token."""
        with self._lock:
            return sorted(self._logged_out)

    def reset(self) -> None:
        """Forget all requests, faults, chances, tries and message numbers. Entry numbers go on rising."""
        with self._lock:
            self._entries.clear()
            self._faults.clear()
            self._logged_out.clear()
            self._rates = Rates()
            self._tries.clear()
            self._ids.clear()

    def _by_chance(self) -> Fault | None:
        drawn, rates = self._chance.random(), self._rates
        if drawn < rates.limited:
            return Fault("429", seconds=1)
        if drawn < rates.limited + rates.failing:
            return Fault("status", status=500)
        return Fault("hangup_after") if drawn < rates.limited + rates.failing + rates.lost else None


def hang_up() -> Response:
    """End the connection with a reset and no answer."""
    cut = request.environ.get("sandbox.hang_up")

    def nothing() -> Iterator[bytes]:
        if cut is not None:
            cut()
        raise ConnectionResetError("the sandbox hangs up")
        yield b""

    return Response(nothing())


def hang(board: Board, seconds: float) -> Response:
    """Keep the caller waiting, then end the connection without an answer."""
    board.stopping.wait(seconds)
    return hang_up()


def read_fault() -> Fault:
    """The fault that the request's JSON spells; ends the request with 400 when it spells none."""
    wanted: Any = request.get_json(silent=True)
    try:
        new = Fault(**wanted)
    except TypeError:
        abort(400, "a fault has kind, status, times, chat, seconds, service and code")
    if new.kind not in fault_kinds:
        abort(400, f"kind is one of {', '.join(fault_kinds)}")
    new.chat = None if new.chat is None else str(new.chat)
    return new


def control(board: Board) -> Blueprint:
    """The control addresses: GET /_control/sent[?after=n] and /_control/faults; POST /_control/reset, /_control/fault,
    /_control/calm (no more faults) and /_control/log {"service", "out"} (refuse its tokens, or take them again)."""
    pages = Blueprint("control", __name__, url_prefix="/_control")

    @pages.get("/sent")
    def sent() -> Response:
        after = request.args.get("after", 0, type=int)
        return jsonify(sent=[asdict(entry) for entry in board.entries(after)])

    @pages.post("/reset")
    def reset() -> Response:
        board.reset()
        return jsonify(ok=True)

    @pages.post("/fault")
    def fault() -> Response:
        board.add(read_fault())
        return jsonify(ok=True)

    @pages.get("/faults")
    def faults() -> Response:
        return jsonify(faults=[asdict(one) for one in board.faults()], logged_out=board.logged_out())

    @pages.post("/calm")
    def calm() -> Response:
        board.calm()
        return jsonify(ok=True)

    @pages.post("/log")
    def log() -> Response:
        wanted: Any = request.get_json(silent=True)
        if not isinstance(wanted, dict) or not isinstance(wanted.get("service"), str):
            abort(400, "say which service, and whether its tokens are out")
        board.log(wanted["service"], out=wanted.get("out") is True)
        return jsonify(ok=True)

    return pages
