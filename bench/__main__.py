"""`python -m bench`: measures the product beside its floors and prints one table. `make bench` is the same.

Marks are named as arguments (all when none is): A (with B and C), D, L (with M), G. `--peers` measures others too.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from bench import accept, drain, growth, idle
from bench.databases import Databases, databases
from bench.load import present
from bench.machine import described, load_averages
from bench.messenger import Messenger
from bench.peers import duel
from bench.processes import BenchError, Processes
from bench.product import Site
from bench.table import Row, shown

PARTS = ("A", "D", "L", "G")


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and say by the exit code whether all goals were reached."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="mark", help=f"of {', '.join(PARTS)}; all of them when left out")
    parser.add_argument("--databases", default="sqlite,postgresql", help="which to measure, with a comma")
    parser.add_argument("--rounds", type=int, default=3, help="of each measurement; the middle one counts")
    parser.add_argument("--rows", type=int, default=1_000_000, help="stored requests for mark G")
    parser.add_argument("--peers", nargs="?", const="nodered", help="measure beside these others: nodered")
    given = parser.parse_args(arguments)
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"there is no mark {', '.join(sorted(unknown))}")
    parts = given.parts or ([] if given.peers else PARTS)
    print(described(), flush=True)
    rows: list[Row] = []
    began = time.monotonic()

    def measure(what: str, part: Callable[[], list[Row]]) -> None:
        """One that cannot be measured must not take the figures of the others with it."""
        print(f"after {time.monotonic() - began:4.0f} s: {what}", file=sys.stderr, flush=True)
        try:
            rows.extend(part())
        except BenchError as error:
            print(error, file=sys.stderr)
            rows.append(Row(what[0], f"{what}: not measured", str(error).partition("\n")[0], reached=False))

    with tempfile.TemporaryDirectory(prefix="hubline-bench-") as name, Messenger() as messenger:
        folder = Path(name)
        folder.chmod(0o755)  # as root, PostgreSQL runs as another user
        with databases(folder) as made:
            bench = _Bench(folder, made, messenger, given.rounds)
            for kind in (kind for kind in made.kinds if kind in given.databases.split(",")):
                for part in parts:
                    measure(f"{part} on {kind}", partial(bench.part, part, kind, given.rows))
            if given.peers:
                measure("beside others", partial(bench.peers, given.peers.split(",")))
    print(f"\n{shown(rows)}\n\nIt took {(time.monotonic() - began) / 60:.0f} minutes. Load after: {load_averages()}.")
    return int(any(row.reached is False for row in rows))


class _Bench:
    def __init__(self, folder: Path, made: Databases, messenger: Messenger, rounds: int) -> None:
        self._folder, self._databases, self._messenger, self._rounds = folder, made, messenger, rounds

    def part(self, part: str, kind: str, rows: int) -> list[Row]:
        """The rows of one part on one kind of database."""
        if part in ("A", "L") and not present():
            return [Row(part, f"not measured, {kind}", "wrk is missing: apt-get install wrk")]
        with self._site(kind) as (processes, site):
            if part == "A":
                found = accept.accepting(processes, self._databases, kind, site, self._rounds)
                return found + accept.with_sends(site, kind, self._rounds)
            if part == "D":
                return drain.draining(self._databases, kind, site, self._rounds)
            if part == "L":
                return idle.idle(site, kind)
            with self._site(kind) as (_, other):
                return growth.growing(other, site, kind, rows, self._rounds)

    def peers(self, names: Sequence[str]) -> list[Row]:
        """The rows of what is measured beside others."""
        with self._site("sqlite") as (processes, site):
            return duel.beside(processes, self._folder, site, names, self._rounds)

    @contextmanager
    def _site(self, kind: str) -> Iterator[tuple[Processes, Site]]:
        """An installation of its own for each part; its processes end with the part."""
        with Processes(self._folder) as processes:
            site = Site(processes, self._folder, self._databases.fresh(kind), self._messenger)
            try:
                yield processes, site
            finally:
                site.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
