"""Drafts that are saved while somebody draws: one version for what one person does in a row, nothing lost in silence.

A draft that is saved again takes the place of the one before, under the same number. Its revision tells the two apart,
so that somebody who has seen only the first cannot overwrite the second.
"""

from sqlmodel import Session, col, select

from hub.clock import SECOND, now_us, rfc3339
from hub.errors import Conflict
from hub.scenarios.document import Document, parse_document
from hub.scenarios.models import Scenario, Version
from hub.values import loads

IN_A_ROW_S = 3600
"""A draft that has rested for longer stays, as a version that one can go back to."""


def revision(scenario: Scenario) -> str:
    """What is newest of a scenario: the number of its version, and how often that was saved again: `8`, `8.3`."""
    return f"{scenario.latest}.{scenario.edits}" if scenario.edits else f"{scenario.latest}"


def expect(session: Session, scenario: Scenario, seen: str | None) -> None:
    """Raises Conflict (`version_conflict`, with who saved meanwhile, and when) unless `seen` is what is newest."""
    if seen is None or seen == revision(scenario):
        return
    newest = _newest(session, scenario)
    raise Conflict(
        f"Version {scenario.latest} was saved in the meantime.",
        code="version_conflict",
        version=scenario.latest,
        revision=revision(scenario),
        by=newest.saved_by or None if newest else None,
        at=rfc3339(newest.created_at) if newest else None,
    )


def take_back(session: Session, scenario: Scenario, by: str) -> bool:
    """Remove the newest version where it is a draft that this person has just saved and that nothing runs; its number
    is free again. False where it stays."""
    newest = _newest(session, scenario)
    if newest is None or not newest.draft or not by or newest.saved_by != by or newest.n == scenario.published:
        return False
    if newest.created_at < now_us() - IN_A_ROW_S * SECOND:
        return False
    session.delete(newest)
    scenario.latest -= 1
    session.flush()
    return True


def says(session: Session, scenario: Scenario, document: Document) -> bool:
    """Whether the newest version says what this document does, wherever the blocks stand on the drawing."""
    newest = _newest(session, scenario)
    return newest is not None and _unplaced(parse_document(loads(newest.document))) == _unplaced(document)


def _unplaced(document: Document) -> Document:
    blocks = [node.model_copy(update={"position": None}) for node in document.blocks]
    return document.model_copy(update={"blocks": blocks})


def _newest(session: Session, scenario: Scenario) -> Version | None:
    query = select(Version).where(Version.scenario_id == scenario.id, col(Version.n) == scenario.latest)
    return session.exec(query.with_for_update()).one_or_none()
