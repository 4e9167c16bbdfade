"""WhatsApp messages of a business. Source: WhatsApp Cloud API v25.0 (developers.facebook.com/docs/whatsapp), June 2026.

Free text reaches a person only within 24 hours of their last message; outside it Meta refuses, at once or later by a
status, and only approved templates go. There is no key against repeats, but our message id goes along and comes back
with every status.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, SecretStr

from connectors.channel import Callback, Capabilities, Channel, ChannelConfig, ChannelEvent, Identity, Part
from connectors.channels._whatsapp_body import content
from connectors.errors import (
    CallbackRefused,
    ConnectorError,
    LineDown,
    RateLimited,
    Rejected,
    Temporary,
    Unconfirmed,
)
from connectors.http import Response

id_form = r"^[A-Za-z0-9:_-]+$"  # of what becomes part of an address
check_fields = "display_phone_number,verified_name,quality_rating,name_status,code_verification_status"
file_total_s = 30.0

# Seconds to wait, and what has to wait.
pauses: dict[int, tuple[float, Literal["line", "chat"], str]] = {
    **dict.fromkeys((4, 613, 80007, 133016), (60, "line", "too_many_requests")),
    130429: (5, "line", "too_many_requests"),
    131056: (6, "chat", "pair_rate"),
    131048: (3600, "line", "spam_limit"),
    131064: (3600, "line", "messaging_limit"),
    131049: (3600, "chat", "marketing_limit"),
}
temporary = dict.fromkeys((1, 2, 131000, 131016, 131057), "provider_down")
line_down = {
    **dict.fromkeys((0, 190), "token_refused"),
    **dict.fromkeys((3, 10, *range(200, 300), 131005), "no_rights"),
    **dict.fromkeys((33, 131045, 133010), "number_not_registered"),
    **dict.fromkeys((368, 131031), "account_locked"),
    130497: "country_restricted",
    131037: "display_name",
    **dict.fromkeys((131042, 131044), "payment"),
}
rejected = {
    131026: "undeliverable",
    131047: "window_closed",
    131050: "opted_out",
    130472: "experiment",
    131021: "recipient_is_sender",
    131030: "not_in_test_list",
    137000: "identity_changed",
    131062: "user_id_not_allowed",
    **dict.fromkeys((100, 131008, 131009, 131051, 135000), "bad_request"),
    **dict.fromkeys((131052, 131053), "bad_file"),
    132005: "too_long",
    **dict.fromkeys((132000, 132001, 132007, 132008, 132012, 132015, 132016), "bad_template"),
    **dict.fromkeys((132068, 132069), "bad_flow"),
    131063: "marketing_only",
}
states = {"sent": "sent", "delivered": "delivered", "read": "read", "played": "read", "failed": "undelivered"}


class Whatsapp(Channel):
    """A WhatsApp business number: one phone number id, one line."""

    kind = "whatsapp"
    title = "WhatsApp"
    carries = Capabilities(
        text_chars=4096,
        buttons=10,
        receipts=True,
        recipients="phone",
        rate_per_s=80.0,
        files=True,
        caption_chars=1024,
        templates=True,
    )

    class Config(ChannelConfig):
        """What a line needs to send from a number; the callback fields only where callbacks are wanted."""

        token: SecretStr = Field(title="Access token", min_length=1, max_length=1000)
        phone_number_id: str = Field(title="Phone number id", max_length=50, pattern=id_form, repr=False)
        waba_id: str = Field(default="", title="Business account id", max_length=50, pattern=r"^[0-9]*$")
        app_secret: SecretStr | None = Field(default=None, title="App secret", max_length=200)
        verify_token: SecretStr | None = Field(default=None, title="Verify token", max_length=200)
        version: str = Field(default="v25.0", title="API version", max_length=10, pattern=r"^v[0-9]+\.[0-9]+$")
        api_url: str = Field(default="https://graph.facebook.com", title="API address", max_length=500)

    config: Config

    def check(self) -> Identity:
        """Ask for the number's name. Raises ConnectorError; LineDown when the token or the number is refused."""
        try:
            answer = self._ask("GET", "", params={"fields": check_fields})
        except ConnectorError as error:
            error.scrub(self.secrets())
            raise
        number, name = str(answer.get("display_phone_number") or ""), str(answer.get("verified_name") or "")
        details = {key: answer[key] for key in ("id", *check_fields.split(",")) if key in answer}
        return Identity(ok=bool(answer.get("id")), name=f"{name} {number}".strip(), details=details)

    def address(self, raw: str) -> str:
        """A phone number's digits with the country code first, or a business-scoped user id as it is; else empty.

        Numbers come here with their country code; only 8 before a Russian mobile number is still put right, which
        is no country's code.
        """
        raw = raw.strip()
        if _is_user_id(raw):
            return raw
        if not re.fullmatch(r"\+?[0-9\s().-]+", raw, re.ASCII):
            return ""
        digits = re.sub(r"[^0-9]", "", raw)
        return f"7{digits[1:]}" if len(digits) == 11 and digits.startswith("89") else digits

    def post(self, part: Part) -> str:
        """Post one text, file or question and return its `wamid`."""
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            # A user id in `to` would be taken and then silently lost.
            "recipient" if _is_user_id(part.chat_id) else "to": part.chat_id,
            **content(part),
            "biz_opaque_callback_data": part.key.rpartition(":")[0][:512],
        }
        answer = self._ask("POST", "/messages", json=body, total_s=file_total_s if part.file_url else None)
        messages = answer.get("messages")
        number = _dict(messages[0]).get("id") if isinstance(messages, list) and messages else None
        if not number or not isinstance(number, str):
            raise Unconfirmed("WhatsApp took the message but named no id.", code="bad_answer", status=200)
        return number

    def read(self, callback: Callback) -> list[ChannelEvent]:
        """The events of this line's number. Raises CallbackRefused without Meta's signature or our verify token."""
        if "hub.mode" in callback.query and not callback.body:
            self._check_challenge(callback)
            return []
        headers = {name.lower(): value for name, value in callback.headers.items()}
        secret = self.config.app_secret.get_secret_value() if self.config.app_secret else ""
        wanted = "sha256=" + hmac.new(secret.encode(), callback.body, hashlib.sha256).hexdigest()
        if not secret or not hmac.compare_digest(headers.get("x-hub-signature-256", "").encode(), wanted.encode()):
            raise CallbackRefused("The callback is not signed with this line's app secret.")
        try:
            update = json.loads(callback.body)
        except (ValueError, RecursionError):
            raise CallbackRefused("The callback is not JSON.") from None
        if not isinstance(update, dict) or not isinstance(update.get("entry"), list):
            raise CallbackRefused("The callback is not a WhatsApp update.")
        return [event for value in self._values(update) for event in _events(value)]

    def answer(self, callback: Callback) -> str:
        """The challenge when Meta verifies the address, else nothing."""
        return callback.query.get("hub.challenge", "") if not callback.body else ""

    def _check_challenge(self, callback: Callback) -> None:
        query = callback.query
        token = self.config.verify_token.get_secret_value() if self.config.verify_token else ""
        if not token or not hmac.compare_digest(query.get("hub.verify_token", "").encode(), token.encode()):
            raise CallbackRefused("The callback does not hold this line's verify token.")
        if query["hub.mode"] != "subscribe" or not re.fullmatch(r"[\w.-]{1,200}", query.get("hub.challenge", "")):
            raise CallbackRefused("The callback has no challenge.")

    def _values(self, update: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """What changed about messages of this number; one address serves all numbers of an app."""
        for entry in update["entry"]:
            for change in _dicts(_dict(entry).get("changes")):
                value = _dict(change.get("value"))
                number = _dict(value.get("metadata")).get("phone_number_id")
                if change.get("field") == "messages" and number in (None, self.config.phone_number_id):
                    yield value

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        url = f"{self.config.api_url}/{self.config.version}/{self.config.phone_number_id}{path}"
        headers = {"Authorization": f"Bearer {self.config.token.get_secret_value()}"}
        response = self.http.call(method, url, headers=headers, proxy_url=self.proxy(), service="WhatsApp", **more)
        try:
            answer = _dict(response.json())
        except ValueError:
            answer = {}
        if response.status == 200 and answer and "error" not in answer:
            return answer
        raise _refusal(response, _dict(answer.get("error")))


def _refusal(response: Response, told: dict[str, Any]) -> ConnectorError:
    status, body, number = response.status, response.text(), told.get("code")
    if not isinstance(number, int):
        return _plain_refusal(status, body)
    details = _dict(told.get("error_data")).get("details")
    words = str(told.get("message") or f"WhatsApp refused with error {number}.")
    words = f"{words}: {details}"[:300] if details else words[:300]
    if number in pauses:
        seconds, scope, code = pauses[number]
        return RateLimited(words, retry_after_s=seconds, scope=scope, code=code, status=status, body=body)
    if number in line_down:
        return LineDown(words, code=line_down[number], status=status, body=body)
    if number in rejected:
        return Rejected(words, code=rejected[number], status=status, body=body)
    if number in temporary or told.get("is_transient") is True or status >= 500:
        return Temporary(words, code=temporary.get(number, str(number)), status=status, body=body)
    return Rejected(words, code=str(number), status=status, body=body)


def _plain_refusal(status: int, body: str) -> ConnectorError:
    """The error of an answer without Meta's own code: a gateway's page, or another server's."""
    words = f"WhatsApp answered {status}."
    if status == 503:
        return Temporary(words, code="provider_down", status=status, body=body)
    if status >= 500:
        return Unconfirmed(words, code="provider_down", status=status, body=body)
    if status == 429:
        return RateLimited(words, retry_after_s=60, code="too_many_requests", status=status, body=body)
    if status in (401, 403):
        return LineDown(words, code="token_refused", status=status, body=body)
    if status in (404, 405):
        return LineDown("The API address does not answer like WhatsApp.", code="api_address", status=status, body=body)
    if 300 <= status < 400:
        return LineDown("The API address leads elsewhere.", code="redirect", status=status, body=body)
    if status < 300:
        return Unconfirmed("WhatsApp's answer cannot be read.", code="bad_answer", status=status, body=body)
    return Rejected(words, code=str(status), status=status, body=body)


def _events(value: dict[str, Any]) -> Iterator[ChannelEvent]:
    names = {
        str(person.get(key)): str(_dict(person.get("profile")).get("name") or "")
        for person in _dicts(value.get("contacts"))
        for key in ("wa_id", "user_id")
    }
    for message in _dicts(value.get("messages")):
        sender = str(message.get("from") or message.get("from_user_id") or "")
        kind, text = _said(message)
        about = _dict(message.get("context")).get("id") if kind == "button" else None
        number = str(message.get("id") or "")
        yield ChannelEvent(kind, number, sender, text, names.get(sender, ""), str(about or number), raw=message)
    for status in _dicts(value.get("statuses")):
        number, state = str(status.get("id") or ""), str(status.get("status") or "")
        errors = [_dict(error.get("error_data")).get("details") or error.get("title")
                  for error in _dicts(status.get("errors"))]  # fmt: skip
        yield ChannelEvent(
            kind="status" if state in states else "other",
            event_id=f"{number}:{state}",
            chat_id=str(status.get("recipient_id") or ""),
            text="; ".join(str(error) for error in errors if error),
            provider_id=number,
            state=states.get(state, ""),
            raw=status,
            message_id=str(status.get("biz_opaque_callback_data") or ""),
        )


def _said(message: dict[str, Any]) -> tuple[str, str]:
    """The kind of a message's event, and its words or the key of the pressed button."""
    kind = str(message.get("type") or "")
    told = _dict(message.get(kind))
    if kind == "interactive":
        reply = _dict(told.get("button_reply")) or _dict(told.get("list_reply"))
        return ("button", str(reply["id"])) if reply.get("id") else ("other", "")
    if kind == "button":
        return "button", str(told.get("payload") or told.get("text") or "")
    if kind in ("system", "reaction", "unsupported"):
        return "other", str(told.get("body") or "")
    return "message", str(told.get("body") or told.get("caption") or "")


def _is_user_id(address: str) -> bool:
    return re.fullmatch(r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}", address, re.ASCII) is not None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
