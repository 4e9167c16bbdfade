"""Open-channel connectors: customers' chats from outside, answered by operators."""

from collections.abc import Callable
from typing import Any

from hub.sandbox.bitrix24.calls import Call, Run, registry
from hub.sandbox.bitrix24.methods.event import checked_url
from hub.sandbox.bitrix24.model import Connector
from hub.sandbox.bitrix24.openlines import LINES, ready
from hub.sandbox.bitrix24.refusals import Refusal, missing

SERVICE = "bitrix24_openlines"
NAME_LENGTH = 25
NAME_MARKS = " -'’"


def _scoped(name: str, **more: Any) -> Callable[[Run], Run]:
    return registry.add(name, "imconnector", "imopenlines", **more)


@_scoped("imconnector.register", app_only=True, admin=True)
def register(call: Call) -> dict[str, Any]:
    """Register a connector; what is wrong is told inside the result."""

    def failed(code: str) -> dict[str, Any]:
        return {"result": False, "error": code, "error_description": code.replace("_", " ").capitalize()}

    code = str(call.arg("ID") or "").lower()
    icon = call.arg("ICON")
    if not code:
        return failed("CONNECTOR_ID_REQUIRED")
    if "." in code:
        return failed("GENERAL_CONNECTOR_REGISTRATION_ERROR")
    if not call.arg("NAME"):
        return failed("NAME_REQUIRED")
    if not isinstance(icon, dict) or not icon.get("DATA_IMAGE"):
        return failed("ICON_REQUIRED")
    if not call.arg("PLACEMENT_HANDLER"):
        return failed("NO_PLACEMENT_HANDLER")
    url = checked_url(call.arg("PLACEMENT_HANDLER"))
    known = call.app.connectors.get(code)
    made = Connector(code, str(call.arg("NAME")), url, dict(call.params))
    if known is not None:
        made.active, made.data = known.active, known.data
    call.app.connectors[code] = made
    return {"result": True}


@_scoped("imconnector.unregister", app_only=True, admin=True)
def unregister(call: Call) -> dict[str, Any]:
    """Remove a connector."""
    return {"result": call.app.connectors.pop(str(call.arg("ID") or "").lower(), None) is not None}


@_scoped("imconnector.list")
def list_(call: Call) -> dict[str, str]:
    """The connectors by id."""
    return {"livechat": "Онлайн-чат"} | {row.id: row.name for row in call.app.connectors.values()}


@_scoped("imopenlines.config.list.get")
def lines(_call: Call) -> list[dict[str, Any]]:
    """The open lines."""
    return [{"ID": str(number), "LINE_NAME": name, "ACTIVE": "Y"} for number, name in LINES.items()]


def _of(call: Call) -> tuple[Connector, int]:
    code, line = str(call.arg("CONNECTOR") or "").lower(), str(call.arg("LINE") or "")
    if not code:
        raise missing("CONNECTOR")
    if not line.isdigit() or int(line) not in LINES:
        raise missing("LINE")
    known = call.app.connectors.get(code)
    if known is None:
        raise Refusal("IMCONNECTOR_NO_CORRECT_PROVIDER", "Could not find a suitable provider for the connector")
    return known, int(line)


@_scoped("imconnector.activate", app_only=True)
def activate(call: Call) -> bool:
    """Switch a connector on or off for a line."""
    known, line = _of(call)
    if call.arg("ACTIVE") is None:
        raise missing("ACTIVE")
    on = str(call.arg("ACTIVE")).lower() in ("1", "y", "true")
    (known.active.add if on else known.active.discard)(line)
    return True


@_scoped("imconnector.connector.data.set", app_only=True)
def data_set(call: Call) -> bool:
    """Say what customers see of the line."""
    known, line = _of(call)
    data = call.table("DATA")
    if not data:
        raise missing("DATA")
    known.data[line] = data
    return True


@_scoped("imconnector.status", app_only=True)
def status(call: Call) -> dict[str, Any]:
    """How far a connector is set up for a line."""
    known, line = _of(call)
    return {
        "LINE": line,
        "CONNECTOR": known.id,
        "ERROR": False,
        "CONFIGURED": line in known.data,
        "STATUS": ready(known, line),
    }


@_scoped("imconnector.send.messages", app_only=True)
def send(call: Call) -> dict[str, Any]:
    """What customers write; each message has its own outcome."""
    known, line = _of(call)
    if not ready(known, line):
        raise Refusal("NOT_ACTIVE_LINE", "The open channel is not active")
    return {"SUCCESS": True, "DATA": {"RESULT": [_take(call, known, line, row) for row in _messages(call)]}}


def _messages(call: Call) -> list[Any]:
    rows = call.arg("MESSAGES")
    rows = list(rows.values()) if isinstance(rows, dict) else rows
    if not isinstance(rows, list) or not rows:
        raise missing("MESSAGES")
    return rows


def _take(call: Call, known: Connector, line: int, row: Any) -> dict[str, Any]:
    user, message, chat = (row.get(name) if isinstance(row, dict) else None for name in ("user", "message", "chat"))
    if not isinstance(user, dict) or not isinstance(message, dict) or not isinstance(chat, dict) or not chat.get("id"):
        return {"SUCCESS": False, "ERRORS": ["Required fields: user, message, chat"]}
    errors = [
        f"Wrong {name}"
        for name in ("name", "last_name")
        if user.get(name) and (len(str(user[name])) > NAME_LENGTH or not _is_name(str(user[name])))
    ]
    if not message.get("text") and not message.get("files"):
        errors.append("Message is empty")
    fault = call.cloud.board.take(SERVICE, str(chat["id"]))
    if fault is not None:
        errors.append(fault.code)
    if errors:
        return {"SUCCESS": False, "ERRORS": errors}
    name = " ".join(str(user[key]) for key in ("name", "last_name") if user.get(key))
    talk = call.cloud.open_lines.chat(call.portal, known.id, line, str(chat["id"]), str(chat.get("name") or name))
    who = "operator" if message.get("user_id") else "customer"
    talk.messages.append({"who": who, "id": message.get("id"), "text": message.get("text", ""), "state": "received"})
    return {
        "user": str(talk.user),
        "message": {"id": message.get("id"), "date": {}, "text": message.get("text", ""), "files": []},
        "chat": {"id": chat["id"], "name": talk.name, "description": ""},
        "SUCCESS": True,
        "session": {"ID": str(talk.session), "CHAT_ID": str(talk.number)},
    }


def _is_name(text: str) -> bool:
    return all(sign.isalpha() or sign in NAME_MARKS for sign in text)


def _marks(call: Call, state: str) -> dict[str, Any]:
    _of(call)
    for row in _messages(call):
        place = row.get("im") if isinstance(row, dict) else None
        if not isinstance(place, dict):
            raise Refusal("ERROR_ARGUMENT", "Argument 'MESSAGES' is wrong", argument="MESSAGES")
        call.cloud.open_lines.mark(
            call.portal, int(place.get("chat_id") or 0), int(place.get("message_id") or 0), state
        )
    return {"SUCCESS": True, "DATA": []}


@_scoped("imconnector.send.status.delivery", app_only=True)
def delivered(call: Call) -> dict[str, Any]:
    """An operator's messages have arrived."""
    return _marks(call, "delivered")


@_scoped("imconnector.send.status.reading", app_only=True)
def read(call: Call) -> dict[str, Any]:
    """An operator's messages were read."""
    return _marks(call, "read")
