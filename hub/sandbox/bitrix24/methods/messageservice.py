"""Message providers, and what became of a message."""

import re
from typing import Any

from hub.sandbox.bitrix24.calls import Call, registry
from hub.sandbox.bitrix24.messages import STATUSES
from hub.sandbox.bitrix24.methods.bizproc import same_host
from hub.sandbox.bitrix24.model import Sender
from hub.sandbox.bitrix24.refusals import Refusal, access_denied

_code = re.compile(r"[A-Za-z0-9._-]+")
RULES: dict[str, Any] = {"app_only": True, "admin": True, "context": "ACCESS_DENIED"}


def _invalid(said: str) -> Refusal:
    return Refusal("ERROR_SENDER_VALIDATION_FAILURE", said)


def _found(call: Call) -> Sender:
    code = str(call.arg("CODE") or "")
    if not code:
        raise Refusal("ERROR_SENDER_CODE_REQUIRED", "Empty sender code!")
    known = call.app.senders.get(code)
    if known is None:
        raise Refusal("ERROR_SENDER_NOT_FOUND", "Sender not found!")
    return known


@registry.add("messageservice.sender.add", "messageservice", **RULES)
def add(call: Call) -> bool:
    """Register a provider."""
    if not call.params:
        raise _invalid("Empty data!")
    code = str(call.arg("CODE") or "")
    if not code:
        raise _invalid("Empty sender code!")
    if not _code.fullmatch(code):
        raise _invalid("Wrong sender code!")
    if not call.arg("TYPE"):
        raise _invalid("Empty sender message TYPE!")
    if call.arg("TYPE") != "SMS":
        raise _invalid("Unknown sender message TYPE!")
    if not call.arg("NAME"):
        raise _invalid("Empty sender NAME!")
    url = same_host(call, call.arg("HANDLER"))
    if code in call.app.senders:
        raise Refusal("ERROR_SENDER_ALREADY_INSTALLED", "Sender already installed!")
    call.app.senders[code] = Sender(code, url, call.arg("NAME"), call.arg("DESCRIPTION", ""))
    return True


@registry.add("messageservice.sender.update", "messageservice", **RULES)
def update(call: Call) -> bool:
    """Change a provider."""
    sender = _found(call)
    given = {name: call.arg(name) for name in ("HANDLER", "NAME", "DESCRIPTION") if call.arg(name) is not None}
    if not given:
        raise Refusal("ERROR_SENDER_OTHER_PARAMS_REQUIRED", "No fields to update!")
    if "HANDLER" in given:
        sender.handler = same_host(call, given["HANDLER"])
    sender.name = given.get("NAME", sender.name)
    sender.description = given.get("DESCRIPTION", sender.description)
    return True


@registry.add("messageservice.sender.delete", "messageservice", **RULES)
def delete(call: Call) -> bool:
    """Remove a provider."""
    del call.app.senders[_found(call).code]
    return True


@registry.add("messageservice.sender.list", "messageservice", **RULES)
def list_(call: Call) -> list[str]:
    """The application's providers."""
    return list(call.app.senders)


@registry.add("messageservice.message.status.update", "messageservice", app_only=True, context="ACCESS_DENIED")
def status_update(call: Call) -> bool:
    """Tell what became of a message; for its author and for administrators."""
    code, number, status = (str(call.arg(name) or "") for name in ("CODE", "MESSAGE_ID", "STATUS"))
    if not code:
        raise _invalid("Empty sender code!")
    if not number or code not in call.app.senders:
        raise Refusal("ERROR_MESSAGE_NOT_FOUND", "Message not found!")
    sms = call.cloud.outbox.find(call.portal, call.app.app.client_id, number)
    if sms is None or sms.code != code:
        raise Refusal("ERROR_MESSAGE_NOT_FOUND", "Message not found!")
    if status not in STATUSES:
        raise Refusal("ERROR_MESSAGE_STATUS_INCORRECT", "Message status incorrect!")
    if not call.user.admin and sms.author != call.user.id:
        raise access_denied()
    sms.status = status
    sms.history.append(status)
    return True
