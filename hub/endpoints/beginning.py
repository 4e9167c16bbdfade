"""The first advance of a run, from the inputs of its request: links, replays and dry runs begin alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from hub.clock import rfc3339
from hub.core import Hub
from hub.endpoints import card_event, records
from hub.endpoints.parse import Inputs, Note, merge, parse_body, parse_query
from hub.language import TemplateError, compile_template
from hub.scenarios.advance import Advance, Environment
from hub.scenarios.check import Program
from hub.scenarios.engine import advance
from hub.scenarios.library import Library, PortalView
from hub.scenarios.runner import RunInputs, Runner
from hub.scenarios.state import State, fresh, initial_variables
from hub.scenarios.templating import templates
from hub.values import Value

UNSAVED = 0


class Executing(Protocol):
    """The parts of a process that a run needs."""

    hub: Hub
    library: Library
    runner: Runner


@dataclass(frozen=True)
class Begun:
    """A run after its first advance, not stored yet."""

    state: State
    made: Advance
    env: Environment
    run_inputs: RunInputs


def begin(
    runner: Runner,
    view: PortalView,
    program: Program,
    inputs: Inputs,
    request: Mapping[str, Value],
    *,
    run_id: str,
    scenario_id: int,
    version_id: int,
    created_at: int,
    interactive_until: datetime | None = None,
    dry: bool = False,
    reuse: Mapping[str, Any] | None = None,
) -> Begun:
    """Advance a new run for the first time; nothing is stored.

    `request`: what `request.…` is to the scenario. `reuse`: as in State. `created_at` is in µs. `version_id` may be
    UNSAVED for the program of a document that nobody has kept, in dry runs.
    """
    state = fresh(version_id, program.start, initial_variables(program) | inputs.locals)
    state.reuse = dict(reuse or {})
    state.known.update(inputs.system)
    run_inputs = RunInputs(inputs.body, inputs.query, request, inputs.bitrix, inputs.empty)
    env = runner.environment(
        view,
        run_inputs,
        run_id=run_id,
        scenario_id=scenario_id,
        created_at=created_at,
        dry=dry,
        interactive_until=interactive_until,
    )
    if version_id == UNSAVED:
        kept = env.program
        env.program = lambda version: program if version == UNSAVED else kept(version)
    made = advance(state, env)
    made.warnings[:0] = [records.note_dict(note) for note in (*inputs.notes, *_unfilled(program, inputs.empty))]
    return Begun(state, made, env, run_inputs)


def request_variables(request_id: str, received_at: int, source: str, content_type: str) -> dict[str, Value]:
    """`request.…` as scenarios see it."""
    return {"id": request_id, "time": rfc3339(received_at), "ip": source, "content_type": content_type}


def variables_of(stored: records.Stored) -> dict[str, Value]:
    """`request.…` of a kept request."""
    return request_variables(stored.id, stored.received_at, stored.source, stored.content_type)


def inputs_of(stored: records.Stored, config: Any) -> Inputs:
    """A kept request parsed again, for runs that go on later and for replays. Raises Refused."""
    if stored.method == card_event.METHOD:
        return card_event.inputs_of(stored.raw)
    query = parse_query(stored.query.encode("latin-1"))
    body = None
    if stored.method != "GET":
        tolerant = getattr(config, "tolerant_json", True)
        body = parse_body(stored.raw or b"", stored.content_type or None, tolerant=tolerant)
    return merge(getattr(config, "fields", ()), query, body)


def _unfilled(program: Program, empty: Mapping[str, str]) -> list[Note]:
    """A note for each empty variable that a template of the scenario uses, with the reason why it is empty."""
    if not empty:
        return []
    used = set()
    for node in program.nodes.values():
        for _, source, _ in templates(node.config):
            try:
                paths = compile_template(source).paths
            except TemplateError:
                continue  # of a draft that is being written: the text's own place says what is wrong
            for path in paths:
                name = path.steps[0] if path.root in ("local", "system") and path.steps else path.root
                used.add(str(name))
    return [Note("missing_value", reason, name) for name, reason in empty.items() if name in used]
