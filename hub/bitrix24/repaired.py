"""A number that a person put right, written back to the contact of the portal that the wrong one came from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.bitrix24 import calls
from hub.bitrix24.calls import NewCall
from hub.clock import now_us
from hub.endpoints import card_event
from hub.language import normalise_phone
from hub.sql import Sql
from hub.values import Value, as_text, dumps, loads


@dataclass(frozen=True)
class Origin:
    """Where a message's number came from: a row of the phones of a contact, as the card was when its run began."""

    number: str
    contact: int
    row: str
    kind: str


def origins(sql: Sql, portal_id: int, messages: Sequence[str]) -> dict[str, Origin]:
    """Of those messages whose number is one of a contact's: which contact's, and which of its numbers."""
    if not messages:
        return {}
    rows = sql.all(
        "SELECT m.id, m.chat_id, q.raw FROM message m JOIN run r ON r.id = m.run_id"
        " JOIN request q ON q.id = r.request_id JOIN bitrix24_connection c ON c.portal_id = m.portal_id"
        " WHERE m.portal_id = ? AND m.id IN (SELECT key FROM json_each(?)) AND q.method = ?"
        " AND c.uninstalled_at IS NULL",
        (portal_id, dumps(dict.fromkeys(messages)), card_event.METHOD),
    )
    found = ((str(message), _origin(str(chat), bytes(raw))) for message, chat, raw in rows if raw is not None)
    return {message: origin for message, origin in found if origin is not None}


def write_back(sql: Sql, portal_id: int, message_id: str, origin: Origin, number: str) -> None:
    """Inside a job: have the contact's number replaced by this one, its digits with the country code first, if it is
    another."""
    if number == origin.number:
        return
    phone: Value = {"ID": origin.row, "VALUE_TYPE": origin.kind, "VALUE": f"+{number}"}
    params: dict[str, Value] = {"id": origin.contact, "fields": {"PHONE": [phone]}}
    now = now_us()
    call = NewCall(f"phone:{message_id}:{now}", "crm.contact.update", params, f"phones:{origin.contact}")
    calls.enqueue(sql, portal_id, call, now=now)


def _origin(chat: str, raw: bytes) -> Origin | None:
    kept = loads(raw)
    bitrix = kept.get("bitrix") if isinstance(kept, Mapping) else None
    contact = bitrix.get("contact") if isinstance(bitrix, Mapping) else None
    if not isinstance(contact, Mapping):
        return None
    phones = contact.get("PHONE")
    for row in phones if isinstance(phones, list) else ():
        if isinstance(row, Mapping) and _is_number(as_text(row.get("VALUE")), chat):
            return _place(chat, as_text(contact.get("ID")), as_text(row.get("ID")), as_text(row.get("VALUE_TYPE")))
    return None


def _place(chat: str, contact: str, row: str, kind: str) -> Origin | None:
    """None where the portal did not tell which contact, or which of its numbers, it is."""
    numbers = contact.isascii() and contact.isdigit() and row.isascii() and row.isdigit()
    return Origin(chat, int(contact), row, kind) if numbers else None


def _is_number(written: str, chat: str) -> bool:
    try:
        return normalise_phone(written) == chat
    except ValueError:
        return False
