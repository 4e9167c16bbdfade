"""The stub messenger as the benchmarks see it."""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.request import urlopen

from bench.processes import BenchError, wait_until

STUB = Path(__file__).with_name("stub.py")


class Messenger:
    """A running stub. `with Messenger() as messenger: …`"""

    def __enter__(self) -> "Messenger":
        self._process = subprocess.Popen([sys.executable, str(STUB)], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        assert self._process.stdout is not None
        told = self._process.stdout.readline()
        if not told:
            raise BenchError("the stub messenger did not start")
        self.port = int(told)
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait()

    def reset(self, delay_ms: float = 0) -> None:
        """Forget what came, and answer from now on after so many milliseconds."""
        self._get(f"/reset/{delay_ms}")

    def stats(self) -> dict[str, Any]:
        """`count`, `unique`, `first` and `last`; see `bench.stub`."""
        return self._get("/stats")

    def wait_for(self, count: int, *, within_s: float) -> dict[str, Any]:
        """The stats once so many different texts have come."""
        seen: dict[str, Any] = {}

        def all_there() -> bool:
            seen.update(self.stats())
            return bool(seen["unique"] >= count)

        try:
            wait_until(all_there, within_s=within_s, what=f"{count} messages at the messenger", every_s=0.05)
        except BenchError as error:
            raise BenchError(f"{error}; it has {seen}") from None
        return seen

    def _get(self, path: str) -> dict[str, Any]:
        with urlopen(self.url + path, timeout=10) as answer:
            told: dict[str, Any] = json.load(answer)
        return told
