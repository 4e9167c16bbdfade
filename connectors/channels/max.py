"""MAX bot messages. Source: MAX bot API, schema 0.0.32 of July 2026 (dev.max.ru/docs-api).

What MAX refuses it names by a `code` and a `message`; the status alone says less, so those are looked at first. The
rows marked (?) stand in no official page and are as other clients met them. The certificate of MAX's host is of an
authority that no usual bundle has: `HUB_MAX_CA` adds it for these calls alone.
"""

import hashlib
import hmac
import json
import re
from typing import Any, Literal, TypedDict

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

# What a refusal's code and message say, in lower case, and the short code it gets. The first that fits counts.
line_down = (
    ("verify.token", "token_refused"),
    ("invalid access_token", "token_refused"),
)
pauses = (("too.many.requests", "too_many_requests"),)  # (?)
refusals = (
    ("error.dialog.suspended", "blocked"),
    ("error.dialog.notfound", "never_started"),
    ("chat.denied", "no_chat_access"),
    ("not.found", "chat_not_found"),
    ("not found", "chat_not_found"),  # (?)
    ("text.too.long", "too_long"),  # (?)
    ("size must be between", "too_long"),  # (?)
    ("keyboard", "bad_button"),  # (?)
    ("proto.payload", "bad_request"),  # (?)
)
pause_s = 1.0  # where no Retry-After says it (?)
pause_scope: Literal["line", "chat"] = "line"  # what has to wait (?)
label_limit = 128


class Max(Channel):
    """A MAX bot: one token, one line."""

    kind = "max"
    title = "MAX"
    carries = Capabilities(
        text_chars=4000,
        buttons=30,  # one in each row
        recipients="chat_id",
        rate_per_s=30.0,
        rate_per_chat_per_s=2.0,
    )

    class Config(ChannelConfig):
        """What a line needs to speak as a bot; the secret only where callbacks are wanted."""

        token: SecretStr = Field(title="Bot token", min_length=1, max_length=500)
        secret: SecretStr | None = Field(default=None, title="Secret of the subscription")
        api_url: str = Field(default="https://platform-api2.max.ru", title="API address", max_length=500)

        @field_validator("token")
        @classmethod
        def _token_letters(cls, value: SecretStr) -> SecretStr:
            if not re.fullmatch(r"[!-~]+", value.get_secret_value()):
                raise ValueError("The token has letters a bot token cannot have.")
            return value

        @field_validator("secret")
        @classmethod
        def _secret_letters(cls, value: SecretStr | None) -> SecretStr | None:
            if value is not None and not re.fullmatch(r"[A-Za-z0-9_-]{5,256}", value.get_secret_value()):
                raise ValueError("The secret has 5 to 256 letters, digits, hyphens and underscores.")
            return value

    config: Config

    def check(self) -> Identity:
        """Ask for the bot's name. Raises ConnectorError; LineDown when the token is refused."""
        try:
            answer = self._ask("GET", "/me")
        except ConnectorError as error:
            error.scrub(self.secrets())
            raise
        name = f"@{answer['username']}" if answer.get("username") else _name(answer)
        details: dict[str, Any] = {key: answer[key] for key in ("user_id", "first_name") if key in answer}
        return Identity(ok=answer.get("is_bot") is True, name=name, details=details)

    def post(self, part: Part) -> str:
        """Post one text and return its `mid`. A positive recipient is a person, a negative one a group."""
        if not re.fullmatch(r"-?[1-9][0-9]{0,18}", part.chat_id, re.ASCII):
            raise Rejected("A recipient in MAX is a number.", code="chat_not_found")
        who = "chat_id" if part.chat_id.startswith("-") else "user_id"
        body: dict[str, Any] = {"text": part.text}
        if part.buttons:
            rows = [[_button(*row)] for row in enumerate(part.buttons)]
            body["attachments"] = [{"type": "inline_keyboard", "payload": {"buttons": rows}}]
        answer = self._ask("POST", "/messages", {who: part.chat_id, "disable_link_preview": "true"}, body)
        mid = _dict(_dict(answer.get("message")).get("body")).get("mid")
        if not isinstance(mid, str) or not mid:
            raise Unconfirmed("MAX took the message but named no id.", code="bad_answer", status=200)
        return mid

    def read(self, callback: Callback) -> list[ChannelEvent]:
        """One update as events. Raises CallbackRefused without the right secret header or for a strange body."""
        headers = {name.lower(): value for name, value in callback.headers.items()}
        given = headers.get("x-max-bot-api-secret", "")
        secret = self.config.secret.get_secret_value() if self.config.secret else ""
        if not secret or not hmac.compare_digest(given.encode(), secret.encode()):
            raise CallbackRefused("The callback does not hold this line's secret.")
        try:
            update = json.loads(callback.body)
            kind = str(update["update_type"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise CallbackRefused("The callback is not a MAX update.") from None
        # Most updates have no id; a repeat has the same bytes.
        return [_event(kind, update, hashlib.sha256(callback.body).hexdigest()[:32])]

    def _ask(
        self, method: str, path: str, params: dict[str, str] | None = None, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        response = self.http.call(
            method,
            self.config.api_url + path,
            headers={"Authorization": self.config.token.get_secret_value()},
            params=params,
            json=body,
            proxy_url=self.proxy(),
            service="MAX",
            more_ca=True,
        )
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if response.status == 200 and isinstance(answer, dict):
            return answer
        raise _refusal(response, _dict(answer))


class _Known(TypedDict):
    status: int
    body: str


def _refusal(response: Response, answer: dict[str, Any]) -> ConnectorError:
    """The error an answer stands for. Its code says more than the status, so it is looked at first."""
    status = response.status
    told = f"{answer.get('code') or ''} {answer.get('message') or answer.get('error') or ''}".strip()
    words = told[:300] or f"MAX answered {status}."
    known: _Known = {"status": status, "body": response.text()}
    if code := _of(line_down, told) or ("token_refused" if status == 401 else ""):
        return LineDown(words, code=code, **known)
    if code := _of(pauses, told) or ("too_many_requests" if status == 429 else ""):
        wait = response.headers.get("Retry-After", "")
        seconds = float(wait) if wait.isascii() and wait.isdigit() else pause_s
        return RateLimited(words, retry_after_s=seconds, scope=pause_scope, code=code, **known)
    if status in (500, 503):
        return Temporary(words, code="provider_down", **known)
    if status > 500:
        return Unconfirmed(words, code="provider_down", **known)
    if 300 <= status < 400:
        return LineDown("The API address leads elsewhere.", code="redirect", **known)
    if status < 300:
        return Unconfirmed("MAX's answer cannot be read.", code="bad_answer", **known)
    if not told and status in (403, 404, 405):
        return LineDown("The API address does not answer like MAX.", code="api_address", **known)
    usual = {403: "no_chat_access", 404: "chat_not_found", 405: "bad_request"}
    return Rejected(words, code=_of(refusals, told) or usual.get(status, str(status)), **known)


def _of(table: tuple[tuple[str, str], ...], told: str) -> str:
    """The short code of the first row whose words are in what MAX told, empty when there is none."""
    plain = told.lower()
    return next((code for words, code in table if words in plain), "")


def _button(place: int, button: dict[str, Any]) -> dict[str, str]:
    label = str(button["label"]).strip()
    label = label if len(label) <= label_limit else label[: label_limit - 1] + "…"
    if button.get("kind") == "url":
        return {"type": "link", "text": label, "url": str(button["url"])}
    return {"type": "callback", "text": label, "payload": f"b:{place}"}


def _event(kind: str, update: dict[str, Any], event_id: str) -> ChannelEvent:
    message = _dict(update.get("message"))
    body = _dict(message.get("body"))
    mid = str(body.get("mid") or "")
    if kind == "message_created":
        person = _dict(message.get("sender"))
        # What bots say, the line's own among them, is no customer's message.
        told = "other" if person.get("is_bot") is True else "message"
        chat, text = _chat(message, person), str(body.get("text") or "")
        return ChannelEvent(told, mid or event_id, chat, text, _name(person), provider_id=mid, raw=update)
    if kind == "message_callback":
        press = _dict(update.get("callback"))
        person = _dict(press.get("user"))
        pressed = str(press.get("callback_id") or event_id)
        chat, text = _chat(message, person), str(press.get("payload") or "")
        return ChannelEvent("button", pressed, chat, text, _name(person), provider_id=mid, raw=update)
    person = _dict(update.get("user"))
    if kind in ("bot_started", "bot_stopped", "dialog_removed"):
        told = "unblocked" if kind == "bot_started" else "blocked"
        return ChannelEvent(told, event_id, str(person.get("user_id") or ""), "", _name(person), raw=update)
    if kind in ("bot_added", "bot_removed"):
        told = "unblocked" if kind == "bot_added" else "blocked"
        return ChannelEvent(told, event_id, str(update.get("chat_id") or ""), "", _name(person), raw=update)
    return ChannelEvent("other", event_id, raw=update)


def _chat(message: dict[str, Any], person: dict[str, Any]) -> str:
    """Where an answer goes: to the person of a dialogue, else to the group."""
    group = _dict(message.get("recipient"))
    if group.get("chat_type", "dialog") == "dialog":
        return str(person.get("user_id") or "")
    return str(group.get("chat_id") or "")


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _name(person: dict[str, Any]) -> str:
    full = " ".join(str(person[key]) for key in ("first_name", "last_name") if person.get(key))
    return full or str(person.get("name") or person.get("username") or "")
