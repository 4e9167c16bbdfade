"""Real processes of the product for tests: started on free ports, watched until ready, killed by their own pids.

with Product(settings) as product:
    product.start("serve", ...).wait_ready()
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import requests

from hub.settings import Settings
from tests.conftest import free_port

ROOT = Path(__file__).resolve().parent.parent


def wait_until(condition: Callable[[], bool], *, within_s: float = 15, every_s: float = 0.02, what: str = "it") -> None:
    """Look again and again until the condition holds. Raises AssertionError when the time is over."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {within_s} s")
        time.sleep(every_s)


def environment(settings: Settings, port: int, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a process that has these settings."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    own = {
        "HUB_DATABASE_URL": settings.database_url,
        "HUB_INSTANCE_DIR": str(settings.instance_dir),
        "HUB_SECRET_KEY": settings.secret_key,
        "HUB_ENCRYPTION_KEYS": ",".join(settings.encryption_keys),
        "HUB_EGRESS_ALLOW": ",".join(settings.egress_allow),
        "HUB_WEB_WORKERS": "1",
        "HUB_TESTING": "1",
        "HUB_LOG_FORMAT": "json",
        "PORT": str(port),
        "PYTHONPATH": str(ROOT),
    }
    return plain | own | dict(more or {})


@dataclass
class Running:
    """One process. Its output goes to a file, so that nothing blocks on a full pipe."""

    process: subprocess.Popen[bytes]
    log: Path
    port: int

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def url(self) -> str:
        """Its address, when it serves one."""
        return f"http://127.0.0.1:{self.port}"

    def output(self) -> str:
        """All it has printed so far."""
        return self.log.read_text(errors="replace")

    def wait_ready(self, path: str = "/readyz", within_s: float = 30) -> "Running":
        """Wait until it answers 200 there. Raises AssertionError with its output."""

        def ready() -> bool:
            assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.output()}"
            try:
                return requests.get(self.url + path, timeout=2).status_code == 200
            except requests.RequestException:
                return False

        try:
            wait_until(ready, within_s=within_s, what=f"200 at {path}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.output()}") from None
        return self

    def send(self, number: int) -> None:
        """Send a signal to this process alone."""
        os.kill(self.pid, number)

    def wait(self, within_s: float = 40) -> int:
        """Wait for its end; returns its exit code."""
        return self.process.wait(within_s)

    def kill(self) -> None:
        """End it now, and what it started: it leads a process group of its own."""
        for child in children(self.pid):
            _kill_group(child)
        _kill_group(self.pid)
        self.process.wait(10)


class Product:
    """Starts processes of the product with one set of settings, and ends them all on the way out."""

    def __init__(self, settings: Settings, folder: Path, more: Mapping[str, str] | None = None) -> None:
        self._settings = settings
        self._folder = folder
        self._more = dict(more or {})
        self._running: list[Running] = []

    def __enter__(self) -> "Product":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for running in self._running:
            if running.process.poll() is None:
                running.kill()

    def serve(self, *arguments: str, **more: str) -> Running:
        """`hub serve` on a free port: web and worker under one parent."""
        return self.hub("serve", *arguments, **more)

    def worker(self, *arguments: str, **more: str) -> Running:
        """`hub worker`."""
        return self.hub("worker", *arguments, **more)

    def web(self, **more: str) -> Running:
        """gunicorn alone, as the Procfile starts it."""
        return self.start("-m", "gunicorn", "--config", "hub/web/gunicorn_conf.py", "wsgi:app", **more)

    def hub(self, *arguments: str, **more: str) -> Running:
        """Any `hub …` command."""
        return self.start("-m", "hub", *arguments, **more)

    def start(self, *arguments: str, **more: str) -> Running:
        """`python …` in the checkout, with the settings as its environment and `more` on top of them."""
        port = int(more.pop("PORT", 0)) or free_port()
        log = self._folder / f"process-{len(self._running)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=environment(self._settings, port, self._more | more),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        running = Running(process, log, port)
        self._running.append(running)
        return running


def children(pid: int) -> list[int]:
    """The direct children of a process."""
    try:
        return [int(part) for part in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def alive(pid: int) -> bool:
    """Whether a process is there and not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
