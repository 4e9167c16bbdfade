"""What the check of a scenario may ask about its portal, answered from the database."""

from sqlmodel import Session

from connectors.registry import channels
from hub.delivery import lines
from hub.delivery.models import Line
from hub.scenarios.block import LineInfo
from hub.scenarios.models import Scenario


class CheckResources:
    """What the check of a document may ask about its portal."""

    def __init__(self, session: Session, portal_id: int) -> None:
        self._session = session
        self._portal_id = portal_id

    def line(self, name: str) -> LineInfo | None:
        """The line of this portal with that name."""
        found = lines.by_name(self._session, self._portal_id, name)
        return None if found is None else line_info(found)

    def scenario_exists(self, scenario: int) -> bool:
        """Whether this portal has that scenario."""
        found = self._session.get(Scenario, scenario)
        return found is not None and found.portal_id == self._portal_id and found.deleted_at is None


def line_info(line: Line) -> LineInfo:
    """What a block may know of a line."""
    carries = channels()[line.channel].carries
    return LineInfo(
        id=line.id,
        name=line.name,
        channel=line.channel,
        state=line.state,
        country=lines.settings_of(line).country,
        recipients=carries.recipients,
        receipts=carries.receipts,
        templates=carries.templates,
    )
