"""`hub demo` as a person starts it: it works, it says when it cannot, and it leaves nothing running."""

import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from hub.sandbox.demo import PORTS
from tests.conftest import IN_CI, chromium
from tests.processes import ROOT, alive, children, wait_until

SLOW_S = 180  # machines that run many tests at once


def environment(**more: str) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HUB_") and name != "PORT"}
    return plain | {"PYTHONPATH": str(ROOT)} | more


def demo(*arguments: str, cwd: Path, output: Path, **more: str) -> "subprocess.Popen[bytes]":
    with output.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "hub", "demo", *arguments],
            cwd=cwd,
            env=environment(**more),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def four_free_ports() -> int:
    """The first of the ports that a demo needs, all free right now."""
    for first in range(20_000 + os.getpid() % 10_000, 60_000, 7):
        sockets = []
        try:
            for port in range(first, first + PORTS):
                sockets.append(socket.create_server(("127.0.0.1", port)))
        except OSError:
            continue
        finally:
            for taken in sockets:
                taken.close()
        return first
    raise AssertionError("no four free ports in a row")


def family(pid: int) -> list[int]:
    """A process's children, and theirs."""
    direct = children(pid)
    return direct + [deeper for child in direct for deeper in family(child)]


@pytest.fixture
def ended() -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Processes put in here are ended after the test."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(60)


@pytest.mark.parametrize("way", ["browser", "requests"])
def test_the_check_installs_moves_a_deal_sees_what_arrives_and_succeeds(
    tmp_path: Path, ended: list["subprocess.Popen[bytes]"], way: str
) -> None:
    output, more = tmp_path / "output", {}
    if way == "requests":
        more["PATH"] = str(tmp_path)  # where there is no browser
    elif chromium() is None and not IN_CI:
        pytest.skip("there is no Chromium here: apt-get install chromium")
    process = demo("--check", cwd=tmp_path, output=output, **more)
    ended.append(process)
    code = process.wait(SLOW_S)
    said = output.read_text()
    assert code == 0, said
    for words in (
        "in a real browser" if way == "browser" else "over HTTP; there is no Chromium",
        "Installed through the portal's frame: ",
        " events, 3 places, 2 robots and actions, 1 senders.",
        "A waiting robot was answered: discount 4500.0 (a number)",
        "Arrived: whatsapp 79997654321 (in the portal: 8 999 765-43-21): Анна, заказ № 1042 на 45 000 ₽ готов",
        "The deal's timeline shows the message.",
        "The deal's tab shows it, too, and sent another text from there",
        "Arrived: telegram chat 79991234567: Здравствуйте, Анна!",
        "duplicate",
        "404",
        "is sent",
        "The login that the demo prints opens",
        "The demo works.",
    ):
        assert words in said
    assert not (tmp_path / "instance").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_demo_with_every_process_it_started(
    tmp_path: Path, ended: list["subprocess.Popen[bytes]"], number: int
) -> None:
    output, port = tmp_path / "output", four_free_ports()
    process = demo(cwd=tmp_path, output=output, PORT=str(port))
    ended.append(process)
    wait_until(lambda: "Ctrl+C" in output.read_text() or process.poll() is not None, within_s=SLOW_S, what="the start")
    said = output.read_text()
    assert process.poll() is None, said
    started = family(process.pid)
    assert len(started) >= 3, "serve, web and worker"

    link = re.search(rf"'(http://127\.0\.0\.1:{port}/get/\?token=[^']+)'", said)
    assert link, said
    answer = requests.post(link[1], json={"chat_id": "79991234567"}, timeout=30)
    assert answer.json()["status"] == "accepted"
    assert "Учебный портал" in requests.get(f"http://localhost:{port + 1}/", timeout=30).text
    state = requests.get(f"http://localhost:{port + 1}/_control/state", timeout=30).json()
    assert state["oauth_url"] == f"http://127.0.0.1:{port + 2}"
    assert state["apps"][0]["install_url"] == f"http://127.0.0.1:{port}/bitrix24/install"

    process.send_signal(number)
    assert process.wait(60) == 0, output.read_text()
    wait_until(lambda: not [pid for pid in started if alive(pid)])
    assert "Traceback" not in output.read_text()


def test_a_signal_that_the_system_gives_to_another_thread_ends_the_demo_as_well(
    tmp_path: Path, ended: list["subprocess.Popen[bytes]"]
) -> None:
    output = tmp_path / "output"
    process = demo(cwd=tmp_path, output=output, PORT=str(four_free_ports()))
    ended.append(process)
    wait_until(lambda: "Ctrl+C" in output.read_text() or process.poll() is not None, within_s=SLOW_S, what="the start")
    threads = [int(task.name) for task in Path(f"/proc/{process.pid}/task").iterdir()]
    other = next(thread for thread in threads if thread != process.pid)
    # The system does this now and then of its own accord.
    assert ctypes.CDLL(None).tgkill(process.pid, other, int(signal.SIGINT)) == 0
    assert process.wait(60) == 0, output.read_text()


def test_a_second_start_keeps_the_links_the_login_and_the_key(
    tmp_path: Path, ended: list["subprocess.Popen[bytes]"]
) -> None:
    said = []
    for attempt in ("first", "second"):
        output, port = tmp_path / attempt, four_free_ports()
        process = demo("--port", str(port), cwd=tmp_path, output=output)
        ended.append(process)
        wait_until(
            lambda p=process, o=output: "Ctrl+C" in o.read_text() or p.poll() is not None, within_s=SLOW_S, what=attempt
        )
        said.append(output.read_text())
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0, output.read_text()
    secrets = [(re.findall(r"token=([^&']+)", text), re.findall(r"(?:key|password) (\S+)\)", text)) for text in said]
    assert all(tokens and len(keys) == 2 for tokens, keys in secrets), said
    assert secrets[0] == secrets[1]
    for name in ("api_key", "password"):
        assert (tmp_path / "instance" / "demo" / name).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a_busy_port_is_told_in_one_line_that_names_port(tmp_path: Path, place: int) -> None:
    first = four_free_ports()
    output = tmp_path / "output"
    with socket.create_server(("127.0.0.1", first + place)):
        process = demo(cwd=tmp_path, output=output, PORT=str(first))
        assert process.wait(SLOW_S) == 1
    lines = output.read_text().strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("PORT: ")


def test_a_port_that_leaves_no_room_is_refused(tmp_path: Path) -> None:
    output = tmp_path / "output"
    process = demo("--port", "65534", cwd=tmp_path, output=output)
    assert process.wait(SLOW_S) == 1
    assert output.read_text().startswith("PORT: the demo needs a number from 1 to 65532")
