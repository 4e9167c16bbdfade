"""Waits for some time, until a moment, or until a message has got as far as wanted."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from hub.language import TemplateError, compile_template, parse_moment
from hub.scenarios.block import (
    AwaitMessage,
    Block,
    BlockConfig,
    CheckContext,
    Fail,
    Go,
    JsonType,
    Outcome,
    Problem,
    RunContext,
    Sleep,
    Summary,
    TextTemplate,
)
from hub.scenarios.form import _, hint
from hub.values import Number, Value

MAX_S = 30 * 86_400
REACHED = {
    "sent": ("sent", "delivered", "read"),
    "delivered": ("delivered", "read"),
    "read": ("read",),
}


STATUSES: Mapping[str, str] = {"sent": _("sent"), "delivered": _("delivered"), "read": _("read")}


class MessageStatus(BlockConfig):
    """`message` gives the id of a message that an earlier block sent."""

    message: TextTemplate = Field(title=_("Message"))
    status: Literal["sent", "delivered", "read"] = Field(
        title=_("Status"),
        json_schema_extra=hint(titles=STATUSES),
    )
    timeout_s: float = Field(
        default=86_400,
        ge=0.1,
        le=MAX_S,
        allow_inf_nan=False,
        title=_("Wait at most"),
        json_schema_extra=hint("duration_s"),
    )


class Pause(Block):
    """Pause."""

    type: ClassVar[str] = "pause"
    title: ClassVar[str] = _("Pause")
    about: ClassVar[str] = _("Waits for a set time, until a moment, or until a message is delivered.")
    icon: ClassVar[str] = "hourglass"
    group: ClassVar[Literal["logic"]] = "logic"
    ports: ClassVar[tuple[str, ...]] = ("next", "timeout")
    outputs: ClassVar[Mapping[str, JsonType]] = {"waited_s": "number", "reason": "string"}
    output_titles: ClassVar[Mapping[str, str]] = {"waited_s": _("seconds waited"), "reason": _("why it went on")}
    first: ClassVar[Mapping[str, Value]] = {"for_s": Number("3600")}

    class Config(BlockConfig):
        """Exactly one of the three. `until` without an offset is in the portal's time zone."""

        for_s: float | None = Field(
            default=None,
            ge=0.1,
            le=MAX_S,
            allow_inf_nan=False,
            title=_("Wait for"),
            json_schema_extra=hint("duration_s"),
        )
        until: TextTemplate | None = Field(
            default=None, min_length=1, title=_("Wait until"), description=_("A date with a time, 24.11.2026 14:05.")
        )
        message_status: MessageStatus | None = Field(default=None, title=_("Wait for a message"))

        @model_validator(mode="after")
        def _is_one_of_three(self) -> "Pause.Config":
            if sum(wait is not None for wait in (self.for_s, self.until, self.message_status)) != 1:
                raise ValueError("A pause has exactly one of for_s, until and message_status.")
            return self

    def summary(self, config: Config) -> Summary:
        """What it waits for."""
        if config.for_s is not None:
            return _("For %(for_s)s"), {"for_s": config.for_s}
        if config.until is not None:
            return _("Until %(until)s"), {"until": config.until}
        assert config.message_status is not None
        return _("Until a message is “%(status)s”"), {"status": STATUSES[config.message_status.status]}

    def problems(self, config: Config, check: CheckContext) -> Iterator[Problem]:
        """A moment that is no moment, and a status that the messenger never reports."""
        if config.until and "{{" not in config.until:
            try:
                moment(config.until, UTC)
            except ValueError as error:
                yield Problem("bad_date", str(error), check.block_id, "until")
        wait = config.message_status
        sender = _sender(wait.message, check) if wait and wait.status != "sent" else None
        line = check.line(sender) if sender else None
        if wait and line and not line.receipts:
            message = f"{line.channel} never reports the status “{wait.status}”."
            yield Problem("no_receipts", message, check.block_id, "message_status.status")

    def run(self, config: Config, context: RunContext) -> Outcome:
        """Begin to wait, or go on."""
        if context.resumed is not None:
            return self._after(config, context, context.resumed)
        if config.for_s is not None:
            return Sleep(context.now + timedelta(seconds=config.for_s))
        if config.until is not None:
            try:
                until = moment(context.text(config.until), context.zone)
            except ValueError as error:
                return Fail("bad_date", str(error))
            if until <= context.now:
                return Go(output={"waited_s": Number("0"), "reason": "past"})
            if until - context.now > timedelta(seconds=MAX_S):
                return Fail("pause_too_long", "A pause lasts at most 30 days.")
            return Sleep(until)
        wait = config.message_status
        assert wait is not None
        message = context.text(wait.message).strip()
        if not message:
            return Fail("message_missing", "There is no message to wait for.")
        return AwaitMessage(message, REACHED[wait.status], context.now + timedelta(seconds=wait.timeout_s))

    def _after(self, config: Config, context: RunContext, resumed: Mapping[str, Value]) -> Outcome:
        known = resumed.get("waited_s")
        waited = known if known is not None else _seconds(config.for_s or 0)
        wait = config.message_status
        if wait is None:
            return Go(output={"waited_s": waited, "reason": "time"})
        state = resumed["message"]["state"]
        if state in REACHED[wait.status]:
            return Go(output={"waited_s": waited, "reason": state})
        reason = "timeout" if resumed.get("timed_out") else state
        return Go("timeout", {"waited_s": waited, "reason": reason})


def moment(text: str, zone: Any) -> datetime:
    """A moment (aware, UTC) from ISO 8601, seconds since 1970 or `24.11.2026 14:05`. Raises ValueError."""
    parsed = parse_moment(text, zone)
    if parsed is None:
        raise ValueError(f"“{text[:64]}” is not a date with a time, such as 24.11.2026 14:05.")
    return parsed.astimezone(UTC)


def _seconds(seconds: float) -> Number:
    return Number(f"{seconds:.3f}".rstrip("0").rstrip("."))


def _sender(source: str, check: CheckContext) -> str | None:
    """The line that sends the message which a template such as `{{blocks.greet.message_id}}` names."""
    try:
        paths = compile_template(source).paths
    except TemplateError:
        return None
    if len(paths) != 1 or paths[0].root != "blocks" or not paths[0].steps:
        return None
    found = check.block_config(str(paths[0].steps[0]))
    line = getattr(found[1], "line", None) if found else None
    return line if isinstance(line, str) else None
