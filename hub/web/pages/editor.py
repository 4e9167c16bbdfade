"""The page of one scenario: the drawing that people change, and everything that its script begins with."""

from typing import Any

from flask import Response, render_template, request
from sqlmodel import Session

from hub.errors import NotFound
from hub.portals.service import by_id, own_numbers, quiet_hours
from hub.scenarios import versions
from hub.scenarios.document import to_dict
from hub.values import dumps
from hub.web import i18n
from hub.web.api import blocks, runs, scenarios, trying
from hub.web.pages import words
from hub.web.pages.shell import hub, me, page, screens

blueprint = screens("editor")
ADDRESSES = {name: f"/{name}" for name in ("scenarios", "journal", "lines", "fields", "settings")}


@blueprint.get("/scenarios/<int:scenario_id>")
def show(scenario_id: int) -> Response:
    """The editor of a scenario, with its newest version, a draft perhaps."""
    person = me()
    with hub().db.read() as session:
        portal = by_id(session, person.portal_id)
        scenario = versions.get(session, person.portal_id, scenario_id)
        document = to_dict(versions.document_of(versions.version(session, scenario)))
        data: dict[str, Any] = {
            "scenario": scenarios.described(session, hub(), scenario),
            "document": document,
            "version": scenario.latest,
            "checked": blocks.checked(session, person.portal_id, document, scenario_id),
            "blocks": blocks.described(session, person.portal_id),
            "language": i18n.language(),
            "me": {"name": person.name, "role": person.role, "own_numbers": own_numbers(portal)},
            "frame": person.framed,
            "addresses": ADDRESSES,
            "quiet_hours": quiet_hours(portal),
            "states": {kind: words.states(kind) for kind in ("message", "line")},
            "run": _run(session, person.portal_id, scenario_id, request.args.get("run", "")),
        }
    # Nothing in it may end the element that holds it.
    embedded = dumps(data).replace("<", "\\u003c")
    return page(render_template("editor/show.html", name=data["scenario"]["name"], data=embedded, zone=i18n.zone().key))


def _run(session: Session, portal_id: int, scenario_id: int, run_id: str) -> dict[str, Any] | None:
    """The run to be drawn on the blocks, and the request that it began with as the example; None where there is no
    such run of this scenario."""
    if not run_id:
        return None
    try:
        trace = runs.shown(session, portal_id, run_id[:32])
    except NotFound:
        return None
    if trace["scenario"] != scenario_id:
        return None
    example = trying.example_of(session, portal_id, scenario_id, trace["request"]) if trace["request"] else None
    return {"trace": trying.in_words(trace), "example": example}
