"""The mapping that a portal has for each kind of card: its own, or the one that works right after the installation."""

from collections.abc import Mapping, Sequence

from hub.bitrix24 import watching
from hub.bitrix24.entities import kind_of
from hub.clock import now_us
from hub.scenarios.library import Library, PortalView
from hub.scenarios.mapping_row import Format, MappingRow
from hub.sql import Sql
from hub.values import Value, dumps, loads

ENTITIES = ("deal", "contact", "lead", "company")


def _row(variable: str, field: str, format_: Format | None = None) -> MappingRow:
    return MappingRow(variable=variable, field=field, format=format_)


def _manager() -> list[MappingRow]:
    return [_row("manager", "ASSIGNED_BY.NAME"), _row("manager_last_name", "ASSIGNED_BY.LAST_NAME")]


def _client(of: str = "") -> list[MappingRow]:
    """Names of people; `of` is the link to their card with its dot."""
    return [
        _row("client_name", f"{of}NAME"),
        _row("client_last_name", f"{of}LAST_NAME"),
        _row("phone", f"{of}PHONE", "phone"),
        _row("email", f"{of}EMAIL"),
    ]


def _sale(prefix: str, stage: str) -> list[MappingRow]:
    return [
        _row(prefix, "ID", "id"),
        _row(f"{prefix}_title", "TITLE"),
        _row("sum", "OPPORTUNITY", "money"),
        _row("stage", stage, "label"),
        _row("company", "COMPANY.TITLE"),
    ]


DEFAULTS: Mapping[str, Sequence[MappingRow]] = {
    "deal": [
        *_client("CONTACT."),
        *_sale("order", "STAGE_ID"),
        _row("funnel", "CATEGORY_ID", "label"),
        _row("close_date", "CLOSEDATE", "date"),
        *_manager(),
    ],
    "lead": [*_client(), *_sale("lead", "STATUS_ID"), _row("source", "SOURCE_ID", "label"), *_manager()],
    "contact": [
        *_client(),
        _row("contact", "ID", "id"),
        _row("position", "POST"),
        _row("birthday", "BIRTHDATE", "date"),
        _row("company", "COMPANY.TITLE"),
        *_manager(),
    ],
    "company": [
        _row("company", "TITLE"),
        _row("company_number", "ID", "id"),
        _row("phone", "PHONE", "phone"),
        _row("email", "EMAIL"),
        *_manager(),
    ],
}
_SMART: Sequence[MappingRow] = [*_client("CONTACT."), *_sale("item", "STAGE_ID"), *_manager()]


def rows_of(sql: Sql, portal_id: int, entity: str) -> list[MappingRow]:
    """The rows that a scenario without own ones uses."""
    row = sql.one("SELECT rows FROM bitrix24_mapping WHERE portal_id = ? AND entity = ?", (portal_id, entity))
    if row is None:
        return list(DEFAULTS.get(entity, _SMART))
    return [MappingRow.model_validate(one) for one in loads(row[0])]


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
