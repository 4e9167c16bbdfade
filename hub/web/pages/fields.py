"""CRM fields: which of them scenarios may use, under which names, chosen from the values of a real card by clicks."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from flask import Response, redirect, render_template, request
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from pydantic import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from connectors.errors import ConnectorError
from hub.bitrix24 import connections, field_values, mappings, watching
from hub.bitrix24.entities import kind_of
from hub.bitrix24.field_values import Example, Shown
from hub.errors import Conflict, NotFound
from hub.scenarios.form import ENTITIES
from hub.scenarios.inspecting import LINK_TITLES, USER_TITLES
from hub.scenarios.mapping_row import FORMATS, PICKS, MappingRow
from hub.sql import Sql
from hub.values import dumps, loads
from hub.web.pages import filters
from hub.web.pages.shell import hub, me, needs, page, runtime, screens

blueprint = screens("fields")
MOST_ROWS = 100
Rows = list[MappingRow]
_SEMANTICS = {"P": _("in progress"), "S": _("won"), "F": _("lost")}


@blueprint.get("/fields")
@blueprint.get("/fields/<entity>")
def show(entity: str = "deal") -> Response:
    """The variables on one side, the fields of an example with their values on the other."""
    return _page(entity)


@blueprint.post("/fields/<entity>/add")
@needs("editor")
def add(entity: str) -> AnyResponse:
    """A click on a field: it becomes a variable with a name of its own. A row taken away comes back as it was."""
    given, field, title = (request.form.get(name, "") for name in ("row", "field", "title"))

    def change(rows: Rows) -> Rows:
        taken = [row.variable for row in rows]
        if given:
            row = _parsed(given)
            return rows if row.variable in taken else [*rows, row]
        try:
            return [*rows, field_values.row_for(field, title, entity, taken)]
        except ValidationError:
            raise NotFound("There is no such field.") from None

    made = _change(entity, change)
    return _back(entity, added=made[-1].variable if made else None)


@blueprint.post("/fields/<entity>/variables/<variable>")
@needs("editor")
def alter(entity: str, variable: str) -> AnyResponse:
    """Another name, form, choice among several values, or text for when it is empty."""
    given = request.form
    name = given.get("variable", variable).strip()

    def change(rows: Rows) -> Rows:
        if name != variable and any(row.variable == name for row in rows):
            raise Conflict("There is a variable of this name already.", code="duplicate")
        return [_altered(row, name, given) if row.variable == variable else row for row in rows]

    try:
        _change(entity, change)
    except Conflict as error:
        return _page(entity, error.message)
    return _back(entity, anchor=f"row-{name}")


@blueprint.post("/fields/<entity>/variables/<variable>/remove")
@needs("editor")
def remove(entity: str, variable: str) -> AnyResponse:
    """Take a variable away; the page that follows offers it back."""
    gone: Rows = []

    def change(rows: Rows) -> Rows:
        gone[:] = [row for row in rows if row.variable == variable]
        return [row for row in rows if row.variable != variable]

    _change(entity, change)
    return _back(entity, removed=dumps(gone[0].model_dump()) if gone else None)


@blueprint.post("/fields/<entity>/reset")
@needs("editor")
def reset(entity: str) -> AnyResponse:
    """Back to the variables that work right after the installation."""
    portal_id = me().portal_id
    _known(entity)
    hub().db.writer.run(lambda sql: mappings.reset(sql, portal_id, entity))
    return _back(entity)


def _page(entity: str, problem: str = "") -> Response:
    _known(entity)
    portal_id, library = me().portal_id, runtime().library
    view = library.portal(portal_id, fresh=True)
    with hub().db.sql() as sql:
        connection = connections.of_portal(sql, portal_id)
        rows = mappings.rows_of(sql, portal_id, entity)
        told = mappings.to_dict(sql, portal_id, entity, library=library, view=view)
        kinds = mappings.entities_of(sql, portal_id)
    kinds += sorted(watching.entities(library, view) | {entity} - set(kinds))
    example, refused = None, ""
    connected = connection is not None and connection.uninstalled_at is None
    if connected:
        try:
            chosen, fresh = filters.number("card", request.values), "fresh" in request.args
            bitrix24, runner = runtime().bitrix24, runtime().runner
            example = field_values.look(bitrix24, runner, view, entity, chosen=chosen, fresh=fresh)
        except ConnectorError as error:
            refused = error.message
    html = render_template(
        "fields/show.html",
        entity=entity,
        kinds={kind: _title(kind) for kind in dict.fromkeys(kinds)},
        connected=connected,
        refused=refused,
        example=example,
        rows=_shown(rows, example),
        groups=_groups(entity, example, rows),
        default=told["default"],
        used_by=told["used_by"],
        most=MOST_ROWS,
        formats=FORMATS,
        picks=PICKS,
        search=request.values.get("q", "").strip(),
        problem=problem,
        added=next((row.variable for row in rows if row.variable == request.args.get("added")), ""),
        removed=_removed(),
        card=None if example is None or example.card is None else example.card.id,
    )
    return page(html, 422 if problem else 200)


def _change(entity: str, change: Callable[[Rows], Rows]) -> Rows:
    """Change the stored rows in one go, so that two people who click at once lose nothing of each other's."""
    portal_id = me().portal_id
    _known(entity)

    def job(sql: Sql) -> Rows:
        rows = change(mappings.rows_of(sql, portal_id, entity))
        if len(rows) > MOST_ROWS:
            raise Conflict("A kind of card has at most 100 variables.", code="too_many")
        mappings.put(sql, portal_id, entity, rows)
        return rows

    return hub().db.writer.run(job)


def _altered(row: MappingRow, name: str, given: Mapping[str, str]) -> MappingRow:
    wanted: dict[str, Any] = row.model_dump() | {"variable": name}
    for part in ("format", "pick", "default"):
        if part in given:
            wanted[part] = given[part].strip() or (None if part == "format" else "")
    try:
        return MappingRow.model_validate(wanted)
    except ValidationError:
        raise Conflict(f"“{name[:64]}” cannot be the name of a variable.", code="bad_name") from None


def _shown(rows: Rows, example: Example | None) -> list[dict[str, Any]]:
    """Every variable with what it would hold, and why it would be empty."""
    values, empty = ({}, {}) if example is None else example.write(rows)
    known = {one.field: one for group in ([] if example is None else example.groups()) for one in group.fields}
    return [
        {
            "row": row,
            "source": _source(row.field, known.get(row.field)),
            "about": known.get(row.field),
            "value": values.get(row.variable, ""),
            "empty": empty.get(row.variable, ""),
        }
        for row in rows
    ]


def _groups(entity: str, example: Example | None, rows: Rows) -> list[dict[str, Any]]:
    used = {row.field: row.variable for row in rows}
    return [
        {
            "title": gettext(LINK_TITLES[group.of]) if group.of in LINK_TITLES else _title(entity),
            "fields": [
                {
                    "about": one,
                    "title": _name(group.of, one),
                    "value": _value(one),
                    "variable": used.get(one.field, ""),
                }
                for one in sorted(group.fields, key=lambda one: not one.value)
            ],
        }
        for group in ([] if example is None else example.groups())
    ]


def _name(of: str, one: Shown) -> str:
    return gettext(USER_TITLES[one.code]) if of == "ASSIGNED_BY" and one.code in USER_TITLES else one.title


def _value(one: Shown) -> str:
    """A value in words; of the groups of stages the portal tells a letter only."""
    return str(_SEMANTICS.get(one.raw, one.value)) if one.code.endswith("_SEMANTIC_ID") else one.value


def _source(field: str, about: Shown | None) -> str:
    """Where a variable comes from, in words: “Contact · Name”."""
    link = field.partition(".")[0] if "." in field else ""
    name = field if about is None else _name(link, about)
    return f"{gettext(LINK_TITLES[link])} · {name}" if link in LINK_TITLES else name


def _title(entity: str) -> str:
    known = ENTITIES.get(entity)
    if known is not None:
        return str(gettext(known))
    return str(gettext("Smart process %(number)s", number=entity.partition(":")[2]))


def _removed() -> MappingRow | None:
    given = request.args.get("removed")
    return _parsed(given) if given else None


def _parsed(given: str) -> MappingRow:
    try:
        return MappingRow.model_validate(loads(given))
    except ValueError:
        raise NotFound("There is no such variable.") from None


def _back(entity: str, *, added: str | None = None, removed: str | None = None, anchor: str = "") -> AnyResponse:
    """The page again, on the same card and with the same search."""
    kept = {name: request.form.get(name) for name in ("card", "q")} | {"added": added, "removed": removed}
    query = urlencode({name: value for name, value in kept.items() if value})
    return redirect(f"/fields/{entity}" + (f"?{query}" if query else "") + (f"#{quote(anchor)}" if anchor else ""), 303)


def _known(entity: str) -> None:
    try:
        kind_of(entity)
    except ValueError:
        raise NotFound("There is no such kind of card.") from None
