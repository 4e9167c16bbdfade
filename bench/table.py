"""The one table that comes out."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A figure and what it is held against. `reached` is None where there is no goal."""

    mark: str
    what: str
    figure: str
    ratio: str = ""
    goal: str = ""
    reached: bool | None = None


_HEAD = Row("", "what", "figure", "ratio", "goal")


def median(values: Sequence[float]) -> float:
    """The middle one of the rounds."""
    return statistics.median(values)


def shown(rows: Sequence[Row]) -> str:
    """The table as text, with the names of what was missed below it."""
    cells = [(row.mark, row.what, row.figure, row.ratio, row.goal, _word(row.reached)) for row in (_HEAD, *rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(6)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    lines.insert(1, "  ".join("-" * width for width in widths))
    missed = sum(row.reached is False for row in rows)
    return "\n".join([*lines, "", "all goals reached" if not missed else f"{missed} goals MISSED"])


def _word(reached: bool | None) -> str:
    return "" if reached is None else "reached" if reached else "MISSED"
