"""For whom a request came, as far as what it brought says so: for lists, so long bodies are not read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from hub.endpoints import card_event
from hub.endpoints.models import IncomingRequest
from hub.endpoints.parse import Refused, parse_body, parse_query
from hub.values import Value, as_text

LONGEST_BODY = 16_384
SHOWN_CHARS = 60
_NAMES = ("client_name", "name", "full_name", "customer_name", "contact_name", "fio", "имя", "фио")
_LAST_NAMES = ("client_last_name", "last_name", "surname", "фамилия")
_ADDRESSES = ("phone", "chat_id", "telephone", "tel", "телефон", "email", "username")


@dataclass(frozen=True)
class Customer:
    """Empty where nothing is known. `address`: a phone, the number of a chat, or a mail address."""

    name: str = ""
    address: str = ""


NOBODY = Customer()


def of_requests(session: Session, portal_id: int, request_ids: Iterable[str | None]) -> dict[str, Customer]:
    """The customers of these requests, by request."""
    known = {one for one in request_ids if one}
    query = select(IncomingRequest).where(
        IncomingRequest.portal_id == portal_id,
        col(IncomingRequest.id).in_(known),
        col(IncomingRequest.size) <= LONGEST_BODY,
    )
    return {one.id: customer_of(one) for one in session.exec(query)} if known else {}


def customer_of(found: IncomingRequest) -> Customer:
    """Who a request names by the usual names, at its top."""
    if found.size > LONGEST_BODY:
        return NOBODY
    given = {name.casefold(): _shown(value) for name, value in _values(found).items()}
    name = " ".join(part for part in (_first(given, _NAMES), _first(given, _LAST_NAMES)) if part)
    return Customer(name, _first(given, _ADDRESSES))


def _values(found: IncomingRequest) -> Mapping[str, Value]:
    try:
        if found.method == card_event.METHOD:
            inputs = card_event.inputs_of(found.raw)
            return {**inputs.locals, **inputs.system}
        query = parse_query(found.query.encode("latin-1", "replace"))
        body = parse_body(found.raw or b"", found.content_type or None, tolerant=True).value if found.raw else None
    except Refused:
        return {}
    return {**query, **body} if isinstance(body, dict) else query


def _first(given: Mapping[str, str], names: Sequence[str]) -> str:
    return next((given[name] for name in names if given.get(name)), "")


def _shown(value: Value) -> str:
    return "" if isinstance(value, dict | list) else " ".join(as_text(value).split())[:SHOWN_CHARS]
