"""Start block: a request to the scenario's link starts a run, and its fields become local variables."""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from hub.language import TemplateError, compile_template, field_problem, parse_path
from hub.scenarios.block import Block, BlockConfig, CheckContext, Go, Outcome, Problem, RunContext, TextTemplate


def _network(text: str) -> str:
    try:
        ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"“{text[:64]}” is not an IP address or network") from None
    return text


class SecretHeader(BlockConfig):
    """A header every request must carry; its value comes from a constant, so no secret stands in the document."""

    name: str = Field(pattern=r"^[A-Za-z0-9-]{1,64}$")
    value: TextTemplate


class IncomingWebhook(Block):
    """Incoming webhook."""

    type: ClassVar[str] = "incoming_webhook"
    title: ClassVar[str] = "Incoming webhook"
    group: ClassVar[Literal["start"]] = "start"
    start: ClassVar[bool] = True

    class Config(BlockConfig):
        """`result_wait_s`: how long the results link waits; `event_key`: path to what makes a request the same."""

        fields: list[str] = Field(default_factory=list, max_length=50)
        event_key: str | None = Field(default=None, max_length=512)
        tolerant_json: bool = True
        post_only: bool = False
        result_wait_s: int | None = Field(default=None, ge=1, le=55)
        allow_ips: list[Annotated[str, AfterValidator(_network)]] = Field(default_factory=list, max_length=100)
        secret_header: SecretHeader | None = None

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
