"""Which scenarios cards start, and when a change of a card is one that they wait for. Pure but for the library."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import structlog

from hub.bitrix24.card_values import FOLLOWING, TRACES, differences
from hub.bitrix24.entities import Kind
from hub.clock import SECOND, to_us
from hub.language import parse_moment
from hub.scenarios.check import NotRunnable, Program
from hub.scenarios.library import Library, PortalView, PublishedScenario
from hub.values import Value, as_text

log = structlog.get_logger(__name__)
START = "bitrix24_event"
SLACK_S = 120
"""How much the portal's clock may differ from ours, and how late an event may be."""
Fields = Mapping[str, Value]


@dataclass(frozen=True)
class Watcher:
    """A published scenario that a kind of card starts; `config` is that of its start block."""

    scenario: PublishedScenario
    program: Program
    config: Any


@dataclass(frozen=True)
class Look:
    """A card as it is now, and as it was when it was last looked at (`before`, None for the first time). `created`:
    an event says that it is new; `since`: when the first event of this change came, µs."""

    kind: Kind
    fields: Fields
    before: Fields | None
    created: bool
    since: int

    @property
    def changed(self) -> set[str] | None:
        """The fields that differ; None where nothing is known of before. Mere traces of a change are left out."""
        return None if self.before is None else differences(self.before, self.fields) - TRACES

    @property
    def chosen(self) -> set[str] | None:
        """What somebody changed, without what the portal changes along with it."""
        return None if self.changed is None else self.changed - FOLLOWING


def watchers(library: Library, view: PortalView, entity: str) -> list[Watcher]:
    """Every published scenario that cards of this kind start, by its number."""
    found = []
    for scenario in sorted(view.scenarios.values(), key=lambda one: one.id):
        if scenario.version_id is None:
            continue
        try:
            program = library.program(scenario.version_id)
        except NotRunnable as error:
            log.error("version_not_runnable", scenario_id=scenario.id, version=scenario.version, reason=str(error))
            continue
        if program.nodes[program.start].type == START and program.start_config.entity == entity:
            found.append(Watcher(scenario, program, program.start_config))
    return found


def entities(library: Library, view: PortalView) -> set[str]:
    """The kinds of cards that some scenario watches."""
    found = set()
    for scenario in view.scenarios.values():
        if scenario.version_id is not None:
            try:
                program = library.program(scenario.version_id)
            except NotRunnable:
                continue
            if program.nodes[program.start].type == START:
                found.add(str(program.start_config.entity))
    return found


def wanted(config: Any, look: Look) -> bool:
    """Whether this is the change that a start block waits for; its filter is another matter.

    A card that is seen for the first time is not known to have changed. Its creation and its coming to a stage count
    all the same, the latter by the time at which the portal says that it was moved.
    """
    if config.category is not None and as_text(look.fields.get("CATEGORY_ID") or "0") != str(config.category):
        return False
    match config.on:
        case "created":
            return look.created
        case "stage":
            return _came_to(config.stage, look)
        case "field":
            return bool(look.changed and look.changed.intersection(config.fields))
        case _:
            return bool(look.changed) if look.changed is not None else not look.created


def old_and_new(config: Any, look: Look) -> tuple[dict[str, Value], dict[str, Value]]:
    """The watched fields before and after; all that changed, where a scenario watches no fields of its own."""
    match config.on:
        case "created":
            return {}, {}
        case "stage":
            names = {look.kind.stage_field}
        case "field":
            names = set(config.fields)
        case _:
            names = look.changed or set()
    before = look.before or {}
    ordered = sorted(names)
    return (
        {name: before.get(name) for name in ordered if look.before is not None},
        {name: look.fields.get(name) for name in ordered},
    )


def _came_to(stage: str, look: Look) -> bool:
    code = look.kind.stage_field
    if look.fields.get(code) != stage:
        return False
    if look.before is not None:
        return look.before.get(code) != stage
    moved = parse_moment(look.fields.get("MOVED_TIME"), UTC)
    return look.created or (moved is not None and to_us(moved) >= look.since - SLACK_S * SECOND)
