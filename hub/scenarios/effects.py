"""What an advance leaves behind beside its run's row: steps, global variables, messages.

Made into rows by whoever computed the advance, so that the transaction, which others wait for, only writes them; the
rows of many runs go in together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.clock import SECOND, from_us, to_us
from hub.delivery import outbox
from hub.delivery.outbox import Entry
from hub.scenarios.advance import Advance, Planned, StepRecord
from hub.scenarios.block import LineInfo
from hub.scenarios.library import PortalView
from hub.sql import Sql
from hub.values import Value, dumps

_INSERT_STEP = "INSERT INTO step (run_id, n, block, type, status, port, input, output, error, started_at, ms)"
_STEP = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_STEP_AGAIN = """ON CONFLICT (run_id, n) DO UPDATE SET status = excluded.status, port = excluded.port,
 input = COALESCE(excluded.input, step.input), output = excluded.output, error = excluded.error, ms = excluded.ms"""


@dataclass(frozen=True, slots=True)
class Effects:
    """Rows of steps, values of global variables as JSON, and messages."""

    portal_id: int
    steps: Sequence[tuple[Any, ...]]
    globals: Mapping[str, str]
    entries: Sequence[Entry]


def effects_of(
    run_id: str,
    portal_id: int,
    made: Advance,
    view: PortalView,
    *,
    now: int,
    ttl_s: float,
    scenario_id: int | None = None,
) -> Effects:
    """The effects of an advance. `scenario_id`: of a run that is stored together with them, as in `Entry`."""
    steps: dict[int, StepRecord] = {}
    for step in made.steps:
        # A block that waits and goes on within one advance is written twice; the second has no input of its own.
        earlier = steps.get(step.n)
        if earlier is not None and step.input is None:
            step.input = earlier.input
        steps[step.n] = step
    entries = []
    for planned in made.messages:
        line = view.line(planned.message.line)
        if line is None:
            raise LookupError(f"line of message {planned.id} is gone")
        entries.append(_entry(planned, line, run_id, portal_id, scenario_id, now, ttl_s))
    return Effects(
        portal_id,
        [_step(run_id, step) for step in steps.values()],
        {name: dumps(value) for name, value in made.globals.items()},
        entries,
    )


def write(sql: Sql, effects: Sequence[Effects], *, now: int) -> set[str]:
    """Inside a job: write them down. The ids of the messages that are heads of their chats."""
    sql.insert(_INSERT_STEP, _STEP, [step for one in effects for step in one.steps], _STEP_AGAIN)
    for one in effects:
        for name, value in one.globals.items():
            sql.run(
                "INSERT INTO global_variable (portal_id, name, value, updated_at) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (portal_id, name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
                (one.portal_id, name, value, now),
            )
        if one.globals:
            sql.run("UPDATE stamp SET globals = globals + 1 WHERE portal_id = ?", (one.portal_id,))
    entries = [entry for one in effects for entry in one.entries]
    heads = outbox.enqueue_all(sql, entries, now=now)
    return {entry.id for entry, head in zip(entries, heads, strict=True) if head}


def _step(run_id: str, step: StepRecord) -> tuple[Any, ...]:
    return (
        run_id,
        step.n,
        step.block,
        step.type,
        step.status,
        step.port,
        None if step.input is None else dumps(step.input),
        None if step.output is None else dumps(step.output),
        None if step.error is None else dumps(step.error),
        step.started_at,
        step.ms,
    )


def _entry(
    planned: Planned, line: LineInfo, run_id: str, portal_id: int, scenario_id: int | None, now: int, ttl_s: float
) -> Entry:
    message = planned.message
    over = message.quiet.over_at(from_us(now)) if message.quiet else None
    due_at = now if over is None else to_us(over)
    lifetime_s = message.best_before_s or ttl_s
    extra: dict[str, Value] = {}
    if message.file_url:
        extra["file_url"] = message.file_url
    if message.buttons:
        extra["buttons"] = [dict(button) for button in message.buttons]
    if message.template:
        extra["template"] = dict(message.template)
    return Entry(
        id=planned.id,
        portal_id=portal_id,
        line_id=line.id,
        run_id=run_id,
        block=planned.block,
        iteration=planned.iteration,
        messenger=message.messenger,
        chat_id=message.chat_id,
        chat_id_raw=message.chat_id_raw,
        text=message.text,
        extra=extra,
        due_at=due_at,
        expires_at=due_at + int(lifetime_s * SECOND),
        scenario_id=scenario_id,
        quiet=None if message.quiet is None else str(message.quiet),
    )
