"""HTTP load by wrk, which costs the least of what could make it."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.processes import BenchError

CONNECTIONS = 16
_SCRIPT = Path(__file__).with_name("post.lua")


@dataclass(frozen=True)
class Load:
    """What a run of wrk saw: requests a second, latencies in milliseconds."""

    requests: int
    per_s: float
    p50_ms: float
    p99_ms: float


def present() -> bool:
    """Whether wrk is installed."""
    return shutil.which("wrk") is not None


def load(url: str, seconds: int, connections: int = CONNECTIONS) -> Load:
    """Load an address for so many seconds. Raises BenchError when anything but 2xx came, or nothing at all."""
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "20s", "-s", str(_SCRIPT), url],
        env=os.environ | {"BENCH_PREFIX": os.urandom(4).hex()},
        capture_output=True,
        text=True,
        check=False,
    )
    told = re.search(r"^JSON (.*)$", done.stdout, re.MULTILINE)
    if told is None:
        raise BenchError(f"wrk ended with {done.returncode}: {done.stderr or done.stdout}")
    seen = json.loads(told[1])
    if seen.pop("bad") or not seen["requests"]:
        raise BenchError(f"{url}: some requests were not answered, or not with 2xx:\n{done.stdout}")
    return Load(**seen)
