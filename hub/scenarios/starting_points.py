"""Ways to begin a scenario: documents that are nearly finished."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Literal

from sqlmodel import Session, select

from hub.scenarios.block import LineInfo
from hub.scenarios.document import Document, name_key, parse_document
from hub.scenarios.models import Scenario
from hub.values import Value

Starter = Literal["deal_stage", "site_form", "empty"]
STARTERS: tuple[Starter, ...] = ("deal_stage", "site_form", "empty")


def starter(which: Starter, language: str) -> Document:
    """A document to begin with, in `ru` or `en`."""
    written = files("hub.scenarios").joinpath("starters", f"{which}.{language}.yaml").read_text("utf-8")
    return parse_document(written, "application/yaml")


def for_lines(document: Document, known: Sequence[LineInfo]) -> Document:
    """A starting document for a portal with these lines. It writes to a customer's phone: by the only line that takes
    phone numbers. Where none does, to whom it writes is left open, and the only line there is stands in it."""
    by_phone = [line for line in known if line.recipients == "phone"]
    usable = by_phone or known
    changed: dict[str, Value] = {"line": usable[0].name} if len(usable) == 1 else {}
    if known and not by_phone:
        changed |= {"chat_id": "", "skip_if_empty": []}
    blocks = [
        node.model_copy(update={"config": node.config | changed}) if node.type == "send_message" else node
        for node in document.blocks
    ]
    return document.model_copy(update={"blocks": blocks})


def free_name(session: Session, portal_id: int, name: str) -> str:
    """The name, or the first of `name 2`, `name 3` … that no scenario of the portal has."""
    query = select(Scenario.name_key).where(Scenario.portal_id == portal_id)
    taken = set(session.exec(query))
    number = 1
    while True:
        tried = name if number == 1 else f"{name[:90]} {number}"
        if name_key(tried) not in taken:
            return tried
        number += 1
