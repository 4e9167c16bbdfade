"""A disk of a few megabytes, so that a test can fill it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import IN_CI


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system in memory, mounted in `folder`. Skips the test where nothing may be mounted, but never in CI."""
    place = folder / "small"
    place.mkdir()
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    options = f"size={megabytes}m,uid={os.getuid()},gid={os.getgid()},mode=0700"
    mounted = subprocess.run(
        [*root, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        assert not IN_CI, mounted.stderr
        pytest.skip(f"no file system may be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run([*root, "umount", "--lazy", str(place)], check=True)


def fill(place: Path) -> Path:
    """Use up all the room that is left there; deleting the file that is returned frees it."""
    filling = place / "filling"
    with filling.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                # Full, as far as pieces of this size go.
                continue
    return filling
