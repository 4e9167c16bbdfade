"""Keeping scenarios: every save makes a version, and a version without errors of an enabled scenario goes live."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from hub.clock import now_us, rfc3339
from hub.core import Hub
from hub.errors import Invalid, NotFound
from hub.portals.service import bump
from hub.scenarios import drafts, links
from hub.scenarios.block import Problem
from hub.scenarios.check import check
from hub.scenarios.check_resources import CheckResources
from hub.scenarios.diff import Names, describe
from hub.scenarios.document import Document, DocumentError, name_key, name_problem, parse_document, to_json
from hub.scenarios.models import Scenario, Version
from hub.scenarios.refusing import refused
from hub.validation import name_taken
from hub.values import Value, dumps, loads


@dataclass(frozen=True)
class Saved:
    """A version as it was kept. `published`: it is the one that runs."""

    scenario: Scenario
    version: Version
    problems: list[dict[str, Any]]
    published: bool


# ---------------------------------------------------------------- reading


def read_document(raw: bytes | str | Mapping[str, Value], content_type: str | None = None) -> Document:
    """A document that can be kept. Raises Invalid (422), or HubError 400 for what is not even YAML or JSON."""
    try:
        return parse_document(raw, content_type)
    except DocumentError as error:
        raise refused(error.problems) from None


def all_of(session: Session, portal_id: int) -> list[Scenario]:
    """Every scenario of a portal, the newest first."""
    query = select(Scenario).where(Scenario.portal_id == portal_id, col(Scenario.deleted_at).is_(None))
    return list(session.exec(query.order_by(col(Scenario.id).desc())))


def get(session: Session, portal_id: int, scenario_id: int, *, lock: bool = False) -> Scenario:
    """One scenario of a portal; `lock` keeps others from changing it. Raises NotFound."""
    scenario = session.get(Scenario, scenario_id, with_for_update=lock or None)
    if scenario is None or scenario.portal_id != portal_id or scenario.deleted_at is not None:
        raise NotFound("There is no such scenario.")
    return scenario


def versions_of(session: Session, scenario: Scenario) -> list[Version]:
    """Every version of a scenario, the newest first."""
    query = select(Version).where(Version.scenario_id == scenario.id, Version.portal_id == scenario.portal_id)
    return list(session.exec(query.order_by(col(Version.n).desc())))


def version(session: Session, scenario: Scenario, n: int | None = None) -> Version:
    """Version `n` of a scenario, by default the newest. Raises NotFound."""
    wanted = scenario.latest if n is None else n
    query = select(Version).where(Version.scenario_id == scenario.id, Version.portal_id == scenario.portal_id)
    found = session.exec(query.where(Version.n == wanted)).one_or_none()
    if found is None:
        raise NotFound("There is no such version.")
    return found


def document_of(kept: Version) -> Document:
    """The document of a version."""
    return parse_document(loads(kept.document))


def diff(session: Session, scenario: Scenario, a: int, b: int, names: Names | None = None) -> list[str]:
    """What changed from version `a` to version `b`, in sentences."""
    return describe(document_of(version(session, scenario, a)), document_of(version(session, scenario, b)), names)


# ---------------------------------------------------------------- changing


def save(
    session: Session,
    hub: Hub,
    portal_id: int,
    document: Document,
    *,
    scenario_id: int | None = None,
    draft: bool = False,
    apart: bool = False,
    if_match: str | None = None,
    note: str = "",
    by: str = "",
) -> Saved:
    """Keep a document as a new scenario, or as the next version of one; publish it unless it is a draft, has errors
    or its scenario is switched off.

    A new scenario is switched on when it starts by a link, off otherwise. `if_match` is the revision the caller
    has seen. `by` is the person who saves: drafts that one person saves in a row are one version, but for one that is
    kept `apart`; so is a draft that is published as it is. Raises Invalid (`name_taken`), Conflict
    (`version_conflict`), NotFound.
    """
    now = now_us()
    if scenario_id is None:
        enabled = links.starts_by_link(document)
        scenario = Scenario(portal_id=portal_id, name="", name_key="", enabled=enabled, created_at=now, updated_at=now)
    else:
        scenario = get(session, portal_id, scenario_id, lock=True)
        drafts.expect(session, scenario, if_match)
    renamed, edits = scenario.name != document.name, scenario.edits
    take_name(session, scenario, document.name)
    in_a_row = not apart if draft else drafts.says(session, scenario, document)
    again = in_a_row and drafts.take_back(session, scenario, by)
    saved = _add(
        session,
        hub,
        scenario,
        document,
        publish=scenario.enabled and not draft,
        note=note,
        by=by,
        draft=draft,
        counts=renamed or not draft or scenario.published is None,
    )
    scenario.edits = edits + 1 if again else 0
    return saved


def set_enabled(session: Session, hub: Hub, scenario: Scenario, enabled: bool) -> None:
    """Switch a scenario on or off. Switching on publishes the newest version without errors, a draft too.

    Raises Invalid with the problems of the newest version when there is none.
    """
    if enabled:
        newest: Sequence[Problem] | None = None
        for kept in versions_of(session, scenario):
            if newest is not None and not kept.clean:
                continue
            problems = _check(session, scenario, document_of(kept))
            newest = problems if newest is None else newest
            if _is_clean(problems):
                kept.clean, kept.problems, kept.draft = True, _stored(problems), False
                scenario.published = kept.n
                session.add(kept)
                break
        else:
            raise Invalid(
                "The scenario cannot be switched on while it has errors.",
                code="not_publishable",
                problems=[problem.as_dict() for problem in newest or ()],
            )
    scenario.enabled = enabled
    touch(session, scenario)


def rename(session: Session, hub: Hub, scenario: Scenario, name: str) -> None:
    """Give a scenario another name: a new version that differs in nothing else. Raises Invalid."""
    newest = version(session, scenario)
    name = name.strip()
    document = document_of(newest).model_copy(update={"name": name})
    take_name(session, scenario, name)
    _add(session, hub, scenario, document, publish=scenario.published == newest.n, note="renamed")


def restore(session: Session, hub: Hub, scenario: Scenario, n: int, *, by: str = "") -> Saved:
    """Make version `n` the newest one again, under today's name, and publish it if it has no errors today."""
    document = document_of(version(session, scenario, n)).model_copy(update={"name": scenario.name})
    return _add(session, hub, scenario, document, publish=True, note=f"Restored from version {n}.", by=by)


# ---------------------------------------------------------------- showing


def to_dict(session: Session, hub: Hub, scenario: Scenario) -> dict[str, Any]:
    """A scenario as the API shows it: its newest version, and whether that is the one that runs."""
    newest = version(session, scenario)
    shown = links.links_of(session, hub, scenario, document_of(newest))
    return {
        "id": scenario.id,
        "name": scenario.name,
        "enabled": scenario.enabled,
        "version": scenario.latest,
        "revision": drafts.revision(scenario),
        "published": scenario.published == scenario.latest,
        "published_version": scenario.published,
        "problems": loads(newest.problems),
        "links": None if shown is None else shown.as_dict(),
        "created_at": rfc3339(scenario.created_at),
        "updated_at": rfc3339(scenario.updated_at),
    }


def version_to_dict(scenario: Scenario, kept: Version) -> dict[str, Any]:
    """A version as the API lists it."""
    return {
        "version": kept.n,
        "created_at": rfc3339(kept.created_at),
        "published": scenario.published == kept.n,
        "clean": kept.clean,
        "note": kept.note,
        "by": kept.saved_by,
        "draft": kept.draft,
        "problems": loads(kept.problems),
    }


# ---------------------------------------------------------------- within


def _add(
    session: Session,
    hub: Hub,
    scenario: Scenario,
    document: Document,
    *,
    publish: bool,
    note: str = "",
    by: str = "",
    draft: bool = False,
    counts: bool = True,
) -> Saved:
    """Append a version to a scenario that already has its name."""
    if scenario.id is None:
        raise ValueError("the scenario has not been stored yet")
    problems = _check(session, scenario, document)
    scenario.latest, scenario.edits = scenario.latest + 1, 0
    kept = Version(
        scenario_id=scenario.id,
        portal_id=scenario.portal_id,
        n=scenario.latest,
        document=to_json(document),
        clean=_is_clean(problems),
        problems=_stored(problems),
        note=note,
        saved_by=by,
        draft=draft,
        created_at=now_us(),
    )
    if publish and kept.clean:
        scenario.published = kept.n
    session.add(kept)
    if links.starts_by_link(document):
        links.ensure(session, hub, scenario)
    touch(session, scenario, counts)
    return Saved(scenario, kept, [problem.as_dict() for problem in problems], scenario.published == kept.n)


def _check(session: Session, scenario: Scenario, document: Document) -> list[Problem]:
    return check(document, CheckResources(session, scenario.portal_id, scenario.id))[1]


def _is_clean(problems: Sequence[Problem]) -> bool:
    return all(problem.severity != "error" for problem in problems)


def _stored(problems: Sequence[Problem]) -> str:
    return dumps([problem.as_dict() for problem in problems])


def check_name(name: str) -> None:
    """Raises Invalid for what cannot be a scenario's name."""
    if (problem := name_problem(name)) is not None:
        raise refused([problem])


def take_name(session: Session, scenario: Scenario, name: str) -> None:
    """Give a scenario this name. Raises Invalid (`name_taken`, or for a name that cannot be one)."""
    check_name(name)
    key = name_key(name)
    query = select(Scenario.id).where(Scenario.portal_id == scenario.portal_id, Scenario.name_key == key)
    owner = session.exec(query).one_or_none()
    if owner is not None and owner != scenario.id:
        raise name_taken("a scenario")
    scenario.name, scenario.name_key = name, key
    session.add(scenario)
    try:
        session.flush()
    except IntegrityError:
        raise name_taken("a scenario") from None


def touch(session: Session, scenario: Scenario, counts: bool = True) -> None:
    """`counts`: a running process has to look at it again."""
    scenario.updated_at = now_us()
    session.add(scenario)
    session.flush()
    if counts:
        bump(session, scenario.portal_id, "config")
