"""The parent of `hub serve`: it keeps its children alive, stops them in order and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.errors import ConfigurationError
from hub.serve import require_free
from tests.processes import ROOT, alive, wait_until

PARENT = """
import sys
from hub.serve import Child, Supervisor
child = "import os, signal, sys, time\\nopen(sys.argv[1], 'a').write(str(os.getpid()) + '\\\\n')\\n" + {body!r}
children = [Child(name, [sys.executable, "-c", child, {folder!r} + "/" + name], reloads=name == "web")
            for name in ("web", "worker")]
sys.exit(Supervisor(children, stop_within_s={within}).run())
"""
PATIENT = "signal.pause()"
DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: signal.pause()"
COUNTS_HUPS = (
    "signal.signal(signal.SIGHUP, lambda *_: open(sys.argv[1] + '.hup', 'a').write('x'))\nwhile 1: signal.pause()"
)

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def run(body: str = PATIENT, within: float = 5) -> "subprocess.Popen[bytes]":
        code = PARENT.format(body=body, folder=str(tmp_path), within=within)
        started.append(subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL))
        wait_until(lambda: len(pids(tmp_path, "web")) == 1 and len(pids(tmp_path, "worker")) == 1)
        return started[-1]

    yield run
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.wait(20)
        for name in ("web", "worker"):
            for pid in pids(tmp_path, name):
                if alive(pid):
                    os.kill(pid, signal.SIGKILL)


def pids(folder: Path, name: str) -> list[int]:
    path = folder / name
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_stop_ends_every_child_and_counts_as_success(start: Start, tmp_path: Path, number: int) -> None:
    parent = start()
    parent.send_signal(number)
    assert parent.wait(10) == 0
    assert not [pid for name in ("web", "worker") for pid in pids(tmp_path, name) if alive(pid)]


def test_a_child_that_dies_is_started_again_and_its_sibling_is_left_alone(start: Start, tmp_path: Path) -> None:
    start()
    os.kill(pids(tmp_path, "worker")[0], signal.SIGKILL)
    wait_until(lambda: len(pids(tmp_path, "worker")) == 2)
    assert len(pids(tmp_path, "web")) == 1
    assert alive(pids(tmp_path, "web")[0])


def test_a_child_that_does_not_listen_is_killed_when_its_time_is_over(start: Start, tmp_path: Path) -> None:
    parent = start(DEAF, within=0.5)
    parent.terminate()
    assert parent.wait(10) == 0
    assert not alive(pids(tmp_path, "web")[0])


def test_hangup_is_passed_to_the_web_server_and_restarts_the_worker(start: Start, tmp_path: Path) -> None:
    parent = start(COUNTS_HUPS)
    parent.send_signal(signal.SIGHUP)
    wait_until(lambda: len(pids(tmp_path, "worker")) == 2 and (tmp_path / "web.hup").exists())
    assert len(pids(tmp_path, "web")) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent was killed")
def test_children_end_when_the_parent_is_killed_outright(start: Start, tmp_path: Path) -> None:
    parent = start()
    parent.kill()
    parent.wait(5)
    wait_until(lambda: not [pid for name in ("web", "worker") for pid in pids(tmp_path, name) if alive(pid)])


def test_a_busy_port_is_refused_in_one_line_that_names_the_setting() -> None:
    line = r"\APORT: cannot listen on 127\.0\.0\.1:\d+ \(.*\)"
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigurationError, match=line) as refused:
        require_free("127.0.0.1", taken.getsockname()[1])
    assert "\n" not in str(refused.value)
