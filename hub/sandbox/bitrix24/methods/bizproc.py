"""Robots and business-process actions of applications, and their answers."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from hub.sandbox.bitrix24.calls import Call, registry
from hub.sandbox.bitrix24.methods.event import checked_url
from hub.sandbox.bitrix24.model import Activity
from hub.sandbox.bitrix24.processes import Step
from hub.sandbox.bitrix24.refusals import Refusal

TYPES = ("bool", "date", "datetime", "double", "file", "int", "select", "string", "text", "user")
_code = re.compile(r"[A-Za-z0-9._-]+")
_property = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def invalid(said: str) -> Refusal:
    """The refusal of a wrong registration."""
    return Refusal("ERROR_ACTIVITY_VALIDATION_FAILURE", said)


def same_host(call: Call, url: Any) -> str:
    """A handler's address, which has to be on the application's host. Raises Refusal."""
    address = checked_url(url)
    app = call.app.app
    if urlsplit(address).hostname != urlsplit(app.app_url or app.install_url).hostname:
        raise Refusal("ERROR_HANDLER_URL_MATCH", "Handler URL host doesn't match application url")
    return address


def _check(call: Call, fields: Mapping[str, Any]) -> None:
    """Look at the parameters that are there. Raises Refusal."""
    if "HANDLER" in fields:
        same_host(call, fields["HANDLER"])
    for name in ("PROPERTIES", "RETURN_PROPERTIES"):
        rows = fields.get(name)
        if rows in (None, "", []):
            continue
        if not isinstance(rows, Mapping):
            raise invalid("Wrong properties array!")
        for key, row in rows.items():
            if not _property.fullmatch(str(key)):
                raise invalid(f"Wrong property key ({key})!")
            if not isinstance(row, Mapping) or not row.get("Name"):
                raise invalid(f"Empty property NAME ({key})!")
            if row.get("Type") not in (None, *TYPES):
                raise invalid(f"Wrong property TYPE ({key})!")
    document = fields.get("DOCUMENT_TYPE")
    if document not in (None, "", []) and (not isinstance(document, list) or len(document) != 3):
        raise invalid("Wrong activity DOCUMENT_TYPE!")
    chosen = fields.get("FILTER")
    if chosen not in (None, "", []) and (not isinstance(chosen, Mapping) or set(chosen) - {"INCLUDE", "EXCLUDE"}):
        raise invalid("Wrong activity FILTER!")
    if fields.get("USE_SUBSCRIPTION") not in (None, "", "Y", "N"):
        raise invalid("Wrong activity USE_SUBSCRIPTION!")


def _register(kind: str) -> None:
    rules: dict[str, Any] = {"app_only": True, "admin": True, "context": "ACCESS_DENIED"}

    def found(call: Call) -> Activity:
        code = str(call.arg("CODE") or "")
        if not code:
            raise invalid("Empty activity code!")
        known = call.app.activities.get((kind, code))
        if known is None:
            raise Refusal("ERROR_ACTIVITY_NOT_FOUND", "Activity or Automation rule not found!")
        return known

    @registry.add(f"bizproc.{kind}.add", "bizproc", **rules)
    def add(call: Call) -> bool:
        fields = {key.upper(): value for key, value in call.params.items()}
        if not fields:
            raise invalid("Empty data!")
        code = str(fields.get("CODE") or "")
        if not code:
            raise invalid("Empty activity code!")
        if not _code.fullmatch(code):
            raise invalid("Wrong activity code!")
        if not fields.get("NAME"):
            raise invalid("Empty activity NAME!")
        if not fields.get("HANDLER"):
            raise Refusal("ERROR_WRONG_HANDLER_URL", "Wrong handler URL")
        _check(call, fields)
        if (kind, code) in call.app.activities:
            raise Refusal("ERROR_ACTIVITY_ALREADY_INSTALLED", "Activity or Automation rule already installed!")
        call.app.activities[kind, code] = Activity(kind, code, str(fields["HANDLER"]), fields)
        return True

    @registry.add(f"bizproc.{kind}.update", "bizproc", **rules)
    def update(call: Call) -> bool:
        activity = found(call)
        changes = {str(key).upper(): value for key, value in call.table("FIELDS").items()}
        if not changes:
            raise invalid("No fields to update!")
        if "NAME" in changes and not changes["NAME"]:
            raise invalid("Empty activity NAME!")
        _check(call, changes)
        activity.fields |= {key: value for key, value in changes.items() if key != "CODE"}
        activity.handler = str(activity.fields["HANDLER"])
        return True

    @registry.add(f"bizproc.{kind}.delete", "bizproc", **rules)
    def delete(call: Call) -> bool:
        activity = found(call)
        del call.app.activities[kind, activity.code]
        return True

    @registry.add(f"bizproc.{kind}.list", "bizproc", **rules)
    def list_(call: Call) -> list[str]:
        return [code for of, code in call.app.activities if of == kind]


for _kind in ("robot", "activity"):
    _register(_kind)


@registry.add("bizproc.event.send", "bizproc")
def event_send(call: Call) -> bool:
    """The answer of a robot; the token in it is what counts, not whose it is."""
    token = str(call.need("event_token"))
    words = str(call.arg("log_message") or "")
    call.cloud.automation.answer(call.portal, token, call.arg("return_values"), words, ends=True)
    return True


@registry.add("bizproc.activity.log", "bizproc")
def activity_log(call: Call) -> bool:
    """A word on how far a robot has come."""
    words = str(call.need("log_message"))
    call.cloud.automation.answer(call.portal, str(call.need("event_token")), None, words, ends=False)
    return True


@registry.add("bizproc.workflow.template.list", "bizproc", admin=True)
def templates(call: Call) -> list[dict[str, Any]]:
    """The robots of every stage, each stage's as a template."""
    return [
        {"ID": str(place + 1), "NAME": stage, "DOCUMENT_STATUS": stage}
        for place, (_, stage) in enumerate(call.cloud.automation.stages(call.portal))
    ]


@registry.add("bizproc.workflow.start", "bizproc", admin=True)
def start(call: Call) -> str:
    """Run a template over a card."""
    number, document = str(call.need("TEMPLATE_ID")), call.need("DOCUMENT_ID")
    stages: list[tuple[tuple[int, str], list[Step]]] = list(call.cloud.automation.stages(call.portal).items())
    if not number.isdigit() or not 1 <= int(number) <= len(stages):
        raise Refusal("ERROR_TEMPLATE_NOT_FOUND", "Template not found")
    (kind_number, _), steps = stages[int(number) - 1]
    parts = str(document[2]).rpartition("_") if isinstance(document, list) and len(document) == 3 else ("", "", "")
    kind = call.portal.crm.kinds[kind_number]
    if parts[0] != kind.document[2] or not parts[2].isdigit():
        raise Refusal("ERROR_WRONG_DOCUMENT_ID", "Wrong DOCUMENT_ID!")
    return call.cloud.automation.run(call.portal, kind_number, int(parts[2]), steps).id


@registry.add("bizproc.workflow.instances", "bizproc", admin=True)
def instances(call: Call) -> list[dict[str, Any]]:
    """The processes that have not ended."""
    return [
        {"ID": process.id, "DOCUMENT_ID": f"{process.entity_type}_{process.item_id}"}
        for process in call.cloud.automation.processes
        if process.member_id == call.portal.member_id and process.state == "waiting"
    ]


@registry.add("bizproc.workflow.terminate", "bizproc", admin=True)
def terminate(call: Call) -> bool:
    """Stop a process."""
    call.cloud.automation.terminate(call.portal, str(call.need("ID")))
    return True
