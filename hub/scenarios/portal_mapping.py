"""Which fields of a card become which variables where a scenario does not say: what a portal has set, or what works
right after the installation."""

from collections.abc import Mapping, Sequence

from hub.scenarios.mapping_row import Format, MappingRow
from hub.values import loads


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


def rows_from(stored: str | None, entity: str) -> list[MappingRow]:
    """The rows as a portal keeps them for a kind of card; `stored` is None where it has set none."""
    if stored is None:
        return list(DEFAULTS.get(entity, _SMART))
    return [MappingRow.model_validate(one) for one in loads(stored)]
