"""Reading scenarios and runs for pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from hub.scenarios.models import Run, Scenario
from hub.values import loads


@dataclass(frozen=True)
class RunLine:
    """A run as lists show it; times in µs."""

    id: str
    scenario_id: int
    scenario: str
    status: str
    created_at: int
    ended_at: int | None
    error: str
    """Why it failed, one sentence; empty when it did not."""


def count_by_status(session: Session, portal_id: int, *, since: int) -> dict[str, int]:
    """How many runs began since then, by status; dry ones do not count."""
    query = select(Run.status, func.count()).where(
        Run.portal_id == portal_id, Run.created_at >= since, col(Run.dry).is_(False)
    )
    return dict(session.exec(query.group_by(Run.status)).all())


def latest(session: Session, portal_id: int, *, limit: int) -> list[RunLine]:
    """The newest runs, dry ones left out."""
    return _lines(session, [Run.portal_id == portal_id, col(Run.dry).is_(False)], limit)


def of_ids(session: Session, portal_id: int, ids: Sequence[str]) -> list[RunLine]:
    """These runs of a portal, the newest first."""
    return _lines(session, [Run.portal_id == portal_id, col(Run.id).in_(ids)], len(ids))


def _lines(session: Session, conditions: Sequence[Any], limit: int) -> list[RunLine]:
    query = select(Run, Scenario.name).join(Scenario, col(Scenario.id) == Run.scenario_id).where(*conditions)
    rows = session.exec(query.order_by(col(Run.id).desc()).limit(limit)).all()
    return [
        RunLine(run.id, run.scenario_id, name, run.status, run.created_at, run.ended_at, reason_of(run.error))
        for run, name in rows
    ]


def reason_of(error: str | None) -> str:
    """What a stored error says, one sentence; empty for none."""
    return str((loads(error) or {}).get("message") or "") if error else ""


def any_scenario(session: Session, portal_id: int) -> bool:
    """Whether the portal has a scenario."""
    query = select(Scenario.id).where(Scenario.portal_id == portal_id, col(Scenario.deleted_at).is_(None))
    return session.exec(query.limit(1)).first() is not None
