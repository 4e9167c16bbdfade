"""Many callers of one link at once, cheap enough that the product and not the caller is what a test measures.

asyncio over plain sockets: a request costs a tenth of what it costs with a comfortable client.
"""

import asyncio
import json
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Call:
    """One request and what came of it. `status` is 0 when the connection ended without an answer; `error` says how.
    `seconds` is from the first byte out to the last byte in; `at` is on the monotonic clock."""

    at: float
    seconds: float
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    error: str = ""

    @property
    def json(self) -> Any:
        """The answer."""
        return json.loads(self.body)


class Caller:
    """One connection, opened anew whenever the other side has closed it. `keep`: use it for more than one request."""

    def __init__(self, url: str, *, keep: bool = True, timeout_s: float = 120) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._path = parts.path + (f"?{parts.query}" if parts.query else "")
        self._keep = keep
        self._timeout_s = timeout_s
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, body: Any) -> Call:
        """POST a JSON body; never raises for what the network does."""
        payload = json.dumps(body).encode()
        return await self._call(
            "POST", f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\n", payload
        )

    async def get(self) -> Call:
        """GET; never raises for what the network does."""
        return await self._call("GET", "", b"")

    async def _call(self, method: str, headers: str, payload: bytes) -> Call:
        keep = "keep-alive" if self._keep else "close"
        head = f"{method} {self._path} HTTP/1.1\r\nHost: {self._host}\r\nConnection: {keep}\r\n{headers}\r\n"
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout_s):
                status, told, answer = await self._exchange(head.encode() + payload)
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            await self.close()
            return Call(began, time.monotonic() - began, 0, error=repr(error))
        return Call(began, time.monotonic() - began, status, answer, told)

    async def close(self) -> None:
        """End the connection."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _exchange(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        writer.write(request)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        answer = await reader.readexactly(int(headers.get("content-length", 0)))
        if not self._keep or headers.get("connection") == "close":
            await self.close()
        return int(lines[0].split()[1]), headers, answer


async def steady(url: str, bodies: Iterable[Any], *, callers: int, keep: bool = True) -> list[Call]:
    """Send all bodies, each caller its next one as soon as it has its answer."""
    waiting = iter(bodies)

    async def work() -> list[Call]:
        caller = Caller(url, keep=keep)
        calls = [await caller.post(body) for body in waiting]
        await caller.close()
        return calls

    return [call for calls in await asyncio.gather(*(work() for _ in range(callers))) for call in calls]


async def burst(requests: Sequence[tuple[str, Any]], *, within_s: float = 0.0, timeout_s: float = 120) -> list[Call]:
    """Send all requests, each an address and a body, at even distances within this time, answered or not. Each has a
    connection of its own."""
    began = time.monotonic()

    async def work(number: int, url: str, body: Any) -> Call:
        await asyncio.sleep(max(0.0, began + within_s * number / len(requests) - time.monotonic()))
        return await Caller(url, keep=False, timeout_s=timeout_s).post(body)

    return list(await asyncio.gather(*(work(number, *one) for number, one in enumerate(requests))))


def statuses(calls: Iterable[Call]) -> dict[int, int]:
    """How many calls ended with which status."""
    return dict(Counter(call.status for call in calls))


def p99(calls: Iterable[Call]) -> float:
    """The 99th percentile of how long calls took, in seconds."""
    return statistics.quantiles([call.seconds for call in calls], n=100, method="inclusive")[98]


def crowding() -> float:
    """How many times longer than alone one thread takes to compute here now, for others use the processor: 1 on a
    machine of one's own. What bars of time are multiplied with."""
    wall, own = time.perf_counter(), time.thread_time()
    while (computed := time.thread_time() - own) < 0.1:
        pass
    return max(1.0, (time.perf_counter() - wall) / computed)
