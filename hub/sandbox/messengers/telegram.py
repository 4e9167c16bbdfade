"""A strict stand-in for the Telegram Bot API: it refuses what the real one refuses, in the same words.

A token of the usual form is known, one that ends in `revoked` is not, and none while the account is logged out.
A numeric chat is known unless its ending asks for something else: 0400 bad markup, 0401 revoked, 0403 blocked, 0404
unknown, 0408 takes the message and hangs up, 0413 too large, 0429 one 429, 0500 two 503, 0502 and 0504 an HTML page,
0301 moved to a supergroup.
"""

import json
import re
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, request

from connectors.text import length
from hub.sandbox.faults import Board, Fault, hang, hang_up

token_form = re.compile(r"[0-9]+:[A-Za-z0-9_-]+", re.ASCII)
files = {"sendphoto": "photo", "senddocument": "document", "sendvideo": "video", "sendaudio": "audio"}
parse_modes = ("html", "markdown", "markdownv2")
plain_words = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    413: "Request Entity Too Large",
}
server_words = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}
html_page = "<html>\r\n<head><title>{0} {1}</title></head>\r\n<body><center><h1>{0} {1}</h1></center></body>\r\n</html>"


@dataclass
class State:
    """What may be set: revoked tokens; known chats (None: every numeric one); moved chats; messages per second."""

    revoked: set[str] = field(default_factory=set)
    chats: set[str] | None = None
    moved: dict[str, str] = field(default_factory=dict)
    per_chat_per_s: int = 0


class Refusal(Exception):
    """An answer other than success."""

    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.status, self.description, self.parameters = status, description, parameters


def blueprint(board: Board, state: State | None = None) -> Blueprint:
    """The API's pages; mount them at /telegram."""
    pages = Blueprint("telegram", __name__)
    known = state or State()

    @pages.route("/bot<token>/<method>", methods=["GET", "POST"])
    def call(token: str, method: str) -> Response:
        name = method.lower()
        body: dict[str, Any] = {}
        try:
            body = _body()
            _check_token(board, token, known)
            if name == "getme":
                return jsonify(ok=True, result=_bot(token))
            if name in ("setwebhook", "deletewebhook", "answercallbackquery"):
                return jsonify(ok=True, result=True)
            if name != "sendmessage" and name not in files:
                raise Refusal(404, "Not Found")
            return _send(board, known, token, name, body)
        except Refusal as refusal:
            _note(board, name, body, refusal.description, refusal.status)
            return _refused(refusal)

    return pages


def _body() -> dict[str, Any]:
    if request.is_json:
        value = request.get_json(silent=True)
        if not isinstance(value, dict):
            raise Refusal(400, "Bad Request: can't parse JSON object")
        return value
    return {**request.args.to_dict(), **request.form.to_dict()}


def _check_token(board: Board, token: str, state: State) -> None:
    if not token_form.fullmatch(token):
        raise Refusal(404, "Not Found")
    if token in state.revoked or token.endswith("revoked") or "telegram" in board.logged_out():
        raise Refusal(401, "Unauthorized")


def _send(board: Board, state: State, token: str, name: str, body: dict[str, Any]) -> Response:
    chat = str(body.get("chat_id") or "")
    fault = board.take("telegram", chat)
    if fault is not None and fault.kind in ("status", "429"):
        return _play(board, name, body, fault)
    if fault is not None and fault.kind == "hang":
        _note(board, name, body, "hang", 0)
        return hang(board, fault.seconds)
    _check_chat(board, state, chat)
    if fault is not None and fault.kind == "refuse":
        raise Refusal(403, "Forbidden: bot was blocked by the user")
    if name == "sendmessage":
        _check_text(body.get("text"), 4096, "message text is empty", "message is too long")
    else:
        _check_file(body.get(files[name]))
        _check_text(body.get("caption", "-") or "-", 1024, "", "message caption is too long")
    if body.get("parse_mode") and str(body["parse_mode"]).lower() not in parse_modes:
        raise Refusal(400, "Bad Request: unsupported parse_mode")
    _check_markup(body.get("reply_markup"))
    number = board.next_id("telegram", chat)
    hangs_up = chat.endswith("0408") or (fault is not None and fault.kind == "hangup_after")
    _note(board, name, body, "accepted, hung up" if hangs_up else "accepted", 200, f"{chat}:{number}")
    if hangs_up:
        return hang_up()
    if fault is not None and fault.kind == "slow":
        board.stopping.wait(fault.seconds)
    return jsonify(ok=True, result=_message(token, chat, number, body))


def _check_chat(board: Board, state: State, chat: str) -> None:
    ending = chat[-4:]
    if not chat:
        raise Refusal(400, "Bad Request: chat_id is empty")
    if chat in state.moved or ending == "0301":
        new = int(state.moved.get(chat, f"-100{chat.lstrip('-')[:-4]}0001"))
        words = "Bad Request: group chat was upgraded to a supergroup chat"
        raise Refusal(400, words, migrate_to_chat_id=new)
    numeric = re.fullmatch(r"-?[0-9]{1,19}", chat, re.ASCII) is not None
    known = numeric or re.fullmatch(r"@[A-Za-z0-9_]{4,}", chat, re.ASCII) is not None
    if state.chats is not None:
        known = chat in state.chats
    if not known or ending == "0404":
        raise Refusal(400, "Bad Request: chat not found")
    if ending == "0400":
        raise Refusal(400, 'Bad Request: can\'t parse entities: Unsupported start tag "x" at byte offset 0')
    if ending == "0401":
        raise Refusal(401, "Unauthorized")
    if ending == "0403":
        raise Refusal(403, "Forbidden: bot was blocked by the user")
    if ending == "0413":
        raise Refusal(413, "Request Entity Too Large")
    if ending in ("0502", "0504"):
        raise Refusal(int(ending), server_words[int(ending)])
    if ending == "0429" and board.tried("telegram", chat) == 0:
        raise _flood(2)
    if ending == "0500" and board.tried("telegram", chat) < 2:
        raise Refusal(503, "Service Unavailable")
    if state.per_chat_per_s:
        since = time.time() - 1
        recent = [e for e in board.entries() if e.chat == chat and e.accepted and e.at > since]
        if len(recent) >= state.per_chat_per_s:
            raise _flood(1)


def _check_text(text: Any, limit: int, empty: str, long: str) -> None:
    if text is None or not str(text).strip():
        raise Refusal(400, f"Bad Request: {empty}")
    if length(str(text), "utf16") > limit:
        raise Refusal(400, f"Bad Request: {long}")


def _check_file(source: Any) -> None:
    if not source:
        raise Refusal(400, "Bad Request: there is no file in the request")
    parts = urlsplit(str(source))
    if parts.scheme and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise Refusal(400, "Bad Request: wrong file identifier/HTTP URL specified")
    if not parts.scheme:
        raise Refusal(400, "Bad Request: wrong remote file id specified: Wrong string length")


def _check_markup(markup: Any) -> None:
    if isinstance(markup, str):
        try:
            markup = json.loads(markup)
        except ValueError:
            raise Refusal(400, "Bad Request: can't parse reply keyboard markup JSON object") from None
    if markup is None or (isinstance(markup, dict) and "inline_keyboard" not in markup):
        return
    rows = markup.get("inline_keyboard") if isinstance(markup, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise Refusal(400, "Bad Request: object expected as reply markup")
    buttons = [button for row in rows for button in row]
    if len(buttons) > 100:
        raise Refusal(400, "Bad Request: reply markup is too long")
    for button in buttons:
        if not isinstance(button, dict) or not str(button.get("text") or "").strip():
            raise Refusal(400, "Bad Request: can't parse inline keyboard button: Text buttons are unallowed")
        if "url" in button:
            if not re.match(r"(https?|tg)://[^\s/]", str(button["url"])):
                raise Refusal(400, "Bad Request: inline keyboard button URL is invalid: BUTTON_URL_INVALID")
        elif not 1 <= len(str(button.get("callback_data") or "").encode()) <= 64:
            raise Refusal(400, "Bad Request: BUTTON_DATA_INVALID")


def _flood(seconds: int) -> Refusal:
    return Refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


def _play(board: Board, name: str, body: dict[str, Any], fault: Fault) -> Response:
    if fault.kind == "429":
        refusal = _flood(max(1, round(fault.seconds)))
    else:
        refusal = Refusal(fault.status, (plain_words | server_words).get(fault.status, "Error"))
    _note(board, name, body, f"fault: {refusal.description}", refusal.status)
    return _refused(refusal)


def _refused(refusal: Refusal) -> Response:
    if refusal.status in (502, 504):
        page = html_page.format(refusal.status, refusal.description)
        return Response(page, refusal.status, content_type="text/html")
    body: dict[str, Any] = {"ok": False, "error_code": refusal.status, "description": refusal.description}
    if refusal.parameters:
        body["parameters"] = refusal.parameters
    answer = jsonify(body)
    answer.status_code = refusal.status
    if "retry_after" in refusal.parameters:
        answer.headers["Retry-After"] = str(refusal.parameters["retry_after"])
    return answer


def _note(board: Board, name: str, body: dict[str, Any], outcome: str, status: int, provider_id: str = "") -> None:
    markup = body.get("reply_markup")
    rows = markup.get("inline_keyboard") if isinstance(markup, dict) else None
    labels = [
        str(b["text"])
        for row in rows or []
        if isinstance(row, list)
        for b in row
        if isinstance(b, dict) and "text" in b
    ]
    board.record(
        "telegram",
        name,
        str(body.get("chat_id") or ""),
        text=str(body.get("text") or body.get("caption") or ""),
        outcome=outcome,
        status=status,
        accepted=bool(provider_id),
        provider_id=provider_id,
        buttons=labels,
        file=str(body.get(files.get(name, ""), "") or ""),
    )


def _bot(token: str) -> dict[str, Any]:
    number = int(token.partition(":")[0])
    return {"id": number, "is_bot": True, "first_name": "Sandbox", "username": "sandbox_bot", "can_join_groups": True}


def _message(token: str, chat: str, number: int, body: dict[str, Any]) -> dict[str, Any]:
    chat_id: int | str = int(chat) if not chat.startswith("@") else chat
    kind = "private" if isinstance(chat_id, int) and chat_id > 0 else "supergroup"
    message = {
        "message_id": number,
        "from": _bot(token),
        "chat": {"id": chat_id, "type": kind},
        "date": int(time.time()),
    }
    return message | {key: body[key] for key in ("text", "caption", "reply_markup") if body.get(key)}
