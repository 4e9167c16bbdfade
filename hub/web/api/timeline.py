"""The switch for comments beside the cards of a portal."""

from hub.bitrix24 import connections
from hub.errors import Conflict
from hub.sql import Sql
from hub.values import Value
from hub.web.api.base import Call, Input, route


class TimelineInput(Input):
    """Whether what a scenario sends for a card is written beside it."""

    enabled: bool


@route("PUT", "/bitrix24/timeline", summary="Comments beside cards, on or off", body=TimelineInput, role="admin")
def switch_timeline(call: Call) -> Value:
    """`{"enabled"}`. 409 for a portal that is not connected with Bitrix24."""
    given: TimelineInput = call.body

    def job(sql: Sql) -> bool:
        return connections.set_timeline(sql, call.portal_id, given.enabled)

    if not call.hub.db.writer.run(job):
        raise Conflict("This portal is not connected with Bitrix24.", code="not_connected")
    return {"enabled": given.enabled}
