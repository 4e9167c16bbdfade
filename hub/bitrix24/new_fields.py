"""Fields that a brought scenario names and a portal does not have: made there, as fields for a line of text."""

from hub.bitrix24 import calls
from hub.bitrix24.calls import NewCall
from hub.bitrix24.mappings import ENTITIES
from hub.clock import now_us
from hub.sql import Sql

PREFIX = "UF_CRM_"


def can_be_made(entity: str, code: str) -> bool:
    """Whether a field is one that people add; those of smart processes have other methods."""
    return entity in ENTITIES and code.startswith(PREFIX) and len(code) > len(PREFIX)


def make(sql: Sql, portal_id: int, entity: str, code: str) -> None:
    """Inside a job: have the portal add a field; it refuses where no administrator has installed the application."""
    name, now = code.removeprefix(PREFIX), now_us()
    labels = dict.fromkeys(("EDIT_FORM_LABEL", "LIST_COLUMN_LABEL", "LIST_FILTER_LABEL"), name)
    params = {"fields": {"FIELD_NAME": name, "USER_TYPE_ID": "string", **labels}}
    call = NewCall(f"field:{entity}:{code}:{now}", f"crm.{entity}.userfield.add", params, f"fields:{entity}")
    calls.enqueue(sql, portal_id, call, now=now)
