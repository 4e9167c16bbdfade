"""Routes that run something again: a replay of a kept request, taking up or stopping a run."""

from typing import Literal

from flask import Response, current_app
from pydantic import Field

from hub.endpoints import replay, taking_up
from hub.runtime import Runtime
from hub.values import Value
from hub.web.api.base import Call, Input, answer, route
from hub.web.api.runs import shown


class ReplayInput(Input):
    """Which version to run the request on, and how."""

    version: Literal["same", "current", "draft"] = "current"
    dry: bool = False
    only_undelivered: bool = False


class RetryInput(Input):
    """Where a failed run goes on, and on which version."""

    from_: Literal["failed", "start"] = Field("failed", alias="from")
    version: Literal["same", "current"] = "same"


@route(
    "POST",
    "/requests/{request_id}/replay",
    summary="Run a kept request again",
    body=ReplayInput,
    optional=True,
    status=202,
    shape="Replayed",
)
def replay_request(call: Call, request_id: str) -> Response:
    """202 with the new run and how many messages would go out a second time; with `dry` 200 and the trace."""
    given: ReplayInput = call.body
    made = replay.replay(
        _runtime(),
        call.portal_id,
        request_id,
        version=given.version,
        dry=given.dry,
        only_undelivered=given.only_undelivered,
    )
    return answer(made, 200 if given.dry else 202)


@route(
    "POST",
    "/runs/{run_id}/retry",
    summary="Take up a failed run",
    body=RetryInput,
    optional=True,
    status=202,
    shape="Replayed",
)
def retry_run(call: Call, run_id: str) -> Response:
    """From the failed block the same run goes on; from the start a new one begins. 409 for a run that is not over."""
    given: RetryInput = call.body
    made = taking_up.retry(_runtime(), call.portal_id, run_id, start=given.from_, version=given.version)
    return answer(made, 202)


@route("POST", "/runs/{run_id}/cancel", summary="Stop a run", shape="Run")
def cancel_run(call: Call, run_id: str) -> Value:
    """The stopped run; messages of it that were still queued are cancelled. 409 for a run that is over."""
    taking_up.cancel(_runtime(), call.portal_id, run_id)
    with call.hub.db.read() as session:
        return shown(session, call.portal_id, run_id)


def _runtime() -> Runtime:
    runtime: Runtime = current_app.extensions["hub.runtime"]
    return runtime
