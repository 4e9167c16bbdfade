"""The route that sends what a scenario would send to the portal's own people."""

from pydantic import Field

from hub.endpoints import to_me
from hub.values import Value
from hub.web.api.base import DOCUMENT_LIMIT, Call, route
from hub.web.api.trying import TestInput, dry_run, runtime
from hub.web.sentences import said


class ToMeInput(TestInput):
    """What is tried, as for a dry run; `block`: only the messages of this one."""

    block: str | None = Field(None, max_length=64)


@route(
    "POST",
    "/scenarios/{scenario_id}/send-to-me",
    summary="Send it to the own numbers",
    body=ToMeInput,
    limit=2 * DOCUMENT_LIMIT,
    shape="SentToMe",
)
def send_to_me(call: Call, scenario_id: int) -> Value:
    """A dry run whose messages really go, at once and to the portal's own numbers only; whoever it would write to is
    not written to. 409 `no_own_numbers` while there are none. What became of a message is told by its own address."""
    given: ToMeInput = call.body
    trace = dry_run(call, scenario_id, given)
    own = to_me.own_numbers(runtime(), call.portal_id)
    planned = [one for one in trace["planned"] if given.block in (None, one["block"])]
    items = to_me.send(runtime(), call.portal_id, planned, own)
    for one in items:
        one["error"] = said(one["error"]) if one["error"] else None
    return {"items": items, "status": trace["status"], "error": trace["error"]}
