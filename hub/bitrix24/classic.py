"""Who is behind a request that came to a usual link from a portal: its robot “outgoing webhook”, or an event's
outgoing webhook. Neither needs an application. Nothing here is proven, so it serves as a name in the journal only."""

from dataclasses import dataclass
from typing import Literal

from hub.bitrix24 import entities, events
from hub.values import Value, as_number

MARKS = (b"document_id", b"ONCRM", b"oncrm")
"""A body without any of these is none of a portal's, and need not be read to know that."""
_CARDS = {
    "ru": {"deal": "сделка", "lead": "лид", "contact": "контакт", "company": "компания", "": "элемент смарт-процесса"},
    "en": {"deal": "deal", "lead": "lead", "contact": "contact", "company": "company", "": "item of a smart process"},
}
_KINDS = {
    "ru": {"robot": "робот Битрикс24", "event": "событие Битрикс24"},
    "en": {"robot": "Bitrix24 robot", "event": "Bitrix24 event"},
}


@dataclass(frozen=True)
class Sender:
    """A robot or an event of a portal, and the card that it is about."""

    kind: Literal["robot", "event"]
    entity: str
    entity_id: int

    def name(self, language: str) -> str:
        """`робот Битрикс24, сделка 42`."""
        cards, kinds = _CARDS.get(language, _CARDS["en"]), _KINDS.get(language, _KINDS["en"])
        return f"{kinds[self.kind]}, {cards.get(self.entity, cards[''])} {self.entity_id}"


def sender_of(body: Value) -> Sender | None:
    """The sender of a request with this body; None for one of anybody else."""
    if not isinstance(body, dict):
        return None
    card = entities.of_document(body.get("document_id")) or _own(body)
    if card is not None:
        return Sender("robot", *card)
    event = events.read(body)
    return None if event is None else Sender("event", event.entity, event.entity_id)


def _own(body: dict[str, Value]) -> tuple[str, int] | None:
    """The card of a robot of ours, as its request is kept."""
    entity, number = body.get("entity"), as_number(body.get("entity_id"))
    if not isinstance(body.get("robot"), str) or not isinstance(entity, str) or number is None:
        return None
    return (entity, int(number)) if entities.is_entity(entity) else None
