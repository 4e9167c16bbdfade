"""The kinds of cards: our names for them, the portal's numbers, and the names that its documents go by."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hub.values import Value

TYPE_IDS = {"lead": 1, "deal": 2, "contact": 3, "company": 4}
CLASSIC = tuple(TYPE_IDS)
"""Kinds with methods of their own; all others are reached by `crm.item.*` only."""
_DOCUMENTS = {"QUOTE": "dynamic:7", "SMART_INVOICE": "dynamic:31"} | {name.upper(): name for name in TYPE_IDS}
_ENTITY = re.compile(r"(?:lead|deal|contact|company|dynamic:[1-9]\d{0,8})\Z")
_STEP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[a-z])(?=\d)")
_DYNAMIC = re.compile(r"DYNAMIC_([1-9]\d{0,8})\Z")


@dataclass(frozen=True)
class Kind:
    """How a kind of card is read. `name`: what it is called in `bitrix.…`."""

    entity: str
    type_id: int
    name: str

    @property
    def smart(self) -> bool:
        """Whether only the universal methods know it."""
        return self.entity not in TYPE_IDS

    @property
    def stage_field(self) -> str:
        """The field with its stage; empty where there are no stages."""
        return {"lead": "STATUS_ID", "contact": "", "company": ""}.get(self.entity, "STAGE_ID")

    @property
    def link(self) -> str:
        """The path of a card in the portal, to which its id is added."""
        return f"/crm/type/{self.type_id}/details/" if self.smart else f"/crm/{self.entity}/details/"


def kind_of(entity: str) -> Kind:
    """The kind behind the name of an entity. Raises ValueError."""
    if not is_entity(entity):
        raise ValueError(f"there is no entity {entity}")
    return Kind(entity, type_id(entity), entity if entity in TYPE_IDS else "item")


def is_entity(text: str) -> bool:
    """Whether a text names a kind of card: `deal`, `contact`, `lead`, `company` or `dynamic:<entityTypeId>`."""
    return _ENTITY.match(text) is not None


def type_id(entity: str) -> int:
    """The portal's number of a kind."""
    return TYPE_IDS.get(entity) or int(entity.partition(":")[2])


def of_document(document: Value) -> tuple[str, int] | None:
    """The card behind a document id, `["crm", "CCrmDocumentDeal", "DEAL_42"]`; None for what is no card."""
    if isinstance(document, dict):
        document = [document.get(key) for key in ("0", "1", "2")]
    if not isinstance(document, Sequence) or isinstance(document, str) or len(document) != 3:
        return None
    module, _, name = document
    if module != "crm" or not isinstance(name, str):
        return None
    kind, _, number = name.rpartition("_")
    dynamic = _DYNAMIC.match(kind)
    entity = f"dynamic:{dynamic[1]}" if dynamic else _DOCUMENTS.get(kind)
    if entity is None or not (number.isascii() and number.isdecimal() and 0 < len(number) < 16):
        return None
    return entity, int(number)


def universal_name(field: str) -> str:
    """A field's name as `crm.item.*` spells it: `ASSIGNED_BY_ID` is `assignedById`. Fields of the portal's own keep
    theirs where the call says `useOriginalUfNames`."""
    if field.startswith("UF_") or not field.isupper():
        return field
    first, *rest = field.lower().split("_")
    return first + "".join(part.capitalize() for part in rest)


def upper_name(field: str) -> str:
    """A field's name as the older methods spell it: `assignedById` is `ASSIGNED_BY_ID`."""
    if field.startswith("UF_"):
        return field
    return _STEP.sub("_", field).upper()
