"""Routes for trying out: examples of a scenario, previews of its templates, dry runs of what is not saved yet."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any

from flask import current_app
from flask_babel import gettext
from pydantic import Field
from sqlmodel import Session, col, select

from connectors.registry import channels
from connectors.text import split
from hub.bitrix24 import examples, mappings
from hub.clock import rfc3339
from hub.endpoints import previewing, records, trying
from hub.endpoints.models import IncomingRequest
from hub.endpoints.trying import Example
from hub.errors import HubError, Invalid, NotFound
from hub.runtime import Runtime
from hub.scenarios import versions
from hub.scenarios.block import LineInfo
from hub.scenarios.check import Examined, read_blocks
from hub.scenarios.document import Document
from hub.scenarios.inspecting import readable
from hub.values import Value, loads
from hub.web.access.identity import only_looks
from hub.web.api.base import DOCUMENT_LIMIT, MAX_INT, Call, Input, PageQuery, route
from hub.web.api.mappings import asking_portal
from hub.web.api.paging import page, text_cursor
from hub.web.redaction import redacted
from hub.web.sentences import said


class ExamplesQuery(PageQuery):
    """Which examples; `q` looks for a text in what they are called."""

    q: str = Field("", max_length=100)


class ByHand(Input):
    """What the link and the body would bring; of an event, what a card came to."""

    query: dict[str, Any] = Field(default_factory=dict)
    body: Any = None


class PreviewInput(Input):
    """A block of a document as it is being drawn, and the example: the id of a kept request, or one by hand."""

    document: dict[str, Any]
    block: str = Field(max_length=64)
    scenario: int = Field(0, ge=0, le=MAX_INT)
    example: Annotated[str, Field(max_length=64)] | ByHand = Field(default_factory=ByHand)


class TestInput(ByHand):
    """An example by hand or the id of a kept request, and a document in place of the newest version."""

    example: str | None = Field(None, max_length=64)
    document: dict[str, Any] | None = None


class CompareInput(Input):
    """A document, and on how many of the last requests it is tried."""

    document: dict[str, Any]
    limit: int = Field(50, ge=1, le=100)


@route(
    "GET",
    "/scenarios/{scenario_id}/examples",
    summary="Examples to draw with",
    query=ExamplesQuery,
    shape="Example",
    page=True,
)
def list_examples(call: Call, scenario_id: int) -> Value:
    """Kept requests, the newest first, whatever became of them. Where the scenario starts by cards, the cards changed
    last come before them; their `event` is what a dry run takes as its body."""
    wanted: ExamplesQuery = call.query
    query = select(IncomingRequest).where(
        IncomingRequest.portal_id == call.portal_id, IncomingRequest.scenario_id == scenario_id
    )
    cursor = text_cursor(wanted.cursor)
    if cursor is not None:
        query = query.where(IncomingRequest.id < cursor)
    with call.hub.db.read() as session:
        start, config = _start(session, call.portal_id, scenario_id)
        found = session.exec(query.order_by(col(IncomingRequest.id).desc()).limit(wanted.limit + 1)).all()
        shown: dict[str, Any] = page(found, wanted.limit, lambda one: one.id, lambda one: _request(one, config))
    items = [item for item in shown["items"] if wanted.q.casefold() in item["title"].casefold()]
    cards = _cards(call, config) if start == "bitrix24_event" and config is not None and cursor is None else []
    cards = [card for card in cards if wanted.q.casefold() in f"{card['title']} {card['id']}".casefold()]
    return {"items": [*cards, *items], "next": shown["next"]}


@route(
    "POST",
    "/scenarios/preview",
    summary="What a block's templates come to",
    body=PreviewInput,
    limit=2 * DOCUMENT_LIMIT,
    shape="Preview",
    role="viewer",
)
def preview_block(call: Call) -> Value:
    """Every template field of one block on an example. Nothing is saved, sent or called. What is secret is hidden from
    people who may only look on: the document is theirs, so it could ask for anything."""
    given: PreviewInput = call.body
    doc, _problems = readable(given.document)
    scenario, program, _errors = read_blocks(doc)
    if given.block not in scenario.written:
        raise NotFound("There is no such block.")
    example = _example(call, scenario, given.example)
    hide = redacted if only_looks() else None
    fields = previewing.preview(
        runtime(), call.portal_id, given.scenario, scenario, program, given.block, example, hide=hide
    )
    line = runtime().library.portal(call.portal_id).line(str(scenario.written[given.block].config.get("line", "")))
    for shown in fields.values():
        shown |= _measured(shown["text"], line)
        shown["problems"] = [problem | {"message": said(problem["message"])} for problem in shown["problems"]]
        for place in shown["places"]:
            place["reason"] = said(place["reason"]) if place["reason"] else None
    return {"fields": fields}


@route(
    "POST",
    "/scenarios/{scenario_id}/test",
    summary="A dry run",
    body=TestInput,
    optional=True,
    shape="DryRun",
    limit=2 << 20,
)
def test_scenario(call: Call, scenario_id: int) -> Value:
    """Of the newest version, or of a document that is not saved. The trace; nothing is sent, called or stored. 422
    `not_runnable` with the problems when it cannot run."""
    return dry_run(call, scenario_id, call.body)


def dry_run(call: Call, scenario_id: int, given: TestInput) -> dict[str, Value]:
    """The trace of what was asked for, its sentences in the person's language. Raises Invalid, NotFound."""
    document = None if given.document is None else _document(given.document)
    chosen = trying.chosen_of(runtime(), call.portal_id, scenario_id, document)
    program = chosen.program
    if given.example is not None:
        example = trying.kept(runtime(), call.portal_id, given.example, program.start_config)
    else:
        start = program.nodes[program.start].type
        example = trying.given(given.query, given.body, start, program.fields)
    return in_words(trying.test(runtime(), call.portal_id, scenario_id, chosen, example))


def in_words(trace: dict[str, Any]) -> dict[str, Any]:
    """A trace, its sentences in the language of whoever asks."""
    for told in (trace["error"], *trace["warnings"], *(step["error"] for step in trace["steps"])):
        if told:
            told["message"] = said(told["message"])
    for output in (step["output"] for step in trace["steps"]):
        failed = output.get("error") if isinstance(output, dict) else None
        if isinstance(failed, dict) and isinstance(failed.get("message"), str):
            output["error"] = failed | {"message": said(failed["message"])}
    for filled in (one for step in trace["steps"] for one in step["input"] or ()):
        for place in filled["places"]:
            place["missing"] = said(place["missing"]) if place["missing"] else None
    return trace


def example_of(session: Session, portal_id: int, scenario_id: int, request_id: str) -> dict[str, Any] | None:
    """A kept request as an example of its scenario, None where there is none."""
    found = session.get(IncomingRequest, request_id)
    if found is None or (found.portal_id, found.scenario_id) != (portal_id, scenario_id):
        return None
    return _request(found, _start(session, portal_id, scenario_id)[1])


@route(
    "POST",
    "/scenarios/{scenario_id}/compare",
    summary="What a document would change",
    body=CompareInput,
    limit=DOCUMENT_LIMIT,
    shape="Compared",
)
def compare_document(call: Call, scenario_id: int) -> Value:
    """The last requests, run dry on the version that runs and on this document. 409 while nothing is published."""
    given: CompareInput = call.body
    return trying.compare(
        runtime(), call.portal_id, scenario_id, _document(given.document), limit=given.limit, hide=redacted
    )


def _document(raw: Mapping[str, Value]) -> Document:
    return versions.read_document(raw)


def _start(session: Session, portal_id: int, scenario_id: int) -> tuple[str, Any]:
    """Type and config of the start block of the newest version; ("", None) where there is none, the config None where
    it cannot be read."""
    scenario = versions.get(session, portal_id, scenario_id)
    document = versions.document_of(versions.version(session, scenario))
    return _start_of(read_blocks(document)[0])


def _start_of(scenario: Examined) -> tuple[str, Any]:
    for block_id in scenario.starts:
        return scenario.written[block_id].type, scenario.configs.get(block_id)
    return "", None


def _example(call: Call, scenario: Examined, wanted: str | ByHand) -> Example:
    start, config = _start_of(scenario)
    if isinstance(wanted, str):
        return trying.kept(runtime(), call.portal_id, wanted, config)
    fields = scenario.known[start].fills(config) if config is not None else ()
    return trying.given(wanted.query, wanted.body, start, fields)


def _request(found: IncomingRequest, config: Any) -> dict[str, Any]:
    stored = records.Stored(
        found.id,
        found.portal_id,
        found.scenario_id,
        found.outcome,
        found.run_id,
        found.source,
        found.method,
        found.content_type,
        found.received_at,
        found.query,
        found.raw,
    )
    value: dict[str, Value] = {}
    title = ""
    with suppress(Invalid):
        value = redacted(trying.tree_of(trying.of_request(stored, config).inputs))
        title = trying.title_of(value)
    return {
        "id": found.id,
        "kind": "request",
        "outcome": found.outcome,
        "title": title or (gettext("connection check") if found.outcome == "check" else found.method),
        "at": rfc3339(found.received_at),
        "value": value,
        "event": None,
        "warnings": [*loads(found.warnings), *([loads(found.error)] if found.error else [])],
    }


def _cards(call: Call, config: Any) -> list[dict[str, Any]]:
    """The cards changed last, of the watched stage if there are any; none where the portal cannot be asked now: the
    requests are shown all the same."""
    parts = runtime()
    rows = config.mapping
    if rows is None:
        with call.hub.db.sql() as sql:
            rows = mappings.rows_of(sql, call.portal_id, config.entity)
    with suppress(HubError), asking_portal(call):
        view = parts.library.portal(call.portal_id)
        found = examples.latest(parts.bitrix24, parts.runner, view, config.entity, rows, stage=config.stage)
        if not found and config.stage:
            found = examples.latest(parts.bitrix24, parts.runner, view, config.entity, rows, stage=None)
        return [_card(config.entity, card) for card in found]
    return []


def _card(entity: str, card: dict[str, Value]) -> dict[str, Any]:
    event = card["event"]
    return {
        "id": f"{entity}:{card['id']}",
        "kind": "card",
        "outcome": None,
        "title": card["title"],
        "at": None,
        "value": event["variables"] | {"bitrix": event["bitrix"]},
        "event": event,
        "warnings": [],
    }


def _measured(text: str, line: LineInfo | None) -> dict[str, int]:
    """Its length, and in how many messages the line's messenger takes it."""
    if line is None:
        return {"length": len(text), "parts": 1}
    carries = channels()[line.channel].carries
    return {"length": len(text), "parts": max(len(split(text, carries.text_chars, carries.text_unit)), 1)}


def runtime() -> Runtime:
    """The parts of this process that work together."""
    found: Runtime = current_app.extensions["hub.runtime"]
    return found
