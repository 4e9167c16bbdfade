"""What the figures were measured on."""

import os
import platform
import sqlite3
from importlib.metadata import version
from pathlib import Path


def described() -> str:
    """Two lines: hardware and load, then versions."""
    cpu = next((line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if "model name" in line), "?")
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    parts = ", ".join(f"{name} {version(name)}" for name in ("gevent", "gunicorn", "flask", "psycopg"))
    return (
        f"{os.cpu_count()} cores ({cpu}), {memory / 2**20:.1f} GiB, {platform.system()} {platform.release()},"
        f" load before: {load_averages()}\n"
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {parts}\n"
        "Load generator and stub messenger run on the same cores and take a part of them."
    )


def load_averages() -> str:
    """Processes that wanted to run, of the last one, five and fifteen minutes: beyond the number of cores something
    else was at work here, and the figures say less."""
    return " ".join(f"{value:.1f}" for value in os.getloadavg())


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
