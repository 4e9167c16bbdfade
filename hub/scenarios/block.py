"""What a block of a scenario is: one declaration that the check, the API, the editor and the engine all read.

A block is pure. It gets its checked config and a `RunContext`, and answers with an `Outcome` that says what should
happen next; the engine and `runs` do it. Whatever takes time or touches the world (a message, an HTTP call, a pause)
is an outcome too, and the block is asked again once it has happened, with `context.resumed` telling how it went.
So a block's test needs neither a database nor a network.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from hub.quiet import QuietHours
from hub.scenarios.outcomes import (
    AwaitMessage,
    Call,
    Fail,
    Finish,
    Go,
    Loop,
    NewMessage,
    Outcome,
    Perform,
    Send,
    Sleep,
)
from hub.values import Value

__all__ = [
    "AwaitMessage",
    "Block",
    "BlockConfig",
    "Call",
    "CheckContext",
    "CrmInfo",
    "Fail",
    "Finish",
    "Go",
    "JsonType",
    "LineInfo",
    "Loop",
    "NewMessage",
    "Outcome",
    "Perform",
    "PortalNames",
    "Problem",
    "RunContext",
    "Send",
    "Sleep",
    "Summary",
    "TemplateMark",
    "TextTemplate",
    "ValueTemplate",
]

JsonType = Literal["string", "number", "boolean", "object", "list", "any"]
Summary = tuple[str, Mapping[str, str | int | float | tuple[str, ...]]]
"""A text with `%(name)s` places, and what stands in them: texts, marked texts, a duration in seconds, or codes of the
CRM, which are shown by the portal's own words."""


@dataclass(frozen=True)
class TemplateMark:
    """Marks a config field as a template: `text` always gives a string, `value` keeps the type of a single place."""

    kind: Literal["text", "value"]


TextTemplate = Annotated[str, TemplateMark("text"), Field(json_schema_extra={"template": "text"})]
"""A text with places, such as `Hello {{name}}`."""
ValueTemplate = Annotated[Any, TemplateMark("value"), Field(json_schema_extra={"template": "value"})]
"""JSON in which every string is a template; one that is a single `{{ … }}` keeps its value's type."""


class BlockConfig(BaseModel):
    """Base of every block's config: unknown keys are refused, as everywhere in the management API."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a scenario. `error` blocks publishing, `warning` does not."""

    code: str
    message: str
    block: str | None = None
    field: str | None = None
    severity: Literal["error", "warning"] = "error"

    def as_dict(self) -> dict[str, str | None]:
        """The shape the API shows."""
        return {
            "code": self.code,
            "message": self.message,
            "block": self.block,
            "field": self.field,
            "severity": self.severity,
        }


@dataclass(frozen=True)
class LineInfo:
    """What a block may know of a line: `recipients` is the kind of address that its channel takes, `receipts` and
    `templates` whether it has them."""

    id: str
    name: str
    channel: str
    state: str
    country: str = "RU"
    recipients: Literal["phone", "chat_id"] = "chat_id"
    receipts: bool = False
    templates: bool = False


class RunContext(Protocol):
    """What a block may ask and note while it runs."""

    now: datetime
    zone: Any
    quiet: QuietHours | None
    dry: bool
    iteration: int

    @property
    def resumed(self) -> Mapping[str, Value] | None:
        """How what the block asked for went; None at the first call."""

    def text(self, template: str) -> str:
        """Render a text template. Raises language.TemplateFailure, which the engine turns into `template_error`."""

    def value(self, template: Value) -> Value:
        """Evaluate a value template: strings anywhere inside lists and objects are templates."""

    def lookup(self, path: str) -> Value | None:
        """The value at a bare path such as `payment[0].name`, None when it is missing or null."""

    def line(self, name: str) -> LineInfo | None:
        """The line of this portal with that name."""

    def variable_type(self, name: str) -> str | None:
        """The declared type of a local variable, None when it is not declared."""

    def warn(self, code: str, message: str, path: str = "") -> None:
        """Leave a warning on the run, at this block."""


@dataclass(frozen=True)
class CrmInfo:
    """What is known of a kind of card in the CRM: its fields, and its stages over all funnels, each code with what the
    portal calls it."""

    fields: Mapping[str, str]
    stages: Mapping[str, str]


@dataclass(frozen=True)
class PortalNames:
    """The names that all scenarios of a portal share, and those that the last requests of this one have brought."""

    constants: frozenset[str] = frozenset()
    globals: frozenset[str] = frozenset()
    came: frozenset[str] = frozenset()


class CheckContext(Protocol):
    """What a block may ask while its scenario is checked for publishing."""

    block_id: str

    def line(self, name: str) -> LineInfo | None:
        """The line of this portal with that name."""

    def scenario_exists(self, scenario: int) -> bool:
        """Whether this portal has that scenario."""

    def crm(self, entity: str) -> CrmInfo | None:
        """The fields and stages of a kind of card, None where they have not been read."""

    def block_config(self, block_id: str) -> tuple[str, BlockConfig] | None:
        """Type and config of another block of the same document, when both are known and valid."""


class Block(ABC):
    """One kind of block: `hub/scenarios/blocks/<type>.py` holds the only class that has this `type`.

    `outputs` names what `blocks.<id>.…` offers and its JSON type, `output_titles` what people call it. `first` is the
    config of a block that has just been drawn. Texts for people are marked with `form._` and translated where they
    are shown. When a config changes shape, `version` rises and `upgrade` brings old documents along.
    """

    type: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]
    icon: ClassVar[str]
    group: ClassVar[Literal["start", "message", "logic", "data", "bitrix24", "answer"]]
    version: ClassVar[int] = 1
    start: ClassVar[bool] = False
    ports: ClassVar[tuple[str, ...]] = ("next",)
    outputs: ClassVar[Mapping[str, JsonType]] = {}
    output_titles: ClassVar[Mapping[str, str]] = {}
    first: ClassVar[Mapping[str, Value]] = {}

    class Config(BlockConfig):
        """Nothing to set."""

    def ports_of(self, config: Any) -> tuple[str, ...]:
        """The exits of this block; overridden where the config makes them."""
        return self.ports

    def outputs_of(self, config: Any) -> Mapping[str, JsonType]:
        """The outputs of this block; overridden where the config makes them."""
        return self.outputs

    def ports_drawn(self, config: Mapping[str, Value]) -> tuple[str, ...]:
        """The exits that the editor shows while a config cannot be read yet."""
        return self.ports

    def summary(self, config: Any) -> Summary | None:
        """In one line, what the block does with this config."""
        return None

    def fills(self, config: Any) -> tuple[str, ...]:
        """The local variables that a start block fills before the run begins; overridden by starts that do."""
        return ()

    def problems(self, config: Any, check: CheckContext) -> Iterator[Problem]:
        """What only this block knows to be wrong; schema, links and templates are checked for every block alike."""
        return iter(())

    def upgrade(self, config: dict[str, Value], version: int) -> dict[str, Value]:
        """A config written by an older version of this block, in today's shape."""
        return config

    @abstractmethod
    def run(self, config: Any, context: RunContext) -> Outcome:
        """What happens next. Called again with `context.resumed` set after every outcome but Go, Fail and Finish."""
