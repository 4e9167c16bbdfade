"""Storing what is accepted: all requests that have gathered, with their runs, in a handful of statements.

Under load a statement costs more than the row it writes, and while one process writes, the others wait for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.delivery.outbox import Claimed
from hub.endpoints import records
from hub.endpoints.parse import Note
from hub.endpoints.records import Record
from hub.scenarios import new_runs
from hub.scenarios.advance import Globals
from hub.scenarios.library import PortalView, is_current, settings_stamps
from hub.scenarios.new_runs import Beginning
from hub.sql import Sql

DUPLICATE_DIFFERS = Note("duplicate_differs", "An earlier request had the same event key and another body.")


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request with the run that it begins, and the settings that this was computed with. `key`: the event's, and
    `body_hash` what tells whether a repeated event brings the same."""

    view: PortalView
    used: Globals
    record: Record
    new: Beginning
    key: str | None
    body_hash: str


def store_all(sql: Sql, accepted: Sequence[Accepted]) -> list[str | list[Claimed] | None]:
    """Inside a job: for each request the messages claimed for its caller, the id of the run that its event has begun
    before, or None when the settings it was computed with have changed: then nothing of it is stored."""
    stamps = settings_stamps(sql, {one.view.id for one in accepted})
    answers: list[str | list[Claimed] | None] = [None] * len(accepted)
    fresh: list[int] = []
    for place, one in enumerate(accepted):
        if one.used.touched:
            # Its globals may be those that an earlier one of these has just set: it is looked at and stored alone.
            if is_current(sql, one.view, one.used):
                answers[place] = _taken(sql, one) or _store(sql, [one])[0]
        elif stamps.get(one.view.id) == one.view.config:
            answers[place] = _taken(sql, one)
            if answers[place] is None:
                fresh.append(place)
    for place, claimed in zip(fresh, _store(sql, [accepted[place] for place in fresh]), strict=True):
        answers[place] = claimed
    return answers


def _store(sql: Sql, accepted: Sequence[Accepted]) -> list[list[Claimed]]:
    if not accepted:
        return []
    records.insert_all(sql, [one.record for one in accepted])
    return new_runs.insert_all(sql, [one.new for one in accepted])


def _taken(sql: Sql, one: Accepted) -> str | None:
    """Take the event's key; the run of the event when somebody has it already: then the request is kept as such."""
    if one.key is None:
        return None
    run = one.new.run
    assert run.request_id is not None
    first = records.take_key(
        sql, run.scenario_id, one.key, run.portal_id, run.request_id, run.id, one.body_hash, one.new.now
    )
    if first is None:
        return None
    records.insert(sql, one.record.repeated(first, () if first.body_hash == one.body_hash else (DUPLICATE_DIFFERS,)))
    return first.run_id
