"""Start block: a request to the scenario's link starts a run, and its fields become local variables."""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from hub.language import TemplateError, compile_template, field_problem, parse_path
from hub.scenarios.block import (
    Block,
    BlockConfig,
    CheckContext,
    Go,
    Outcome,
    Problem,
    RunContext,
    Summary,
    TextTemplate,
)
from hub.scenarios.form import _, hint


def _network(text: str) -> str:
    try:
        ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"“{text[:64]}” is not an IP address or network.") from None
    return text


class SecretHeader(BlockConfig):
    """A header every request must carry; its value comes from a constant, so no secret stands in the document."""

    name: str = Field(pattern=r"^[A-Za-z0-9-]{1,64}$", title=_("Header"))
    value: TextTemplate = Field(title=_("Its value, from a constant"))


class IncomingWebhook(Block):
    """Incoming webhook."""

    type: ClassVar[str] = "incoming_webhook"
    title: ClassVar[str] = _("Incoming webhook")
    about: ClassVar[str] = _("Starts when another service calls the link: a form, a shop, a program.")
    icon: ClassVar[str] = "webhook"
    group: ClassVar[Literal["start"]] = "start"
    start: ClassVar[bool] = True

    class Config(BlockConfig):
        """`result_wait_s`: how long the results link waits; `event_key`: path to what makes a request the same."""

        fields: list[str] = Field(
            default_factory=list,
            max_length=50,
            title=_("Fields of the link"),
            description=_("Each becomes a variable. What comes as JSON needs no field."),
        )
        event_key: str | None = Field(
            default=None,
            max_length=512,
            title=_("Event key"),
            description=_("The path of a value by which repeats are recognised, such as tranid."),
        )
        tolerant_json: bool = Field(
            default=True, title=_("Fix common mistakes in JSON"), json_schema_extra=hint(more=True)
        )
        post_only: bool = Field(
            default=False,
            title=_("POST only"),
            description=_("Previews of links and virus scanners then start nothing."),
            json_schema_extra=hint(more=True),
        )
        result_wait_s: int | None = Field(
            default=None,
            ge=1,
            le=55,
            title=_("The results link waits at most"),
            json_schema_extra=hint("duration_s", more=True),
        )
        allow_ips: list[Annotated[str, AfterValidator(_network)]] = Field(
            default_factory=list,
            max_length=100,
            title=_("Only from these addresses"),
            json_schema_extra=hint(more=True),
        )
        secret_header: SecretHeader | None = Field(
            default=None, title=_("Only with a secret header"), json_schema_extra=hint(more=True)
        )

    def summary(self, config: Config) -> Summary:
        """Its fields, else that it takes whatever comes."""
        if not config.fields:
            return _("Takes everything that a request brings"), {}
        return _("Fields: %(names)s"), {"names": ", ".join(config.fields)}

    def fills(self, config: Config) -> tuple[str, ...]:
        """Its fields."""
        return tuple(config.fields)

    def problems(self, config: Config, check: CheckContext) -> Iterator[Problem]:
        """Fields that differ only by case, an event key that is no path, a secret written into the document."""
        spelled: dict[str, str] = {}
        for number, name in enumerate(config.fields):
            place = f"fields[{number}]"
            code = field_problem(name)
            if code:
                yield Problem(code, f"“{name[:64]}” cannot be the name of a field.", check.block_id, place)
            other = spelled.setdefault(name.casefold(), name)
            if other != name:
                message = f"The fields “{other}” and “{name}” differ only in letter case."
                yield Problem("similar_name", message, check.block_id, place, "warning")
        if config.event_key:
            try:
                parse_path(config.event_key)
            except TemplateError as error:
                yield Problem("bad_path", f"The event key is no path: {error.message}", check.block_id, "event_key")
        if config.secret_header and not _only_constants(config.secret_header.value):
            message = "The secret header takes its value from a constant, such as {{const.webhook_secret}}."
            yield Problem("secret_in_document", message, check.block_id, "secret_header.value")

    def run(self, config: Any, context: RunContext) -> Outcome:
        """The request has been read before the run began, so there is nothing left to do."""
        return Go()


def _only_constants(source: str) -> bool:
    try:
        paths = compile_template(source).paths
    except TemplateError:
        return True  # the check of templates reports it
    return bool(paths) and all(path.root == "const" for path in paths)
