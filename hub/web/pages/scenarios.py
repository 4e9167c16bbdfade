"""The list of scenarios, and the ways to begin one: a starting card, a file brought along, or from nothing."""

from collections.abc import Sequence
from functools import partial
from typing import Any, cast, get_args

import structlog
from flask import Response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from connectors.errors import ConnectorError
from hub.bitrix24 import connections, fields, new_fields
from hub.bitrix24.entities import is_entity
from hub.delivery import lines
from hub.errors import HubError, Invalid, NotFound
from hub.scenarios import bringing, copying, listing, removal, starting_points, variables, versions
from hub.scenarios.check import Resources
from hub.scenarios.check_resources import CheckResources, line_info
from hub.scenarios.document import Document
from hub.scenarios.form import ENTITIES
from hub.scenarios.inspecting import card_words
from hub.scenarios.models import Constant, Scenario
from hub.scenarios.starting_points import Starter
from hub.values import loads
from hub.web import i18n
from hub.web.api.blocks import say, summary_shown
from hub.web.pages import filters
from hub.web.pages.shell import hub, me, needs, page, runtime, screens
from hub.web.sentences import said

log = structlog.get_logger(__name__)
blueprint = screens("scenarios")
MAX_FILE = 512 * 1024
MAKE = "+"
"""Chosen for a field that the portal is to add."""
MOST_KINDS = 10
"""Of cards, about which a portal is asked for one import."""


@blueprint.get("/scenarios")
def show() -> Response:
    """Every scenario of the portal; `?deleted=` names one that was just taken away and can be brought back."""
    return _list(deleted=filters.number("deleted"))


@blueprint.post("/scenarios/<int:scenario_id>/switch")
@needs("editor")
def switch(scenario_id: int) -> AnyResponse:
    """Switch a scenario on or off; one that has errors and never ran is not switched on, and its errors are told."""
    wanted = request.form.get("enabled") == "yes"
    try:
        with hub().db.write() as session:
            scenario = versions.get(session, me().portal_id, scenario_id, lock=True)
            versions.set_enabled(session, hub(), scenario, wanted)
    except Invalid as error:
        return _list(refused=scenario_id, problems=error.members.get("problems", []), status=422)
    return redirect(url_for("scenarios.show"), 303)


@blueprint.post("/scenarios/new")
@needs("editor")
def begin() -> AnyResponse:
    """A draft from a starting card, opened in the editor; the line that suits it stands in it already."""
    which = request.form.get("starter", "")
    if which not in get_args(Starter):
        raise NotFound("There is no such way to begin.")
    document = starting_points.starter(cast(Starter, which), i18n.language())
    with hub().db.write() as session:
        portal_id = me().portal_id
        known = [line_info(line) for line in lines.all_of(session, portal_id)]
        document = starting_points.for_lines(document, known)
        name = starting_points.free_name(session, portal_id, document.name)
        scenario_id = _keep(session, document.model_copy(update={"name": name}))
    return redirect(url_for("editor.show", scenario_id=scenario_id), 303)


@blueprint.get("/scenarios/import")
@needs("editor")
def bring() -> Response:
    """Where a document is pasted, or a file chosen."""
    return page(render_template("scenarios/import.html", text="", problems=[]))


@blueprint.post("/scenarios/import")
@needs("editor")
def take() -> AnyResponse:
    """Keep a document as a draft. What is missing here is asked for first: lines, constants, stages and fields, and
    another name if it is taken."""
    text = _brought()
    name = request.form.get("name", "").strip()
    try:
        document = versions.read_document(text)
        if name:
            versions.check_name(name)
    except HubError as error:
        told = [said(one) for one in error.sentences]
        return page(render_template("scenarios/import.html", text=text, problems=told), 422)
    portal_id = me().portal_id
    _read_cards(bringing.entities(document))
    with hub().db.write() as session:
        resources = CheckResources(session, portal_id)
        constants = {row.name: str(loads(row.value)) for row in variables.all_of(session, Constant, portal_id)}
        missing = bringing.missing(document, resources, constants)
        chosen = {one: request.form.get(one.key, "").strip() for one in missing}
        free = starting_points.free_name(session, portal_id, name or document.name)
        if (missing and not name) or free != (name or document.name):
            html = render_template(
                "scenarios/missing.html",
                text=text,
                document=document,
                name=free,
                taken=free != (name or document.name),
                missing=missing,
                chosen=chosen,
                lines=[line.name for line in lines.all_of(session, portal_id)],
                constants=constants,
                fillers=_fillers(resources, document),
                can_be_made=new_fields.can_be_made,
                make=MAKE,
                cards={entity: resources.crm(entity) for entity in bringing.entities(document)},
                kinds={entity: say(ENTITIES.get(entity, entity)) for entity in bringing.entities(document)},
            )
            return page(html, 422 if name else 200)
        for one, value in chosen.items():
            if one.kind == "constant" and value:
                variables.put(session, Constant, portal_id, one.name, value)
        made = [one for one, new in chosen.items() if new == MAKE and new_fields.can_be_made(one.entity, one.name)]
        taken = {one: new for one, new in chosen.items() if new and new != MAKE}
        document = bringing.with_choices(document, taken, resources)
        scenario_id = _keep(session, document.model_copy(update={"name": name or document.name}))
    for one in made:
        hub().db.writer.run(partial(new_fields.make, portal_id=portal_id, entity=one.entity, code=one.name))
    return redirect(url_for("editor.show", scenario_id=scenario_id), 303)


@blueprint.post("/scenarios/<int:scenario_id>/duplicate")
@needs("editor")
def duplicate(scenario_id: int) -> AnyResponse:
    """Another scenario like this one, switched off, opened in the editor."""
    with hub().db.write() as session:
        called = gettext("{} (copy)")
        saved = copying.duplicate(session, hub(), me().portal_id, scenario_id, called=called, by=me().name)
        made = saved.scenario.id
    return redirect(url_for("editor.show", scenario_id=made), 303)


@blueprint.post("/scenarios/<int:scenario_id>/delete")
@needs("editor")
def delete(scenario_id: int) -> AnyResponse:
    """Take a scenario away; the list offers to bring it back."""
    with hub().db.write() as session:
        removal.delete(session, versions.get(session, me().portal_id, scenario_id, lock=True))
    return redirect(url_for("scenarios.show", deleted=scenario_id), 303)


@blueprint.post("/scenarios/<int:scenario_id>/bring-back")
@needs("editor")
def bring_back(scenario_id: int) -> AnyResponse:
    """Undo a deletion."""
    with hub().db.write() as session:
        removal.bring_back(session, me().portal_id, scenario_id)
    return redirect(url_for("scenarios.show"), 303)


def _list(
    *, deleted: int | None = None, refused: int | None = None, problems: list[Any] | None = None, status: int = 200
) -> Response:
    portal_id = me().portal_id
    with hub().db.read() as session:
        found = listing.lines(session, portal_id)
        resources = CheckResources(session, portal_id)
        starts = {line.id: _start_of(line, resources) for line in found}
        gone = session.get(Scenario, deleted) if deleted is not None else None
        gone_name = gone.name if gone and gone.portal_id == portal_id and gone.deleted_at is not None else None
    html = render_template(
        "scenarios/list.html",
        scenarios=found,
        starts=starts,
        starters=starting_points.STARTERS,
        deleted=deleted if gone_name else None,
        deleted_name=gone_name,
        refused=next((one for one in found if one.id == refused), None),
        problems=[said(one["message"]) for one in problems or [] if one["severity"] == "error"],
    )
    return page(html, status)


def _start_of(line: listing.Line, resources: Resources) -> str:
    """What starts a scenario, in words; empty while nothing does."""
    if line.start is None:
        return ""
    summary = ""
    if line.config is not None:
        summary = summary_shown(line.start.summary(line.config), card_words(line.config, resources))
    return f"{say(line.start.title)} · {summary}" if summary else say(line.start.title)


def _keep(session: Any, document: Document) -> int:
    saved = versions.save(session, hub(), me().portal_id, document, draft=True, by=me().name)
    assert saved.scenario.id is not None
    return saved.scenario.id


def _fillers(resources: Resources, document: Document) -> dict[str, str]:
    """The fields that may fill a variable, by what rows of a mapping call them: of the card, then of its customer."""
    start = bringing.entity_of_start(document)
    own = resources.crm(start) if start else None
    found = dict(own.fields) if own is not None else {}
    for link, entity in bringing.LINKS.items():
        card = resources.crm(entity) if entity != start else None
        if card is not None:
            title = say(ENTITIES[entity])
            found |= {f"{link}.{code}": f"{title} · {name}" for code, name in card.fields.items()}
    return found


def _read_cards(entities: Sequence[str]) -> None:
    """Know what the portal has of these kinds of cards; while it does not answer, what is kept of them has to do."""
    portal_id = me().portal_id
    with hub().db.sql() as sql:
        connection = connections.of_portal(sql, portal_id)
    if connection is None or connection.uninstalled_at is not None:
        return
    for entity in [one for one in entities if is_entity(one)][:MOST_KINDS]:
        try:
            fields.catalogue(runtime().bitrix24, portal_id, entity)
        except ConnectorError as error:
            log.warning("cards_not_read", portal_id=portal_id, entity=entity, code=error.code)


def _brought() -> str:
    """The document of the form: of the file if one was chosen, else the pasted text."""
    file = request.files.get("file")
    if file is not None and file.filename:
        return file.stream.read(MAX_FILE + 1).decode("utf-8", "replace")
    return request.form.get("text", "")
