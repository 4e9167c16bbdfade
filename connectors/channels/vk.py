"""VK community messages. Source: VK API 5.199 (dev.vk.com/method, dev.vk.com/reference/errors), June 2026.

VK answers 200 to everything: what it refuses is told by the number in the body. A message carries `random_id`; while
VK remembers it, the same one gives the first message's id again instead of a second message.
"""

import hashlib
import hmac
import json
from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator

from connectors.channel import Callback, Capabilities, Channel, ChannelConfig, ChannelEvent, Identity, Part
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

label_limit = 40
rows_limit = 6  # of an inline keyboard

# Seconds to wait, and what has to wait.
pauses: dict[int, tuple[float, Literal["line", "chat"], str]] = {
    6: (1, "line", "too_many_requests"),
    9: (120, "chat", "flood"),
    29: (3600, "line", "method_limit"),
    32: (60, "line", "too_many_requests"),
}
temporary = {1: "provider_down", 10: "provider_down", 43: "section_off"}
# The call ran out of VK's own time, perhaps after the message was made.
unsure = {36: "provider_timeout"}
line_down = {
    **dict.fromkeys((4, 5, 27, 28, 1116, 1117), "token_refused"),
    **dict.fromkeys((7, 15, 20, 23, 38, 40, 3609), "no_rights"),
    **dict.fromkeys((14, 3300), "captcha"),
    17: "validation_needed",
    42: "address_not_allowed",
    912: "bots_off",
}
rejected = {
    **dict.fromkeys((900,), "blocked"),
    **dict.fromkeys((901,), "not_allowed"),
    **dict.fromkeys((902,), "privacy"),
    **dict.fromkeys((18, 37, 3610), "deactivated"),
    **dict.fromkeys((104, 113, 936), "chat_not_found"),
    **dict.fromkeys((917, 922, 925, 927, 935, 945, 946, 1012), "no_chat_access"),
    **dict.fromkeys((932, 962, 985, 987, 988), "not_reachable"),
    950: "answer_too_late",
    **dict.fromkeys((8, 100), "bad_request"),
    **dict.fromkeys((910, 914), "too_long"),
    911: "bad_button",
    **dict.fromkeys((913, 921, 940, 969), "bad_attachment"),
    **dict.fromkeys((943, 944), "bad_intent"),
    **dict.fromkeys((22, 105, 121, 129), "bad_file"),
}


class Vk(Channel):
    """A VK community: one community token, one line."""

    kind = "vk"
    title = "VK"
    carries = Capabilities(
        text_chars=4096,
        buttons=10,
        idempotent=True,
        idempotent_s=3000.0,
        recipients="chat_id",
        rate_per_s=20.0,
    )

    class Config(ChannelConfig):
        """What a line needs to speak as a community; the callback fields only where callbacks are wanted."""

        token: SecretStr = Field(title="Community token", min_length=1, max_length=500)
        group_id: str = Field(default="", title="Community number", max_length=30, pattern=r"^(club|public|-)?[0-9]*$")
        confirmation: str = Field(default="", title="Confirmation string", max_length=100, pattern=r"^[A-Za-z0-9]*$")
        secret: SecretStr | None = Field(default=None, title="Secret key of callbacks", max_length=50)
        version: str = Field(default="5.199", title="API version", max_length=10, pattern=r"^[0-9]+\.[0-9]+$")
        api_url: str = Field(default="https://api.vk.ru", title="API address", max_length=500)

        @field_validator("group_id")
        @classmethod
        def _number_only(cls, value: str) -> str:
            return value.lstrip("clubpi-")

    config: Config

    def check(self) -> Identity:
        """Ask for the community and the token's rights. Raises ConnectorError; LineDown when the token is refused."""
        try:
            wanted = {"group_id": self.config.group_id} if self.config.group_id else {}
            found = self._ask("groups.getById", wanted)
            rights = _dict(self._ask("groups.getTokenPermissions", {})).get("permissions")
        except ConnectorError as error:
            error.scrub(self.secrets())
            raise
        groups = found.get("groups") if isinstance(found, dict) else found
        group = _dict(groups[0]) if isinstance(groups, list) and groups else {}
        names = [str(_dict(right).get("name")) for right in rights] if isinstance(rights, list) else []
        details: dict[str, Any] = {key: group[key] for key in ("id", "screen_name") if key in group}
        return Identity(
            ok=bool(group) and "messages" in names,
            name=str(group.get("name") or ""),
            details=details | {"permissions": names},
        )

    def post(self, part: Part) -> str:
        """Post one text and return the message's number, which is the line's own count over all chats."""
        who = "peer_id" if _is_number(part.chat_id) else "domain"
        body = {
            who: part.chat_id,
            "random_id": random_id(part.key),
            "message": part.text,
            "dont_parse_links": 1,
            "disable_mentions": 1,
        }
        if part.buttons:
            body["keyboard"] = json.dumps(_keyboard(part.buttons), ensure_ascii=False)
        number = self._ask("messages.send", body)
        if isinstance(number, bool) or not isinstance(number, int) or number <= 0:
            raise Unconfirmed("VK took the message but named no id.", code="bad_answer", status=200)
        return str(number)

    def read(self, callback: Callback) -> list[ChannelEvent]:
        """One event. Raises CallbackRefused without this line's secret, for another community or a strange body."""
        try:
            update = json.loads(callback.body)
            kind, group = update["type"], str(update["group_id"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise CallbackRefused("The callback is not a VK event.") from None
        if self.config.group_id and group != self.config.group_id:
            raise CallbackRefused("The callback is of another community.")
        if kind == "confirmation" and self.config.confirmation and "secret" not in update:
            return []  # asked for while the address is being set up, before VK knows the secret
        secret = self.config.secret.get_secret_value() if self.config.secret else ""
        if not secret or not hmac.compare_digest(str(update.get("secret") or "").encode(), secret.encode()):
            raise CallbackRefused("The callback does not hold this line's secret.")
        if kind == "confirmation":
            return []
        # Events of old API versions have no id; a repeat has the same bytes.
        event_id = str(update.get("event_id") or hashlib.sha256(callback.body).hexdigest()[:32])
        return [_event(str(kind), _dict(update.get("object")), event_id, update)]

    def answer(self, callback: Callback) -> str:
        """The confirmation string when VK asks for it, else the word without which it repeats the event."""
        return self.config.confirmation if json.loads(callback.body).get("type") == "confirmation" else "ok"

    def _ask(self, method: str, body: dict[str, Any]) -> Any:
        url = f"{self.config.api_url}/method/{method}"
        form = {"access_token": self.config.token.get_secret_value(), "v": self.config.version, **body}
        response = self.http.call("POST", url, data=form, proxy_url=self.proxy(), service="VK")
        try:
            answer = _dict(response.json())
        except ValueError:
            answer = {}
        if response.status == 200 and "response" in answer and "error" not in answer:
            return answer["response"]
        raise _refusal(response, answer.get("error"))


def random_id(key: str) -> int:
    """The number by which VK knows a repeat: 31 bits, never 0, always the same for the same part."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) & 0x7FFFFFFF or 1


def _refusal(response: Response, told: Any) -> ConnectorError:
    status = response.status
    number = told.get("error_code") if isinstance(told, dict) else None
    if not isinstance(number, int):
        return _plain_refusal(status, response)
    # What VK echoes of our request is left out: it may hold the token.
    words = str(told.get("error_msg") or f"VK refused with error {number}.")[:300]
    body = json.dumps({key: told[key] for key in told if key != "request_params"}, ensure_ascii=False)
    if number in pauses:
        seconds, scope, code = pauses[number]
        return RateLimited(words, retry_after_s=seconds, scope=scope, code=code, status=status, body=body)
    if number in temporary:
        return Temporary(words, code=temporary[number], status=status, body=body)
    if number in unsure:
        return Unconfirmed(words, code=unsure[number], status=status, body=body)
    if number in line_down:
        return LineDown(words, code=line_down[number], status=status, body=body)
    return Rejected(words, code=rejected.get(number, str(number)), status=status, body=body)


def _plain_refusal(status: int, response: Response) -> ConnectorError:
    """The error of an answer that is not VK's own: a gateway's page, or another server's."""
    words, body = f"VK answered {status}.", response.text()
    if status == 503:
        return Temporary(words, code="provider_down", status=status, body=body)
    if status >= 500:
        return Unconfirmed(words, code="provider_down", status=status, body=body)
    if status == 429:
        return RateLimited(words, retry_after_s=5, code="too_many_requests", status=status, body=body)
    if status in (401, 403, 404, 405):
        return LineDown("The API address does not answer like VK.", code="api_address", status=status, body=body)
    if 300 <= status < 400:
        return LineDown("The API address leads elsewhere.", code="redirect", status=status, body=body)
    if status < 300:
        return Unconfirmed("VK's answer cannot be read.", code="bad_answer", status=status, body=body)
    return Rejected(words, code=str(status), status=status, body=body)


def _keyboard(buttons: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    """A keyboard under the message: a button a row while that fits, else two, which links need at least."""
    made = [_button(place, button) for place, button in enumerate(buttons)]
    wide = 1 if len(made) <= rows_limit else 2
    return {"inline": True, "buttons": [made[at : at + wide] for at in range(0, len(made), wide)]}


def _button(place: int, button: dict[str, Any]) -> dict[str, Any]:
    label = str(button["label"]).strip()
    label = label if len(label) <= label_limit else label[: label_limit - 1] + "…"
    if button.get("kind") == "url":
        return {"action": {"type": "open_link", "label": label, "link": str(button["url"])}}
    payload = json.dumps({"button": f"b:{place}"})
    return {"action": {"type": "text", "label": label, "payload": payload}, "color": "secondary"}


def _event(kind: str, told: dict[str, Any], event_id: str, raw: Any) -> ChannelEvent:
    if kind == "message_new":
        message = _dict(told.get("message")) or told
        pressed = _pressed(message.get("payload"))
        return ChannelEvent(
            kind="button" if pressed else "message",
            event_id=event_id,
            chat_id=_id(message.get("peer_id")),
            text=pressed or str(message.get("text") or ""),
            sender=_id(message.get("from_id")),
            provider_id=_id(message.get("id")),
            raw=raw,
        )
    if kind == "message_event":
        chat, user = _id(told.get("peer_id")), _id(told.get("user_id"))
        return ChannelEvent("button", event_id, chat, _pressed(told.get("payload")), user, raw=raw)
    if kind in ("message_deny", "message_allow"):
        user = _id(told.get("user_id"))
        return ChannelEvent("blocked" if kind == "message_deny" else "unblocked", event_id, user, "", user, raw=raw)
    if kind == "message_read":
        # Everything up to this message is read, not this one alone.
        return ChannelEvent(
            kind="status",
            event_id=event_id,
            chat_id=_id(told.get("peer_id")),
            provider_id=_id(told.get("read_message_id")),
            state="read",
            raw=raw,
        )
    return ChannelEvent("other", event_id, _id(told.get("peer_id")), raw=raw)


def _pressed(payload: Any) -> str:
    """The key of a pressed button, empty when the payload is not one of ours."""
    if isinstance(payload, str):
        try:
            payload = json.loads(payload)
        except (ValueError, RecursionError):
            return ""
    return str(_dict(payload).get("button") or "")


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _id(value: Any) -> str:
    return str(value or "")


def _is_number(address: str) -> bool:
    digits = address.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) < 20
