"""All fields of a card and of what is linked to it, with the values of an example: what variables are chosen from."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hub.bitrix24 import reading, starting
from hub.bitrix24.card_values import MULTIFIELDS, normal
from hub.bitrix24.client import Bitrix24, PortalClient, items_of
from hub.bitrix24.entities import Kind, kind_of
from hub.bitrix24.examples import recent, title_of
from hub.bitrix24.fields import PEOPLE, Catalogue, catalogue
from hub.bitrix24.mapping import LINKED, Words, map_card
from hub.bitrix24.reading import Card
from hub.language import field_problem
from hub.scenarios.library import PortalView
from hub.scenarios.mapping_row import FROM_CARDS, MappingRow
from hub.scenarios.portal_mapping import DEFAULTS
from hub.scenarios.runner import Runner
from hub.values import as_text

RESPONSIBLE = ("NAME", "LAST_NAME", "EMAIL", "WORK_PHONE", "PERSONAL_MOBILE", "WORK_POSITION")
"""What `user.get` tells of the person who is responsible for a card."""
SUMS = ("OPPORTUNITY", "REVENUE")
"""Sums whose type tells no more than that they are numbers."""
MOST_PEOPLE = 30
_UNUSUAL = re.compile(r"[^\w]+")
_LONGEST_NAME = 40


@dataclass(frozen=True)
class Shown:
    """A field: `field` as a row of a mapping names it, `value` as a person reads it, empty where there is none,
    `raw` as the portal has it. `several`: it may hold more than one value; `phones`: it holds numbers of phones by
    kind."""

    field: str
    code: str
    title: str
    type: str
    several: bool
    phones: bool
    value: str
    raw: str


@dataclass(frozen=True)
class Group:
    """Fields of one card. `of`: empty for the card itself, else the link to it, such as `CONTACT`."""

    of: str
    fields: Sequence[Shown]


@dataclass(frozen=True)
class Example:
    """A card to look at, with what it is written with. `others`: titles of the cards to choose among, by number; `card`
    is None where the portal has no card of this kind."""

    kind: Kind
    words: Words
    card: Card | None
    others: Mapping[int, str]

    def write(self, rows: Sequence[MappingRow]) -> tuple[dict[str, str], dict[str, str]]:
        """What these rows give for the card, and why the empty ones are empty."""
        if self.card is None:
            return {}, {}
        mapped = map_card(rows, self.card, self.words)
        return {name: as_text(value) for name, value in mapped.variables.items()}, mapped.empty

    def groups(self) -> list[Group]:
        """Every field that a row may name."""
        links = [link for link in LINKED if link.lower() != self.kind.entity]
        return [group for group in (self._group(link) for link in ("", *links)) if group.fields]

    def _group(self, link: str) -> Group:
        infos = _infos(self.words.catalogue(link.lower() or self.kind.entity)) if link != "ASSIGNED_BY" else {}
        known = infos or {code: (code, "string", False) for code in RESPONSIBLE if link == "ASSIGNED_BY"}
        names = {code: f"{link}.{code}" if link else code for code in known}
        formats = {code: "money" for code in SUMS if code in known}
        values = self._written({name: formats.get(code) for code, name in names.items()})
        raw = self._written(dict.fromkeys(names.values(), "json"))
        return Group(
            link,
            [
                Shown(
                    field=names[code],
                    code=code,
                    title=title,
                    type=kind,
                    several=several,
                    phones=code in MULTIFIELDS,
                    value=self._titled(kind, values[names[code]]),
                    raw=raw[names[code]],
                )
                for code, (title, kind, several) in known.items()
            ],
        )

    def _written(self, formats: Mapping[str, str | None]) -> dict[str, str]:
        """The values of these fields, each written in its form."""
        rows = [
            MappingRow.model_validate({"variable": f"v{at}", "field": name, "format": form, "pick": "all"})
            for at, (name, form) in enumerate(formats.items())
        ]
        values, _ = self.write(rows)
        return {row.field: values.get(row.variable, "") for row in rows}

    def _titled(self, kind: str, value: str) -> str:
        """The title of a linked card in the place of its number, where it is known."""
        card = self.card
        linked = card and {"crm_contact": card.contact, "crm_company": card.company}.get(kind)
        return title_of(linked) if linked and as_text(linked.get("ID")) == value else value


def look(
    bitrix24: Bitrix24, runner: Runner, view: PortalView, entity: str, *, chosen: int | None, fresh: bool = False
) -> Example:
    """The cards changed last, and the chosen one, or else the first of them, with everything that is linked to it.

    `fresh`: what fields there are is read from the portal now. Raises ConnectorError, ValueError for an unknown entity.
    """
    kind, client, portal_id = kind_of(entity), bitrix24.client(view.id), view.id
    linked = [link.lower() for link in LINKED if link != "ASSIGNED_BY"]
    for name in dict.fromkeys((entity, *linked)) if fresh else ():
        catalogue(bitrix24, portal_id, name, fresh=True)
    names = catalogue(bitrix24, portal_id, entity).names if kind.smart else None
    ids = recent(client, kind, stage=None)
    if chosen is not None and chosen not in ids:
        ids.insert(0, chosen)
    read = reading.read(client, entity, ids, names) if ids else reading.Reading(kind)
    titles = {number: title_of(read.cards[number]) for number in ids if number in read.cards}
    number = chosen if chosen in titles else next(iter(titles), None)
    card = None if number is None else read.card(number)
    portal = starting.Portal.of(bitrix24, runner, view)
    rows = [MappingRow(variable="v", field=f"{link}.ID") for link in LINKED]
    words = starting.words_of(portal, card or Card(kind, 0, {}), rows, read)
    return Example(kind, replace(words, users={**words.users, **_people(client, card, words)}), card, titles)


def _people(client: PortalClient, card: Card | None, words: Words) -> dict[str, str]:
    """The names of the people whom a card and what is linked to it mention. One whom the portal does not tell is left
    out. Raises ConnectorError."""
    found: set[str] = set()
    parts = {} if card is None else {card.kind.entity: card.fields, "contact": card.contact, "company": card.company}
    for entity, fields in parts.items():
        known = words.catalogue(entity)
        people = [info.code for info in known.fields.values() if info.type in PEOPLE] if known else []
        values = [(fields or {}).get(code) for code in people]
        found |= {as_text(one) for value in values for one in (value if isinstance(value, list) else [value])}
    wanted = sorted(one for one in found - words.users.keys() if one.isascii() and one.isdigit())[:MOST_PEOPLE]
    if not wanted:
        return {}
    answer = client.batch({f"u{number}": ("user.get", {"FILTER": {"ID": number}}) for number in wanted})
    listed = {number: items_of(answer.results.get(f"u{number}") or []) for number in wanted}
    return {number: starting.full_name(normal(rows[0])) for number, rows in listed.items() if rows}


def row_for(field: str, title: str, entity: str, taken: Sequence[str]) -> MappingRow:
    """The variable that a click on a field makes, written as this field usually is. Raises ValidationError."""
    usual = next((row for row in DEFAULTS.get(entity, ()) if row.field == field), None)
    form = usual.format if usual else "money" if field.rpartition(".")[2] in SUMS else None
    name = variable_for(field, title, entity, taken)
    return MappingRow.model_validate({"variable": name, "field": field, "format": form})


def variable_for(field: str, title: str, entity: str, taken: Sequence[str]) -> str:
    """A name for the variable that a field fills: the usual one of this field if it has one, else its title."""
    usual = next((row.variable for row in DEFAULTS.get(entity, ()) if row.field == field), "")
    name = usual or _UNUSUAL.sub("_", title.strip().lower())[:_LONGEST_NAME].strip("_")
    if name not in FROM_CARDS and field_problem(name) is not None:
        name = _UNUSUAL.sub("_", field.lower()).strip("_")
    found, number = name, 2
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    return found


def _infos(known: Catalogue | None) -> dict[str, tuple[str, str, bool]]:
    """Title, type and whether there may be several values, of every field that is no link to another card's insides."""
    if known is None:
        return {}
    return {
        info.code: (info.title, info.type, info.multiple or info.code in MULTIFIELDS) for info in known.fields.values()
    }
