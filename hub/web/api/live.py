"""How a scenario is doing, for the editor's line of state: asked again every few seconds, so it costs little."""

from hub.clock import SECOND, now_us, rfc3339
from hub.endpoints import queries
from hub.scenarios import drafts, listing, versions
from hub.values import Value, loads
from hub.web.access.identity import asking
from hub.web.api.base import Call, route

EDITING_S = 300
"""Whoever saved a draft within this time counts as drawing."""


@route("GET", "/scenarios/{scenario_id}/live", summary="How a scenario is doing now", shape="Live")
def read_live(call: Call, scenario_id: int) -> Value:
    """What runs, the last day's requests and failures, the last request, and who else is drawing."""
    person = asking()
    with call.hub.db.read() as session:
        scenario = versions.get(session, call.portal_id, scenario_id)
        newest = versions.version(session, scenario)
        found = listing.live(session, scenario)
        last = found["last_request"]
        drawing = newest.draft and newest.created_at > now_us() - EDITING_S * SECOND
        mine = person is not None and newest.saved_by == person.name
        return {
            "version": scenario.latest,
            "revision": drafts.revision(scenario),
            "published": scenario.published,
            "enabled": scenario.enabled,
            "problems": len(loads(newest.problems)),
            "accepted_24h": found["accepted_24h"],
            "failed_24h": found["failed_24h"],
            "last_request": None
            if last is None
            else {"id": last["id"], "at": rfc3339(last["at"]), "state": last["outcome"]},
            "editors": [newest.saved_by] if drawing and newest.saved_by and not mine else [],
        }


@route("GET", "/scenarios/{scenario_id}/frequency", summary="How often a scenario is started", shape="Frequency")
def read_frequency(call: Call, scenario_id: int) -> Value:
    """How many kept requests of the last week start it or would have, and in how many days they came. Nothing of
    before the start became another kind is counted; 0 where nothing is known."""
    with call.hub.db.read() as session:
        scenario = versions.get(session, call.portal_id, scenario_id)
        document = versions.document_of(versions.version(session, scenario))
        by_cards = any(block.type == "bitrix24_event" for block in document.blocks)
        count, days = queries.how_often(session, scenario_id, by_cards=by_cards, now=now_us())
        return {"count": count, "days": days}
