"""Finding requests for lists."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from hub.clock import SECOND
from hub.endpoints import card_event
from hub.endpoints.models import IncomingRequest
from hub.errors import NotFound
from hub.ids import id_at
from hub.scenarios.listing import OUTCOMES
from hub.scenarios.queries import MAKING_US, newest_of_each, of_portal

USUAL = "run"
ACCEPTED = ("run", "captured")
MOST_COUNTED = 20_000
HISTORY_DAYS = 7
_DAY_US = 86_400 * SECOND


@dataclass(frozen=True)
class RequestFilter:
    """Which requests; times in µs."""

    scenario: int | None = None
    outcome: str | None = None
    after: int | None = None
    before: int | None = None


def find(
    session: Session, portal_id: int, wanted: RequestFilter, *, below: str | None, limit: int
) -> list[IncomingRequest]:
    """The newest first, those with ids below `below`."""
    conditions: list[ColumnElement[bool]] = []
    ids, received_at = col(IncomingRequest.id), col(IncomingRequest.received_at)
    # Ids sort by time, so the index leads to the span at once; an id is made within a moment of the request.
    if wanted.after is not None:
        conditions += [received_at >= wanted.after, ids >= id_at(wanted.after - MAKING_US)]
    if wanted.before is not None:
        conditions += [received_at < wanted.before, ids < id_at(wanted.before + MAKING_US)]
    if below is not None:
        conditions.append(ids < below)
    of_this = col(IncomingRequest.portal_id) == portal_id
    if wanted.scenario is not None:
        of_scenario = [of_this, col(IncomingRequest.scenario_id) == wanted.scenario, *conditions]
        outcomes = OUTCOMES if wanted.outcome is None else (wanted.outcome,)
        found = newest_of_each(session, ids, col(IncomingRequest.outcome), outcomes, of_scenario, limit)
        return list(session.exec(select(IncomingRequest).where(ids.in_(found)).order_by(ids.desc())))
    query = select(IncomingRequest).where(*conditions)
    if wanted.outcome is not None:
        query = query.where(IncomingRequest.outcome == wanted.outcome)
    if wanted.outcome not in (None, USUAL):
        # What is rare is found through the scenarios, whose index knows the outcome.
        of_this = col(IncomingRequest.scenario_id).in_(of_portal(portal_id))
    return list(session.exec(query.where(of_this).order_by(ids.desc()).limit(limit)))


def get(session: Session, portal_id: int, request_id: str) -> IncomingRequest:
    """A request of this portal. Raises NotFound."""
    found = session.get(IncomingRequest, request_id)
    if found is None or found.portal_id != portal_id:
        raise NotFound("There is no such request.")
    return found


def how_often(session: Session, scenario_id: int, *, by_cards: bool, now: int) -> tuple[int, int]:
    """How many requests the last week had that start the scenario or would have while it was switched off, and in how
    many days: from the first of them on. (0, 0) where none are kept, or the last is not of the kind that `by_cards`
    names: then they tell nothing of the start as it is now."""
    accepted = (
        IncomingRequest.scenario_id == scenario_id,
        col(IncomingRequest.outcome).in_(ACCEPTED),
        col(IncomingRequest.id) >= id_at(now - HISTORY_DAYS * _DAY_US),
    )
    newest_first = select(IncomingRequest.id).where(*accepted).order_by(col(IncomingRequest.id).desc())
    counted = newest_first.limit(MOST_COUNTED).subquery()
    count, first, last = session.exec(
        select(func.count(), func.min(counted.c.id), func.max(counted.c.id)).select_from(counted)
    ).one()
    if count == 0:
        return 0, 0
    oldest, newest = session.get_one(IncomingRequest, first), session.get_one(IncomingRequest, last)
    if (newest.method == card_event.METHOD) != by_cards:
        return 0, 0
    begun = (now - oldest.received_at) // _DAY_US + 1
    return count, min(HISTORY_DAYS, max(1, begun))
