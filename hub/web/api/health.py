"""The route about health: is everything there that a message needs on its way?"""

from hub.notices import book
from hub.upkeep.health import checks_of
from hub.values import Value
from hub.web.api.base import Call, route

NOTICES = 50


@route("GET", "/health", summary="What works and what does not", shape="Health")
def read_health(call: Call) -> Value:
    """200 either way; `ok` is true only when every check is. `notices`: the latest of those that are open."""
    checks = checks_of(call.hub, call.portal_id)
    with call.hub.db.read() as session:
        found = book.find(session, call.portal_id, is_open=True, below=None, limit=NOTICES)
        notices = [book.to_dict(notice) for notice in found]
    return {"ok": all(check.ok for check in checks), "checks": [one.to_dict() for one in checks], "notices": notices}
