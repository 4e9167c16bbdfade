"""Offline events: the portal keeps what happened until the application fetches and confirms it."""

import secrets
from typing import Any

from hub.sandbox.bitrix24.calls import Call, Page, registry
from hub.sandbox.bitrix24.crm import filters
from hub.sandbox.bitrix24.model import OfflineRow
from hub.sandbox.bitrix24.refusals import Refusal, missing

KEPT_S = 30 * 86400


def _shown(call: Call, row: OfflineRow) -> dict[str, Any]:
    return {
        "ID": str(row.id),
        "TIMESTAMP_X": call.cloud.stamp(call.portal, row.at),
        "EVENT_NAME": row.event,
        "EVENT_DATA": row.data,
        "EVENT_ADDITIONAL": row.additional,
        "MESSAGE_ID": row.message_id,
    }


def _rows(call: Call) -> list[OfflineRow]:
    """The application's rows, without reserved ones that nobody confirmed for thirty days."""
    rows = call.app.offline
    rows[:] = [row for row in rows if not row.process_id or row.at > call.cloud.now() - KEPT_S]
    return rows


def _listed(value: Any) -> set[str]:
    parts = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return {str(part) for part in parts if part not in (None, "")}


@registry.add("event.offline.get", app_only=True, admin=True)
def get(call: Call) -> dict[str, Any]:
    """Fetch rows: deleted at once, or with `clear` 0 reserved under a process_id."""
    keep = str(call.arg("clear", 1)) in ("0", "N", "False", "false")
    if keep and "rest_offline_extended" not in call.portal.features:
        raise Refusal("WRONG_LICENSE", "The feature is not available on this plan", 403)
    connector, process = str(call.arg("auth_connector") or ""), str(call.arg("process_id") or "")
    errors = str(call.arg("error") or "0") in ("1", "Y", "True", "true")
    limit = int(call.arg("limit")) if str(call.arg("limit") or "").isdigit() else 50
    waiting = [
        row
        for row in _rows(call)
        if row.connector == connector
        and (row.process_id == process if process else not row.process_id or (errors and row.error))
        and (errors or not row.error)
    ]
    shown = [_shown(call, row) for row in waiting]
    found = filters.ordered(filters.matching(shown, call.table("filter")), call.arg("order"))[:limit]
    taken = {int(row["ID"]) for row in found}
    process = process or secrets.token_hex(16)
    if keep:
        for row in waiting:
            if row.id in taken:
                row.process_id = process
    else:
        call.app.offline[:] = [row for row in call.app.offline if row.id not in taken]
    return {"process_id": process if keep else None, "events": found}


@registry.add("event.offline.list", app_only=True, admin=True)
def list_(call: Call) -> Page:
    """Look without taking."""
    rows = [
        {**_shown(call, row), "PROCESS_ID": row.process_id, "ERROR": "1" if row.error else "0"} for row in _rows(call)
    ]
    found = filters.ordered(filters.matching(rows, call.table("filter")), call.arg("order"))
    shown, following, total = filters.page(found, call.arg("start"))
    return Page(shown, following, total)


def _reserved(call: Call) -> list[OfflineRow]:
    process = call.arg("process_id")
    if not process:
        raise missing("PROCESS_ID")
    rows = [row for row in _rows(call) if row.process_id == process]
    if call.arg("id") is not None:
        wanted = _listed(call.arg("id"))
        return [row for row in rows if str(row.id) in wanted]
    if call.arg("message_id") is not None:
        wanted = _listed(call.arg("message_id"))
        return [row for row in rows if row.message_id in wanted]
    return rows


@registry.add("event.offline.clear", app_only=True, admin=True)
def clear(call: Call) -> bool:
    """Confirm rows that were reserved: all of a process, or the ones named."""
    done = _reserved(call)
    call.app.offline[:] = [row for row in call.app.offline if row not in done]
    return True


@registry.add("event.offline.error", app_only=True, admin=True)
def error(call: Call) -> bool:
    """Mark reserved rows as failed, so that only a call with `error` sees them."""
    if call.arg("message_id") is None:
        raise missing("MESSAGE_ID")
    for row in _reserved(call):
        row.error = True
    return True
