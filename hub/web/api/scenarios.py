"""Routes about scenarios: keeping documents, switching on and off, versions, links."""

import re
from typing import Any, Literal

from flask import Response, request
from flask_babel import gettext
from pydantic import Field, StrictBool
from sqlmodel import Session

from hub.clock import rfc3339
from hub.core import Hub
from hub.errors import Conflict, HubError, Invalid
from hub.scenarios import copying, drafts, links, removal, versions
from hub.scenarios.check import check
from hub.scenarios.check_resources import CheckResources
from hub.scenarios.contract import openapi
from hub.scenarios.document import Document, to_json, to_yaml
from hub.scenarios.models import Scenario
from hub.values import Value
from hub.web.access.identity import asking, only_looks
from hub.web.api import blocks
from hub.web.api.base import DOCUMENT_LIMIT, YAML_TYPES, Call, Input, answer, route
from hub.web.redaction import without_token
from hub.web.sentences import said

_etag = re.compile(r'(?:W/)?"?(\d{1,9}(?:\.\d{1,9})?)"?')


class SaveQuery(Input):
    """`draft=true` keeps a version without publishing it."""

    draft: bool = False


class ReplaceQuery(SaveQuery):
    """`keep_name=true`: the scenario keeps its name, whatever the document is called. `apart=true`: a version of its
    own, also where one's own draft is the newest."""

    keep_name: bool = False
    apart: bool = False


class ScenarioChange(Input):
    """A switch, a name, or both."""

    enabled: StrictBool | None = None
    name: str | None = None


class Rotation(Input):
    """How long the old link goes on working."""

    grace_days: int = Field(links.GRACE_DAYS, ge=0, le=links.MAX_GRACE_DAYS)


class DocumentQuery(Input):
    """Which version, and as what; the `Accept` header counts where `format` is not given."""

    format: Literal["json", "yaml"] | None = None
    version: int | None = Field(None, ge=1, le=2**31 - 1)


@route("GET", "/scenarios", summary="All scenarios", shape="Scenario", page=True)
def list_scenarios(call: Call) -> Value:
    """The newest first."""
    with call.hub.db.read() as session:
        found = versions.all_of(session, call.portal_id)
        return {"items": [described(session, call.hub, one) for one in found], "next": None}


@route(
    "POST",
    "/scenarios",
    summary="Keep a new scenario",
    body="document",
    limit=DOCUMENT_LIMIT,
    query=SaveQuery,
    status=201,
    shape="Scenario",
)
def create_scenario(call: Call) -> Value:
    """Published at once when it has no errors and starts by a link; 422 only for what cannot be kept."""
    document = _document(call)
    with call.hub.db.write() as session:
        saved = versions.save(session, call.hub, call.portal_id, document, draft=call.query.draft, by=_person())
        return _shown(session, call, saved.scenario, status=201)


@route("GET", "/scenarios/{scenario_id}", summary="One scenario", shape="Scenario")
def read_scenario(call: Call, scenario_id: int) -> Value:
    """With the problems of its newest version, and its links."""
    with call.hub.db.read() as session:
        return _shown(session, call, versions.get(session, call.portal_id, scenario_id))


@route(
    "PUT",
    "/scenarios/{scenario_id}",
    summary="Keep a new version",
    body="document",
    limit=DOCUMENT_LIMIT,
    query=ReplaceQuery,
    shape="Scenario",
)
def save_scenario(call: Call, scenario_id: int) -> Value:
    """`If-Match` with the revision last seen: 409 when another was saved meanwhile. Drafts that one person saves in a
    row are one version."""
    document = _document(call)
    with call.hub.db.write() as session:
        if call.query.keep_name:
            document = document.model_copy(
                update={"name": versions.get(session, call.portal_id, scenario_id, lock=True).name}
            )
        saved = versions.save(
            session,
            call.hub,
            call.portal_id,
            document,
            scenario_id=scenario_id,
            draft=call.query.draft,
            apart=call.query.apart,
            if_match=_if_match(),
            by=_person(),
        )
        return _shown(session, call, saved.scenario)


@route("PATCH", "/scenarios/{scenario_id}", summary="Switch or rename", body=ScenarioChange, shape="Scenario")
def change_scenario(call: Call, scenario_id: int) -> Value:
    """Switching on publishes the newest version without errors; 422 with the problems when there is none."""
    given: ScenarioChange = call.body
    with call.hub.db.write() as session:
        scenario = versions.get(session, call.portal_id, scenario_id, lock=True)
        if given.name is not None:
            versions.rename(session, call.hub, scenario, given.name)
        if given.enabled is not None:
            versions.set_enabled(session, call.hub, scenario, given.enabled)
        return _shown(session, call, scenario)


@route("DELETE", "/scenarios/{scenario_id}", summary="Take a scenario away", status=204)
def delete_scenario(call: Call, scenario_id: int) -> Value:
    """Its links are unknown from then on; its journal stays."""
    with call.hub.db.write() as session:
        removal.delete(session, versions.get(session, call.portal_id, scenario_id, lock=True))


@route("POST", "/scenarios/{scenario_id}/duplicate", summary="Make another one like it", status=201, shape="Scenario")
def duplicate_scenario(call: Call, scenario_id: int) -> Value:
    """Its newest version as a draft of a new scenario, switched off, with links of its own."""
    with call.hub.db.write() as session:
        saved = copying.duplicate(
            session, call.hub, call.portal_id, scenario_id, called=gettext("{} (copy)"), by=_person()
        )
        return _shown(session, call, saved.scenario, status=201)


@route("GET", "/scenarios/{scenario_id}/document", summary="The document, as JSON or YAML", query=DocumentQuery)
def read_document(call: Call, scenario_id: int) -> Value:
    """Always the same bytes for the same version."""
    with call.hub.db.read() as session:
        scenario = versions.get(session, call.portal_id, scenario_id)
        kept = versions.version(session, scenario, call.query.version)
        document, n = versions.document_of(kept), kept.n
    wanted = call.query.format or _accepted()
    made = Response(to_yaml(document) if wanted == "yaml" else to_json(document))
    made.content_type = "application/yaml; charset=utf-8" if wanted == "yaml" else "application/json"
    made.headers["ETag"] = f'"{n}"'
    made.headers["Cache-Control"] = "no-store"
    return made


@route("GET", "/scenarios/{scenario_id}/versions", summary="All versions", shape="Version", page=True)
def list_versions(call: Call, scenario_id: int) -> Value:
    """The newest first."""
    with call.hub.db.read() as session:
        scenario = versions.get(session, call.portal_id, scenario_id)
        found = [versions.version_to_dict(scenario, kept) for kept in versions.versions_of(session, scenario)]
    if asking() is not None:
        found = [one | {"note": said(one["note"])} for one in found]
    return {"items": found, "next": None}


@route("GET", "/scenarios/{scenario_id}/versions/{a}/diff/{b}", summary="What changed, in sentences", shape="Diff")
def diff_versions(call: Call, scenario_id: int, a: int, b: int) -> Value:
    """From version `a` to version `b`."""
    with call.hub.db.read() as session:
        scenario = versions.get(session, call.portal_id, scenario_id)
        # A person reads titles in the language of the page, a program ids in English, as everywhere in the API.
        names = None if asking() is None else blocks.Titles()
        changes = versions.diff(session, scenario, a, b, names)
    return {"from": a, "to": b, "changes": changes if names is None else [said(one) for one in changes]}


@route(
    "POST",
    "/scenarios/{scenario_id}/versions/{n}/restore",
    summary="Bring an old version back",
    status=201,
    shape="Scenario",
)
def restore_version(call: Call, scenario_id: int, n: int) -> Value:
    """As a new version, published unless it has errors today."""
    with call.hub.db.write() as session:
        scenario = versions.get(session, call.portal_id, scenario_id, lock=True)
        versions.restore(session, call.hub, scenario, n, by=_person())
        return _shown(session, call, scenario, status=201)


@route(
    "POST",
    "/scenarios/{scenario_id}/rotate-token",
    summary="Give the links a new token",
    body=Rotation,
    optional=True,
    shape="Scenario",
)
def rotate_token(call: Call, scenario_id: int) -> Value:
    """The old link works on for `grace_days`, then it is unknown."""
    with call.hub.db.write() as session:
        scenario = versions.get(session, call.portal_id, scenario_id, lock=True)
        old_until = links.rotate(session, call.hub, scenario, call.body.grace_days)
        shown = versions.to_dict(session, call.hub, scenario)
    return shown | {"old_link_expires_at": rfc3339(old_until)}


@route("GET", "/scenarios/{scenario_id}/openapi.json", summary="What the links take and answer")
def read_openapi(call: Call, scenario_id: int) -> Value:
    """Of the version that runs, else of the newest; 409 while it has errors."""
    with call.hub.db.read() as session:
        scenario = versions.get(session, call.portal_id, scenario_id)
        document = versions.document_of(versions.version(session, scenario, scenario.published))
        program, problems = check(document, CheckResources(session, call.portal_id, scenario_id))
    if program is None:
        shown = [problem.as_dict() for problem in problems]
        raise Conflict("The scenario has errors.", code="not_publishable", problems=shown)
    if not links.starts_by_link(document):
        raise Conflict("This scenario has no links.", code="no_link")
    return openapi(program, scenario_id, call.hub.settings.base_url)


def _document(call: Call) -> Document:
    given: Any = call.body
    if not isinstance(given, bytes | dict):
        raise Invalid("A scenario document is an object.")
    return versions.read_document(given, YAML_TYPES[0] if isinstance(given, bytes) else None)


def described(session: Session, hub: Hub, scenario: Scenario) -> dict[str, Any]:
    """A scenario as the API shows it. Whoever has a link starts the scenario, so people who only look on see it without
    its token."""
    found = versions.to_dict(session, hub, scenario)
    if found["links"] and only_looks():
        found["links"] = {name: without_token(link) for name, link in found["links"].items()}
    return found


def _shown(session: Session, call: Call, scenario: Scenario, *, status: int = 200) -> Response:
    made = answer(described(session, call.hub, scenario), status)
    made.headers["ETag"] = f'"{drafts.revision(scenario)}"'
    return made


def _person() -> str:
    """The name of the person who is asking; empty for a program with a key."""
    person = asking()
    return "" if person is None else person.name


def _if_match() -> str | None:
    header = request.headers.get("If-Match", "").strip()
    if header in ("", "*"):
        return None
    found = _etag.fullmatch(header)
    if found is None:
        refused = HubError("If-Match names a version as a number in quotes.", code="invalid_header")
        refused.status = 400
        raise refused
    return found[1]


def _accepted() -> Literal["json", "yaml"]:
    best = request.accept_mimetypes.best_match(["application/json", *YAML_TYPES], default="application/json")
    return "yaml" if best in YAML_TYPES else "json"
