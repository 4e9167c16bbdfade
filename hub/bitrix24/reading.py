"""Reading cards: a card with its contact, company and responsible in one hit, and many cards in few.

Up to ten cards bring what is linked to them along; more of them are read alone, fifty to a hit, and what is linked is
read afterwards for those that start something. So a mass change costs one hit for fifty cards.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.bitrix24.errors import AWAY
from connectors.bitrix24.rest import Command
from connectors.errors import ConnectorError, LineDown
from hub.bitrix24.card_values import normal
from hub.bitrix24.client import PortalClient
from hub.bitrix24.entities import Kind, kind_of
from hub.values import Value

WHOLE = 10
Names = Mapping[str, str]


@dataclass(frozen=True)
class Card:
    """A card with what is linked to it; None where nothing is, or where the portal does not show it."""

    kind: Kind
    id: int
    fields: Mapping[str, Value]
    contact: Mapping[str, Value] | None = None
    company: Mapping[str, Value] | None = None
    responsible: Mapping[str, Value] | None = None

    @property
    def bitrix(self) -> dict[str, Value]:
        """The card as scenarios see it under `bitrix`."""
        linked = {"contact": self.contact, "company": self.company, "responsible": self.responsible}
        return {name: dict(value) for name, value in linked.items() if value is not None} | {
            self.kind.name: dict(self.fields)
        }


@dataclass
class Reading:
    """What was read. `errors`: what the portal said of a card that it did not give."""

    kind: Kind
    cards: dict[int, dict[str, Value]] = field(default_factory=dict)
    errors: dict[int, ConnectorError] = field(default_factory=dict)
    linked: dict[tuple[str, str], dict[str, Value] | None] = field(default_factory=dict)

    def card(self, number: int) -> Card:
        """A card with what is known of its links."""
        fields = self.cards[number]
        found = {name: self.linked.get((what, of)) for name, what, of in links_of(self.kind, fields)}
        if self.kind.entity in found:
            found.pop(self.kind.entity)
        return Card(self.kind, number, fields, **found)


def links_of(kind: Kind, fields: Mapping[str, Value]) -> list[tuple[str, str, str]]:
    """What a card is linked to: `(contact|company|responsible, contact|company|user, id)`."""
    wanted = [("contact", "contact", "CONTACT_ID"), ("company", "company", "COMPANY_ID")]
    found = [(name, what, str(fields.get(code) or "")) for name, what, code in wanted if what != kind.entity]
    found.append(("responsible", "user", str(fields.get("ASSIGNED_BY_ID") or "")))
    return [(name, what, number) for name, what, number in found if number not in ("", "0")]


def read(client: PortalClient, entity: str, ids: Iterable[int], names: Names | None = None) -> Reading:
    """These cards; up to ten of them with what is linked. Raises ConnectorError when nothing could be read, or not
    all because the portal is away: then the same is asked again later."""
    kind, wanted = kind_of(entity), list(dict.fromkeys(ids))
    made = Reading(kind)
    whole = len(wanted) <= WHOLE
    commands: dict[str, Command] = {}
    for number in wanted:
        commands[f"c{number}"] = _get(kind, number)
        if whole:
            commands |= _linked(kind, number)
    answer = client.many(commands) if not whole else client.batch(commands)
    for number in wanted:
        error = answer.errors.get(f"c{number}")
        if isinstance(error, (*AWAY, LineDown)):
            raise error
        if error is not None:
            made.errors[number] = error
            continue
        given = answer.results.get(f"c{number}")
        card = given.get("item") if kind.smart and isinstance(given, Mapping) else given
        made.cards[number] = normal(card if isinstance(card, Mapping) else {}, names)
        if whole:
            for name, what, of in links_of(kind, made.cards[number]):
                made.linked[what, of] = _given(answer.results.get(f"{name}{number}"))
    return made


def complete(client: PortalClient, reading: Reading, ids: Iterable[int]) -> None:
    """Read what is linked to these cards and not known yet, each once. Raises ConnectorError as `read`."""
    missing = {
        (what, of)
        for number in ids
        for _, what, of in links_of(reading.kind, reading.cards[number])
        if (what, of) not in reading.linked
    }
    if not missing:
        return
    commands = {f"{what}{of}": _one(what, of) for what, of in sorted(missing)}
    answer = client.many(commands)
    for what, of in missing:
        error = answer.errors.get(f"{what}{of}")
        if isinstance(error, (*AWAY, LineDown)):
            raise error
        reading.linked[what, of] = _given(answer.results.get(f"{what}{of}"))


def _get(kind: Kind, number: int) -> Command:
    if kind.smart:
        return "crm.item.get", {"entityTypeId": kind.type_id, "id": number, "useOriginalUfNames": "Y"}
    return f"crm.{kind.entity}.get", {"id": number}


def _linked(kind: Kind, number: int) -> dict[str, Command]:
    """What is linked to the card of this batch that is called c<number>; a link that is not there is an error of that
    command alone."""
    within = f"$result[c{number}][item]" if kind.smart else f"$result[c{number}]"
    codes = ("contactId", "companyId", "assignedById") if kind.smart else ("CONTACT_ID", "COMPANY_ID", "ASSIGNED_BY_ID")
    contact, company, user = (f"{within}[{code}]" for code in codes)
    found: dict[str, Command] = {}
    if kind.entity != "contact":
        found[f"contact{number}"] = _one("contact", contact)
    if kind.entity != "company":
        found[f"company{number}"] = _one("company", company)
    found[f"responsible{number}"] = _one("user", user)
    return found


def _one(what: str, of: str) -> Command:
    return ("user.get", {"FILTER": {"ID": of}}) if what == "user" else (f"crm.{what}.get", {"id": of})


def _given(result: Any) -> dict[str, Value] | None:
    if isinstance(result, list):
        result = result[0] if result else None
    return normal(result) if isinstance(result, Mapping) and result else None
