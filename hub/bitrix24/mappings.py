"""The mapping that a portal has for each kind of card: its own, or the one that works right after the installation."""

from collections.abc import Sequence

from hub.bitrix24 import watching
from hub.bitrix24.entities import kind_of
from hub.clock import now_us
from hub.scenarios.library import Library, PortalView
from hub.scenarios.mapping_row import MappingRow
from hub.scenarios.portal_mapping import rows_from
from hub.sql import Sql
from hub.values import Value, dumps

ENTITIES = ("deal", "contact", "lead", "company")


def rows_of(sql: Sql, portal_id: int, entity: str) -> list[MappingRow]:
    """The rows that a scenario without own ones uses."""
    row = sql.one("SELECT rows FROM bitrix24_mapping WHERE portal_id = ? AND entity = ?", (portal_id, entity))
    return rows_from(None if row is None else row[0], entity)


def put(sql: Sql, portal_id: int, entity: str, rows: Sequence[MappingRow]) -> None:
    """Inside a job: from now on a portal's scenarios get these variables. Raises ValueError for an unknown entity."""
    kind_of(entity)
    sql.run(
        "INSERT INTO bitrix24_mapping (portal_id, entity, rows, updated_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (portal_id, entity) DO UPDATE SET rows = excluded.rows, updated_at = excluded.updated_at",
        (portal_id, entity, dumps([row.model_dump() for row in rows]), now_us()),
    )


def reset(sql: Sql, portal_id: int, entity: str) -> None:
    """Inside a job: from now on a portal's scenarios get the usual variables again."""
    sql.run("DELETE FROM bitrix24_mapping WHERE portal_id = ? AND entity = ?", (portal_id, entity))


def entities_of(sql: Sql, portal_id: int) -> list[str]:
    """The kinds of cards that a portal has a mapping for."""
    own = [row[0] for row in sql.all("SELECT entity FROM bitrix24_mapping WHERE portal_id = ?", (portal_id,))]
    return [*ENTITIES, *sorted(set(own) - set(ENTITIES))]


def to_dict(
    sql: Sql, portal_id: int, entity: str, *, library: Library | None = None, view: PortalView | None = None
) -> dict[str, Value]:
    """As the API shows it: the rows, whether they are the portal's own, and which scenarios use them."""
    own = sql.one("SELECT 1 FROM bitrix24_mapping WHERE portal_id = ? AND entity = ?", (portal_id, entity))
    used = users_of(library, view, entity) if library is not None and view is not None else []
    return {
        "entity": entity,
        "rows": [row.model_dump() for row in rows_of(sql, portal_id, entity)],
        "default": own is None,
        "used_by": [{"id": scenario_id, "name": name} for scenario_id, name in used],
    }


def users_of(library: Library, view: PortalView, entity: str) -> list[tuple[int, str]]:
    """The published scenarios that cards of this kind start and that use the portal's mapping."""
    found = watching.watchers(library, view, entity)
    return [(one.scenario.id, one.scenario.name) for one in found if one.config.mapping is None]
