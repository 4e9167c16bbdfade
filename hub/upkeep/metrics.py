"""Figures for monitoring, read from the database: processes share no counters. Every query is bounded by what is open
or recent, or goes by an index, however many rows there are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hub.clock import SECOND
from hub.ids import id_at
from hub.sql import Sql

RECENT_S = 300
_OUTCOMES = ("sent", "temporary", "rate_limited", "unconfirmed", "rejected", "moved", "line_down", "unsupported")
_LINE_STATES = ("active", "paused", "auth_failed", "unreachable")


@dataclass(frozen=True)
class Metric:
    """One gauge: its samples are the values of `labels` and a number."""

    name: str
    help: str
    labels: tuple[str, ...]
    samples: Sequence[tuple[tuple[str, ...], int | float]]


def figures(sql: Sql, *, now: int, lease_s: float) -> list[Metric]:
    """All gauges at this moment. Kinds that may be missing are there with 0, so that an alarm can rely on them."""
    recent = now - RECENT_S * SECOND
    channels = [
        row[0] for row in sql.all("SELECT DISTINCT channel FROM line WHERE deleted_at IS NULL ORDER BY channel")
    ]
    return [
        Metric(
            "hub_queue_messages",
            "Messages that wait or are being sent.",
            ("channel", "state"),
            _filled(
                [(channel, state) for channel in channels for state in ("queued", "sending")],
                sql.all(
                    "SELECT line.channel, message.state, count(*) FROM line JOIN message ON message.line_id = line.id"
                    " WHERE message.state IN ('queued', 'sending') GROUP BY line.channel, message.state"
                ),
            ),
        ),
        Metric(
            "hub_oldest_due_message_seconds",
            "Age of the message that should have gone out first, on lines that nobody stopped; 0 when none is due.",
            (),
            [((), _oldest(sql, now))],
        ),
        Metric(
            "hub_recent_attempts",
            "Attempts that began in the last five minutes; open: not over yet.",
            ("outcome",),
            _filled(
                [(outcome,) for outcome in (*_OUTCOMES, "open")],
                sql.all(
                    "SELECT COALESCE(outcome, 'open'), count(*) FROM attempt WHERE started_at > ? GROUP BY 1", (recent,)
                ),
            ),
        ),
        Metric(
            "hub_recent_requests",
            "Requests that came in the last five minutes, by what became of them.",
            ("outcome",),
            _filled(
                [("run",), ("duplicate",), ("check",), ("captured",), ("refused",), ("unchanged",), ("ignored",)],
                sql.all("SELECT outcome, count(*) FROM request WHERE id > ? GROUP BY outcome", (id_at(recent),)),
            ),
        ),
        Metric(
            "hub_open_runs",
            "Runs that are not over.",
            ("status",),
            _filled([("queued",), ("running",), ("waiting",)], _open_runs(sql)),
        ),
        Metric(
            "hub_lines",
            "Lines by state.",
            ("channel", "state"),
            _filled(
                [(channel, state) for channel in channels for state in _LINE_STATES],
                sql.all("SELECT channel, state, count(*) FROM line WHERE deleted_at IS NULL GROUP BY channel, state"),
            ),
        ),
        Metric(
            "hub_open_notices",
            "Notices whose cause is not gone.",
            ("cause",),
            _filled([], sql.all("SELECT cause, count(*) FROM notice WHERE closed_at IS NULL GROUP BY cause")),
        ),
        Metric(
            "hub_processes",
            "Processes that have said within their lease that they live.",
            ("kind",),
            _filled(
                [("web",), ("worker",)],
                sql.all(
                    "SELECT kind, count(*) FROM process WHERE beat_at > ? GROUP BY kind", (now - int(lease_s * SECOND),)
                ),
            ),
        ),
    ]


def prometheus(metrics: Iterable[Metric]) -> str:
    """As Prometheus reads it: its text format, version 0.0.4."""
    lines = []
    for metric in metrics:
        lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} gauge"]
        for values, number in metric.samples:
            pairs = ",".join(f'{label}="{_escaped(value)}"' for label, value in zip(metric.labels, values, strict=True))
            lines.append(f"{metric.name}{{{pairs}}} {number}" if pairs else f"{metric.name} {number}")
    return "\n".join(lines) + "\n"


def _oldest(sql: Sql, now: int) -> float:
    row = sql.one(
        "SELECT min(oldest) FROM (SELECT (SELECT min(due_at) FROM message WHERE line_id = line.id AND head"
        " AND state = 'queued') AS oldest FROM line WHERE deleted_at IS NULL AND state IN ('active', 'unreachable'))"
        " AS waiting"
    )
    return 0.0 if row is None or row[0] is None else round(max(0.0, (now - row[0]) / SECOND), 3)


def _open_runs(sql: Sql) -> list[tuple[str, int]]:
    """A run that is not over has a time to wake, a message to wait for, or an owner: three small indexes."""
    rows = sql.all(
        "SELECT status, count(*) FROM run WHERE status IN ('queued', 'running', 'waiting') AND id IN"
        " (SELECT id FROM run WHERE wake_at IS NOT NULL UNION SELECT id FROM run WHERE awaits IS NOT NULL"
        " UNION SELECT id FROM run WHERE owner IS NOT NULL) GROUP BY status"
    )
    return [(status, count) for status, count in rows]


def _filled(known: Iterable[tuple[str, ...]], rows: Iterable[Sequence[Any]]) -> list[tuple[tuple[str, ...], int]]:
    found: dict[tuple[str, ...], int] = dict.fromkeys(known, 0)
    found.update({tuple(values): count for *values, count in rows})
    return list(found.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
