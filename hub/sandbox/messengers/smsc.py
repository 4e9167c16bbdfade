"""A strict stand-in for SMSC: it answers 200 and names its errors by number, as the real one does.

An API key that begins with `demo` is known, and so is the login `demo` with a password that begins so; none that ends
in `revoked`, and none while the account is logged out. The same text to the same number within a minute is refused
with error 9. A phone is known unless its ending asks for something else: 0401 refused account, 0402 no money, 0403
cannot be reached, 0404 wrong number, 0406 forbidden text, 0408 takes the message and hangs up, 0429 one error 9, 0500
two HTTP 503, 0502 and 0504 an HTML page, 1026 takes the message and never delivers it. A fault of kind `status` gives
an HTTP status from 400 to 599, and the error of that number otherwise.
"""

import re
import threading
import time

from flask import Blueprint, Response, jsonify, request

from hub.sandbox.faults import Board, Entry, Fault, hang, hang_up

same_text_s = 60.0
longest = 1000
balance = "178.10"
words = {
    1: "parameters error",
    2: "authorise error",
    3: "not enough credits on balance",
    4: "IP is blocked",
    6: "message is denied",
    7: "invalid number",
    8: "message to this number can not be delivered",
    9: "duplicate request, wait a minute",
}
endings = {"0401": 2, "0402": 3, "0403": 8, "0404": 7, "0406": 6}
html_page = "<html>\r\n<head><title>{0}</title></head>\r\n<body><center><h1>{0}</h1></center></body>\r\n</html>"


class Refusal(Exception):
    """An error in SMSC's form; `http` is an HTML page with that status instead."""

    def __init__(self, number: int, said: str = "", http: int = 0) -> None:
        said = said or words.get(number, f"error {number}")
        super().__init__(said)
        self.number, self.said, self.http = number, said, http


def blueprint(board: Board) -> Blueprint:
    """The API's pages; mount them at /smsc."""
    pages = Blueprint("smsc", __name__)
    lock = threading.Lock()

    @pages.route("/sys/<page>.php", methods=["GET", "POST"])
    def call(page: str) -> Response:
        form = {**request.args.to_dict(), **request.form.to_dict()}
        try:
            _check_call(board, form)
            if page == "balance":
                return jsonify(balance=balance)
            if page == "status":
                return _status(board, form)
            if page != "send":
                raise Refusal(1, http=404)
            return _send(board, lock, form)
        except Refusal as refusal:
            _note(board, page, form, refusal.said, refusal.http or 200)
            if refusal.http:
                return Response(html_page.format(refusal.http), refusal.http, content_type="text/html")
            return jsonify(error=refusal.said, error_code=refusal.number)

    return pages


def _check_call(board: Board, form: dict[str, str]) -> None:
    login, secret = form.get("login", "demo"), form.get("psw") or form.get("apikey") or ""
    known = login == "demo" and secret.startswith("demo") and not secret.endswith("revoked")
    if ("psw" in form and "login" not in form) or not known or "smsc" in board.logged_out():
        raise Refusal(2)
    if form.get("fmt") != "3":
        raise Refusal(1, "fmt has to be 3")


def _send(board: Board, lock: threading.Lock, form: dict[str, str]) -> Response:
    phone = form.get("phones", "")
    fault = board.take("smsc", phone)
    if fault is not None and fault.kind in ("status", "429"):
        raise _played(fault)
    if fault is not None and fault.kind == "hang":
        _note(board, "send", form, "hang", 0)
        return hang(board, fault.seconds)
    _check_phone(board, phone)
    if fault is not None and fault.kind == "refuse":
        raise Refusal(8)
    _check_message(form)
    hangs_up = phone.endswith("0408") or (fault is not None and fault.kind == "hangup_after")
    with lock:
        if any(one.chat == phone and one.text == form["mes"] for one in _taken(board, time.time() - same_text_s)):
            raise Refusal(9)
        number = form.get("id") or str(board.next_id("smsc", ""))
        _note(board, "send", form, "accepted, hung up" if hangs_up else "accepted", 200, number)
    if hangs_up:
        return hang_up()
    if fault is not None and fault.kind == "slow":
        board.stopping.wait(fault.seconds)
    return jsonify(id=number, cnt=1)


def _status(board: Board, form: dict[str, str]) -> Response:
    phone, number = form.get("phone", ""), form.get("id", "")
    if not phone or not number:
        raise Refusal(1)
    found = [one for one in _taken(board) if (one.chat, one.provider_id) == (phone, number)]
    if not found:
        raise Refusal(3, "message not found")
    at = int(found[-1].at)
    shown = time.strftime("%d.%m.%Y %H:%M:%S", time.localtime(at))
    status = 20 if phone.endswith("1026") else 1
    return jsonify(status=status, last_date=shown, last_timestamp=at, err=0)


def _taken(board: Board, since: float = 0.0) -> list[Entry]:
    return [one for one in board.entries() if one.service == "smsc" and one.accepted and one.at >= since]


def _check_phone(board: Board, phone: str) -> None:
    ending = phone[-4:]
    if not phone:
        raise Refusal(1)
    if not re.fullmatch(r"\+?[0-9]{10,15}", phone, re.ASCII):
        raise Refusal(7)
    if ending in endings:
        raise Refusal(endings[ending])
    if ending in ("0502", "0504"):
        raise Refusal(1, http=int(ending))
    if ending == "0429" and board.tried("smsc", phone) == 0:
        raise Refusal(9)
    if ending == "0500" and board.tried("smsc", phone) < 2:
        raise Refusal(1, http=503)


def _check_message(form: dict[str, str]) -> None:
    text = form.get("mes", "")
    if not text.strip() or len(text) > longest:
        raise Refusal(1)
    if form.get("charset") != "utf-8" and not text.isascii():
        raise Refusal(1, "charset has to be utf-8")
    if not re.fullmatch(r"[0-9A-Za-z._-]{0,40}", form.get("id", ""), re.ASCII):
        raise Refusal(1, "id is wrong")
    if not re.fullmatch(r"[0-9A-Za-z .&_-]{0,11}|\+?[0-9]{0,15}", form.get("sender", ""), re.ASCII):
        raise Refusal(6)


def _played(fault: Fault) -> Refusal:
    if fault.kind == "429":
        return Refusal(9)
    return Refusal(1, http=fault.status) if 400 <= fault.status < 600 else Refusal(fault.status)


def _note(board: Board, page: str, form: dict[str, str], outcome: str, status: int, number: str = "") -> None:
    """Write the request down. A question about a message is no message to its chat."""
    board.record(
        "smsc",
        page,
        form.get("phones", ""),
        text=form.get("mes", ""),
        outcome=outcome,
        status=status,
        accepted=bool(number),
        provider_id=number,
    )
