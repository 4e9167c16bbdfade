"""Reading scenarios and runs for pages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, union_all
from sqlalchemy import select as columns
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from hub.clock import SECOND
from hub.delivery.undelivered import message_of
from hub.ids import id_at
from hub.scenarios.models import Run, Scenario, Version
from hub.values import loads


@dataclass(frozen=True)
class RunLine:
    """A run as lists show it; times in µs."""

    id: str
    request_id: str | None
    scenario_id: int
    scenario: str
    status: str
    created_at: int
    ended_at: int | None
    error: str
    """Why it failed, one sentence; empty when it did not."""


STATUSES = ("queued", "running", "waiting", "completed", "partial", "failed", "cancelled", "expired")
IN_TROUBLE = ("failed", "partial", "cancelled", "expired")
USUAL = "completed"
NOT_OVER = ("queued", "running", "waiting")
MOST_OF_REQUEST = 50
MOST_OF_REQUESTS = 1_000
MAKING_US = 60 * SECOND
"""How long after its id was made a run or a request may have been dated, at most."""


@dataclass(frozen=True)
class RunFilter:
    """Which runs; times in µs."""

    scenario: int | None = None
    statuses: tuple[str, ...] = ()
    after: int | None = None
    before: int | None = None


def find(session: Session, portal_id: int, wanted: RunFilter, *, below: str | None, limit: int) -> list[Run]:
    """The newest first, those with ids below `below`."""
    conditions: list[ColumnElement[bool]] = []
    # Ids sort by time, so the index leads to the span at once; an id is made within a moment of the run.
    if wanted.after is not None:
        conditions += [col(Run.created_at) >= wanted.after, col(Run.id) >= id_at(wanted.after - MAKING_US)]
    if wanted.before is not None:
        conditions += [col(Run.created_at) < wanted.before, col(Run.id) < id_at(wanted.before + MAKING_US)]
    if below is not None:
        conditions.append(col(Run.id) < below)
    newest_first = col(Run.id).desc()
    if wanted.scenario is not None:
        of_scenario = [col(Run.portal_id) == portal_id, col(Run.scenario_id) == wanted.scenario, *conditions]
        found = newest_of_each(session, col(Run.id), col(Run.status), wanted.statuses or STATUSES, of_scenario, limit)
        return list(session.exec(select(Run).where(col(Run.id).in_(found)).order_by(newest_first)))
    query = select(Run).where(*conditions)
    if wanted.statuses:
        query = query.where(col(Run.status).in_(wanted.statuses))
    if wanted.statuses and USUAL not in wanted.statuses:
        # What is rare is found through the scenarios, whose index knows the status; the portal's own index would lead
        # past all the runs that worked.
        query = query.where(col(Run.scenario_id).in_(of_portal(portal_id)))
    else:
        query = query.where(Run.portal_id == portal_id)
    return list(session.exec(query.order_by(newest_first).limit(limit)))


def newest_of_each(
    session: Session,
    key: Mapped[str],
    kind: Mapped[str],
    kinds: Sequence[str],
    conditions: Sequence[ColumnElement[bool]],
    limit: int,
) -> list[str]:
    """The keys of the newest rows whose `kind` is one of these; the keys sort by time.

    A walk for each kind, down an index that has it before the key: as one condition about several kinds it would have
    every row read and sorted, where the newest few will do.
    """
    each = dict.fromkeys(kinds)
    walks = [columns(key).where(*conditions, kind == one).order_by(key.desc()).limit(limit) for one in each]
    ends = union_all(*(columns(walk.subquery()) for walk in walks))
    return sorted(session.connection().execute(ends).scalars(), reverse=True)[:limit]


def of_portal(portal_id: int) -> "SelectOfScalar[int | None]":
    """The portal's scenarios, those that were deleted too, as a part of a query."""
    return select(col(Scenario.id)).where(Scenario.portal_id == portal_id)


def count_by_status(session: Session, portal_id: int, *, since: int) -> dict[str, int]:
    """How many runs began since then, by status; dry ones do not count."""
    query = select(Run.status, func.count()).where(
        Run.portal_id == portal_id,
        Run.created_at >= since,
        Run.id >= id_at(since - MAKING_US),
        col(Run.dry).is_(False),
    )
    return dict(session.exec(query.group_by(Run.status)).all())


def latest(session: Session, portal_id: int, *, limit: int) -> list[RunLine]:
    """The newest runs, dry ones left out."""
    return _lines(session, [Run.portal_id == portal_id, col(Run.dry).is_(False)], limit)


def of_ids(session: Session, portal_id: int, ids: Sequence[str]) -> list[RunLine]:
    """These runs of a portal, the newest first."""
    return _lines(session, [Run.portal_id == portal_id, col(Run.id).in_(ids)], len(ids))


def _lines(session: Session, conditions: Sequence[Any], limit: int) -> list[RunLine]:
    # Their memories, which may be long, are left where they are.
    query = (
        columns(
            col(Run.id),
            col(Run.request_id),
            col(Run.scenario_id),
            col(Scenario.name),
            col(Run.status),
            col(Run.created_at),
            col(Run.ended_at),
            col(Run.error),
        )
        .join(Scenario, col(Scenario.id) == Run.scenario_id)
        .where(*conditions)
    )
    rows = session.connection().execute(query.order_by(col(Run.id).desc()).limit(limit)).all()
    return [
        RunLine(run_id, request_id, scenario_id, name, status, created_at, ended_at, message_of(error))
        for run_id, request_id, scenario_id, name, status, created_at, ended_at, error in rows
    ]


def newest_of_requests(session: Session, portal_id: int, request_ids: Sequence[str]) -> dict[str, RunLine]:
    """The newest run that each of these requests began, by request."""
    # As one condition beside that about the portal, SQLite would go through the portal's whole journal in its order.
    of_these = select(col(Run.id)).where(col(Run.request_id).in_(request_ids))
    conditions = [Run.portal_id == portal_id, col(Run.id).in_(of_these), col(Run.dry).is_(False)]
    found = _lines(session, conditions, MOST_OF_REQUESTS) if request_ids else []
    return {run.request_id: run for run in reversed(found) if run.request_id}


def of_request(session: Session, portal_id: int, request_id: str) -> list[RunLine]:
    """The runs that a request began, the newest first."""
    return _lines(session, [Run.portal_id == portal_id, Run.request_id == request_id], MOST_OF_REQUEST)


def names(session: Session, portal_id: int) -> dict[int, str]:
    """What the portal's scenarios are called, those that were deleted too, by id; the newest first."""
    query = select(Scenario.id, Scenario.name).where(Scenario.portal_id == portal_id)
    return {number: name for number, name in session.exec(query.order_by(col(Scenario.id).desc())) if number}


def version_at(session: Session, portal_id: int, scenario_id: int, n: int) -> Version | None:
    """A version by its number, also of a scenario that was deleted."""
    query = select(Version).where(Version.scenario_id == scenario_id, Version.portal_id == portal_id, Version.n == n)
    return session.exec(query).one_or_none()


def blocks_of(session: Session, version_ids: Iterable[int]) -> dict[int, dict[str, tuple[str, str]]]:
    """The own titles, perhaps empty, and the types of the blocks of these versions, by version and block."""
    query = select(Version.id, Version.document).where(col(Version.id).in_(list(version_ids)))
    return {
        number: {node["id"]: (node.get("title") or "", node["type"]) for node in loads(document)["blocks"]}
        for number, document in session.exec(query)
        if number is not None
    }


def version_before(session: Session, portal_id: int, scenario_id: int, n: int) -> int | None:
    """The number of the last version before `n` that could be brought back: no draft, without errors."""
    query = select(Version.n).where(Version.scenario_id == scenario_id, Version.portal_id == portal_id, Version.n < n)
    query = query.where(col(Version.draft).is_(False), col(Version.clean).is_(True))
    return session.exec(query.order_by(col(Version.n).desc()).limit(1)).first()


def any_scenario(session: Session, portal_id: int) -> bool:
    """Whether the portal has a scenario."""
    query = select(Scenario.id).where(Scenario.portal_id == portal_id, col(Scenario.deleted_at).is_(None))
    return session.exec(query.limit(1)).first() is not None
