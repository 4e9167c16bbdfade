"""Gives the caller of the results link, or a waiting robot, its answer; the run goes on after it."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from hub.scenarios.block import (
    Block,
    BlockConfig,
    CheckContext,
    Fail,
    Go,
    JsonType,
    Outcome,
    Problem,
    RunContext,
    Summary,
    ValueTemplate,
)
from hub.scenarios.form import _, hint
from hub.scenarios.typed import coerce
from hub.values import Value

ResultName = Annotated[str, Field(min_length=1, max_length=64)]


TYPES: Mapping[str, str] = {
    "string": _("text"),
    "number": _("number"),
    "boolean": _("yes or no"),
    "object": _("object"),
    "list": _("list"),
    "any": _("anything"),
}


class ReturnResult(Block):
    """Return a result."""

    type: ClassVar[str] = "return_result"
    title: ClassVar[str] = _("Return a result")
    about: ClassVar[str] = _("Answers whoever called the results link, or the robot that waits.")
    icon: ClassVar[str] = "arrow-back-up"
    group: ClassVar[Literal["answer"]] = "answer"
    first: ClassVar[Mapping[str, Value]] = {"values": {"result": ""}}

    class Config(BlockConfig):
        """`types` promises the types of some or all values."""

        values: dict[ResultName, ValueTemplate] = Field(min_length=1, max_length=100, title=_("Values"))
        types: dict[ResultName, JsonType] = Field(
            default_factory=dict,
            max_length=100,
            title=_("Types of the values"),
            json_schema_extra=hint(titles=TYPES, more=True),
        )

    def summary(self, config: Config) -> Summary:
        """The names of the values."""
        return _("Returns %(names)s"), {"names": ", ".join(config.values)}

    def problems(self, config: Config, check: CheckContext) -> Iterator[Problem]:
        """Types of values that are not returned."""
        for name in config.types:
            if name not in config.values:
                message = f"“{name}” has a type but is not among the values."
                yield Problem("unknown_value", message, check.block_id, f"types.{name}")

    def run(self, config: Config, context: RunContext) -> Outcome:
        """Evaluate the values and hold them to their types."""
        result: dict[str, Value] = {}
        for name, template in config.values.items():
            try:
                result[name] = coerce(context.value(template), config.types.get(name, "any"))
            except ValueError as error:
                return Fail("contract_break", f"The result “{name}” breaks its promise. {error}")
        return Go(result=result)
