"""Sets local variables of the run, or global variables of the portal."""

from collections.abc import Iterator
from typing import ClassVar, Literal, cast

from pydantic import Field

from hub.language import field_problem
from hub.scenarios.block import (
    Block,
    BlockConfig,
    CheckContext,
    Go,
    JsonType,
    Outcome,
    Problem,
    RunContext,
    ValueTemplate,
)
from hub.scenarios.typed import coerce
from hub.values import Value


class Assignment(BlockConfig):
    """One variable and its new value; small calculations are filters of the template."""

    name: str
    scope: Literal["local", "global"] = "local"
    value: ValueTemplate


class SetVariable(Block):
    """Set variables."""

    type: ClassVar[str] = "set_variable"
    title: ClassVar[str] = "Set variables"
    group: ClassVar[Literal["data"]] = "data"
    ports: ClassVar[tuple[str, ...]] = ("next", "error")

    class Config(BlockConfig):
        """All values are computed before any variable changes."""

        variables: list[Assignment] = Field(min_length=1, max_length=100)

    def problems(self, config: Config, check: CheckContext) -> Iterator[Problem]:
        """Names that are taken or no names, and variables that are set twice."""
        seen: set[tuple[str, str]] = set()
        for number, variable in enumerate(config.variables):
            place = f"variables[{number}].name"
            code = field_problem(variable.name)
            if code:
                message = f"“{variable.name[:64]}” cannot be the name of a variable."
                yield Problem(code, message, check.block_id, place)
            elif (variable.scope, variable.name) in seen:
                message = f"The variable “{variable.name}” is set twice."
                yield Problem("duplicate_field", message, check.block_id, place)
            seen.add((variable.scope, variable.name))

    def run(self, config: Config, context: RunContext) -> Outcome:
        """Compute the values. One that is not of its variable's declared type is kept, with a warning."""
        local: dict[str, Value] = {}
        shared: dict[str, Value] = {}
        for variable in config.variables:
            value = context.value(variable.value)
            if variable.scope == "global":
                shared[variable.name] = value
                continue
            declared = context.variable_type(variable.name)
            if declared and value is not None:
                try:
                    value = coerce(value, cast(JsonType, declared))
                except ValueError as error:
                    context.warn("type_mismatch", str(error), variable.name)
            local[variable.name] = value
        return Go(variables=local, globals=shared)
