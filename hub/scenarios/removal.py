"""Taking scenarios away, and bringing them back."""

from sqlmodel import Session

from hub.clock import now_us
from hub.errors import NotFound
from hub.scenarios.models import Scenario
from hub.scenarios.versions import take_name, touch


def delete(session: Session, scenario: Scenario) -> None:
    """Take a scenario away: its links are unknown from now on, its name is free. Its journal and versions stay."""
    scenario.deleted_at = now_us()
    scenario.name_key = f"deleted {scenario.id}"
    touch(session, scenario)


def bring_back(session: Session, portal_id: int, scenario_id: int) -> Scenario:
    """Undo a deletion: with its links, switched on or off as it was. Raises NotFound; Invalid (`name_taken`)."""
    scenario = session.get(Scenario, scenario_id, with_for_update=True)
    if scenario is None or scenario.portal_id != portal_id or scenario.deleted_at is None:
        raise NotFound("There is no such scenario.")
    take_name(session, scenario, scenario.name)
    scenario.deleted_at = None
    touch(session, scenario)
    return scenario
