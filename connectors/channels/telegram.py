"""Telegram bot messages. Source: Bot API 10.1 (core.telegram.org/bots/api), June 2026."""

import hashlib
import hmac
import json
import re
from typing import Any, TypedDict
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from connectors.channel import Callback, Capabilities, Channel, ChannelConfig, ChannelEvent, Identity, Part
from connectors.errors import (
    CallbackRefused,
    ConnectorError,
    LineDown,
    Moved,
    RateLimited,
    Rejected,
    Temporary,
    Unconfirmed,
)
from connectors.http import Response

# What a refusal says, in lower case, and the short code it gets. The first that fits counts.
refusals = (
    ("bot was blocked by the user", "blocked"),
    ("user is deactivated", "deactivated"),
    ("can't initiate conversation", "never_started"),
    ("bot was kicked", "kicked"),
    ("bot is not a member", "not_member"),
    ("can't send messages to bots", "recipient_is_bot"),
    ("chat not found", "chat_not_found"),
    ("user not found", "chat_not_found"),
    ("peer_id_invalid", "chat_not_found"),
    ("chat_id is empty", "chat_not_found"),
    ("have no rights to send", "no_rights"),
    ("not enough rights", "no_rights"),
    ("chat_write_forbidden", "no_rights"),
    ("channel_private", "no_rights"),
    ("voice_messages_forbidden", "voice_forbidden"),
    ("text is empty", "text_empty"),
    ("must be non-empty", "text_empty"),
    ("is too long", "too_long"),
    ("request entity too large", "too_large"),
    ("can't parse entities", "bad_markup"),
    ("button_data_invalid", "bad_button"),
    ("button_url_invalid", "bad_button"),
    ("inline keyboard button", "bad_button"),
    ("wrong file identifier", "bad_file"),
    ("wrong remote file", "bad_file"),
    ("failed to get http url content", "file_not_fetched"),
    ("wrong type of the web page content", "bad_file"),
    ("image_process_failed", "bad_file"),
    ("photo_invalid_dimensions", "bad_file"),
)
photo_endings = (".jpg", ".jpeg", ".png", ".webp")
file_total_s = 30.0
button_limit = 64  # bytes of callback_data


class Telegram(Channel):
    """A Telegram bot: one token, one line."""

    kind = "telegram"
    title = "Telegram"
    carries = Capabilities(
        text_chars=4096,
        text_unit="utf16",
        buttons=100,
        recipients="chat_id",
        rate_per_s=30.0,
        rate_per_chat_per_s=1.0,
        files=True,
        caption_chars=1024,
    )

    class Config(ChannelConfig):
        """What a line needs to speak as a bot."""

        token: SecretStr = Field(title="Bot token", min_length=1, max_length=200)
        api_url: str = Field(default="https://api.telegram.org", title="API address", max_length=500)

        @field_validator("token")
        @classmethod
        def _token_letters(cls, value: SecretStr) -> SecretStr:
            if not re.fullmatch(r"[A-Za-z0-9:_-]+", value.get_secret_value()):
                raise ValueError("The token has letters a bot token cannot have.")
            return value

    config: Config

    def check(self) -> Identity:
        """Ask getMe for the bot's name. Raises ConnectorError; LineDown when the token is refused."""
        try:
            answer = self._ask("getMe", {})
        except ConnectorError as error:
            error.scrub(self.secrets())
            raise
        name = str(answer.get("username") or answer.get("first_name") or "")
        details: dict[str, Any] = {key: answer[key] for key in ("id", "first_name", "can_join_groups") if key in answer}
        return Identity(ok=answer.get("is_bot") is True, name=f"@{name}", details=details)

    def post(self, part: Part) -> str:
        """Post one text or file and return `chat_id:message_id`."""
        body: dict[str, Any] = {"chat_id": _chat(part.chat_id)}
        total_s = None
        if part.file_url:
            kind = "photo" if urlsplit(part.file_url).path.lower().endswith(photo_endings) else "document"
            method, total_s = f"send{kind.title()}", file_total_s
            body[kind] = part.file_url
            if part.text:
                body["caption"] = part.text
        else:
            method = "sendMessage"
            body |= {"text": part.text, "link_preview_options": {"is_disabled": True}}
        if part.buttons:
            body["reply_markup"] = {"inline_keyboard": [[_button(*row)] for row in enumerate(part.buttons)]}
        answer = self._ask(method, body, total_s)
        chat, number = answer.get("chat"), answer.get("message_id")
        if not isinstance(chat, dict) or "id" not in chat or not isinstance(number, int):
            raise Unconfirmed("Telegram took the message but named no id.", code="bad_answer", status=200)
        return f"{chat['id']}:{number}"

    @property
    def webhook_secret(self) -> str:
        """What to give setWebhook as secret_token; it comes back with every callback."""
        token = self.config.token.get_secret_value().encode()
        return hmac.new(token, b"telegram webhook", hashlib.sha256).hexdigest()

    def read(self, callback: Callback) -> list[ChannelEvent]:
        """One update as events. Raises CallbackRefused without the right secret header or for a strange body."""
        headers = {name.lower(): value for name, value in callback.headers.items()}
        given = headers.get("x-telegram-bot-api-secret-token", "")
        if not hmac.compare_digest(given.encode(), self.webhook_secret.encode()):
            raise CallbackRefused("The callback does not hold this line's secret.")
        try:
            update = json.loads(callback.body)
            event_id = str(update["update_id"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise CallbackRefused("The callback is not a Telegram update.") from None
        return [_event(update, event_id)]

    def _ask(self, method: str, body: dict[str, Any], total_s: float | None = None) -> dict[str, Any]:
        url = f"{self.config.api_url}/bot{self.config.token.get_secret_value()}/{method}"
        response = self.http.call("POST", url, json=body, proxy_url=self.proxy(), total_s=total_s, service="telegram")
        answer = _object(response)
        if answer.get("ok") is True and isinstance(answer.get("result"), dict):
            result: dict[str, Any] = answer["result"]
            return result
        raise _refusal(response, answer)


class _Known(TypedDict):
    status: int
    body: str


def _object(response: Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _refusal(response: Response, answer: dict[str, Any]) -> ConnectorError:
    """The error an answer stands for. `parameters` say more than the status, so they are looked at first."""
    status = response.status
    words = str(answer.get("description") or f"Telegram answered {status}.")[:300]
    plain = words.lower()
    known: _Known = {"status": status, "body": response.text()}
    extra = answer.get("parameters")
    extra = extra if isinstance(extra, dict) else {}
    if extra.get("migrate_to_chat_id"):
        return Moved(words, address=str(extra["migrate_to_chat_id"]), **known)
    if status == 429 or "retry_after" in extra:
        wait = extra.get("retry_after")
        seconds = float(wait) if isinstance(wait, int | float) else 5.0
        return RateLimited(words, retry_after_s=seconds, code="too_many_requests", **known)
    if status in (500, 503) or "restart" in plain:
        return Temporary(words, code="provider_down", **known)
    if status >= 500:
        return Unconfirmed(words, code="provider_down", **known)
    if status in (401, 404):
        return LineDown(words, code="token_refused", **known)
    if 300 <= status < 400:
        return LineDown("The API address leads elsewhere.", code="redirect", **known)
    if status < 300:
        return Unconfirmed("Telegram's answer cannot be read.", code="bad_answer", **known)
    code = next((code for words_of, code in refusals if words_of in plain), str(status))
    return Rejected(words, code=code, **known)


def _chat(address: str) -> int | str:
    digits = address.removeprefix("-")
    return int(address) if digits.isascii() and digits.isdigit() and len(digits) < 20 else address


def _button(place: int, button: dict[str, Any]) -> dict[str, str]:
    if button.get("kind") == "url":
        return {"text": button["label"], "url": str(button["url"])}
    return {"text": button["label"], "callback_data": f"b:{place}"}


def _event(update: dict[str, Any], event_id: str) -> ChannelEvent:
    if isinstance(press := update.get("callback_query"), dict):
        message = _dict(press.get("message"))
        return ChannelEvent(
            kind="button",
            event_id=event_id,
            chat_id=_id(message.get("chat")) or _id(press.get("from")),
            text=str(press.get("data") or ""),
            sender=_name(press.get("from")),
            provider_id=f"{_id(message.get('chat'))}:{message.get('message_id')}" if message else "",
            raw=update,
        )
    if isinstance(member := update.get("my_chat_member"), dict):
        state = str(_dict(member.get("new_chat_member")).get("status") or "")
        kind = "blocked" if state in ("kicked", "left") else "unblocked"
        return ChannelEvent(kind, event_id, _id(member.get("chat")), "", _name(member.get("from")), raw=update)
    message = _dict(update.get("message"))
    if message:
        return ChannelEvent(
            kind="message",
            event_id=event_id,
            chat_id=_id(message.get("chat")),
            text=str(message.get("text") or message.get("caption") or ""),
            sender=_name(message.get("from")),
            provider_id=f"{_id(message.get('chat'))}:{message.get('message_id')}",
            raw=update,
        )
    return ChannelEvent(kind="other", event_id=event_id, raw=update)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _id(value: Any) -> str:
    return str(_dict(value).get("id") or "")


def _name(value: Any) -> str:
    person = _dict(value)
    full = " ".join(str(person[key]) for key in ("first_name", "last_name") if person.get(key))
    return full or str(person.get("username") or "")
