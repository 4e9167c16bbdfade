"""A strict stand-in for SMS.ru: it answers 200 and names its errors by number, of the call or of the phone.

A key that begins with `demo` is known, one that ends in `revoked` is not, and none while the account is logged out. A
phone is known unless its ending asks for something else: 0401 refused key, 0402 no money, 0403 cannot be reached, 0404
wrong number, 0406 sender not approved, 0408 takes the message and hangs up, 0409 in the stop list, 0429 one error 220,
0430 too many today, 0500 two errors 500, 0502 and 0504 an HTML page. A fault of kind `status` gives an HTTP status from
400 to 599, and the error of that number otherwise.
"""

import re
import time

from flask import Blueprint, Response, jsonify, request

from hub.sandbox.faults import Board, Fault, hang, hang_up

balance = 4122.56
parts_limit = 8
words = {
    200: "Неправильный api_id",
    201: "Не хватает средств на лицевом счету",
    202: "Неправильно указан номер телефона получателя, либо на него нет маршрута",
    203: "Нет текста сообщения",
    204: "Имя отправителя не согласовано с администрацией",
    205: "Сообщение слишком длинное (превышает 8 СМС)",
    206: "Будет превышен или уже превышен дневной лимит на отправку сообщений",
    207: "На этот номер нет маршрута для доставки сообщений",
    209: "Вы добавили этот номер в стоп-лист",
    210: "Используется GET, где необходимо использовать POST",
    211: "Метод не найден",
    220: "Сервис временно недоступен, попробуйте чуть позже",
    230: "Превышен общий лимит количества сообщений на этот номер в день",
}
of_the_call = {200, 210, 211, 220, 300, 301, 302, 500}
endings = {"0401": 200, "0402": 201, "0403": 207, "0404": 202, "0406": 204, "0409": 209, "0430": 230}
html_page = "<html>\r\n<head><title>{0}</title></head>\r\n<body><center><h1>{0}</h1></center></body>\r\n</html>"


class Refusal(Exception):
    """An error in the form of SMS.ru; `http` is an HTML page with that status instead."""

    def __init__(self, number: int, http: int = 0) -> None:
        said = words.get(number, f"error {number}")
        super().__init__(said)
        self.number, self.said, self.http = number, said, http


def blueprint(board: Board) -> Blueprint:
    """The API's pages; mount them at /smsru."""
    pages = Blueprint("smsru", __name__)

    @pages.route("/<group>/<method>", methods=["GET", "POST"])
    def call(group: str, method: str) -> Response:
        form = {**request.args.to_dict(), **request.form.to_dict()}
        try:
            _check_call(board, form)
            if (group, method) == ("my", "balance"):
                return jsonify(status="OK", status_code=100, balance=balance)
            if (group, method) != ("sms", "send"):
                raise Refusal(211)
            return _send(board, form)
        except Refusal as refusal:
            _note(board, f"{group}/{method}", form, refusal.said, refusal.http or 200)
            return _refused(refusal, form.get("to", ""))

    return pages


def _check_call(board: Board, form: dict[str, str]) -> None:
    key = form.get("api_id", "")
    if not key.startswith("demo") or key.endswith("revoked") or "smsru" in board.logged_out():
        raise Refusal(200)
    if request.method != "POST":
        raise Refusal(210)
    if form.get("json") != "1":
        raise Refusal(211)


def _send(board: Board, form: dict[str, str]) -> Response:
    phone = form.get("to", "")
    fault = board.take("smsru", phone)
    if fault is not None and fault.kind in ("status", "429"):
        raise _played(fault)
    if fault is not None and fault.kind == "hang":
        _note(board, "sms/send", form, "hang", 0)
        return hang(board, fault.seconds)
    _check_phone(board, phone)
    if fault is not None and fault.kind == "refuse":
        raise Refusal(207)
    _check_message(form)
    hangs_up = phone.endswith("0408") or (fault is not None and fault.kind == "hangup_after")
    number = f"{time.strftime('%Y%U')}-{1_000_000 + board.next_id('smsru', '')}"
    _note(board, "sms/send", form, "accepted, hung up" if hangs_up else "accepted", 200, number)
    if hangs_up:
        return hang_up()
    if fault is not None and fault.kind == "slow":
        board.stopping.wait(fault.seconds)
    sent = {phone: {"status": "OK", "status_code": 100, "sms_id": number}}
    return jsonify(status="OK", status_code=100, sms=sent, balance=balance)


def _check_phone(board: Board, phone: str) -> None:
    ending = phone[-4:]
    if not re.fullmatch(r"[0-9]{10,15}", phone, re.ASCII):
        raise Refusal(202)
    if ending in endings:
        raise Refusal(endings[ending])
    if ending in ("0502", "0504"):
        raise Refusal(220, http=int(ending))
    if ending == "0429" and board.tried("smsru", phone) == 0:
        raise Refusal(220)
    if ending == "0500" and board.tried("smsru", phone) < 2:
        raise Refusal(500)


def _check_message(form: dict[str, str]) -> None:
    text = form.get("msg", "")
    if not text.strip():
        raise Refusal(203)
    units, in_one, in_each = len(text.encode("utf-16-le")) // 2, *((160, 153) if text.isascii() else (70, 67))
    if units > in_one and units > in_each * parts_limit:
        raise Refusal(205)
    if not re.fullmatch(r"[0-9A-Za-z .&_-]{0,11}", form.get("from", ""), re.ASCII):
        raise Refusal(204)


def _played(fault: Fault) -> Refusal:
    if fault.kind == "429":
        return Refusal(220)
    return Refusal(220, http=fault.status) if 400 <= fault.status < 600 else Refusal(fault.status)


def _refused(refusal: Refusal, phone: str) -> Response:
    if refusal.http:
        return Response(html_page.format(refusal.http), refusal.http, content_type="text/html")
    told = {"status": "ERROR", "status_code": refusal.number, "status_text": refusal.said}
    if refusal.number in of_the_call:
        return jsonify(told)
    return jsonify(status="OK", status_code=100, sms={phone: told}, balance=balance)


def _note(board: Board, method: str, form: dict[str, str], outcome: str, status: int, number: str = "") -> None:
    board.record(
        "smsru",
        method,
        form.get("to", ""),
        text=form.get("msg", ""),
        outcome=outcome,
        status=status,
        accepted=bool(number),
        provider_id=number,
    )
