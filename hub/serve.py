"""`hub serve`: migrate, then web and worker as children of one parent that restarts them when they die.

The parent imports neither the web application nor the database, so it stays small and has little to fail at.
"""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import structlog

from hub.errors import ConfigurationError

log = structlog.get_logger(__name__)
ROOT = Path(__file__).resolve().parent.parent
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
STABLE_AFTER_S = 30.0
STOP_WITHIN_S = 35.0  # gunicorn's own graceful time-out and a little
_PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """A process to keep alive. `reloads`: it understands SIGHUP; otherwise it is stopped and started again."""

    name: str
    argv: Sequence[str]
    reloads: bool = False
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    pause_s: float = field(default=FIRST_PAUSE_S)
    restarting: bool = False


class Supervisor:
    """Runs children until told to stop. It only ever signals processes that it started itself."""

    def __init__(self, children: Sequence[Child], *, stop_within_s: float = STOP_WITHIN_S) -> None:
        self._children = list(children)
        self._stop_within_s = stop_within_s
        self._stops = 0
        self._reload = False

    def run(self) -> int:
        """Start everything and stay until SIGTERM or SIGINT (a second one loses patience). Returns 0."""
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        previous_fd = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        previous = {
            number: signal.signal(number, self._on_signal)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
        }
        try:
            while not self._stops:
                self._reap()
                if self._reload:
                    self._reload = False
                    self._reload_children()
                self._wait(ours, self._start_due())
            self._stop(ours)
        finally:
            self._kill()
            for number, handler in previous.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(previous_fd)
            ours.close()
            theirs.close()
        return 0

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number in (signal.SIGTERM, signal.SIGINT):
            self._stops += 1
        elif number == signal.SIGHUP:
            self._reload = True

    def _start_due(self) -> float:
        """Start what is due; returns the seconds until the next start is."""
        now = time.monotonic()
        nearest = 60.0
        for child in self._children:
            if child.process is not None:
                continue
            if child.start_at <= now:
                # Their own session: Ctrl+C reaches this parent alone, which then stops them in order.
                child.process = subprocess.Popen(  # noqa: S603
                    child.argv, start_new_session=True, preexec_fn=_end_with_parent
                )
                child.started_at = now
                log.info("process_started", process=child.name, pid=child.process.pid)
            else:
                nearest = min(nearest, child.start_at - now)
        return nearest

    def _reap(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if child.process is None or child.process.poll() is None:
                continue
            code, child.process = child.process.returncode, None
            if child.restarting:
                child.restarting, child.start_at = False, now
                continue
            child.pause_s = FIRST_PAUSE_S if now - child.started_at > STABLE_AFTER_S else child.pause_s
            child.start_at = now + child.pause_s
            log.error("process_died", process=child.name, code=code, again_in_s=child.pause_s)
            child.pause_s = min(child.pause_s * 2, LONGEST_PAUSE_S)

    def _reload_children(self) -> None:
        for child in self._children:
            if child.process is not None:
                child.restarting = not child.reloads
                child.process.send_signal(signal.SIGHUP if child.reloads else signal.SIGTERM)

    def _stop(self, wakeup: socket.socket) -> None:
        log.info("stopping")
        deadline = time.monotonic() + self._stop_within_s
        stops = self._stops
        for child in self._children:
            if child.process is not None:
                child.process.terminate()
        while time.monotonic() < deadline and self._stops == stops:
            if all(child.process is None or child.process.poll() is not None for child in self._children):
                return
            self._wait(wakeup, min(1.0, deadline - time.monotonic()))
        log.warning("stopped_without_patience")

    def _kill(self) -> None:
        """Whatever is left of our own children, with their own children: each leads a group of its own."""
        for child in self._children:
            if child.process is not None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(child.process.pid, signal.SIGKILL)
                child.process.wait()

    @staticmethod
    def _wait(wakeup: socket.socket, seconds: float) -> None:
        wakeup.settimeout(max(seconds, 0.01))
        with suppress(TimeoutError, InterruptedError):
            wakeup.recv(512)


def serve(host: str, port: int, workers: int) -> int:
    """Migrate, then keep web and worker alive until told to stop; returns the exit code.

    Raises ConfigurationError when the port is taken or the migration fails.
    """
    require_free(host, port)
    os.environ["PORT"] = os.environ["HUB_PORT"] = str(port)
    migration = subprocess.run([sys.executable, "-m", "hub", "migrate"], check=False)
    if migration.returncode:
        raise ConfigurationError("the database could not be migrated, so nothing was started")
    log.info("serving", url=f"http://{_printable(host)}:{port}", web_workers=workers)
    return Supervisor([web(host, port, workers), worker()]).run()


def web(host: str, port: int, workers: int) -> Child:
    """The web server."""
    config = f"file:{ROOT / 'hub' / 'web' / 'gunicorn_conf.py'}"
    options = ("--pythonpath", str(ROOT), "--bind", f"{_printable(host)}:{port}", "--workers", str(workers))
    return Child("web", [sys.executable, "-m", "gunicorn", "--config", config, *options, "wsgi:app"], reloads=True)


def worker() -> Child:
    """The process that runs scenarios and sends messages."""
    return Child("worker", [sys.executable, "-m", "hub", "worker"])


def require_free(host: str, port: int) -> None:
    """Raise ConfigurationError, naming PORT, when nobody can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"PORT: cannot listen on {_printable(host)}:{port} ({error.strerror}); choose another, as in PORT=8080"
            ) from None


def _printable(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _end_with_parent() -> None:
    """Between fork and exec: should the parent be killed outright, Linux sends this child SIGTERM."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
