"""Constants and global variables: what all scenarios of a portal share."""

from typing import Any

from flask import Response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from hub.endpoints.parse import Refused, parse_json
from hub.errors import HubError, NotFound
from hub.scenarios import variables
from hub.scenarios.models import Constant, GlobalVariable
from hub.values import Value, dumps, loads
from hub.web.pages.shell import hub, me, needs, page, screens
from hub.web.redaction import HIDDEN

blueprint = screens("settings_values")
_KINDS: dict[str, type[Constant] | type[GlobalVariable]] = {"constants": Constant, "variables": GlobalVariable}


@blueprint.get("/settings/values")
def show() -> Response:
    """Both, by name."""
    return _show()


@blueprint.post("/settings/values/<kind>")
@needs("editor")
def put(kind: str) -> Response | AnyResponse:
    """Make one or give it another value. A variable takes JSON, and whatever is no JSON as a text."""
    model, text = _model(kind), request.form.get("value", "")
    try:
        with hub().db.write() as session:
            value = text if model is Constant else _read(text)
            variables.put(session, model, me().portal_id, request.form.get("name", "").strip(), value)
    except HubError as error:
        return _show(problem=error.message)
    return redirect("/settings/values?done=1", 303)


@blueprint.post("/settings/values/<kind>/remove")
@needs("editor")
def remove(kind: str) -> AnyResponse:
    """Take one away."""
    with hub().db.write() as session:
        variables.delete(session, _model(kind), me().portal_id, request.form.get("name", ""))
    return redirect("/settings/values?done=1", 303)


def _show(problem: str = "") -> Response:
    portal_id = me().portal_id
    with hub().db.read() as session:
        constants = _rows(variables.all_of(session, Constant, portal_id))
        if not me().may("editor"):
            # Secrets of other services are kept in constants.
            constants = [row | {"shown": HIDDEN} for row in constants]
        changing = _rows(variables.all_of(session, GlobalVariable, portal_id))
    hints = (
        _("Fixed texts such as a shop’s address. In a text: {{const.address}}."),
        _("Values that scenarios change, such as a counter. Numbers, lists and objects as JSON."),
    )
    kinds = (
        ("constants", _("Constants"), hints[0], constants),
        ("variables", _("Global variables"), hints[1], changing),
    )
    done = _("Saved.") if "done" in request.args and not problem else ""
    return page(
        render_template("settings/values.html", kinds=kinds, problem=problem, done=done), 422 if problem else 200
    )


def _rows(found: list[Any]) -> list[dict[str, str]]:
    return [{"name": row.name, "shown": _shown(loads(row.value))} for row in found]


def _shown(value: Value) -> str:
    """As it is typed: a text that would be read as JSON stands in quotes."""
    if isinstance(value, str) and _read(value) == value:
        return value
    return dumps(value)


def _read(text: str) -> Value:
    try:
        return parse_json(text.encode(), tolerant=False)[0]
    except Refused:
        return text


def _model(kind: str) -> type[Constant] | type[GlobalVariable]:
    model = _KINDS.get(kind)
    if model is None:
        raise NotFound("There is nothing of this kind.")
    return model
