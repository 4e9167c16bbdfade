"""The clients: each owns some chats, counts their events from 1, and repeats a request until it is answered."""

import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.reliability.harness.history import BROKEN, Operation

REPEAT_FOR_S = 60.0
ANSWER_WITHIN_S = 15.0
PAUSE_S = 0.05


@dataclass(frozen=True)
class Chat:
    """Somebody to write to, and the link that leads there."""

    id: str
    url: str


@dataclass(frozen=True)
class Client:
    """`events` requests to its chats in turn, `every_s` seconds apart or as fast as they are answered."""

    chats: Sequence[Chat]
    events: int
    every_s: float
    by_result: bool = False


class Load:
    """All clients at work at once. `done` counts the operations that are over."""

    def __init__(self, clients: Sequence[Client]) -> None:
        self.done = 0
        self._clients = clients
        self._lock = threading.Lock()

    def run(self) -> list[Operation]:
        """Do everything; what the clients saw."""
        began = time.monotonic()
        with ThreadPoolExecutor(len(self._clients), thread_name_prefix="client") as pool:
            done = pool.map(lambda client: _Caller(client, began, self._note).work(), self._clients)
            return [operation for operations in done for operation in operations]

    def _note(self) -> None:
        with self._lock:
            self.done += 1


class _Caller:
    def __init__(self, client: Client, began: float, note: Callable[[], None]) -> None:
        self._client = client
        self._began = began
        self._note = note
        self._connection: http.client.HTTPConnection | None = None
        self._pause = threading.Event()

    def work(self) -> list[Operation]:
        done = []
        chats = itertools.cycle(self._client.chats)
        for number in range(self._client.events):
            due = self._began + number * self._client.every_s
            self._pause.wait(max(0.0, due - time.monotonic()))
            done.append(self._operation(next(chats), number // len(self._client.chats) + 1))
            self._note()
        if self._connection is not None:
            self._connection.close()
        return done

    def _operation(self, chat: Chat, seq: int) -> Operation:
        key = f"{chat.id}-{seq}"
        body = json.dumps({"id": key, "chat_id": chat.id, "filler": "x" * 800}).encode()
        tries: list[str] = []
        began = time.monotonic()
        while True:
            answer, status = self._try(chat.url, body)
            ended = time.monotonic()
            if status is not None or ended - began > REPEAT_FOR_S:
                return Operation(key, chat.id, seq, began, ended, tuple(tries), status, self._client.by_result)
            tries.append(answer)
            self._pause.wait(PAUSE_S)

    def _try(self, url: str, body: bytes) -> tuple[str, str | None]:
        """The HTTP status or BROKEN, and how the run stands when the answer names one."""
        at = urlsplit(url)
        try:
            if self._connection is None:
                assert at.hostname is not None
                self._connection = http.client.HTTPConnection(at.hostname, at.port, timeout=ANSWER_WITHIN_S)
            headers = {"Content-Type": "application/json"}
            self._connection.request("POST", f"{at.path}?{at.query}", body, headers)
            response = self._connection.getresponse()
            said = response.read()
        except (OSError, http.client.HTTPException):
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            return BROKEN, None
        # A run that ended badly is told with 422 or 502 on the results link, and is stored like any other.
        taken = response.status in (200, 202, 422, 502) and b'"run"' in said
        return str(response.status), str(json.loads(said)["status"]) if taken else None
