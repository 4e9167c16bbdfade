"""SMS through SMSC. Source: SMSC HTTP API (smsc.ru/api/http), June 2026.

SMSC answers 200 to everything: what it refuses is told by `error_code`. A message carries an id of our own, made from
the message's, by which SMSC knows it in `status.php` and in its reports. So a message that may have arrived is looked
up there before it is sent again. Besides, SMSC refuses the same text to the same number within a minute.
"""

import json
import re
from typing import Any, Literal

from pydantic import Field, SecretStr

from connectors.channel import Callback, Capabilities, Channel, ChannelConfig, ChannelEvent, Identity, Part
from connectors.channels._sms import dialled, form_of, plain_refusal, unreadable
from connectors.errors import (
    CallbackRefused,
    ConnectorError,
    LineDown,
    RateLimited,
    Rejected,
    Unconfirmed,
)

# Seconds to wait, and what has to wait. 9 is also the same text to the same number, and too many requests at once.
same_text = 9
pauses: dict[int, tuple[float, Literal["line", "chat"], str]] = {
    4: (300, "line", "address_held"),
    same_text: (60, "chat", "same_text"),
}
line_down = {2: "token_refused", 3: "no_money"}
rejected = {
    **dict.fromkeys((1, 5), "bad_request"),
    6: "text_forbidden",
    7: "wrong_number",
    8: "not_reachable",
}
# Not in SMSC's own list; others have met it as an error inside SMSC.
unsure = {99: "provider_down"}
unknown_error = 3  # of status.php
unknown_status = -3
states = {
    0: "sent",
    1: "delivered",
    **dict.fromkeys((2, 4), "read"),  # 4: a link in it was opened
    **dict.fromkeys((-2, 3, 20, 22, 23, 24, 25), "undelivered"),
}


class Smsc(Channel):
    """An account at SMSC: one line."""

    kind = "smsc"
    title = "SMS (SMSC)"
    carries = Capabilities(text_chars=800, receipts=True, idempotent=True, recipients="phone", rate_per_s=10.0)

    class Config(ChannelConfig):
        """What a line needs to send from an account: its API key, or its login and password."""

        token: SecretStr = Field(title="API key or password", min_length=1, max_length=200)
        login: str = Field(default="", title="Login", max_length=100, json_schema_extra={"shown": True})
        sender: str = Field(default="", title="Sender's name", max_length=50, json_schema_extra={"shown": True})
        api_url: str = Field(default="https://smsc.ru", title="API address", max_length=500)

    config: Config

    def check(self) -> Identity:
        """Ask for the balance. Raises ConnectorError; LineDown when the account is refused or has no money."""
        try:
            answer = self._ask("balance.php", {})
        except ConnectorError as error:
            error.scrub(self.secrets())
            raise
        balance, credit = _sum(answer.get("balance")), _sum(answer.get("credit", 0))
        if balance is None or credit is None:
            raise unreadable()
        if balance + credit <= 0:
            raise LineDown("The account at SMSC has no money left.", code="no_money", status=200)
        details = {"balance": str(answer["balance"])}
        return Identity(ok=True, name=self.config.sender or self.config.login, details=details)

    def address(self, raw: str) -> str:
        """A phone number's digits with the country code first; else empty."""
        return dialled(raw)

    def post(self, part: Part) -> str:
        """Post one text and return its id, which is ours."""
        own = own_id(part.key)
        if part.repeated and self._took(part.chat_id, own):
            return own
        form = {"phones": part.chat_id, "mes": part.text, "id": own}
        if self.config.sender:
            form["sender"] = self.config.sender
        answer = self._call("send.php", form)
        if answer.get("error_code") == same_text and self._took(part.chat_id, own):
            return own
        if "error_code" in answer:
            raise _refusal(answer)
        if not answer.get("id"):
            raise unreadable()
        return str(answer["id"])

    def read(self, callback: Callback) -> list[ChannelEvent]:
        """A report or an answer of a person. SMSC signs nothing: the line's own address is the proof."""
        form = dict(form_of(callback))
        number, phone = form.get("id", ""), dialled(form.get("phone", ""))
        if "mes" in form and "status" not in form and phone:
            return [ChannelEvent("message", number or f"{phone}:{form.get('time', '')}", phone, form["mes"], raw=form)]
        status = _status(form.get("status"))
        if not number or status is None:
            raise CallbackRefused("The callback is not a report of SMSC.")
        state = states.get(status, "")
        failed = state == "undelivered"
        return [
            ChannelEvent(
                kind="status" if state else "other",
                event_id=f"{number}:{status}",
                chat_id=phone,
                text=f"SMSC reports the status {status}, error {form.get('err') or 0}." if failed else "",
                provider_id=number,
                state=state,
                raw=form,
                message_id=_message_id(number),
            )
        ]

    def _took(self, phone: str, number: str) -> bool:
        """Whether SMSC has a message of this id to this phone, and has not given it up."""
        try:
            answer = self._call("status.php", {"phone": phone, "id": number})
            if answer.get("error_code") == unknown_error:
                return False
            if "error_code" in answer:
                raise _refusal(answer)
        except Rejected as refused:
            # The question was refused, not the message.
            raise unreadable(refused.status or 200, refused.body) from None
        status = _status(answer.get("status"))
        if status is None:
            raise unreadable()
        return status != unknown_status and states.get(status) != "undelivered"

    def _ask(self, page: str, form: dict[str, str]) -> dict[str, Any]:
        answer = self._call(page, form)
        if "error_code" in answer:
            raise _refusal(answer)
        return answer

    def _call(self, page: str, form: dict[str, str]) -> dict[str, Any]:
        secret, login = self.config.token.get_secret_value(), self.config.login
        account = {"login": login, "psw": secret} if login else {"apikey": secret}
        response = self.http.call(
            "POST",
            f"{self.config.api_url}/sys/{page}",
            data={**account, "fmt": "3", "charset": "utf-8", **form},
            proxy_url=self.proxy(),
            service="SMSC",
        )
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if response.status == 200 and isinstance(answer, dict) and answer:
            return answer
        raise plain_refusal(response, "SMSC")


def own_id(key: str) -> str:
    """A part's id at SMSC, which takes up to 40 letters, digits, dots, hyphens and underlines."""
    return re.sub(r"[^0-9A-Za-z._-]", "-", key)[-40:]


def _message_id(own: str) -> str:
    """The message's id in an id of ours; empty in another's."""
    found = re.fullmatch(r"([0-9a-f]{32})-[0-9]{1,7}", own, re.ASCII)
    return found[1] if found else ""


def _status(told: Any) -> int | None:
    """A message's status by its number; None for what is none."""
    return int(told) if re.fullmatch(r"-?[0-9]{1,3}", str(told), re.ASCII) else None


def _sum(told: Any) -> float | None:
    try:
        return float(told)
    except (TypeError, ValueError):
        return None


def _refusal(answer: dict[str, Any]) -> ConnectorError:
    number, body = answer["error_code"], json.dumps(answer, ensure_ascii=False)
    words = str(answer.get("error") or f"SMSC refused with error {number}.")[:300]
    if not isinstance(number, int):
        return unreadable(body=body)
    if number in pauses:
        seconds, scope, code = pauses[number]
        return RateLimited(words, retry_after_s=seconds, scope=scope, code=code, status=200, body=body)
    if number in line_down:
        return LineDown(words, code=line_down[number], status=200, body=body)
    if number in unsure:
        return Unconfirmed(words, code=unsure[number], status=200, body=body)
    return Rejected(words, code=rejected.get(number, str(number)), status=200, body=body)
