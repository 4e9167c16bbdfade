"""What messengers do to us: they hang, drip, answer without end, break every second time, and lose their answers."""

import random
import socket
import threading
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from statistics import median

import pytest

from hub.portals.models import Portal
from hub.sandbox.faults import Fault
from tests.connectors.conftest import RawServer
from tests.journeys.installation import new_chat
from tests.processes import Running, wait_until
from tests.reliability.conftest import QUICK
from tests.reliability.station import THREADS, Station

MIB = 1 << 20
TOTAL_S = 15
pytestmark = pytest.mark.xdist_group("outages")


@pytest.fixture
def behaving(station: Station) -> Iterator[Callable[[Callable[[socket.socket], None]], RawServer]]:
    """Makes a server out of what it does with a connection, and lets workers call it."""
    servers: list[RawServer] = []

    def make(handle: Callable[[socket.socket], None]) -> RawServer:
        server = RawServer(handle)
        servers.append(server)
        station.allowed.append(server.spot)
        return server

    yield make
    for server in servers:
        server.stop()


def silent(connection: socket.socket) -> None:
    """Take all that comes and never answer."""
    while connection.recv(65_536):
        pass


# ---------------------------------------------------------------- a line that hangs


@pytest.mark.databases("sqlite")
def test_f15_a_line_that_never_answers_takes_nothing_from_the_others(
    station: Station, portal: Portal, behaving: Callable[..., RawServer]
) -> None:
    hanging, rate, each = behaving(silent), 10, 80
    assert portal.id is not None
    hung = station.line(portal.id, "hung", url=hanging.url)
    station.fill(portal.id, hung, [new_chat() for _ in range(60)], 2)
    good = {station.line(portal.id, f"good {n}", rate_per_s=rate): [new_chat() for _ in range(20)] for n in range(4)}
    for line, chats in good.items():
        station.fill(portal.id, line, chats, each // len(chats))
    worker = station.worker()
    for line, chats in good.items():
        assert station.wait_empty(line, within_s=60, workers=[worker]) == {"sent": each}
        times = [entry.at for entry in station.asked(chats)]
        # Not more than a tenth of its rate is lost.
        assert times[-1] - times[0] <= each / rate / 0.9, (
            f"{(each - 1) / (times[-1] - times[0]):.1f} of {rate} a second"
        )
    assert 1 <= hanging.connections <= THREADS // 2, "more hands hang than one line may have"
    wait_until(lambda: station.line_rows()[0][1] == "unreachable", within_s=2 * TOTAL_S + 10, what="the breaker")
    ended = [row for row in station.attempts(hung) if row[2] is not None]
    assert {(outcome, code) for _, _, outcome, code, _ in ended} == {("unconfirmed", "read_timeout")}
    assert TOTAL_S * 1000 - 100 <= median(ms for *_, ms in ended) <= TOTAL_S * 1000 + 2000
    assert hanging.connections <= THREADS, "the breaker did not stop the calls"
    assert {n for _, n, *_ in station.attempts(hung)} == {1}
    worker.kill()


# ---------------------------------------------------------------- answers without end


def endless(connection: socket.socket) -> int:
    """Answer with a body that never ends; gives how many bytes went out before the other side hung up."""
    connection.recv(65_536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    piece, sent = b"x" * 65_536, 0
    try:
        while sent < 1 << 30:
            connection.sendall(piece)
            sent += len(piece)
    except OSError:
        return sent
    return sent


def bomb() -> bytes:
    """Ten MiB of gzip that unpack to ten GiB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = packer.compress(b"")
    block = packer.compress(b"\0" * (10 * MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(b"\0" * (10 * MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + block + again * 1023


def exploding(connection: socket.socket) -> None:
    """Answer with the bomb."""
    connection.recv(65_536)
    body = bomb()
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)


def dripping(connection: socket.socket) -> None:
    """Answer one byte a second."""
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    pause = threading.Event()
    while not pause.wait(1):
        connection.sendall(b"x")


def peak_kib(worker: Running) -> int:
    """The most memory a process has had so far, KiB."""
    lines = Path(f"/proc/{worker.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


@pytest.mark.databases("sqlite")
def test_f16_answers_that_do_not_end_cost_neither_memory_nor_more_than_their_time(
    station: Station, portal: Portal, behaving: Callable[..., RawServer]
) -> None:
    assert portal.id is not None
    written: list[int] = []
    servers = {
        "endless": behaving(lambda connection: written.append(endless(connection))),
        "bomb": behaving(exploding),
        "drip": behaving(dripping),
    }
    usual = station.line(portal.id, "usual")
    station.fill(portal.id, usual, [new_chat() for _ in range(40)], 5)
    worker = station.worker()
    assert station.wait_empty(usual, within_s=60, workers=[worker]) == {"sent": 200}
    for name, server in servers.items():
        before = peak_kib(worker)
        line = station.line(portal.id, name, url=server.url)
        station.fill(portal.id, line, [new_chat()], 1)
        assert station.wait_empty(line, within_s=60, workers=[worker]) == {"unconfirmed": 1}
        grown = peak_kib(worker) - before
        assert grown <= 4 * 1024, f"{name}: {grown} KiB more"
        ((_, _, _, code, ms),) = station.attempts(line)
        if name == "drip":
            assert code == "answer_cut"
            assert TOTAL_S * 1000 - 100 <= ms <= TOTAL_S * 1000 + 2000
        else:
            assert code == "bad_answer"
            assert ms < TOTAL_S * 1000
    wait_until(lambda: bool(written), what="the end of the endless answer")
    worker.kill()
    assert written[0] <= 8 * MIB, "it was read on after 1 MiB, beyond what the system holds on its way"


# ---------------------------------------------------------------- answers that fail or get lost


def test_f19_a_messenger_that_fails_every_second_request_gets_what_the_schedule_allows(
    station: Station, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert portal.id is not None
    line = station.line(portal.id, "flapping")
    chats = [new_chat() for _ in range(100)]
    station.fill(portal.id, line, chats, 5)
    numbers = count()

    def take(_service: str, _chat: str) -> Fault | None:
        return Fault("status", status=500) if next(numbers) % 2 else None

    monkeypatch.setattr(station.sandbox.board, "take", take)
    worker = station.worker()
    ends = station.wait_empty(within_s=120, workers=[worker])
    assert set(ends) <= {"sent", "failed"}
    assert ends.total() == 500
    assert len(station.asked()) <= 2.2 * 500
    tries: dict[str, list[str]] = defaultdict(list)
    for message, _, outcome, _, _ in station.attempts(line):
        tries[message].append(outcome)
    assert len(station.asked()) == sum(len(outcomes) for outcomes in tries.values())
    given_up = [outcomes for outcomes in tries.values() if outcomes[-1] != "sent"]
    assert given_up == [["temporary"] * (1 + len(QUICK.split(",")))] * ends["failed"]
    taken = station.taken()
    assert sum(len(texts) for texts in taken.values()) == ends["sent"]
    assert all(texts == sorted(set(texts)) for texts in taken.values()), "the order of a chat, or a repeat"


@pytest.mark.parametrize("rule", ["hold", "resend"])
def test_f20_a_lost_answer_is_repeated_only_by_rule(station: Station, portal: Portal, rule: str) -> None:
    assert portal.id is not None
    line = station.line(portal.id, rule, on_unconfirmed=rule)
    chats = [new_chat() for _ in range(60)]
    lost = set(random.Random(7).sample(range(60), 20))
    station.fill(portal.id, line, chats, 1)
    for number in lost:
        station.sandbox.board.add(Fault("hangup_after", chat=chats[number]))
    worker = station.worker()
    ends = station.wait_empty(within_s=120, workers=[worker])
    times = Counter(len(texts) for texts in station.taken().values())
    if rule == "hold":
        assert (ends, times) == ({"unconfirmed": 20, "sent": 40}, {1: 60})
    else:
        assert (ends, times) == ({"sent": 60}, {1: 40, 2: 20})
    told = Counter((outcome, code) for _, _, outcome, code, _ in station.attempts(line))
    assert told[("unconfirmed", "hung_up")] == 20


def test_f20_vk_knows_the_repeat_of_a_lost_answer_by_its_key(station: Station, portal: Portal) -> None:
    assert portal.id is not None
    line = station.line(portal.id, "vk", channel="vk")
    chats = [new_chat() for _ in range(100)]
    station.fill(portal.id, line, chats, 2)
    for number, chat in enumerate(chats):
        if number % 3 == 0:
            station.sandbox.board.add(Fault("hangup_after", chat=chat))
    worker = station.worker()
    assert station.wait_empty(within_s=120, workers=[worker]) == {"sent": 200}
    assert station.taken() == {chat: station.queued[chat] for chat in chats}
    assert Counter(entry.outcome for entry in station.asked())["repeat"] == 34
