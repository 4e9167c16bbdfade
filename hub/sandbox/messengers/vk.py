"""A strict stand-in for the VK API: it answers 200 and names its errors by number, as the real one does.

A token that begins as VK's do, with `vk1.`, is known, one that ends in `revoked` is not, and none while the
account is logged out. A numeric peer is known unless its ending asks for something
else: 0401 refused token, 0403 blocked, 0404 unknown, 0408 takes the message and hangs up, 0429 one error 6, 0500 two
errors 10, 0502 and 0504 an HTML page, 0900 to 0999 the error of that number. A fault of kind `status` gives an HTTP
status from 400 to 599, and the error of that number otherwise.
"""

import json
import re
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, jsonify, request

from hub.sandbox.faults import Board, Fault, hang, hang_up

dedup_s = 3600.0
dedup_limit = 200_000
words = {
    1: "Unknown error occurred",
    3: "Unknown method passed",
    5: "User authorization failed: invalid access_token (4).",
    6: "Too many requests per second",
    8: "Invalid request: v (version) is required",
    9: "Flood control",
    10: "Internal server error: Try again later",
    14: "Captcha needed",
    100: "One of the parameters specified was missing or invalid",
    113: "Invalid user id",
    900: "Can't send messages for users from blacklist",
    901: "Can't send messages for users without permission",
    902: "Can't send messages to this user due to their privacy settings",
    911: "Keyboard format is invalid",
    912: "This is a chat bot feature, change this status in settings",
    914: "Message is too long",
}
endings = {"0401": 5, "0403": 900, "0404": 113}
html_page = "<html>\r\n<head><title>{0}</title></head>\r\n<body><center><h1>{0}</h1></center></body>\r\n</html>"


@dataclass(frozen=True)
class Sent:
    """What is remembered of a message for its `random_id`: its id, its place in the record, and when."""

    number: int
    entry: int
    at: float


@dataclass
class State:
    """What may be set: revoked tokens; known peers (None: every numeric one). `sent` is kept under the lock."""

    revoked: set[str] = field(default_factory=set)
    peers: set[str] | None = None
    sent: dict[tuple[str, str, int], Sent] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Refusal(Exception):
    """An error in VK's form; `http` is an HTML page with that status instead."""

    def __init__(self, number: int, more: str = "", http: int = 0) -> None:
        said = words.get(number, f"Error {number}") + (f": {more}" if more else "")
        super().__init__(said)
        self.number, self.said, self.http = number, said, http


def blueprint(board: Board, state: State | None = None) -> Blueprint:
    """The API's pages; mount them at /vk."""
    pages = Blueprint("vk", __name__)
    known = state or State()

    @pages.route("/method/<method>", methods=["GET", "POST"])
    def call(method: str) -> Response:
        form = {**request.args.to_dict(), **request.form.to_dict()}
        try:
            _check_call(board, form, known)
            if method == "groups.getById":
                number = int(re.sub(r"[^0-9]", "", form.get("group_id", "")) or 1)
                group = {"id": number, "name": "Sandbox", "screen_name": f"club{number}", "type": "group"}
                return jsonify(response={"groups": [group], "profiles": []})
            if method == "groups.getTokenPermissions":
                rights = [{"name": "messages", "setting": 4096}, {"name": "manage", "setting": 262144}]
                return jsonify(response={"mask": 266240, "permissions": rights})
            if method != "messages.send":
                raise Refusal(3)
            return _send(board, known, form)
        except Refusal as refusal:
            _note(board, method, form, refusal.said, refusal.http or 200)
            return _refused(refusal, form)

    return pages


def _check_call(board: Board, form: dict[str, str], state: State) -> None:
    token = form.get("access_token", "")
    known = token.startswith("vk1.") and not token.endswith("revoked") and token not in state.revoked
    if not known or "vk" in board.logged_out():
        raise Refusal(5)
    if not re.fullmatch(r"5\.[0-9]+", form.get("v", ""), re.ASCII):
        raise Refusal(8)


def _send(board: Board, state: State, form: dict[str, str]) -> Response:
    peer = _peer(form)
    fault = board.take("vk", peer)
    if fault is not None and fault.kind in ("status", "429"):
        raise _played(fault)
    if fault is not None and fault.kind == "hang":
        _note(board, "messages.send", form, "hang", 0)
        return hang(board, fault.seconds)
    _check_peer(board, state, peer)
    if fault is not None and fault.kind == "refuse":
        raise Refusal(901)
    same = _random_id(form)
    _check_text(form)
    _check_keyboard(form.get("keyboard"))
    hangs_up = peer.endswith("0408") or (fault is not None and fault.kind == "hangup_after")
    number, repeated = _accept(board, state, form, same, hangs_up)
    if hangs_up and not repeated:
        return hang_up()
    if fault is not None and fault.kind == "slow":
        board.stopping.wait(fault.seconds)
    return jsonify(response=number)


def _accept(board: Board, state: State, form: dict[str, str], same: int, hangs_up: bool) -> tuple[int, bool]:
    """The message's id, and whether it is a repeat, which is recorded but not taken a second time."""
    peer = _peer(form)
    key = (form["access_token"], peer, same)
    with state.lock:
        before = state.sent.get(key) if same else None
        if before is not None and _remembered(board, before):
            _note(board, "messages.send", form, "repeat", 200, before.number, accepted=False)
            return before.number, True
        number = board.next_id("vk", "")
        outcome = "accepted, hung up" if hangs_up else "accepted"
        entry = _note(board, "messages.send", form, outcome, 200, number)
        state.sent[key] = Sent(number, entry, time.time())
        if len(state.sent) > dedup_limit:
            for old in list(state.sent)[: dedup_limit // 10]:
                del state.sent[old]
    return number, False


def _remembered(board: Board, sent: Sent) -> bool:
    """Whether the message is still in the window and in the record, which a reset empties."""
    if time.time() - sent.at > dedup_s:
        return False
    following = board.entries(sent.entry - 1)
    return bool(following) and following[0].number == sent.entry


def _peer(form: dict[str, str]) -> str:
    return form.get("peer_id") or form.get("user_id") or form.get("domain") or ""


def _check_peer(board: Board, state: State, peer: str) -> None:
    ending = peer[-4:]
    if not peer:
        raise Refusal(100, "you should specify peer_id, user_id, domain, chat_id or user_ids param")
    form = r"[A-Za-z][A-Za-z0-9_.]{1,31}" if request.values.get("domain") == peer else r"-?[1-9][0-9]{0,17}"
    if not re.fullmatch(form, peer, re.ASCII):
        raise Refusal(100, "peer_id is invalid")
    if state.peers is not None and peer not in state.peers:
        raise Refusal(113)
    if ending in endings:
        raise Refusal(endings[ending])
    if re.fullmatch(r"09[0-9]{2}", ending, re.ASCII):
        raise Refusal(int(ending))
    if ending in ("0502", "0504"):
        raise Refusal(1, http=int(ending))
    if ending == "0429" and board.tried("vk", peer) == 0:
        raise Refusal(6)
    if ending == "0500" and board.tried("vk", peer) < 2:
        raise Refusal(10)


def _random_id(form: dict[str, str]) -> int:
    try:
        same = int(form["random_id"])
    except (KeyError, ValueError):
        raise Refusal(100, "random_id is a required parameter") from None
    if not -(2**31) <= same < 2**31:
        raise Refusal(100, "random_id not integer")
    return same


def _check_text(form: dict[str, str]) -> None:
    text = form.get("message", "")
    if not text.strip() and not form.get("attachment"):
        raise Refusal(100, "message is empty or invalid")
    if len(text) > 4096:
        raise Refusal(914)


def _check_keyboard(raw: str | None) -> None:
    if not raw:
        return
    try:
        keyboard = json.loads(raw)
        rows = keyboard["buttons"]
        inline = keyboard.get("inline") is True
        if (inline and keyboard.get("one_time")) or len(rows) > (6 if inline else 10):
            raise Refusal(911, "too many rows")
        if sum(len(row) for row in rows) > (10 if inline else 40):
            raise Refusal(911, "too many buttons")
        for row in rows:
            if not row or sum(_width(button["action"]) for button in row) > 5:
                raise Refusal(911, "a row is empty or too wide")
            for button in row:
                _check_action(button["action"], button.get("color"))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refusal(911) from None


def _width(action: dict[str, Any]) -> int:
    return 1 if action["type"] in ("text", "callback") else 2


def _check_action(action: dict[str, Any], color: str | None) -> None:
    if not 1 <= len(action["label"]) <= 40:
        raise Refusal(911, "label has to be 1 to 40 characters")
    if action["type"] == "open_link":
        if color is not None or not re.match(r"https?://[^\s/]", action["link"]):
            raise Refusal(911, "button link is invalid")
    elif action["type"] in ("text", "callback"):
        if color not in (None, "primary", "secondary", "positive", "negative") or len(action["payload"]) > 255:
            raise Refusal(911, "button color or payload is invalid")
        json.loads(action["payload"])
    else:
        raise Refusal(911, "unknown button type")


def _played(fault: Fault) -> Refusal:
    if fault.kind == "429":
        return Refusal(6)
    return Refusal(1, http=fault.status) if 400 <= fault.status < 600 else Refusal(fault.status)


def _refused(refusal: Refusal, form: dict[str, str]) -> Response:
    if refusal.http:
        return Response(html_page.format(refusal.http), refusal.http, content_type="text/html")
    echoed = [{"key": key, "value": value} for key, value in form.items() if key != "access_token"]
    return jsonify(error={"error_code": refusal.number, "error_msg": refusal.said, "request_params": echoed})


def _note(
    board: Board,
    method: str,
    form: dict[str, str],
    outcome: str,
    status: int,
    number: int = 0,
    accepted: bool | None = None,
) -> int:
    """Write the request down and return its place in the record."""
    entry = board.record(
        "vk",
        method,
        _peer(form),
        text=form.get("message", ""),
        outcome=outcome,
        status=status,
        accepted=bool(number) if accepted is None else accepted,
        provider_id=str(number or ""),
        buttons=_labels(form.get("keyboard")),
        file=form.get("attachment", ""),
    )
    return entry.number


def _labels(raw: str | None) -> list[str]:
    try:
        return [str(button["action"]["label"]) for row in json.loads(raw or "{}")["buttons"] for button in row]
    except (ValueError, KeyError, TypeError):
        return []
