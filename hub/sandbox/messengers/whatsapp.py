"""A strict stand-in for the WhatsApp Cloud API, with Meta's own error numbers.

A token that begins as Meta's do, with `EAA`, is known, one that ends in `revoked` is not, and none while the account
is logged out. A phone is known unless its ending asks for something else:
0401 refused token, 0404 not in the test list, 0408 takes the message and hangs up, 0429 one error 130429, 0500 two
errors 131016, 0502 and 0504 an HTML page, 1026 undeliverable, 1047 window closed (for all but templates), 1056 too
often. A fault of kind `status` gives an HTTP status from 400 to 599, and the error of that number otherwise.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, jsonify, request

from hub.sandbox.faults import Board, Fault, hang, hang_up
from hub.sandbox.messengers._whatsapp_content import Refusal, check_content

endings = {"0401": 190, "0404": 131030, "1026": 131026, "1056": 131056}
html_page = "<html>\r\n<head><title>{0}</title></head>\r\n<body><center><h1>{0}</h1></center></body>\r\n</html>"


@dataclass
class State:
    """What may be set: revoked tokens, and people whose 24 hours are over beside those with the ending."""

    revoked: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)


def blueprint(board: Board, state: State | None = None) -> Blueprint:
    """The API's pages, under their own place and, as Meta's own hosts are called, under /graph."""
    pages = Blueprint("whatsapp", __name__)
    known = state or State()

    def number(version: str, number_id: str) -> Response:
        try:
            _check_call(board, version, number_id, known)
            return jsonify(
                id=number_id,
                display_phone_number="+7 999 000-00-00",
                verified_name="Sandbox",
                quality_rating="GREEN",
                name_status="APPROVED",
                code_verification_status="VERIFIED",
            )
        except Refusal as refusal:
            return _refused(refusal)

    def messages(version: str, number_id: str) -> Response:
        body: dict[str, Any] = {}
        try:
            _check_call(board, version, number_id, known)
            given = request.get_json(silent=True)
            if not isinstance(given, dict):
                raise Refusal(100, "The body is not a JSON object")
            body = given
            return _send(board, known, number_id, body)
        except Refusal as refusal:
            _note(board, body, f"{refusal.said}: {refusal.details}", refusal.status)
            return _refused(refusal)

    pages.add_url_rule("/<version>/<number_id>", view_func=number, methods=["GET"])
    pages.add_url_rule("/<version>/<number_id>/messages", view_func=messages, methods=["POST"])

    @pages.record
    def under_graph(setup: Any) -> None:
        rule = setup.app.add_url_rule
        rule("/graph/<version>/<number_id>", "graph.number", number, methods=["GET"])
        rule("/graph/<version>/<number_id>/messages", "graph.messages", messages, methods=["POST"])

    return pages


def _check_call(board: Board, version: str, number_id: str, state: State) -> None:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    known = token.startswith("EAA") and not token.endswith("revoked") and token not in state.revoked
    if not known or "whatsapp" in board.logged_out():
        raise Refusal(190)
    if not re.fullmatch(r"v[0-9]+\.[0-9]+", version, re.ASCII) or not re.fullmatch(r"[0-9]+", number_id, re.ASCII):
        raise Refusal(33)


def _send(board: Board, state: State, number_id: str, body: dict[str, Any]) -> Response:
    to = _to(body)
    fault = board.take("whatsapp", to)
    if fault is not None and fault.kind in ("status", "429"):
        raise _played(fault)
    if fault is not None and fault.kind == "hang":
        _note(board, body, "hang", 0)
        return hang(board, fault.seconds)
    if body.get("messaging_product") != "whatsapp":
        raise Refusal(100, "messaging_product must be whatsapp")
    if len(str(body.get("biz_opaque_callback_data") or "")) > 512:
        raise Refusal(131009, "biz_opaque_callback_data is too long")
    _check_recipient(board, state, to, body)
    if fault is not None and fault.kind == "refuse":
        raise Refusal(131026)
    kind = str(body.get("type") or "text")
    check_content(kind, body)
    number = f"wamid.{number_id}.{to}.{board.next_id('whatsapp', to)}"
    hangs_up = to.endswith("0408") or (fault is not None and fault.kind == "hangup_after")
    _note(board, body, "accepted, hung up" if hangs_up else "accepted", 200, number)
    if hangs_up:
        return hang_up()
    if fault is not None and fault.kind == "slow":
        board.stopping.wait(fault.seconds)
    contacts = [{"input": to, "wa_id": to}]
    return jsonify(messaging_product="whatsapp", contacts=contacts, messages=[{"id": number}])


def _to(body: dict[str, Any]) -> str:
    return str(body.get("to") or body.get("recipient") or "")


def _check_recipient(board: Board, state: State, to: str, body: dict[str, Any]) -> None:
    ending = to[-4:]
    if not to:
        raise Refusal(131008, "The parameter to is required")
    form = r"[0-9]{7,15}" if body.get("to") else r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}"
    if not re.fullmatch(form, to, re.ASCII):
        raise Refusal(131009, "The recipient is not a phone number")
    if ending in endings:
        raise Refusal(endings[ending])
    if (to in state.closed or ending == "1047") and body.get("type") != "template":
        raise Refusal(131047, "More than 24 hours have passed since the recipient last replied")
    if ending in ("0502", "0504"):
        raise Refusal(131000, http=int(ending))
    if ending == "0429" and board.tried("whatsapp", to) == 0:
        raise Refusal(130429)
    if ending == "0500" and board.tried("whatsapp", to) < 2:
        raise Refusal(131016)


def _played(fault: Fault) -> Refusal:
    if fault.kind == "429":
        return Refusal(130429)
    return Refusal(131000, http=fault.status) if 400 <= fault.status < 600 else Refusal(fault.status)


def _refused(refusal: Refusal) -> Response:
    if refusal.page:
        return Response(html_page.format(refusal.status), refusal.status, content_type="text/html")
    data = {"messaging_product": "whatsapp", "details": refusal.details}
    told = {"message": refusal.said, "type": "OAuthException", "code": refusal.number, "fbtrace_id": "sandbox"}
    answer = jsonify(error=told if refusal.number == 190 else told | {"error_data": data})
    answer.status_code = refusal.status
    return answer


def _note(board: Board, body: dict[str, Any], outcome: str, status: int, number: str = "") -> None:
    kind = str(body.get("type") or "text")
    told = body.get(kind)
    told = told if isinstance(told, dict) else {}
    text, file, labels = _shown(kind, told)
    board.record(
        "whatsapp",
        f"messages.{kind}",
        _to(body),
        text=text,
        outcome=outcome,
        status=status,
        accepted=bool(number),
        provider_id=number,
        buttons=labels,
        file=file,
    )


def _shown(kind: str, told: dict[str, Any]) -> tuple[str, str, list[str]]:
    """The words, the file and the buttons of whatever was asked, well formed or not."""
    try:
        if kind == "template":
            places = [one["text"] for part in told.get("components", []) if part["type"] == "body"
                      for one in part["parameters"]]  # fmt: skip
            return ", ".join([str(told["name"]), *places]), "", []
        if kind != "interactive":
            return str(told.get("body") or told.get("caption") or told.get("name") or ""), str(told.get("link", "")), []
        action, header = told["action"], told.get("header") or {}
        labels = [button["reply"]["title"] for button in action.get("buttons") or []]
        labels += [row["title"] for part in action.get("sections") or [] for row in part["rows"]]
        labels += [action["parameters"]["display_text"]] if "parameters" in action else []
        file = header[header["type"]].get("link", "") if header else ""
        return str(told["body"]["text"]), str(file), [str(label) for label in labels]
    except (KeyError, TypeError, AttributeError):
        return "", "", []
