"""Trying out documents on examples, saved or not: dry runs, and what would change against the version that runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.clock import now_us
from hub.endpoints import card_event, records
from hub.endpoints.beginning import UNSAVED, Executing, inputs_of, request_variables, variables_of
from hub.endpoints.parse import Body, Inputs, Refused, merge
from hub.endpoints.replay import Chosen, dry_run, version_of
from hub.errors import Conflict, Invalid, NotFound
from hub.language import SYSTEM_NAMES
from hub.scenarios.check import NotRunnable, Program, compile_document
from hub.scenarios.document import Document
from hub.values import Value, as_text, dumps

TITLE_VALUES = 3
TITLE_CHARS = 80


@dataclass(frozen=True)
class Example:
    """What a run would begin with, and what `request.…` is to it."""

    inputs: Inputs
    request: Mapping[str, Value]


def given(query: Mapping[str, Value], body: Value, start: str, fields: tuple[str, ...]) -> Example:
    """An example written by hand. `start` is the type of the start block; for an event `body` is what a card came to.
    Raises Invalid."""
    request = request_variables("test", now_us(), "127.0.0.1", "application/json")
    if start != "bitrix24_event":
        return Example(merge(fields, query, None if body is None else Body("json", body)), request)
    try:
        inputs = card_event.inputs({}, {}, {}) if body is None else card_event.inputs_of(dumps(body).encode())
    except Refused as refused:
        raise Invalid(f"The example cannot be used: {refused.message}", code=refused.code) from None
    return Example(inputs, request)


def kept(runtime: Executing, portal_id: int, request_id: str, config: Any) -> Example:
    """A kept request as an example, read as the start block's `config` says. Raises NotFound, Invalid."""
    with runtime.hub.db.sql() as sql:
        stored = records.load(sql, request_id)
    if stored is None or stored.portal_id != portal_id:
        raise NotFound("There is no such request.")
    return of_request(stored, config)


def of_request(stored: records.Stored, config: Any) -> Example:
    """The same of a request at hand. Raises Invalid where it cannot be read."""
    try:
        return Example(inputs_of(stored, config), variables_of(stored))
    except Refused as refused:
        raise Invalid(
            f"This request cannot be run: {refused.message} Have its sender correct it.", code=refused.code
        ) from None


def chosen_of(runtime: Executing, portal_id: int, scenario_id: int, document: Document | None) -> Chosen:
    """A document to try, the newest version of the scenario where none is given. Raises NotFound, Invalid."""
    with runtime.hub.db.sql() as sql:
        row = sql.one(
            "SELECT latest FROM scenario WHERE id = ? AND portal_id = ? AND deleted_at IS NULL",
            (scenario_id, portal_id),
        )
        if row is None:
            raise NotFound("There is no such scenario.")
        if document is None:
            return version_of(runtime, sql, scenario_id, "draft", None)
    return Chosen(UNSAVED, row[0], runnable(document))


def runnable(document: Document) -> Program:
    """The program of a document that nobody has kept. Raises Invalid with what keeps it from running."""
    try:
        return compile_document(document)
    except NotRunnable as error:
        problems = [problem.as_dict() for problem in error.problems]
        raise Invalid("This version cannot run; see its problems.", code="not_runnable", problems=problems) from None


def test(runtime: Executing, portal_id: int, scenario_id: int, chosen: Chosen, example: Example) -> dict[str, Value]:
    """The trace of a dry run: nothing is sent, called or stored."""
    return dry_run(runtime, portal_id, scenario_id, chosen, example.inputs, example.request, {})


def compare(
    runtime: Executing,
    portal_id: int,
    scenario_id: int,
    document: Document,
    *,
    limit: int,
    hide: Callable[[Value], Value],
) -> dict[str, Value]:
    """`{"count", "changed", "items"}`: the scenario's last requests run dry on the version that runs and on a document.

    `hide` takes secrets out of what is shown. Requests that cannot be read are left out. Raises NotFound; Conflict
    while nothing is published; Invalid.
    """
    new = chosen_of(runtime, portal_id, scenario_id, document)
    with runtime.hub.db.sql() as sql:
        try:
            old = version_of(runtime, sql, scenario_id, "current", None)
        except Invalid as error:
            raise Conflict(error.message, code=error.code) from None
        rows = sql.all(
            "SELECT id FROM request WHERE scenario_id = ? AND portal_id = ? AND outcome IN ('run', 'captured')"
            " ORDER BY id DESC LIMIT ?",
            (scenario_id, portal_id, limit),
        )
        stored = [found for (request_id,) in rows if (found := records.load(sql, request_id)) is not None]
    items: list[Value] = []
    for request in stored:
        try:
            examples = [of_request(request, one.program.start_config) for one in (old, new)]
        except Invalid:
            continue  # it is in the journal with its reason; there is nothing to compare
        before, after = (
            test(runtime, portal_id, scenario_id, one, example)
            for one, example in zip((old, new), examples, strict=True)
        )
        told = {"before": _texts(before), "after": _texts(after)}
        told |= {"status_before": before["status"], "status_after": after["status"]}
        items.append({"request": request.id, "title": title_of(hide(tree_of(examples[0].inputs))), **told})
    return {"count": len(items), "changed": sum(map(_differs, items)), "items": items}


def tree_of(inputs: Inputs) -> dict[str, Value]:
    """What an example offers, by the paths that templates take."""
    sent = inputs.body if isinstance(inputs.body, dict) else {}
    shown: dict[str, Value] = inputs.locals | dict(inputs.system)
    shown |= {name: value for name, value in sent.items() if name not in SYSTEM_NAMES and name not in shown}
    hidden = {name: value for name, value in sent.items() if name in SYSTEM_NAMES}
    if hidden or not isinstance(inputs.body, dict | type(None)):
        shown["body"] = hidden or inputs.body
    undeclared = {name: inputs.query[name] for name in inputs.undeclared if name in inputs.query}
    if undeclared:
        shown["query"] = undeclared
    if inputs.bitrix:
        shown["bitrix"] = dict(inputs.bitrix)
    return shown


def title_of(tree: Mapping[str, Value]) -> str:
    """The first values of an example, by which a person knows it again; empty where it has none."""
    plain = (as_text(value).strip() for value in tree.values() if not isinstance(value, dict | list | type(None)))
    text = " · ".join([value for value in dict.fromkeys(plain) if value][:TITLE_VALUES])
    return text if len(text) <= TITLE_CHARS else text[: TITLE_CHARS - 1] + "…"


def _texts(trace: Mapping[str, Value]) -> list[Value]:
    return [message["text"] for message in trace["planned"]]


def _differs(item: Value) -> bool:
    return bool(item["before"] != item["after"] or item["status_before"] != item["status_after"])
