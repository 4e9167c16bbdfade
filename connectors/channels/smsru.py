"""SMS through SMS.ru. Source: SMS.ru API (sms.ru/api/send, sms.ru/callback), June 2026.

SMS.ru answers 200 to everything: what it refuses is told by `status_code`, of the call and again of the number. There
is no key against repeats and no id of ours, so a message whose answer was lost is left to a person.
"""

import hashlib
import hmac
import re
from typing import Any, Literal

from pydantic import Field, SecretStr

from connectors.channel import Callback, Capabilities, Channel, ChannelConfig, ChannelEvent, Identity, Part
from connectors.channels._sms import dialled, form_of, plain_refusal, unreadable
from connectors.errors import CallbackRefused, ConnectorError, LineDown, RateLimited, Rejected, Temporary

accepted = 100
# Seconds to wait, and what has to wait.
pauses: dict[int, tuple[float, Literal["line", "chat"], str]] = {206: (3600, "line", "daily_limit")}
temporary = dict.fromkeys((220, 500), "provider_down")
line_down = {
    **dict.fromkeys((200, 300, 301), "token_refused"),
    201: "no_money",
    302: "account_unconfirmed",
}
rejected = {
    202: "wrong_number",
    203: "empty",
    204: "sender_refused",
    205: "too_long",
    207: "not_reachable",
    209: "stop_list",
    **dict.fromkeys((208, 210, 211, 212), "bad_request"),
    230: "recipient_limit",
    **dict.fromkeys((231, 232), "repeated_text"),
}
states = {
    102: "sent",
    103: "delivered",
    110: "read",
    **dict.fromkeys((104, 105, 106, 107, 108, 150), "undelivered"),
}


class Smsru(Channel):
    """An account at SMS.ru: one line."""

    kind = "smsru"
    title = "SMS (SMS.ru)"
    # Eight parts of 67 letters, as many as Cyrillic has room for.
    carries = Capabilities(text_chars=536, text_unit="utf16", receipts=True, recipients="phone", rate_per_s=10.0)

    class Config(ChannelConfig):
        """What a line needs to send from an account."""

        token: SecretStr = Field(title="API key (api_id)", min_length=1, max_length=200)
        sender: str = Field(default="", title="Sender's name", max_length=50, json_schema_extra={"shown": True})
        api_url: str = Field(default="https://sms.ru", title="API address", max_length=500)

    config: Config

    def check(self) -> Identity:
        """Ask for the balance. Raises ConnectorError; LineDown when the key is refused. An account without money may
        still send the few that are free, so that is no reason."""
        try:
            answer = self._ask("/my/balance", {})
        except ConnectorError as error:
            error.scrub(self.secrets())
            raise
        return Identity(ok=True, name=self.config.sender, details={"balance": str(answer.get("balance", ""))})

    def address(self, raw: str) -> str:
        """A phone number's digits with the country code first; else empty."""
        return dialled(raw)

    def post(self, part: Part) -> str:
        """Post one text and return its `sms_id`."""
        form = {"to": part.chat_id, "msg": part.text}
        if self.config.sender:
            form["from"] = self.config.sender
        told = self._ask("/sms/send", form).get("sms")
        one = told.get(part.chat_id) if isinstance(told, dict) else None
        if not isinstance(one, dict):
            raise unreadable()
        if one.get("status_code") != accepted:
            raise _refusal(one)
        if not one.get("sms_id"):
            raise unreadable()
        return str(one["sms_id"])

    def read(self, callback: Callback) -> list[ChannelEvent]:
        """The reports of one callback. Raises CallbackRefused when its `hash` is not made with this line's key; where
        there is none, the line's own address is the proof."""
        form = form_of(callback)
        entries = [value for name, value in form if re.fullmatch(r"data\[[0-9]*\]", name, re.ASCII)]
        if not entries:
            raise CallbackRefused("The callback is not a report of SMS.ru.")
        given = dict(form).get("hash")
        wanted = hashlib.sha256((self.config.token.get_secret_value() + "".join(entries)).encode()).hexdigest()
        if given is not None and not hmac.compare_digest(given.encode(), wanted.encode()):
            raise CallbackRefused("The callback is not signed with this line's key.")
        return [_event(entry) for entry in entries]

    def answer(self, callback: Callback) -> str:
        """The number without which SMS.ru repeats its report."""
        return str(accepted)

    def _ask(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        response = self.http.call(
            "POST",
            self.config.api_url + path,
            data={"api_id": self.config.token.get_secret_value(), "json": "1", **form},
            proxy_url=self.proxy(),
            service="SMS.ru",
        )
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if response.status != 200 or not isinstance(answer, dict) or "status_code" not in answer:
            raise plain_refusal(response, "SMS.ru")
        if answer["status_code"] != accepted:
            raise _refusal(answer)
        return answer


def _refusal(told: dict[str, Any]) -> ConnectorError:
    number = told.get("status_code")
    if not isinstance(number, int):
        return unreadable()
    words = str(told.get("status_text") or f"SMS.ru refused with error {number}.")[:300]
    if number in pauses:
        seconds, scope, code = pauses[number]
        return RateLimited(words, retry_after_s=seconds, scope=scope, code=code, status=200)
    if number in temporary:
        return Temporary(words, code=temporary[number], status=200)
    if number in line_down:
        return LineDown(words, code=line_down[number], status=200)
    return Rejected(words, code=rejected.get(number, str(number)), status=200)


def _event(entry: str) -> ChannelEvent:
    kind, number, code, *_ = [*entry.split("\n"), "", "", ""]
    state = ""
    if kind == "sms_status" and number and re.fullmatch(r"[0-9]{1,3}", code, re.ASCII):
        state = states.get(int(code), "")
    return ChannelEvent(
        kind="status" if state else "other",
        event_id=f"{number}:{code}"[:200],
        text=f"SMS.ru reports the status {code}." if state == "undelivered" else "",
        provider_id=number,
        state=state,
        raw=entry,
    )
