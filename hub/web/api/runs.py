"""Routes about runs: what scenarios did, step by step."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field, field_validator
from sqlmodel import Session, col, select

from hub.clock import rfc3339
from hub.delivery.models import Message
from hub.errors import NotFound
from hub.scenarios import queries, variables
from hub.scenarios.models import Constant, Run, Step
from hub.scenarios.queries import STATUSES, RunFilter
from hub.values import Value, as_text, loads
from hub.web.access.identity import only_looks
from hub.web.api.base import MAX_INT, Call, SpanQuery, route, within
from hub.web.api.paging import page, text_cursor
from hub.web.redaction import redacted, without_secrets, without_texts


class RunQuery(SpanQuery):
    """A part of the list of runs. `status` is one or several with commas."""

    scenario: int | None = Field(None, ge=0, le=MAX_INT)
    status: str | None = None

    @field_validator("status")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is not None and any(status not in STATUSES for status in value.split(",")):
            raise ValueError(f"A status is one of {', '.join(STATUSES)}")
        return value


@route("GET", "/runs", summary="Runs", query=RunQuery, shape="RunSummary", page=True)
def list_runs(call: Call) -> Value:
    """The newest first, without their steps."""
    wanted: RunQuery = call.query
    after, before = within(wanted)
    statuses = tuple(wanted.status.split(",")) if wanted.status is not None else ()
    cursor = text_cursor(wanted.cursor)
    with call.hub.db.read() as session:
        sought = RunFilter(wanted.scenario, statuses, after, before)
        found = queries.find(session, call.portal_id, sought, below=cursor, limit=wanted.limit + 1)
        return page(found, wanted.limit, lambda run: run.id, _summary)


@route("GET", "/runs/{run_id}", summary="One run", shape="Run")
def read_run(call: Call, run_id: str) -> Value:
    """With its steps, its messages and its result."""
    with call.hub.db.read() as session:
        return shown(session, call.portal_id, run_id)


def shown(session: Session, portal_id: int, run_id: str) -> dict[str, Any]:
    """A run as the API shows it. Raises NotFound."""
    run = session.get(Run, run_id)
    if run is None or run.portal_id != portal_id:
        raise NotFound("There is no such run.")
    steps = session.exec(select(Step).where(Step.run_id == run.id).order_by(col(Step.n)))
    sent = select(Message.id).where(Message.run_id == run.id, Message.portal_id == portal_id)
    constants = variables.all_of(session, Constant, portal_id) if only_looks() else []
    secrets = [as_text(loads(row.value)) for row in constants]
    return _summary(run) | {
        "steps": [_step(step, secrets) for step in steps],
        "messages": list(session.exec(sent.order_by(col(Message.seq)))),
        "result": without_texts(_opened(run.result), secrets),
    }


def _summary(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "scenario": run.scenario_id,
        "version": run.version,
        "request": run.request_id,
        "status": run.status,
        "dry": run.dry,
        "warnings": loads(run.warnings),
        "error": None if run.error is None else loads(run.error),
        "created_at": rfc3339(run.created_at),
        "ended_at": rfc3339(run.ended_at),
    }


def _step(step: Step, secrets: Sequence[str]) -> dict[str, Any]:
    given = _opened(step.input)
    return {
        "block": step.block,
        "type": step.type,
        "status": step.status,
        "port": step.port,
        "input": without_texts(without_secrets(given) if only_looks() else given, secrets),
        "output": without_texts(_opened(step.output), secrets),
        "error": None if step.error is None else loads(step.error),
        "started_at": rfc3339(step.started_at),
        "ms": step.ms,
    }


def _opened(stored: str | None) -> Value:
    return None if stored is None else redacted(loads(stored))
