"""A second scenario like a first one, to be changed without touching what runs."""

from sqlmodel import Session

from hub.core import Hub
from hub.scenarios import starting_points, versions
from hub.scenarios.versions import Saved

KEPT = 80
"""Letters of a long name that the copy's keeps: what is added to it and a number have room, too."""


def duplicate(session: Session, hub: Hub, portal_id: int, scenario_id: int, *, called: str, by: str) -> Saved:
    """Keep the newest version of a scenario as a new one, switched off, with links of its own.

    `called` is its name, `{}` in it that of the first. Raises NotFound.
    """
    scenario = versions.get(session, portal_id, scenario_id)
    document = versions.document_of(versions.version(session, scenario))
    short = scenario.name[:KEPT]
    name = starting_points.free_name(session, portal_id, called.replace("{}", short))
    made = document.model_copy(update={"name": name})
    saved = versions.save(session, hub, portal_id, made, draft=True, by=by)
    versions.set_enabled(session, hub, saved.scenario, False)
    return saved
