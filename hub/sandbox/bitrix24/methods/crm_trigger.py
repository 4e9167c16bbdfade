"""Triggers of applications that push a card on, and the portal's own "incoming webhook" trigger."""

import re
from typing import Any

from hub.sandbox.bitrix24.calls import Call, registry
from hub.sandbox.bitrix24.crm.kinds import Kind
from hub.sandbox.bitrix24.events import Hit
from hub.sandbox.bitrix24.refusals import Refusal

_code = re.compile(r"[a-z0-9._-]+")
RULES: dict[str, Any] = {"app_only": True, "admin": True, "context": "ACCESS_DENIED"}


@registry.add("crm.automation.trigger.add", "crm", **RULES)
def add(call: Call) -> bool:
    """Register a trigger, or name it anew."""
    code = str(call.arg("CODE") or "")
    if not _code.fullmatch(code):
        raise Refusal("", "Wrong trigger code!")
    if not call.arg("NAME"):
        raise Refusal("", "Empty trigger NAME!")
    call.app.triggers[code] = str(call.arg("NAME"))
    return True


@registry.add("crm.automation.trigger.list", "crm", **RULES)
def list_(call: Call) -> list[dict[str, str]]:
    """The application's triggers."""
    return [{"CODE": code, "NAME": name} for code, name in call.app.triggers.items()]


@registry.add("crm.automation.trigger.delete", "crm", **RULES)
def delete(call: Call) -> bool:
    """Remove a trigger."""
    if call.app.triggers.pop(str(call.arg("CODE") or ""), None) is None:
        raise Refusal("", "Trigger is not found!")
    return True


@registry.add("crm.automation.trigger.execute", "crm", **RULES)
def execute(call: Call) -> bool:
    """Pull a trigger over a card."""
    if str(call.arg("CODE") or "") not in call.app.triggers:
        raise Refusal("", "Trigger is not found!")
    kind, number = call.portal.crm.kinds.get(int(call.arg("OWNER_TYPE_ID") or 0)), int(call.arg("OWNER_ID") or 0)
    if kind is None or number not in call.portal.crm.items[kind.id]:
        raise Refusal("", "Owner is not found!")
    _lead(call, kind, number, str(call.arg("CODE")))
    return True


@registry.add("crm.automation.trigger", "crm")
def pull(call: Call) -> bool:
    """The trigger "incoming webhook": `target` as DEAL_42 and the `code` shown in its settings."""
    name, _, number = str(call.arg("target") or "").rpartition("_")
    for kind in call.portal.crm.kinds.values():
        if kind.document[2] == name and number.isdigit() and int(number) in call.portal.crm.items[kind.id]:
            _lead(call, kind, int(number), str(call.arg("code") or ""))
            return True
    raise Refusal("", "Target is not found")


def _lead(call: Call, kind: Kind, number: int, code: str) -> None:
    """Move the card to the stage where the trigger stands, if it stands anywhere; nobody is the author of that."""
    stage = call.portal.triggers.get((kind.id, code))
    if stage is not None:
        hit = Hit(call.cloud, call.portal, None)
        call.portal.crm.update(hit, kind, number, {kind.stage: stage})
        hit.flush()
