"""Gives the caller of the results link, or a waiting robot, its answer; the run goes on after it."""

from collections.abc import Iterator
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
    ValueTemplate,
)
from hub.scenarios.typed import coerce
from hub.values import Value

ResultName = Annotated[str, Field(min_length=1, max_length=64)]


class ReturnResult(Block):
    """Return a result."""

    type: ClassVar[str] = "return_result"
    title: ClassVar[str] = "Return a result"
    group: ClassVar[Literal["connect"]] = "connect"

    class Config(BlockConfig):
        """`types` promises the types of some or all values."""

        values: dict[ResultName, ValueTemplate] = Field(min_length=1, max_length=100)
        types: dict[ResultName, JsonType] = Field(default_factory=dict, max_length=100)

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
