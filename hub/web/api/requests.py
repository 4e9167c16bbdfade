"""Routes about requests: what arrived at the links, whatever became of it."""

from functools import partial
from typing import Any, Literal

from pydantic import Field
from sqlmodel import Session, select

from hub.bitrix24 import classic
from hub.clock import rfc3339
from hub.endpoints import card_event, queries
from hub.endpoints.models import IncomingRequest
from hub.endpoints.parse import Refused, merge, parse_body, parse_query
from hub.endpoints.queries import RequestFilter
from hub.portals.service import by_id
from hub.scenarios.models import Run, Scenario, Version
from hub.values import Value, loads
from hub.web.api.base import MAX_INT, Call, SpanQuery, route, within
from hub.web.api.paging import page, text_cursor
from hub.web.redaction import redacted, redacted_text


class RequestQuery(SpanQuery):
    """A part of the list of requests."""

    scenario: int | None = Field(None, ge=0, le=MAX_INT)
    outcome: Literal["run", "duplicate", "check", "captured", "refused", "unchanged", "ignored"] | None = None


@route("GET", "/requests", summary="Requests", query=RequestQuery, shape="RequestSummary", page=True)
def list_requests(call: Call) -> Value:
    """The newest first, without their bodies."""
    wanted: RequestQuery = call.query
    after, before = within(wanted)
    sought = RequestFilter(wanted.scenario, wanted.outcome, after, before)
    cursor = text_cursor(wanted.cursor)
    with call.hub.db.read() as session:
        found = queries.find(session, call.portal_id, sought, below=cursor, limit=wanted.limit + 1)
        language = by_id(session, call.portal_id).language
        return page(found, wanted.limit, lambda one: one.id, partial(summary, language=language))


@route("GET", "/requests/{request_id}", summary="One request", shape="Request")
def read_request(call: Call, request_id: str) -> Value:
    """With its body, read as the link reads it; what is called like a secret is hidden."""
    with call.hub.db.read() as session:
        found = queries.get(session, call.portal_id, request_id)
        return shown(session, found, by_id(session, call.portal_id).language)


def shown(session: Session, found: IncomingRequest, language: str) -> dict[str, Any]:
    """A request as the API shows it, with its contents; who sent it is named in `language`."""
    return summary(found, language) | _contents(found, _fields(session, found))


def summary(found: IncomingRequest, language: str) -> dict[str, Any]:
    """A request as lists of the API show it."""
    return {
        "id": found.id,
        "scenario": found.scenario_id,
        "outcome": found.outcome,
        "run": found.run_id,
        "error": None if found.error is None else loads(found.error),
        "source": found.source,
        "method": found.method,
        "content_type": found.content_type,
        "received_at": rfc3339(found.received_at),
        "size": found.size,
        "warnings": loads(found.warnings),
        "sender": _sender(found, language),
        "card": card_event.summary(found.method, found.query),
    }


def _sender(found: IncomingRequest, language: str) -> dict[str, Any] | None:
    """`{"kind", "entity", "id", "name"}` of a portal's robot or event; None for anybody else."""
    raw = found.raw or b""
    if not any(mark in raw for mark in classic.MARKS):
        return None
    try:
        sender = classic.sender_of(parse_body(raw, found.content_type or None, tolerant=True).value)
    except Refused:
        return None
    if sender is None:
        return None
    return {"kind": sender.kind, "entity": sender.entity, "id": sender.entity_id, "name": sender.name(language)}


def _contents(found: IncomingRequest, fields: list[str]) -> dict[str, Any]:
    """`query`, `undeclared`, `body` and `raw`; what cannot be read stays empty, `raw` shows it as it came."""
    raw = found.raw or b""
    try:
        query = parse_query(found.query.encode("latin-1", "replace"))
    except Refused:
        query = {}
    try:
        body = parse_body(raw, found.content_type or None, tolerant=True)
    except Refused:
        body = None
    return {
        "query": redacted(query),
        "undeclared": merge(fields, query, body).undeclared,
        "body": redacted(body.value) if body is not None else None,
        "raw": redacted_text(raw.decode("utf-8", "replace")),
    }


def _fields(session: Session, found: IncomingRequest) -> list[str]:
    """The fields that the link had: of the version that ran, else of the newest."""
    query = select(Version.document).where(
        Version.scenario_id == found.scenario_id, Version.portal_id == found.portal_id
    )
    run = session.get(Run, found.run_id) if found.run_id else None
    scenario = session.get(Scenario, found.scenario_id)
    n = run.version if run is not None else scenario.latest if scenario is not None else None
    document = session.exec(query.where(Version.n == n)).first()
    if document is None:
        return []
    for block in loads(document).get("blocks", []):
        fields = block.get("config", {}).get("fields")
        if block.get("type") == "incoming_webhook" and isinstance(fields, list):
            return [name for name in fields if isinstance(name, str)]
    return []
