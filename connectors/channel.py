"""What every channel is: a declaration of what it carries, and a few calls that speak to one provider.

`Channel.send` is the same for all: it checks the message, cuts it into parts and posts those not sent before. A
channel's own file says how one part is posted, who we are there, and how to read what the provider tells us.
"""

import types
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Union, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from connectors.errors import ConnectorError, Unsupported
from connectors.http import Http
from connectors.text import Unit, length, split


@dataclass(frozen=True)
class Capabilities:
    """What a channel carries. Rates are messages per second, 0 for no limit; `buttons` is the most of one message.

    `idempotent_s` is how long after its first try a repeat is recognised, in seconds; 0 when it always is.
    """

    text_chars: int
    text_unit: Unit = "chars"
    buttons: int = 0
    receipts: bool = False
    idempotent: bool = False
    idempotent_s: float = 0.0
    recipients: Literal["phone", "chat_id"] = "chat_id"
    rate_per_s: float = 0.0
    rate_per_chat_per_s: float = 0.0
    files: bool = False
    caption_chars: int = 0
    templates: bool = False


@dataclass(frozen=True)
class Template:
    """Words that the messenger has approved, by the name it knows them by. `parameters` fill their places, each
    `(place, text)`; the place is empty where they go by order."""

    name: str
    language: str
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class OutgoingMessage:
    """A message to one chat. Buttons are `{"id", "label", "kind": "reply"|"url", "url"?}`.

    With a `template` its words are sent and `text` is not; the file is its header, and the buttons fill those that it
    has, in their order: a reply's key, a link's ending. `repeated`: an earlier try may have arrived, so a channel that
    can look the message up at its provider does so before it posts.
    """

    id: str
    chat_id: str
    text: str = ""
    file_url: str | None = None
    buttons: tuple[dict[str, Any], ...] = ()
    messenger: str | None = None
    template: Template | None = None
    repeated: bool = False


@dataclass(frozen=True)
class Part:
    """One call's share of a message. `key` is the same whenever this part is posted again."""

    key: str
    chat_id: str
    text: str
    file_url: str | None = None
    buttons: tuple[dict[str, Any], ...] = ()
    messenger: str | None = None
    template: Template | None = None
    repeated: bool = False


@dataclass(frozen=True)
class Accepted:
    """The provider took the message: its ids of all parts, in order."""

    provider_ids: tuple[str, ...]


@dataclass(frozen=True)
class Identity:
    """Who we are at the provider. `ok` is false when it answers but the account cannot send."""

    ok: bool
    name: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Callback:
    """A request the provider made to us: header names in any case, the body's raw bytes."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class ChannelEvent:
    """Something a provider told us. `kind` is message, button, status, blocked, unblocked or other.

    A status names the message by `provider_id`, and by our own `message_id` where the provider sends it back; its
    `state` is sent, delivered, read or undelivered, and `text` the reason of the last.
    """

    kind: str
    event_id: str
    chat_id: str = ""
    text: str = ""
    sender: str = ""
    provider_id: str = ""
    state: str = ""
    raw: Any = None
    message_id: str = ""


class ChannelConfig(BaseModel):
    """Settings every channel may have. Secrets are SecretStr; a proxy's address may hold its password."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_url: str = Field(title="API address", max_length=500)
    proxy_url: SecretStr | None = Field(default=None, title="Proxy address")

    @field_validator("api_url")
    @classmethod
    def _plain_base(cls, value: str) -> str:
        parts = urlsplit(value.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("The API address must begin with https:// and hold no ? or #.")
        return value.strip().rstrip("/")


def secret_fields(config: type[BaseModel]) -> set[str]:
    """The names of a config's secret fields."""
    return {name for name, info in config.model_fields.items() if _is_secret(info.annotation)}


def _is_secret(annotation: Any) -> bool:
    if get_origin(annotation) in (Union, types.UnionType):
        return any(_is_secret(part) for part in get_args(annotation))
    return annotation is SecretStr


class Channel(ABC):
    """One line at one provider. Makes no call until asked to, keeps no state between calls."""

    kind: ClassVar[str]
    title: ClassVar[str]
    carries: ClassVar[Capabilities]
    Config: ClassVar[type[ChannelConfig]] = ChannelConfig

    def __init__(self, config: ChannelConfig, http: Http) -> None:
        self.config = config
        self.http = http

    @abstractmethod
    def check(self) -> Identity:
        """Ask the provider who we are. Raises ConnectorError; LineDown when it refuses the credentials."""

    @abstractmethod
    def post(self, part: Part) -> str:
        """Post one part and return the provider's id of it. Raises ConnectorError."""

    def read(self, callback: Callback) -> list[ChannelEvent]:
        """The events of one callback; none by default. Raises CallbackRefused when it is not the provider's."""
        return []

    def answer(self, callback: Callback) -> str:
        """What the provider wants to hear, as plain text, after `read` took its callback; empty by default."""
        return ""

    def address(self, raw: str) -> str:
        """A recipient's address in the provider's own spelling."""
        return raw.strip()

    def send(self, message: OutgoingMessage, sent: tuple[str, ...] = ()) -> Accepted:
        """Send the parts of a message after those whose ids are in `sent`.

        Raises Unsupported before any call, else the ConnectorError of the first part that fails, whose `sent` has
        the ids of all parts that went out so far.
        """
        parts = self.parts(message)
        ids = list(sent)
        for part in parts[len(sent) :]:
            try:
                ids.append(self.post(part))
            except ConnectorError as error:
                error.sent = tuple(ids)
                error.scrub(self.secrets())
                raise
        return Accepted(tuple(ids))

    def secrets(self) -> list[str]:
        """The secret values of this line's config, longest first, for taking them out of texts."""
        values = (getattr(self.config, name) for name in secret_fields(type(self.config)))
        return sorted((value.get_secret_value() for value in values if value), key=len, reverse=True)

    def proxy(self) -> str | None:
        """The proxy's address, for `Http.call`."""
        return self.config.proxy_url.get_secret_value() if self.config.proxy_url else None

    def parts(self, message: OutgoingMessage) -> list[Part]:
        """The message cut for this channel, always the same way. Raises Unsupported, naming what does not fit."""
        carries = self.carries
        chat_id = self.address(message.chat_id)
        if not chat_id:
            raise Unsupported("The message has no recipient.", code="recipient")
        if message.file_url and not carries.files:
            raise Unsupported(f"{self.title} cannot carry a file.", code="file")
        if len(message.buttons) > carries.buttons:
            raise Unsupported(f"{self.title} carries at most {carries.buttons} buttons.", code="buttons")
        for button in message.buttons:
            _check_button(button)
        if message.template is not None:
            if not carries.templates:
                raise Unsupported(f"{self.title} knows no templates.", code="template")
            rest = (message.file_url, message.buttons, message.messenger, message.template, message.repeated)
            return [Part(f"{message.id}:0", chat_id, "", *rest)]
        texts = split(message.text, carries.text_chars, carries.text_unit)
        if not texts and not message.file_url:
            raise Unsupported("The message has no text.", code="empty")
        shares: list[tuple[str, str | None]] = [(text, None) for text in texts]
        if message.file_url:
            fits = length(message.text, carries.text_unit) <= carries.caption_chars
            caption = message.text.strip() if fits else ""
            shares = [(caption, message.file_url), *([] if fits else shares)]
        last = len(shares) - 1
        return [
            Part(
                key=f"{message.id}:{place}",
                chat_id=chat_id,
                text=text,
                file_url=file_url,
                buttons=message.buttons if place == last else (),
                messenger=message.messenger,
                repeated=message.repeated,
            )
            for place, (text, file_url) in enumerate(shares)
        ]


def _check_button(button: Mapping[str, Any]) -> None:
    label, kind = button.get("label"), button.get("kind", "reply")
    if not isinstance(label, str) or not label.strip():
        raise Unsupported("A button has no label.", code="buttons")
    if kind not in ("reply", "url") or (kind == "url" and not button.get("url")):
        raise Unsupported("A button must be a reply, or a link with an address.", code="buttons")
