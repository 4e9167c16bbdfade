"""What every route of the management API shares: one declaration that Flask, the checks of input and openapi.json read.

A module of this package declares its routes with `@route`; whatever module lies here is found by itself.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, Response, current_app, g, request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from hub.accounts.keys import note_use, portal_of_key
from hub.clock import to_us
from hub.core import Hub
from hub.endpoints.parse import Refused, parse_json
from hub.errors import Invalid, NotFound, Unauthorized
from hub.ids import KEY_PREFIX
from hub.validation import errors_of
from hub.values import Value, dumps_bytes
from hub.web.access import csrf
from hub.web.access.identity import Role, ask_by_key, asking, require
from hub.web.body import read_body

PREFIX = "/api/v1"
BODY_LIMIT = 64 * 1024
DOCUMENT_LIMIT = 512 * 1024
MAX_PAGE = 200
MAX_INT = 2**63 - 1
YAML_TYPES = ("application/yaml", "application/x-yaml", "text/yaml")
WHOLE_NUMBERS = frozenset({"scenario_id", "n", "a", "b"})

Answer = Value | Response
Handler = TypeVar("Handler", bound=Callable[..., Any])


class Input(BaseModel):
    """Base of every body and query: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoQuery(Input):
    """A query that takes nothing."""


class PageQuery(Input):
    """Which part of a list: at most `limit` items after the one that `cursor` names."""

    limit: int = Field(50, ge=1, le=MAX_PAGE)
    cursor: str | None = Field(None, max_length=64)


class SpanQuery(PageQuery):
    """A part of a list of things with a time."""

    before: AwareDatetime | None = None
    after: AwareDatetime | None = None


@dataclass(frozen=True)
class Route:
    """One method of one address. `body` is its model, `"document"` for a scenario document, None for nothing.
    `shape` names the answer's schema in openapi.json; a list of them when `page` is true."""

    method: str
    path: str
    summary: str
    handler: Callable[..., Answer]
    subject: str
    body: type[Input] | str | None
    optional: bool
    query: type[Input]
    status: int
    shape: str | None
    page: bool
    limit: int
    public: bool
    role: Role

    @property
    def rule(self) -> str:
        """The path as Flask spells it."""
        return re.sub(r"\{(\w+)\}", lambda found: _argument(found[1]), self.path)

    @property
    def endpoint(self) -> str:
        """The name of this route within the application."""
        return f"api.{self.handler.__module__.rpartition('.')[2]}.{self.handler.__name__}"


@dataclass(frozen=True)
class Call:
    """One call of a route: by whose key, with its checked input."""

    hub: Hub
    portal_id: int
    body: Any = None
    query: Any = None
    content_type: str = ""


ROUTES: list[Route] = []


def route(
    method: str,
    path: str,
    *,
    summary: str,
    body: type[Input] | str | None = None,
    optional: bool = False,
    query: type[Input] = NoQuery,
    status: int = 200,
    shape: str | None = None,
    page: bool = False,
    limit: int = BODY_LIMIT,
    public: bool = False,
    role: Role | None = None,
) -> Callable[[Handler], Handler]:
    """Declare a route: `handler(call, **arguments of the path)` gives a value or a finished Response.

    `optional`: the body may be left out. `limit`: bytes of the body. `role`: what a person needs who has signed in;
    by default reading is for viewers and changing for editors.
    """
    needed: Role = role or ("viewer" if method == "GET" else "editor")

    def declare(handler: Handler) -> Handler:
        subject = path.split("/")[1]
        ROUTES.append(
            Route(
                method,
                path,
                summary,
                handler,
                subject,
                body,
                optional,
                query,
                status,
                shape,
                page,
                limit,
                public,
                needed,
            )
        )
        return handler

    return declare


def install(app: Flask) -> None:
    """Add every declared route to an application whose `extensions["hub"]` is a Hub."""
    for declared in ROUTES:
        app.add_url_rule(
            PREFIX + declared.rule,
            endpoint=declared.endpoint,
            view_func=_view(declared),
            methods=[declared.method],
            provide_automatic_options=False,
        )


def answer(value: Value, status: int = 200) -> Response:
    """A value as JSON; numbers keep their literals."""
    made = Response(dumps_bytes(value), status=status, content_type="application/json")
    made.headers["Cache-Control"] = "no-store"
    made.headers["X-Content-Type-Options"] = "nosniff"
    return made


def within(query: SpanQuery) -> tuple[int | None, int | None]:
    """`after` and `before` in microseconds."""
    return (
        None if query.after is None else to_us(query.after),
        None if query.before is None else to_us(query.before),
    )


def _view(declared: Route) -> Callable[..., Response]:
    def view(**arguments: Any) -> Response:
        hub: Hub = current_app.extensions["hub"]
        portal_id = 0 if declared.public else _authenticate(hub, declared.role)
        if any("\0" in value for value in arguments.values() if isinstance(value, str)):
            raise NotFound("There is nothing at this address.")
        query = _query(declared.query)
        call = Call(hub, portal_id, _body(declared), query, request.content_type or "")
        value = declared.handler(call, **arguments)
        if isinstance(value, Response):
            return value
        if declared.status == 204:
            return Response(status=204)
        return answer(value, declared.status)

    return view


def _argument(name: str) -> str:
    return f"<int(max={MAX_INT}):{name}>" if name in WHOLE_NUMBERS else f"<{name}>"


def _authenticate(hub: Hub, role: Role) -> int:
    """The portal of whoever asks: a key of the API may do everything, a person what the role allows."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    portal_id = None
    if scheme.lower() == "bearer" and key.strip().startswith(KEY_PREFIX):
        with hub.db.read() as session:
            portal_id = portal_of_key(session, key.strip())
        if portal_id is not None:
            ask_by_key()
            note_use(hub, key.strip())
    elif asking() is not None:
        csrf.check()
        portal_id = require(role).portal_id
    if portal_id is None:
        raise Unauthorized("A valid key is needed: Authorization: Bearer <key>.")
    g.portal_id = portal_id
    return portal_id


def _query(model: type[Input]) -> Any:
    given = {name: values[-1] for name, values in request.args.lists()}
    if any("\0" in name + value for name, value in given.items()):
        raise Invalid("A parameter holds a character that cannot be used.")
    return checked(model, given, "The parameters cannot be used like this.")


def _body(declared: Route) -> Any:
    if declared.body is None:
        return None
    raw = _raw_body(declared.limit)
    kind = (request.mimetype or "").lower()
    if declared.body == "document" and kind in YAML_TYPES:
        return raw
    if not raw and declared.optional:
        value: Value = {}
    else:
        if kind and kind != "application/json" and not kind.endswith("+json"):
            raise Refused("unsupported_media_type", 415, "The body must be JSON.")
        value, notes = parse_json(raw, tolerant=False)
        for note in notes:
            if note.code == "duplicate_key":
                raise Refused("duplicate_key", 400, "A name stands twice in one object.")
    if isinstance(declared.body, str):
        return value
    return checked(declared.body, value, "The body cannot be used like this.")


def _raw_body(limit: int) -> bytes:
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refused("unsupported_media_type", 415, "A compressed body cannot be read here.")
    # Enough is read to know that there is more than may come.
    raw = read_body(limit) if (request.content_length or 0) <= limit else b""
    if (request.content_length or 0) > limit or len(raw) > limit:
        raise Refused("body_too_large", 413, f"The body has more than {limit} bytes.")
    return raw


def checked(model: type[Input], value: Value, message: str) -> Any:
    """An instance of `model`. Raises Invalid with one error for every field that does not fit."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise Invalid(message, errors=errors_of(error)) from None
