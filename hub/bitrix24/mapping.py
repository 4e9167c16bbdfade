"""From fields of a card to variables that people can read. Pure: what it needs of the portal is handed in.

Every variable that stays empty has a reason, in a sentence.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from hub.bitrix24.card_values import MULTIFIELDS
from hub.bitrix24.fields import PEOPLE, YES_NO, Catalogue, FieldInfo
from hub.bitrix24.reading import Card
from hub.language import TemplateFailure, parse_moment
from hub.language.arithmetic import money
from hub.language.phones import international_phone
from hub.scenarios.mapping_row import MappingRow
from hub.values import Value, as_number, as_text

LINKED = ("CONTACT", "COMPANY", "ASSIGNED_BY")
_OF_USER = "user"
_CURRENCY = re.compile(r"[A-Za-z]{3}")
_FORMATS = {
    "money": "money",
    "date": "date",
    "datetime": "datetime",
    "crm_status": "label",
    "crm_category": "label",
    "enumeration": "label",
    "char": "label",
    "boolean": "label",
    "user": "label",
    "employee": "label",
}
_WORDS = {"ru": {"Y": "да", "N": "нет"}, "en": {"Y": "yes", "N": "no"}}


@dataclass(frozen=True)
class Words:
    """What values are written with. `catalogue` gives what is known of a kind of card, None where it was not read;
    `origin` is the portal's own address, for links to files; `users` are names by id."""

    catalogue: Callable[[str], Catalogue | None]
    zone: tzinfo
    language: str = "ru"
    country: str = "RU"
    origin: str = ""
    users: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Mapped:
    """The variables, and why the empty ones are empty."""

    variables: dict[str, Value]
    empty: dict[str, str]


class _Empty(Exception):
    """There is nothing to write; the reason is the message."""


def map_card(rows: Sequence[MappingRow], card: Card, words: Words) -> Mapped:
    """Fill the variables of these rows from a card. Never raises for what stands in the card."""
    variables: dict[str, Value] = {}
    empty: dict[str, str] = {}
    for row in rows:
        try:
            variables[row.variable] = _row(row, card, words)
        except _Empty as nothing:
            variables[row.variable] = row.default
            if not row.default:
                empty[row.variable] = str(nothing)
    return Mapped(variables, empty)


def _row(row: MappingRow, card: Card, words: Words) -> Value:
    fields, entity, code = _where(row.field, card)
    info = _info(entity, code, words)
    if code not in fields and info is None:
        raise _Empty(f"There is no field {row.field} in the portal.")
    value = fields.get(code)
    shown = info or FieldInfo(code, code, "crm_multifield" if code in MULTIFIELDS else "string")
    chosen = _choose(row, value, shown)
    kind = row.format or ("phone" if code == "PHONE" else _FORMATS.get(shown.type, "text"))
    if kind == "json":
        return value
    texts = [_write(kind, one, shown, entity, fields, words) for one in chosen]
    return ", ".join(text for text in texts if text)


def _where(name: str, card: Card) -> tuple[Mapping[str, Value], str, str]:
    """The card that a field is of, its kind, and the field's code there."""
    link, _, code = name.partition(".")
    if not code:
        return card.fields, card.kind.entity, name
    if link not in LINKED:
        raise _Empty(f"There is no linked card {link}.")
    if link == "ASSIGNED_BY":
        if card.responsible is None:
            raise _Empty("The portal does not tell who is responsible.")
        return card.responsible, _OF_USER, code
    entity = link.lower()
    if card.kind.entity == entity:
        return card.fields, entity, code
    linked = card.contact if entity == "contact" else card.company
    if linked is None:
        raise _Empty(f"The card has no {entity}.")
    return linked, entity, code


def _info(entity: str, code: str, words: Words) -> FieldInfo | None:
    known = None if entity == _OF_USER else words.catalogue(entity)
    return None if known is None else known.fields.get(code)


def _choose(row: MappingRow, value: Value, info: FieldInfo) -> list[Value]:
    """The values that are written: those that are not empty, by the row's pick."""
    values = [one for one in (value if isinstance(value, list) else [value]) if not _is_empty(one)]
    if not values:
        raise _Empty(f"The field “{info.title}” is empty.")
    if isinstance(values[0], Mapping) and "VALUE_TYPE" in values[0] and row.pick in ("mobile", "work"):
        wanted = row.pick.upper()
        of_type = [one for one in values if str(one.get("VALUE_TYPE")).upper() == wanted]
        if not of_type:
            raise _Empty(f"The field “{info.title}” has no value of the kind {row.pick}.")
        return of_type[:1]
    return values if row.pick == "all" else values[:1]


def _write(kind: str, value: Value, info: FieldInfo, entity: str, fields: Mapping[str, Value], words: Words) -> str:
    if isinstance(value, Mapping):
        if "VALUE" in value:
            value = value["VALUE"]
        elif "showUrl" in value or "url" in value:
            return _file(value, words)
    text = as_text(value)
    match kind:
        case "phone":
            return _phone(text, words)
        case "money":
            return _money(text, as_text(fields.get("CURRENCY_ID")), words)
        case "date" | "datetime":
            return _moment(kind, text, info, words)
        case "label":
            return _label(text, info, entity, words)
        case _:
            return text


def _moment(kind: str, text: str, info: FieldInfo, words: Words) -> str:
    # A field with a date alone comes as a midnight in the server's zone: in another zone it would be another day.
    source = text[:10] if info.type == "date" else text
    moment = parse_moment(source, words.zone)
    if moment is None:
        return text
    return f"{moment:%d.%m.%Y}" if kind == "date" else f"{moment:%d.%m.%Y %H:%M}"


def _label(text: str, info: FieldInfo, entity: str, words: Words) -> str:
    if info.type in YES_NO:
        yes = text.upper() in ("Y", "1")
        return _WORDS.get(words.language, _WORDS["en"])["Y" if yes else "N"]
    if info.type in PEOPLE:
        return words.users.get(text, text)
    known = words.catalogue(entity)
    word = known.word(info.code, text) if known is not None else None
    return text if word is None else word


def _file(value: Mapping[str, Value], words: Words) -> str:
    address = as_text(value.get("showUrl") or value.get("url"))
    return address if "://" in address else f"{words.origin}{address}"


def _phone(text: str, words: Words) -> str:
    try:
        return international_phone(text, words.country)
    except TemplateFailure:
        return text.strip()


def _money(text: str, currency: str, words: Words) -> str:
    """`45 000 ₽`, of a sum alone or of one with its currency behind a bar."""
    amount, _, own = text.partition("|")
    code = own or currency or "RUB"
    number = as_number(amount)
    if number is None or not _CURRENCY.fullmatch(code):
        return text
    try:
        return money(number, code, words.language)
    except TemplateFailure:
        return text


def _is_empty(value: Value) -> bool:
    if isinstance(value, Mapping):
        return not value or ("VALUE" in value and not value["VALUE"])
    return value in (None, "", False, [])
