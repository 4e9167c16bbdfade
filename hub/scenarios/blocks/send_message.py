"""Sends a message by a line, and waits as long as the config says."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from hub import quiet
from hub.language import TemplateError, is_empty, normalise_phone, parse_path
from hub.scenarios.block import (
    Block,
    BlockConfig,
    CheckContext,
    Fail,
    Go,
    JsonType,
    LineInfo,
    NewMessage,
    Outcome,
    Problem,
    RunContext,
    Send,
    Summary,
    TextTemplate,
)
from hub.scenarios.form import _, hint
from hub.values import Value

MAX_BEST_BEFORE_S = 30 * 86_400
FAILED = frozenset({"failed", "expired", "cancelled", "undelivered"})


WAITS: Mapping[str, str] = {
    "queued": _("in the queue"),
    "sent": _("sent"),
    "delivered": _("delivered"),
}


class QuietHours(BlockConfig):
    """Hours of the portal's zone in which nothing is sent; `21:00` to `09:00` spans midnight."""

    from_: str = Field(alias="from", pattern=quiet.HOUR, title=_("From"))
    to: str = Field(pattern=quiet.HOUR, title=_("Until"))

    @model_validator(mode="after")
    def _some_hours_are_left(self) -> "QuietHours":
        if self.from_ == self.to:
            raise ValueError("Quiet hours must begin and end at different times.")
        return self


class Button(BlockConfig):
    """A reply button, or a link when it has a `url`."""

    label: TextTemplate = Field(min_length=1, max_length=200, title=_("Label"))
    url: TextTemplate | None = Field(default=None, title=_("Address, for a link"))
    id: str | None = Field(
        default=None, min_length=1, max_length=64, title=_("Code"), json_schema_extra=hint(more=True)
    )


class MessageTemplate(BlockConfig):
    """Words that the messenger has approved. `parameters` fill their places, by order or by name."""

    name: str = Field(min_length=1, max_length=512, title=_("Name of the template"))
    language: str = Field(min_length=2, max_length=20, title=_("Language"))
    parameters: list[TextTemplate] | dict[str, TextTemplate] = Field(
        default_factory=list, max_length=50, title=_("Values for its placeholders"), json_schema_extra=hint("json")
    )


class SendMessage(Block):
    """Send a message."""

    type: ClassVar[str] = "send_message"
    title: ClassVar[str] = _("Send a message")
    about: ClassVar[str] = _("Writes to a customer through one of your lines.")
    icon: ClassVar[str] = "message"
    group: ClassVar[Literal["message"]] = "message"
    ports: ClassVar[tuple[str, ...]] = ("next", "error")
    outputs: ClassVar[Mapping[str, JsonType]] = {
        "message_id": "string",
        "status": "string",
        "chat_id": "string",
        "messenger": "string",
        "sent_at": "string",
        "error": "object",
    }
    output_titles: ClassVar[Mapping[str, str]] = {
        "message_id": _("number of the message"),
        "status": _("status"),
        "chat_id": _("to whom it went"),
        "messenger": _("messenger"),
        "sent_at": _("when it was sent"),
        "error": _("error"),
    }
    first: ClassVar[Mapping[str, Value]] = {"chat_id": "", "text": ""}

    class Config(BlockConfig):
        """`line` is a line's name; `skip_if_empty` lists paths that must have a value; times in seconds.

        With a `template` there is no `text`; `file_url` is its header, `buttons` fill its own in their order.
        """

        line: str = Field(min_length=1, max_length=100, title=_("Line"), json_schema_extra=hint("line"))
        chat_id: TextTemplate = Field(
            title=_("ChatID"), description=_("Whom to write to: a phone number or the number of a chat.")
        )
        text: TextTemplate = Field(default="", title=_("Text"), json_schema_extra=hint("template_multiline"))
        file_url: TextTemplate | None = Field(
            default=None,
            title=_("Address of a file"),
            description=_("A picture or a document that goes with the message."),
            json_schema_extra=hint(more=True),
        )
        buttons: list[Button] = Field(
            default_factory=list, max_length=10, title=_("Buttons"), json_schema_extra=hint(more=True)
        )
        skip_if_empty: list[str] = Field(
            default_factory=list,
            max_length=50,
            title=_("Do not send if empty"),
            json_schema_extra=hint(suggest="paths", more=True),
        )
        quiet_hours: QuietHours | None = Field(
            default=None,
            title=_("Quiet hours"),
            description=_("Messages wait until they are over. Empty: the hours of the settings."),
            json_schema_extra=hint(more=True),
        )
        any_time: bool = Field(
            default=False,
            title=_("Send at any hour"),
            description=_("For what a customer waits for at night, too: a code, a receipt."),
            json_schema_extra=hint(more=True),
        )
        best_before_s: int | None = Field(
            default=None,
            ge=1,
            le=MAX_BEST_BEFORE_S,
            title=_("Send within"),
            description=_("A message that could not go in this time does not go at all."),
            json_schema_extra=hint("duration_s", more=True),
        )
        wait_for: Literal["queued", "sent", "delivered"] = Field(
            default="queued", title=_("Go on when the message is"), json_schema_extra=hint(titles=WAITS, more=True)
        )
        messenger: str | None = Field(
            default=None,
            min_length=1,
            max_length=64,
            title=_("Messenger"),
            json_schema_extra=hint("messenger", more=True),
        )
        template: MessageTemplate | None = Field(
            default=None,
            title=_("Approved template in place of the text"),
            json_schema_extra=hint(channels=("whatsapp",), more=True),
        )

    def summary(self, config: Config) -> Summary:
        """The line and the words."""
        told = {"line": config.line, "text": config.text or (config.template.name if config.template else "")}
        return "%(line)s: %(text)s", told

    def problems(self, config: Config, check: CheckContext) -> Iterator[Problem]:
        """A line that is missing or cannot do what is asked, and a message that would always be empty."""
        block = check.block_id
        line = check.line(config.line)
        if line is None:
            yield Problem("line_missing", f"There is no line called “{config.line}”.", block, "line")
        elif config.messenger and config.messenger != line.channel:
            message = f"The messenger {config.messenger} is not connected on the line “{line.name}”."
            yield Problem("messenger_not_on_line", message, block, "messenger")
        if line is not None and config.wait_for == "delivered" and not line.receipts:
            message = f"{line.channel} does not report deliveries, so waiting for “delivered” would never end."
            yield Problem("no_receipts", message, block, "wait_for")
        if not config.chat_id.strip():
            message = "Say to whom the message goes."
            if line is not None and line.recipients == "chat_id":
                message = (
                    f"Say to whom the message goes: the line “{line.name}” writes to chats by their numbers, not to"
                    " phone numbers. Insert the value that holds the number of the customer's chat."
                )
            yield Problem("chat_id_empty", message, block, "chat_id")
        if config.template is None:
            if not config.text.strip() and not config.file_url:
                yield Problem("text_empty", "The message has neither a text nor a file.", block, "text")
        else:
            if config.text.strip():
                message = "A template has its own words; leave the text empty."
                yield Problem("text_with_template", message, block, "text")
            if line is not None and not line.templates:
                yield Problem("no_templates", f"{line.channel} knows no templates.", block, "template")
        for number, path in enumerate(config.skip_if_empty):
            try:
                parse_path(path)
            except TemplateError as error:
                message = f"“{path[:64]}” is no path: {error.message}"
                yield Problem("bad_path", message, block, f"skip_if_empty[{number}]")

    def run(self, config: Config, context: RunContext) -> Outcome:
        """Ask for the message to be sent, then report what became of it."""
        if context.resumed is not None:
            return _after(context.resumed)
        raw = context.text(config.chat_id)
        # First, for the ChatID may be what the author lets be empty.
        for path in config.skip_if_empty:
            if is_empty(context.lookup(path)):
                return Fail("missing_value", f"Not sent, because {path} is empty.")
        if not raw.strip():
            return Fail("chat_id_empty", "The ChatID is empty.")
        line = context.line(config.line)
        if line is None:
            return Fail("line_missing", f"There is no line called “{config.line}”.")
        try:
            chat_id = _address(raw, line)
        except ValueError:
            return Fail("chat_id_invalid", "The ChatID is not a phone number, and this line needs one.")
        template = _template(config.template, context) if config.template else None
        text = _description(template) if template else context.text(config.text)
        file_url = context.text(config.file_url).strip() if config.file_url else ""
        if not text.strip() and not file_url:
            return Fail("text_empty", "The message has neither a text nor a file.")
        if file_url and not file_url.startswith(("https://", "http://")):
            return Fail("file_url_invalid", "The address of the file must begin with https:// or http://.")
        return Send(
            NewMessage(
                line=line.name,
                chat_id=chat_id,
                chat_id_raw=raw,
                messenger=config.messenger or line.channel,
                text=text,
                template=template,
                file_url=file_url or None,
                buttons=tuple(_button(button, at, context) for at, button in enumerate(config.buttons, 1)),
                best_before_s=config.best_before_s,
                quiet=_quiet(config, context),
            ),
            config.wait_for,
        )


def _quiet(config: SendMessage.Config, context: RunContext) -> quiet.QuietHours | None:
    if config.any_time:
        return None
    own = config.quiet_hours
    return quiet.QuietHours(own.from_, own.to, context.zone) if own is not None else context.quiet


def _address(raw: str, line: LineInfo) -> str:
    return normalise_phone(raw, line.country) if line.recipients == "phone" else raw.strip()


def _template(template: MessageTemplate, context: RunContext) -> dict[str, Value]:
    given = template.parameters
    named = given.items() if isinstance(given, dict) else (("", text) for text in given)
    parameters: list[Value] = [[place, context.text(text)] for place, text in named]
    return {"name": template.name, "language": template.language, "parameters": parameters}


def _description(template: Mapping[str, Value]) -> str:
    """What the journal shows of a message whose words only the messenger knows."""
    return f"[{template['name']}] {', '.join(text for _, text in template['parameters'])}".strip()


def _button(button: Button, number: int, context: RunContext) -> dict[str, Value]:
    shown: dict[str, Value] = {"id": button.id or str(number), "label": context.text(button.label)}
    if button.url is None:
        return shown | {"kind": "reply"}
    return shown | {"kind": "url", "url": context.text(button.url).strip()}


def _after(resumed: Mapping[str, Value]) -> Outcome:
    message = resumed["message"]
    error = message.get("error")
    output = {
        "message_id": message["id"],
        "status": message["state"],
        "chat_id": message.get("chat_id"),
        "messenger": message.get("messenger"),
        "sent_at": message.get("sent_at"),
        "error": error,
    }
    if message["state"] in FAILED:
        code = (error or {}).get("code") or message["state"]
        reason = (error or {}).get("message") or f"The message is {message['state']}."
        return Fail(code, reason, output, blame="messenger")
    return Go(output=output)
