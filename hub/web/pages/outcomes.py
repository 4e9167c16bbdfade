"""For whom a request or a run was and what came of it, as every list and page says it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask import Flask
from sqlmodel import Session

from hub.delivery import journal
from hub.delivery.journal import Addressed
from hub.endpoints import customers
from hub.endpoints.customers import NOBODY, Customer
from hub.endpoints.models import IncomingRequest
from hub.scenarios import queries
from hub.scenarios.queries import RunLine
from hub.web.pages.words import Shown, state

USUAL = "run"


@dataclass(frozen=True)
class Outcome:
    """`who`: the customer's name and where they are written to, empty where neither is known. `reason`: why the run
    failed, empty when it did not. `shown`: what came of it."""

    who: str
    reason: str
    shown: Shown


def register(app: Flask) -> None:
    """Offer `outcome(run.status, addressed.get(run.id))` to templates."""
    app.jinja_env.globals.update(outcome=outcome)


def outcome(status: str, written: Addressed | None) -> Shown:
    """What came of a run: what its message met where somebody should look at that, or where that is still open; else
    how the run itself ended."""
    if written is not None and written.troubled:
        return state("message", written.troubled[0])
    if written is not None and written.on_its_way and status == "completed":
        return state("message", written.on_its_way[0])
    return state("run", status)


def of_runs(session: Session, portal_id: int, runs: Iterable[RunLine]) -> dict[str, Outcome]:
    """What came of these runs, by run."""
    found = list(runs)
    known = customers.of_requests(session, portal_id, [run.request_id for run in found])
    written = journal.addressed(session, portal_id, [run.id for run in found])
    return {run.id: _of_run(run, known.get(run.request_id or "", NOBODY), written.get(run.id)) for run in found}


def of_requests(session: Session, portal_id: int, found: Sequence[IncomingRequest]) -> dict[str, Outcome]:
    """What came of these requests, by request: of the newest run of each, where it began one."""
    began = [one.id for one in found if one.outcome == USUAL]
    runs = queries.newest_of_requests(session, portal_id, began)
    written = journal.addressed(session, portal_id, [run.id for run in runs.values()])
    made = {}
    for one in found:
        run, customer = runs.get(one.id), customers.customer_of(one)
        if run is None:
            made[one.id] = Outcome(_who(customer, None), "", state("request", one.outcome))
        else:
            made[one.id] = _of_run(run, customer, written.get(run.id))
    return made


def _of_run(run: RunLine, customer: Customer, written: Addressed | None) -> Outcome:
    return Outcome(_who(customer, written), run.error, outcome(run.status, written))


def _who(customer: Customer, written: Addressed | None) -> str:
    where = written.recipients if written is not None else [customer.address]
    return " · ".join(part for part in (customer.name, ", ".join(where)) if part)
