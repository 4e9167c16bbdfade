"""The names that a scenario's templates may use, and what is said of one that nothing fills.

A request may bring any name, so one that is not known is no error; it is a warning until a request has brought it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

from hub.language import ROOT_NAMES, SYSTEM_NAMES, Path
from hub.scenarios.block import BlockConfig, Problem

if TYPE_CHECKING:
    from hub.scenarios.check import Examined

EVENT = "bitrix24_event"
FIXED = {
    "system": SYSTEM_NAMES,
    "request": ("id", "time", "ip", "content_type"),
    "run": ("id", "scenario", "started_at"),
}
"""Name spaces whose names are always the same."""
CHANGES = ("old", "new")
LIKENESS = 0.75


class Names:
    """The names of one document."""

    def __init__(self, scenario: Examined) -> None:
        portal = scenario.resources.names()
        self._scenario = scenario
        self._start = scenario.written[scenario.starts[0]].type if scenario.starts else ""
        local, shared = _local(scenario), _shared(scenario) | portal.globals
        self._spaces: dict[str, Collection[str]] = {
            **FIXED,
            "local": local,
            "global": shared,
            "const": portal.constants,
        }
        came = portal.came if self._start != EVENT else frozenset()
        self._own = [*sorted(local), *sorted(came | shared | portal.constants)]
        self._exact = frozenset((*SYSTEM_NAMES, *ROOT_NAMES, *self._own))
        self._folded = {name.casefold(): name for name in (*reversed(self._own), *ROOT_NAMES, *SYSTEM_NAMES)}

    def problems(self, path: Path, block_id: str, place: str, *, needed: bool) -> Iterator[Problem]:
        """What is wrong with a path; `needed`: nothing stands in for it when it is empty."""
        if path.root in self._spaces:
            yield from self._prefixed(path, block_id, place)
        elif path.root == "bitrix":
            yield from self._of_cards(path, block_id, place)
        elif path.root in ("body", "query") and self._start == EVENT:
            message = f"A card starts this scenario, so there is nothing in “{path.root}”."
            yield Problem("unknown_name", message, block_id, place, "warning")
        elif path.root not in self._exact:
            yield from self._unknown(path.root, block_id, place, needed)

    def _unknown(self, name: str, block_id: str, place: str, needed: bool) -> Iterator[Problem]:
        other = self._folded.get(name.casefold()) or (_nearest(name, self._own) if needed else None)
        if other is not None:
            message = f"“{name}” is not known here; did you mean “{other}”?"
            yield Problem("similar_name", message, block_id, place, "warning")
        elif needed and self._start == EVENT:
            message = f"There is no name “{name}”: no field of the card, no variable and no constant is called so."
            yield Problem("unknown_name", message, block_id, place, "warning")
        elif needed:
            message = f"“{name}” is no field, variable or constant: it stays empty unless a request brings it."
            yield Problem("unknown_name", message, block_id, place, "warning")

    def _prefixed(self, path: Path, block_id: str, place: str) -> Iterator[Problem]:
        known = self._spaces[path.root]
        first = path.steps[0] if path.steps else None
        if not isinstance(first, str) or first in known:
            return
        named, other = f"{path.root}.{first[:64]}", _nearest(first, known)
        message = f"There is no name “{named}”."
        if other is not None:
            meant = f"{path.root}.{other}"
            message = f"There is no name “{named}”; did you mean “{meant}”?"
        yield Problem("unknown_name", message, block_id, place, "error" if path.root in FIXED else "warning")

    def _of_cards(self, path: Path, block_id: str, place: str) -> Iterator[Problem]:
        if self._start != EVENT:
            message = "No card starts this scenario, so there is nothing in “bitrix”."
            yield Problem("unknown_name", message, block_id, place, "warning")
            return
        if len(path.steps) < 2 or path.steps[0] in CHANGES:
            return
        card = self._scenario.resources.crm(str(path.steps[0]))
        if card is not None and path.steps[1] not in card.fields:
            message = f"The portal has no field “{str(path.steps[1])[:64]}” there."
            yield Problem("unknown_field", message, block_id, place, "warning")


def filled(scenario: Examined, config: BlockConfig) -> dict[str, str]:
    """The variables that cards fill, each with the field of the card that fills it."""
    entity = getattr(config, "entity", None)
    if not isinstance(entity, str) or not hasattr(config, "mapping"):
        return {}
    rows = config.mapping if config.mapping is not None else scenario.resources.mapping(entity)
    return {row.variable: row.field for row in rows}


def _local(scenario: Examined) -> frozenset[str]:
    known = [variable.name for variable in scenario.doc.variables]
    for _, block, config in scenario.checked():
        known += [*block.fills(config), *filled(scenario, config), *set_by(config, "local")]
        known += [name for name in (getattr(config, "as_", None),) if isinstance(name, str)]
    return frozenset(known)


def _shared(scenario: Examined) -> frozenset[str]:
    return frozenset(name for _, _, config in scenario.checked() for name in set_by(config, "global"))


def set_by(config: BlockConfig, scope: str) -> list[str]:
    """The variables that a block sets, for this run or for all scenarios."""
    rows = getattr(config, "variables", None)
    return [row.name for row in rows if row.scope == scope] if isinstance(rows, list) else []


def _nearest(name: str, known: Collection[str]) -> str | None:
    found = get_close_matches(name.casefold(), {other.casefold(): other for other in known}, n=1, cutoff=LIKENESS)
    return next((other for other in known if found and other.casefold() == found[0]), None)
