"""What a run came to, as one line of JSON."""

import json
import math
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from os import cpu_count
from pathlib import Path
from typing import Any

from tests.reliability.harness import checkers
from tests.reliability.harness.history import BROKEN, History, Operation

EXAMPLES = 5


def summary(
    history: History, wrong: Mapping[str, Sequence[str]], *, asked: Mapping[str, Any], seen: Mapping[str, Any]
) -> dict[str, Any]:
    """`asked`: what the run was told to do; `seen`: what only the run itself knows."""
    operations = history.operations
    usual = [one for one in operations if one.accepted and not one.by_result]
    tries = Counter(answer for one in operations for answer in one.tries)
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        **asked,
        "ok": not wrong,
        "accepted": sum(one.accepted for one in operations),
        "unknown": sum(not one.accepted for one in operations),
        "by_result": sum(one.accepted and one.by_result for one in operations),
        "tries_without_an_answer": tries.pop(BROKEN, 0),
        "tries_refused": dict(tries),
        "accept_ms": _spread([one.ended - one.began for one in usual]),
        "events_per_s": _rate(operations),
        **seen,
        "delivered": len({one.key for one in history.deliveries if one.taken}),
        "duplicates": checkers.repeats(history),
        "uncertain_sends": checkers.uncertain_sends(history),
        "states": dict(Counter(one.state for one in history.messages)),
        "attempts": dict(Counter(str(outcome) for one in history.messages for outcome in one.attempts)),
        "wrong": {name: {"count": len(words), "examples": list(words[:EXAMPLES])} for name, words in wrong.items()},
    }


def append(line: Mapping[str, Any], results: Path) -> None:
    """Add the line to a file of results."""
    results.parent.mkdir(parents=True, exist_ok=True)
    with results.open("a") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    if not ordered:
        return {}

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, math.ceil(len(ordered) * share) - 1)] * 1000, 1)

    return {"p50": at(0.5), "p99": at(0.99), "max": round(ordered[-1] * 1000, 1)}


def _rate(operations: Sequence[Operation]) -> float:
    if not operations:
        return 0.0
    span = max(one.ended for one in operations) - min(one.began for one in operations)
    return round(len(operations) / max(span, 1e-9), 1)
