"""Who is slow, idle or noisy takes nothing from the others."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

import pytest

from hub.accounts.keys import create_key
from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.portals.models import Portal, Stamp
from hub.sandbox.server import Sandbox
from hub.settings import Settings
from tests.journeys.installation import Installation, answer, assign, new_chat, pause, send
from tests.journeys.plant import Plant, standing
from tests.processes import wait_until
from tests.reliability.callers import Call, Caller, burst, crowding, p99, statuses

pytestmark = pytest.mark.xdist_group("crowds")
RATE = 8
NOISE = 10 * RATE
QUIET = 6
NOISY_S = 5
SLOW = 100
PROBES = 20


@pytest.fixture
def plant(settings: Settings, tmp_path: Path, sandbox: Sandbox) -> Iterator[Plant]:
    """Two web processes and a worker."""
    with standing(settings, tmp_path, sandbox, HUB_WEB_WORKERS="2") as made:
        made.product.worker()
        made.web.wait_ready()
        yield made


# ---------------------------------------------------------------- slow and idle connections


@pytest.fixture
def open_file_limit() -> Iterator[None]:
    """Room for the connections of a test, where the usual limit leaves little."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def slow(stack: ExitStack, link: str) -> list[tuple[socket.socket, bytes]]:
    """Connections of each kind, with what each goes on to send by the byte: nothing, a header, a body."""
    parts = urlsplit(link)
    head = f"POST {parts.path}?{parts.query} HTTP/1.1\r\nHost: x\r\n".encode()
    kinds = {b"": b"", head: b"X-Slow: ", head + b"Content-Length: 9000\r\n\r\n": b"body"}
    made = []
    for begin, more in kinds.items():
        for _ in range(SLOW):
            connection = stack.enter_context(socket.create_connection((parts.hostname or "", parts.port or 0), 10))
            connection.sendall(begin)
            made.append((connection, more))
    return made


async def probe(link: str, drips: list[tuple[socket.socket, bytes]]) -> list[Call]:
    """Call the usual link twenty times while the slow ones go on, each by a byte a second."""
    calls = []
    for number in range(PROBES):
        if number % 5 == 0:
            for connection, more in drips:
                if more:
                    # One whose time is over has been closed.
                    with suppress(OSError):
                        connection.sendall(more[number // 5 % len(more) :][:1])
        calls.append(await Caller(link, keep=False).post({"id": str(number)}))
        await asyncio.sleep(0.2)
    return calls


@pytest.mark.usefixtures("open_file_limit")
def test_f30_slow_connections_and_callers_that_wait_do_not_delay_the_usual_link(plant: Plant) -> None:
    usual = plant.at.scenario(assign("note", seen="{{id}}")).short
    waits = plant.at.scenario(pause(6), answer(id="{{id}}"), result_wait_s=20)

    async def together(drips: list[tuple[socket.socket, bytes]]) -> tuple[list[Call], list[Call]]:
        waiting = asyncio.create_task(burst([(waits.result, {"id": "7"})] * SLOW))
        while len(await asyncio.to_thread(plant.at.runs_of, waits)) < 50:  # as many as a page shows
            await asyncio.sleep(0.05)
        return await probe(usual, drips), await waiting

    crowded = crowding()
    with ExitStack() as stack:
        drips = slow(stack, usual)
        probes, waited = asyncio.run(together(drips))
        crowded = max(crowded, crowding())
        still_open = sum(is_open(connection) for connection, _ in drips)
    slowest = max(call.seconds for call in probes)
    print(f"the slowest of {PROBES} probes {slowest:.3f} s, crowding {crowded:.1f}, {still_open} still open")
    assert statuses(probes) == {200: PROBES}
    assert slowest <= 0.5 * crowded
    assert statuses(waited) == {200: SLOW}
    assert still_open >= SLOW, "the slow ones were gone before the probes were through"


def is_open(connection: socket.socket) -> bool:
    """Whether the other side has neither answered nor closed."""
    connection.setblocking(False)
    try:
        connection.recv(1)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


# ---------------------------------------------------------------- a noisy tenant


def neighbour(hub: Hub, plant: Plant, name: str) -> Installation:
    """Another portal of the same installation, with a line of its own."""
    with hub.db.write() as session:
        made = Portal(member_id=name, installed_at=now_us(), time_zone="Europe/Moscow")
        session.add(made)
        session.flush()
        assert made.id is not None
        session.add(Stamp(portal_id=made.id))
        key = create_key(session, made.id, name)
    at = Installation(plant.web.url, key, plant.at.sandbox)
    at.add_line(rate_per_s=0, rate_per_chat_per_s=0)
    return at


def sending_p99(hub: Hub, chat: str, count: int) -> float:
    """How long the last so many messages of a chat took from being stored to being sent, in seconds, once all are."""

    def took() -> list[int]:
        with hub.db.sql() as sql:
            rows = sql.all(
                "SELECT sent_at - created_at FROM message WHERE chat_id = ? ORDER BY seq DESC LIMIT ?", (chat, count)
            )
        return [us for (us,) in rows if us is not None]

    wait_until(lambda: len(took()) == count, within_s=60, what="the sending of all messages")
    return quantiles(took(), n=100, method="inclusive")[98] / SECOND


def test_f26_a_noisy_tenant_is_told_to_wait_and_slows_nobody_else_down(
    settings: Settings, tmp_path: Path, sandbox: Sandbox, hub: Hub
) -> None:
    limits = {"HUB_RATE_PORTAL_S": str(RATE), "HUB_RATE_LINK_S": str(RATE)}
    with standing(settings, tmp_path, sandbox, **limits) as plant:
        plant.product.worker()
        plant.web.wait_ready()
        loud, still = neighbour(hub, plant, "loud"), neighbour(hub, plant, "still")
        chats = {at: new_chat() for at in (loud, still)}
        links = {at: at.scenario(send("{{id}}", chat)).short for at, chat in chats.items()}
        quiet = [(links[still], {"id": str(n)}) for n in range(QUIET * NOISY_S)]
        noise = [(links[loud], {"id": str(n)}) for n in range(NOISE * NOISY_S)]

        async def beside() -> tuple[list[Call], list[Call]]:
            noisy = asyncio.create_task(burst(noise, within_s=NOISY_S))
            return await burst(quiet, within_s=NOISY_S), await noisy

        crowded = crowding()
        alone = asyncio.run(burst(quiet, within_s=NOISY_S))
        sent_alone = sending_p99(hub, chats[still], len(quiet))
        calls, told = asyncio.run(beside())
        sent = sending_p99(hub, chats[still], len(quiet))
        crowded = max(crowded, crowding())
        assert (statuses(alone), statuses(calls)) == ({200: len(quiet)}, {200: len(quiet)})
        taken, refused = ([call for call in told if call.status == status] for status in (200, 429))
        assert len(taken) + len(refused) == len(told)
        assert len(taken) <= RATE * (NOISY_S + 2)
        assert {(call.json["code"], call.headers["retry-after"]) for call in refused} == {("rate_limited", "1")}
        # What was refused was not kept, and what was taken is sent.
        assert len(loud.received(chats[loud], len(taken))) == len(taken) == len(loud.messages_to(chats[loud]))
        figures = f"accepting {p99(alone):.3f} and {p99(calls):.3f} s, sending {sent_alone:.3f} and {sent:.3f} s"
        print(f"the others alone and beside the noise, p99: {figures}; crowding {crowded:.1f}")
        assert p99(calls) <= 2 * max(p99(alone), 0.1 * crowded)
        assert sent <= 2 * max(sent_alone, 0.3 * crowded)
        loud.close()
        still.close()
