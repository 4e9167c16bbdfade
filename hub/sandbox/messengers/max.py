"""A strict stand-in for the MAX bot API: it refuses what the real one refuses, by its codes.

A token that begins as MAX's do, with `f9LH`, is known, one that ends in `revoked` is not, and none while the account
is logged out. Every recipient is known unless the number's ending asks for something else: 0401 refused token, 0403
stopped the bot, 0404 unknown, 0405 never started the bot, 0408 takes the message and hangs up, 0429 one 429, 0500 two
503, 0502 and 0504 an HTML page. Of attachments it knows keyboards.
"""

import re
import time
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, jsonify, request

from hub.sandbox.faults import Board, Fault, hang, hang_up

plain_codes = {
    400: "proto.payload",
    401: "verify.token",
    403: "chat.denied",
    404: "not.found",
    405: "method.not.allowed",
}
endings = {
    "0401": (401, "verify.token", "Invalid access_token"),
    "0403": (403, "chat.denied", "error.dialog.suspended"),
    "0404": (404, "not.found", "User not found"),
    "0405": (403, "chat.denied", "error.dialog.notfound"),
}
narrow = ("link", "open_app", "request_geo_location", "request_contact")
html_page = "<html>\r\n<head><title>{0}</title></head>\r\n<body><center><h1>{0}</h1></center></body>\r\n</html>"


@dataclass
class State:
    """What may be set: revoked tokens; messages a second, of a chat and of all (0: not counted)."""

    revoked: set[str] = field(default_factory=set)
    per_chat_per_s: int = 0
    per_s: int = 0


class Refusal(Exception):
    """An answer other than success. `retry_after`: seconds for the header, 0 for none."""

    def __init__(self, status: int, code: str, message: str, retry_after: int = 0) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after


def blueprint(board: Board, state: State | None = None) -> Blueprint:
    """The API's pages; mount them at /max."""
    pages = Blueprint("max", __name__)
    known = state or State()

    @pages.get("/me")
    def me() -> Response:
        try:
            _check_token(board, known)
            return jsonify(_bot())
        except Refusal as refusal:
            return _refused(refusal)

    @pages.post("/subscriptions")
    def subscriptions() -> Response:
        try:
            _check_token(board, known)
            body = _body()
            _check_form(body.get("url"), r"https://[^\s/:]+(:443)?(/\S*)?", "url")
            _check_form(body.get("secret", "a" * 5), r"[A-Za-z0-9_-]{5,256}", "secret")
            return jsonify(success=True)
        except Refusal as refusal:
            return _refused(refusal)

    @pages.post("/messages")
    def messages() -> Response:
        body: dict[str, Any] = {}
        try:
            body = _body()
            _check_token(board, known)
            return _send(board, known, body)
        except Refusal as refusal:
            _note(board, body, f"{refusal.code}: {refusal.message}", refusal.status)
            return _refused(refusal)

    return pages


def _check_token(board: Board, state: State) -> None:
    token = request.headers.get("Authorization", "")
    known = token.startswith("f9LH") and not token.endswith("revoked") and token not in state.revoked
    if not known or "max" in board.logged_out():
        raise Refusal(*endings["0401"])


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise Refusal(400, "proto.payload", "The body is not a JSON object")
    return body


def _to() -> str:
    return request.args.get("user_id") or request.args.get("chat_id") or ""


def _send(board: Board, state: State, body: dict[str, Any]) -> Response:
    to = _to()
    fault = board.take("max", to)
    if fault is not None and fault.kind in ("status", "429"):
        raise _played(fault)
    if fault is not None and fault.kind == "hang":
        _note(board, body, "hang", 0)
        return hang(board, fault.seconds)
    _check_recipient(board, state, to)
    if fault is not None and fault.kind == "refuse":
        raise Refusal(*endings["0403"])
    _check_message(body)
    mid = f"mid.{int(to) & 0xFFFFFFFFFFFFFFFF:016x}{board.next_id('max', to):016x}"
    hangs_up = to.endswith("0408") or (fault is not None and fault.kind == "hangup_after")
    _note(board, body, "accepted, hung up" if hangs_up else "accepted", 200, mid)
    if hangs_up:
        return hang_up()
    if fault is not None and fault.kind == "slow":
        board.stopping.wait(fault.seconds)
    return jsonify(message=_message(to, mid, body))


def _check_recipient(board: Board, state: State, to: str) -> None:
    ending = to[-4:]
    if ("user_id" in request.args) == ("chat_id" in request.args):
        raise Refusal(400, "proto.payload", "One of user_id and chat_id is required")
    _check_form(to, r"[1-9][0-9]{0,18}" if "user_id" in request.args else r"-?[1-9][0-9]{0,18}", "recipient")
    if ending in endings:
        raise Refusal(*endings[ending])
    if ending in ("0502", "0504"):
        raise Refusal(int(ending), "", "")
    if ending == "0429" and board.tried("max", to) == 0:
        raise _flood()
    if ending == "0500" and board.tried("max", to) < 2:
        raise Refusal(503, "service.unavailable", "Service unavailable")
    since = time.time() - 1
    recent = [one.chat for one in board.entries() if one.service == "max" and one.accepted and one.at > since]
    if 0 < state.per_s <= len(recent) or 0 < state.per_chat_per_s <= recent.count(to):
        raise _flood()


def _check_form(value: Any, form: str, what: str) -> None:
    if not isinstance(value, str) or not re.fullmatch(form, value, re.ASCII):
        raise Refusal(400, "proto.payload", f"{what} is not valid")


def _check_message(body: dict[str, Any]) -> None:
    text = body.get("text") or ""
    if not isinstance(text, str) or len(text) > 4000:
        raise Refusal(400, "proto.payload", "text: size must be between 0 and 4000")
    if body.get("format") not in (None, "html", "markdown"):
        raise Refusal(400, "proto.payload", "format is not valid")
    attachments = body.get("attachments") or []
    if not text.strip() and not attachments:
        raise Refusal(400, "proto.payload", "text: must not be empty")
    try:
        if [one["type"] for one in attachments] not in ([], ["inline_keyboard"]):
            raise Refusal(400, "proto.payload", "attachments are not valid")
        for keyboard in attachments:
            _check_keyboard(keyboard["payload"]["buttons"])
    except (KeyError, TypeError, AttributeError):
        raise Refusal(400, "proto.payload", "attachments are not well formed") from None


def _check_keyboard(rows: list[list[dict[str, Any]]]) -> None:
    if not 1 <= len(rows) <= 30 or sum(map(len, rows)) > 210:
        raise Refusal(400, "proto.payload", "inline_keyboard: too many buttons")
    for row in rows:
        widest = 3 if any(button["type"] in narrow for button in row) else 7
        if not 1 <= len(row) <= widest:
            raise Refusal(400, "proto.payload", f"inline_keyboard: a row has 1 to {widest} buttons")
        for button in row:
            _check_form(button["text"], r"(?s)(?=.*\S).{1,128}", "inline_keyboard: text")
            if button["type"] == "link":
                _check_form(button["url"], r"(?=.{1,2048}$)https?://[^\s/]\S*", "inline_keyboard: url")
            elif button["type"] == "callback":
                _check_form(button["payload"], r"(?s).{1,1024}", "inline_keyboard: payload")
            elif button["type"] != "message":
                raise Refusal(400, "proto.payload", "inline_keyboard: unknown type of button")


def _flood(seconds: int = 0) -> Refusal:
    return Refusal(429, "too.many.requests", "Too many requests", seconds)


def _played(fault: Fault) -> Refusal:
    if fault.kind == "429":
        return _flood(max(1, round(fault.seconds)))
    code = plain_codes.get(fault.status, "internal.error")
    return Refusal(fault.status, code, "error.dialog.suspended" if fault.status == 403 else f"Error {fault.status}")


def _refused(refusal: Refusal) -> Response:
    if refusal.status in (502, 504):
        return Response(html_page.format(refusal.status), refusal.status, content_type="text/html")
    answer = jsonify(code=refusal.code, message=refusal.message)
    answer.status_code = refusal.status
    if refusal.retry_after:
        answer.headers["Retry-After"] = str(refusal.retry_after)
    return answer


def _note(board: Board, body: dict[str, Any], outcome: str, status: int, mid: str = "") -> None:
    try:
        rows = [row for one in body.get("attachments") or [] for row in one["payload"]["buttons"]]
        labels = [str(button["text"]) for row in rows for button in row]
    except (KeyError, TypeError):
        labels = []
    board.record(
        "max",
        "messages",
        _to(),
        text=str(body.get("text") or ""),
        outcome=outcome,
        status=status,
        accepted=bool(mid),
        provider_id=mid,
        buttons=labels,
    )


def _bot() -> dict[str, Any]:
    named = {"first_name": "Sandbox", "name": "Sandbox", "username": "sandbox_bot"}
    return {"user_id": 77, **named, "is_bot": True, "last_activity_time": round(time.time() * 1000)}


def _message(to: str, mid: str, body: dict[str, Any]) -> dict[str, Any]:
    group = "chat_id" in request.args
    to_whom = {"chat_id": int(to), "chat_type": "chat"} if group else {"chat_type": "dialog", "user_id": int(to)}
    content = {"mid": mid, "seq": int(mid[-16:], 16), "text": body.get("text"), "attachments": body.get("attachments")}
    return {"sender": _bot(), "recipient": to_whom, "timestamp": round(time.time() * 1000), "body": content}
