"""What the templates of one block come to on an example, while it is drawn: texts, places, and why some are empty.

The document is run dry first, so that the results of earlier blocks stand in their places. Where it does not get that
far, or a call would have been made, a result is shown by an example of its type.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from hub.clock import now_us
from hub.delivery.lines import HIDDEN
from hub.endpoints.beginning import UNSAVED, Executing, begin
from hub.endpoints.trying import Example
from hub.language import TemplateError, TemplateFailure
from hub.scenarios.advance import Environment
from hub.scenarios.check import Examined, Program
from hub.scenarios.context import Context
from hub.scenarios.document import Document
from hub.scenarios.form import Schema, form_of
from hub.scenarios.library import PortalView
from hub.scenarios.runner import RunInputs
from hub.scenarios.state import State, fresh
from hub.values import Number, Value, as_text, type_name

SHOWN_CHARS = 20_000
EXAMPLES: Mapping[str, Value] = {"string": "…", "number": Number("1"), "boolean": True, "object": {}, "list": []}


def preview(
    runtime: Executing,
    portal_id: int,
    scenario_id: int,
    scenario: Examined,
    program: Program | None,
    block_id: str,
    example: Example,
    hide: Callable[[Value], Value] | None = None,
) -> dict[str, dict[str, Any]]:
    """For every template of a block, by its path inside the config: `{"text", "type", "places", "problems"}`.

    `scenario` and `program` are what `read_blocks` gives. A place is `{"expression", "value", "source", "reason"}`; its
    reason says why it is empty. `hide`, for people who may not see secrets, takes them out of the example; constants
    are hidden then, too. Raises KeyError where there is no such block.
    """
    node = scenario.written[block_id]
    block = scenario.known.get(node.type)
    if block is None:
        return {}
    view = runtime.library.portal(portal_id)
    if hide is not None:
        view, example = replace(view, constants=dict.fromkeys(view.constants, HIDDEN)), _without(example, hide)
    program, state, env = _as_run(runtime, view, scenario_id, scenario, program, example)
    shown = {}
    for path, template in templates_of(form_of(block.Config, str), node.config):
        context = Context(env, state.frames[0], program, block_id, node.type, state)
        shown[path] = _rendered(context, template)
    return shown


def _without(example: Example, hide: Callable[[Value], Value]) -> Example:
    inputs = example.inputs
    parts = ("locals", "body", "query", "bitrix", "system")
    hidden: dict[str, Any] = {part: hide(getattr(inputs, part)) for part in parts}
    return replace(example, inputs=replace(inputs, **hidden))


def templates_of(schema: Schema, raw: Value, path: str = "") -> Iterator[tuple[str, Value]]:
    """The templates in a config as written, valid or not, with their paths."""
    if "template" in schema:
        yield from _leaves(raw, path)
    elif isinstance(raw, dict):
        named = schema.get("properties", {})
        other = schema.get("additionalProperties")
        for name, value in raw.items():
            part = named.get(name, other)
            if isinstance(part, dict):
                yield from templates_of(part, value, f"{path}.{name}" if path else name)
    elif isinstance(raw, list) and isinstance(schema.get("items"), dict):
        for number, value in enumerate(raw):
            yield from templates_of(schema["items"], value, f"{path}[{number}]")
    for choice in schema.get("anyOf", ()):
        if choice.get("type") == {"object": "object", "list": "array"}.get(type_name(raw)):
            yield from templates_of(choice, raw, path)


def _leaves(raw: Value, path: str) -> Iterator[tuple[str, Value]]:
    if isinstance(raw, str):
        yield path, raw
    elif isinstance(raw, dict):
        for name, value in raw.items():
            yield from _leaves(value, f"{path}.{name}")
    elif isinstance(raw, list):
        for number, value in enumerate(raw):
            yield from _leaves(value, f"{path}[{number}]")


def _as_run(
    runtime: Executing,
    view: PortalView,
    scenario_id: int,
    scenario: Examined,
    program: Program | None,
    example: Example,
) -> tuple[Program, State, Environment]:
    """A document after a dry run on the example, with an example of whatever it did not come to."""
    now, inputs = now_us(), example.inputs
    if program is None:
        program = _empty(scenario.doc)
        state = fresh(UNSAVED, "", {name: default for name, (_type, default) in program.variables.items()})
        state.frames[0].variables.update(inputs.locals)
        state.known.update(inputs.system)
        env = runtime.runner.environment(
            view,
            RunInputs(inputs.body, inputs.query, example.request, inputs.bitrix, inputs.empty),
            run_id="dry",
            scenario_id=scenario_id,
            created_at=now,
            dry=True,
        )
    else:
        begun = begin(
            runtime.runner,
            view,
            program,
            inputs,
            example.request,
            run_id="dry",
            scenario_id=scenario_id,
            version_id=UNSAVED,
            created_at=now,
            dry=True,
        )
        state, env = begun.state, begun.env
    outputs = state.frames[0].outputs
    for block_id, block, config in scenario.checked():
        if not outputs.get(block_id):
            kinds = block.outputs_of(config)
            outputs[block_id] = {name: EXAMPLES[kind] for name, kind in kinds.items() if kind in EXAMPLES}
    return program, state, env


def _empty(doc: Document) -> Program:
    declared = {variable.name: (variable.type, variable.default) for variable in doc.variables}
    return Program(doc.name, "", {}, {}, (), declared, None)


def _rendered(context: Context, template: Value) -> dict[str, Any]:
    try:
        value = context.value(template)
    except TemplateError as error:
        problem = {"code": "bad_template", "message": error.message, "column": error.column}
        return {"text": "", "type": "string", "places": [], "problems": [problem]}
    except TemplateFailure as failure:
        problem = {"code": failure.code, "message": failure.message, "column": None}
        return {"text": "", "type": "string", "places": [], "problems": [problem]}
    noted = context.input or [{"places": []}]
    places = [
        {
            "expression": place["path"],
            "value": place["text"],
            "source": place["source"],
            "reason": place["missing"],
        }
        for place in noted[0]["places"]
    ]
    return {"text": as_text(value)[:SHOWN_CHARS], "type": type_name(value), "places": places, "problems": []}
