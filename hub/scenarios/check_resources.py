"""What the check of a scenario may ask about its portal, answered from the database."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, select

from connectors.registry import channels
from hub.delivery import lines
from hub.delivery.models import Line
from hub.scenarios import came
from hub.scenarios.block import CrmInfo, LineInfo, PortalNames
from hub.scenarios.mapping_row import MappingRow
from hub.scenarios.models import Constant, GlobalVariable, Scenario
from hub.scenarios.portal_mapping import rows_from
from hub.values import loads

_CATALOGUE = text("SELECT fields, statuses FROM bitrix24_catalogue WHERE portal_id = :portal AND entity = :entity")
_MAPPING = text("SELECT rows FROM bitrix24_mapping WHERE portal_id = :portal AND entity = :entity")


class CheckResources:
    """What the check of a document may ask about its portal, and about the scenario that the document is of."""

    def __init__(self, session: Session, portal_id: int, scenario_id: int | None = None) -> None:
        self._session = session
        self._portal_id = portal_id
        self._scenario_id = scenario_id
        self._lines: dict[str, LineInfo | None] = {}
        self._crm: dict[str, CrmInfo | None] = {}

    def line(self, name: str) -> LineInfo | None:
        """The line of this portal with that name."""
        if name not in self._lines:
            found = lines.by_name(self._session, self._portal_id, name)
            self._lines[name] = None if found is None else line_info(found)
        return self._lines[name]

    def scenario_exists(self, scenario: int) -> bool:
        """Whether this portal has that scenario."""
        found = self._session.get(Scenario, scenario)
        return found is not None and found.portal_id == self._portal_id and found.deleted_at is None

    def crm(self, entity: str) -> CrmInfo | None:
        """The fields and stages of a kind of card, as they were last read from the portal."""
        if entity not in self._crm:
            self._crm[entity] = self._read_crm(entity)
        return self._crm[entity]

    def mapping(self, entity: str) -> list[MappingRow]:
        """Which fields of a kind of card become which variables where a scenario does not say."""
        # The table is of a layer above, too: hub.bitrix24.models.Mapping.
        row = self._session.connection().execute(_MAPPING, {"portal": self._portal_id, "entity": entity}).first()
        return rows_from(None if row is None else row[0], entity)

    def names(self) -> PortalNames:
        """The constants and global variables of the portal, and what the scenario's last requests have brought."""
        constants, shared = (
            frozenset(self._session.exec(select(kind.name).where(kind.portal_id == self._portal_id)))
            for kind in (Constant, GlobalVariable)
        )
        brought = came.names(self._session, self._portal_id, self._scenario_id) if self._scenario_id else frozenset()
        return PortalNames(constants, shared, brought)

    def _read_crm(self, entity: str) -> CrmInfo | None:
        # The table is kept by a layer above; what is read here of its shape is told in hub.bitrix24.fields.
        row = self._session.connection().execute(_CATALOGUE, {"portal": self._portal_id, "entity": entity}).first()
        fields = loads(row[0]) if row is not None else None
        if not isinstance(fields, dict) or not fields:
            return None
        statuses = loads(row[1]) if row is not None else {}
        funnels, stages = statuses.get("categories") or {}, statuses.get("stages") or {}
        return CrmInfo(
            {code: str(shown["title"]) for code, shown in fields.items()},
            {code: _stage(shown, funnels) for code, shown in stages.items()},
        )


def _stage(shown: Mapping[str, Any], funnels: Mapping[str, Any]) -> str:
    """What a stage is called; with its funnel where the portal has several."""
    funnel = funnels.get(shown["category"]) if len(funnels) > 1 else None
    return f"{funnel} · {shown['name']}" if funnel else str(shown["name"])


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
