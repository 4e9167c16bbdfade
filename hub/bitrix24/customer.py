"""Whose card the portal opens our tab in: read with the token of the person who is looking, so they see no more than
the portal shows them. The page gets a sealed ticket for it, which opens for that person only, and for an hour.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from connectors.bitrix24.errors import AWAY
from connectors.bitrix24.rest import Command
from connectors.errors import ConnectorError
from hub.bitrix24.client import Bitrix24
from hub.bitrix24.verify import Claim, Proof, Unproven
from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.errors import Forbidden, Invalid
from hub.secrets import SecretError
from hub.values import Value, as_text, dumps, loads

TABS: Mapping[str, str] = {"CRM_DEAL_DETAIL_TAB": "deal", "CRM_CONTACT_DETAIL_TAB": "contact"}
LIFE_S = 3600
MOST_PHONES = 20


@dataclass(frozen=True)
class Customer:
    """A card and who is behind it: `name` for people, `phones` as the portal has them."""

    entity: str
    entity_id: int
    title: str
    name: str
    phones: tuple[str, ...]


def read(bitrix24: Bitrix24, claim: Claim, proof: Proof, entity: str, options: Mapping[str, Value]) -> Customer:
    """The card of a tab's context, as the person who is looking may see it.

    Raises Invalid for a card that is not saved yet, Forbidden for one they may not read, Unproven when the portal does
    not answer.
    """
    number = as_text(options.get("ID"))
    if not (number.isascii() and number.isdecimal() and 0 < len(number) < 16 and int(number)):
        raise Invalid("Save the card first.", code="no_card")
    commands: dict[str, Command] = {"card": (f"crm.{entity}.get", {"id": int(number)})}
    if entity != "contact":
        commands["contact"] = ("crm.contact.get", {"id": "$result[card][CONTACT_ID]"})
    commands["company"] = ("crm.company.get", {"id": "$result[card][COMPANY_ID]"})
    try:
        answer = bitrix24.rest.batch(proof.info.client_endpoint, claim.access, commands)
        card = _fields(answer["card"])
    except AWAY as error:
        raise Unproven from error
    except ConnectorError as error:
        raise Forbidden("The portal does not show you this card.", code="card_not_shown") from error
    contact = card if entity == "contact" else _fields(answer.results.get("contact"))
    company = _fields(answer.results.get("company"))
    name = " ".join(as_text(contact.get(part)) for part in ("NAME", "LAST_NAME")).strip() or _title(company)
    phones = dict.fromkeys([*_phones(contact), *_phones(company)])
    title = name if entity == "contact" else _title(card)
    return Customer(entity, int(number), title[:255], name[:255], tuple(phones)[:MOST_PHONES])


def ticket(hub: Hub, portal_id: int, person: str, customer: Customer) -> str:
    """What the page of a tab is opened with. `person`: the key of whoever is looking."""
    until = now_us() + LIFE_S * SECOND
    return hub.box.seal(dumps({**asdict(customer), "until": str(until)}), **_place(portal_id, person))


def open_ticket(hub: Hub, portal_id: int, person: str, sealed: str) -> Customer:
    """The card that a ticket stands for. Raises Forbidden for somebody else's and for one that is too old."""
    try:
        found: Any = loads(hub.box.open(sealed, **_place(portal_id, person)))
    except SecretError:
        found = {"until": "0"}
    if int(found.pop("until")) < now_us():
        raise Forbidden("Open the tab of the card again.", code="ticket_over")
    return Customer(**{**found, "entity_id": int(found["entity_id"]), "phones": tuple(found["phones"])})


def _place(portal_id: int, person: str) -> dict[str, str]:
    return {"table": "customer", "column": "ticket", "row": f"{portal_id}:{person}"}


def _fields(found: Any) -> Mapping[str, Value]:
    return found if isinstance(found, Mapping) else {}


def _title(card: Mapping[str, Value]) -> str:
    return as_text(card.get("TITLE"))


def _phones(card: Mapping[str, Value]) -> list[str]:
    rows = card.get("PHONE")
    found = [as_text(row.get("VALUE")) for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
    return [phone[:64] for phone in found if phone.strip()]
