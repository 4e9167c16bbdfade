"""Finding requests for lists."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from hub.endpoints.models import IncomingRequest
from hub.errors import NotFound
from hub.ids import id_at
from hub.scenarios.queries import MAKING_US, of_portal

USUAL = "run"


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
    query = select(IncomingRequest)
    if wanted.scenario is None and wanted.outcome not in (None, USUAL):
        # What is rare is found through the scenarios, whose index knows the outcome.
        query = query.where(col(IncomingRequest.scenario_id).in_(of_portal(portal_id)))
    else:
        query = query.where(IncomingRequest.portal_id == portal_id)
    if wanted.scenario is not None:
        query = query.where(IncomingRequest.scenario_id == wanted.scenario)
    if wanted.outcome is not None:
        query = query.where(IncomingRequest.outcome == wanted.outcome)
    # Ids sort by time, so the index leads to the span at once; an id is made within a moment of the request.
    if wanted.after is not None:
        query = query.where(IncomingRequest.received_at >= wanted.after)
        query = query.where(IncomingRequest.id >= id_at(wanted.after - MAKING_US))
    if wanted.before is not None:
        query = query.where(IncomingRequest.received_at < wanted.before)
        query = query.where(IncomingRequest.id < id_at(wanted.before + MAKING_US))
    if below is not None:
        query = query.where(IncomingRequest.id < below)
    return list(session.exec(query.order_by(col(IncomingRequest.id).desc()).limit(limit)))


def get(session: Session, portal_id: int, request_id: str) -> IncomingRequest:
    """A request of this portal. Raises NotFound."""
    found = session.get(IncomingRequest, request_id)
    if found is None or found.portal_id != portal_id:
        raise NotFound("There is no such request.")
    return found
