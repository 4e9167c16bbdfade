"""Storing new runs with their first advance: one, or all that begin at the same time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub.delivery.outbox import Claimed
from hub.scenarios import effects
from hub.scenarios.advance import Advance
from hub.scenarios.effects import Effects, effects_of
from hub.scenarios.library import PortalView
from hub.scenarios.state import State
from hub.scenarios.store import RunRow, claim_heads, is_settled, reason_of, standing
from hub.sql import Sql
from hub.values import dumps

_INSERT = """
INSERT INTO run (id, portal_id, scenario_id, version_id, version, request_id, status, state, warnings, result,
                 error, wake_at, awaits, owner, fence, dry, created_at, ended_at, reason)
"""
_ROW = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, FALSE, ?, ?, ?)"


@dataclass(frozen=True)
class NewRun:
    """A run about to be stored for the first time."""

    id: str
    portal_id: int
    scenario_id: int
    version_id: int
    version: int
    request_id: str | None
    created_at: int


@dataclass(frozen=True, slots=True)
class Beginning:
    """A new run and its first advance as they are to be written; made by `beginning`."""

    run: NewRun
    state: State
    made: Advance
    row: tuple[Any, ...]
    effects: Effects
    now: int
    owner: str | None
    kept: bool


def beginning(
    run: NewRun,
    state: State,
    made: Advance,
    view: PortalView,
    *,
    now: int,
    ttl_s: float,
    owner: str | None = None,
) -> Beginning:
    """Outside of any job, which others wait for: what is to be written of a new run.

    With `owner`, the messages that the maker may send at once come back claimed, and with the message that it waits
    for the run itself is the maker's, see `goes_on`. Else it belongs to nobody yet: whoever claims it first makes the
    call it asks for.
    """
    status, wake_at, owned = standing(made, state, None, now)
    kept = owner is not None and [planned.id for planned in made.messages] == [made.awaits]
    row = (
        run.id,
        run.portal_id,
        run.scenario_id,
        run.version_id,
        run.version,
        run.request_id,
        status,
        state.to_json(),
        dumps(made.warnings),
        None if made.result is None else dumps(made.result),
        None if made.error is None else dumps(made.error),
        wake_at,
        made.awaits,
        owner if kept else owned,
        run.created_at,
        now if made.ended else None,
        reason_of(made),
    )
    left = effects_of(run.id, run.portal_id, made, view, now=now, ttl_s=ttl_s, scenario_id=run.scenario_id)
    return Beginning(run, state, made, row, left, now, owner, kept)


def insert(sql: Sql, new: Beginning) -> list[Claimed]:
    """Inside a job: `insert_all` for one."""
    return insert_all(sql, [new])[0]


def insert_all(sql: Sql, new: Sequence[Beginning]) -> list[list[Claimed]]:
    """Inside a job: store new runs with all that their first advances made; the messages claimed, for each run."""
    sql.insert(_INSERT, _ROW, [one.row for one in new])
    heads = effects.write(sql, [one.effects for one in new], now=max(one.now for one in new))
    for one in new:
        if is_settled(sql, one.made, one.state):
            sql.run("UPDATE run SET wake_at = ? WHERE id = ?", (one.now, one.run.id))
    return _claimed(sql, new, heads)


def _claimed(sql: Sql, new: Sequence[Beginning], heads: set[str]) -> list[list[Claimed]]:
    claimed: dict[str, Claimed] = {}
    for owner in {one.owner for one in new if one.owner is not None}:
        own = [one for one in new if one.owner == owner]
        now = max(one.now for one in own)
        claimed |= claim_heads(sql, [one.effects for one in own], heads, owner=owner, now=now)
    found = [[claimed[entry.id] for entry in one.effects.entries if entry.id in claimed] for one in new]
    for one, its in zip(new, found, strict=True):
        if one.kept and not goes_on(one.made, its):
            sql.run("UPDATE run SET owner = NULL WHERE id = ?", (one.run.id,))
    return found


def goes_on(made: Advance, claimed: Sequence[Claimed]) -> bool:
    """Whether who stored a new run may go on with it: what it waits for is one message, and he has claimed that."""
    return made.awaits is not None and [one.id for one in claimed] == [made.awaits]


def stored_row(run: NewRun, state: State, made: Advance) -> RunRow:
    """A new run as it has been stored, for who goes on with it at once."""
    known = (run.id, run.portal_id, run.scenario_id, run.version_id, run.request_id)
    return RunRow(*known, state.to_json(), dumps(made.warnings), 1, run.created_at)
