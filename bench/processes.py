"""Processes that are measured: started on free ports, watched until they answer, ended by their own ids."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parent.parent
_TICKS = os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """Something that is measured did not do what it should; the figures would mean nothing."""


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], bool], *, within_s: float, what: str, every_s: float = 0.02) -> None:
    """Look again and again until the condition holds. Raises BenchError when the time is over."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise BenchError(f"{what} did not happen within {within_s:g} s")
        time.sleep(every_s)


@dataclass
class Running:
    """One process with its children; it leads a process group of its own."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int = 0

    @property
    def url(self) -> str:
        """Its address, when it serves one."""
        return f"http://127.0.0.1:{self.port}"

    def wait_ready(self, path: str, within_s: float = 60) -> "Running":
        """Wait until it answers 200 there. Raises BenchError with its output."""

        def ready() -> bool:
            if self.process.poll() is not None:
                raise BenchError(f"it ended with {self.process.returncode}:\n{self.log.read_text(errors='replace')}")
            try:
                with urlopen(self.url + path, timeout=2) as answer:
                    return bool(answer.status == 200)
            except (URLError, OSError):
                return False

        wait_until(ready, within_s=within_s, what=f"200 at {self.url}{path} (see {self.log})")
        return self

    def cpu_s(self) -> float:
        """User and system time of it and its children so far, in seconds."""
        return sum(_cpu_s(pid) for pid in self.tree())

    def tree(self) -> list[int]:
        """The ids of it and of all below it."""
        return _tree(self.process.pid)

    def stop(self) -> None:
        """SIGTERM, then, when it takes longer than 30 s, SIGKILL to its groups."""
        if self.process.poll() is not None:
            return
        below = self.tree()[1:]
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            for pid in [self.process.pid, *below]:
                _kill(pid)
            self.process.wait()


class Processes:
    """Starts processes whose output goes to files of one folder, and ends them all on the way out."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[Running] = []

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for running in reversed(self._started):
            running.stop()

    def python(self, arguments: Sequence[str], *, environment: Mapping[str, str], port: int = 0) -> Running:
        """`python …` in the checkout, with nothing of the caller's own HUB_ settings."""
        return self.start([sys.executable, *arguments], environment=environment, port=port)

    def start(
        self, command: Sequence[str], *, environment: Mapping[str, str], port: int = 0, folder: Path = ROOT
    ) -> Running:
        """Any command."""
        log = self._folder / f"process-{len(self._started)}.log"
        plain = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
        with log.open("wb") as output:
            process = subprocess.Popen(
                list(command),
                cwd=folder,
                env=plain | {"PYTHONPATH": str(ROOT)} | dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        running = Running(process, log, port)
        self._started.append(running)
        return running


def pss_mib(pid: int) -> float:
    """The memory of a process, pages shared with others counted by their share, in MiB; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _tree(pid: int) -> list[int]:
    found = [pid]
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += _tree(int(child))
    except OSError:
        return found
    return found


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _kill(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
