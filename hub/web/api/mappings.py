"""Routes about the fields of CRM cards: which become which variables, what there is, and examples."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app
from pydantic import Field

from connectors.bitrix24.errors import AWAY
from connectors.errors import ConnectorError, LineDown
from hub.bitrix24 import connections, examples, fields, mappings
from hub.bitrix24.entities import kind_of
from hub.errors import Conflict, HubError, Invalid, NotFound
from hub.runtime import Runtime
from hub.scenarios.mapping_row import MappingRow
from hub.values import Value
from hub.web.api.base import Call, Input, route


class MappingInput(Input):
    """All rows of a mapping."""

    rows: list[MappingRow] = Field(max_length=100)


class FieldsQuery(Input):
    """`fresh`: read them from the portal now."""

    fresh: bool = False


class ExamplesQuery(Input):
    """Only cards of this stage."""

    stage: str | None = Field(None, max_length=64)


@route("GET", "/mappings", summary="Mappings of CRM cards", shape="Mapping", page=True)
def list_mappings(call: Call) -> Value:
    """One for each kind of card; `default` where nobody has changed it."""
    library = _runtime().library
    view = library.portal(call.portal_id, fresh=True)
    with call.hub.db.sql() as sql:
        entities = mappings.entities_of(sql, call.portal_id)
        shown = [mappings.to_dict(sql, call.portal_id, entity, library=library, view=view) for entity in entities]
    return {"items": shown, "next": None}


@route("GET", "/mappings/{entity}", summary="The mapping of a kind of card", shape="Mapping")
def read_mapping(call: Call, entity: str) -> Value:
    """404 for what is no kind of card."""
    return _shown(call, _known(entity))


@route("PUT", "/mappings/{entity}", summary="Set a mapping", body=MappingInput, shape="Mapping")
def put_mapping(call: Call, entity: str) -> Value:
    """All rows at once; published scenarios without a mapping of their own use them from the next event on."""
    given: MappingInput = call.body
    seen: set[str] = set()
    for number, row in enumerate(given.rows):
        if row.variable in seen:
            message = f"Two rows fill the variable “{row.variable}”."
            pointer = f"/rows/{number}/variable"
            raise Invalid(message, errors=[{"pointer": pointer, "code": "duplicate", "message": message}])
        seen.add(row.variable)
    kind = _known(entity)
    call.hub.db.writer.run(lambda sql: mappings.put(sql, call.portal_id, kind, given.rows))
    return _shown(call, kind)


@route("GET", "/bitrix24/fields/{entity}", summary="Fields of a card", query=FieldsQuery, shape="CardFields")
def read_fields(call: Call, entity: str) -> Value:
    """As they were read within a day; titles, types, lists, funnels and stages. 409 where no portal is connected."""
    query: FieldsQuery = call.query
    with asking_portal(call):
        return fields.catalogue(_runtime().bitrix24, call.portal_id, _known(entity), fresh=query.fresh).to_dict()


@route(
    "GET",
    "/bitrix24/examples/{entity}",
    summary="The cards changed last",
    query=ExamplesQuery,
    shape="CardExample",
    page=True,
)
def list_examples(call: Call, entity: str) -> Value:
    """At most five, with the values of the portal's mapping; `event` is what a dry run takes as its body."""
    query: ExamplesQuery = call.query
    kind, runtime = _known(entity), _runtime()
    with asking_portal(call):
        with call.hub.db.sql() as sql:
            rows = mappings.rows_of(sql, call.portal_id, kind)
        view = runtime.library.portal(call.portal_id)
        found = examples.latest(runtime.bitrix24, runtime.runner, view, kind, rows, stage=query.stage)
    return {"items": found, "next": None}


def _shown(call: Call, entity: str) -> Value:
    library = _runtime().library
    view = library.portal(call.portal_id, fresh=True)
    with call.hub.db.sql() as sql:
        return mappings.to_dict(sql, call.portal_id, entity, library=library, view=view)


def _known(entity: str) -> str:
    try:
        return kind_of(entity).entity
    except ValueError:
        raise NotFound("There is no such kind of card.") from None


@contextmanager
def asking_portal(call: Call) -> Iterator[None]:
    """What a portal refuses, in the words of this API."""
    with call.hub.db.sql() as sql:
        connection = connections.of_portal(sql, call.portal_id)
    if connection is None or connection.uninstalled_at is not None:
        raise Conflict("No Bitrix24 portal is connected here.", code="not_connected")
    try:
        yield
    except LineDown as error:
        raise Conflict(f"The portal does not let us in: {error.message}", code="b24.auth") from error
    except AWAY as error:
        raise _Away(f"The portal cannot be asked right now: {error.message}") from error
    except ConnectorError as error:
        raise Conflict(f"The portal refuses: {error.message}", code="b24.refused") from error


class _Away(HubError):
    """The portal does not answer; the same may work in a moment."""

    status, code = 503, "b24.unavailable"


def _runtime() -> Runtime:
    runtime: Runtime = current_app.extensions["hub.runtime"]
    return runtime
