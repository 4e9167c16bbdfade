"""Sets local variables of the run, or global variables of the portal."""

from collections.abc import Iterator, Mapping
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
    Summary,
    ValueTemplate,
)
from hub.scenarios.form import _, hint
from hub.scenarios.typed import coerce
from hub.values import Value, as_text


class Assignment(BlockConfig):
    """One variable and its new value; small calculations are filters of the template."""

    name: str = Field(title=_("Name"))
    value: ValueTemplate = Field(title=_("Value"))
    scope: Literal["local", "global"] = Field(
        default="local",
        title=_("For whom"),
        json_schema_extra=hint(titles={"local": _("this run"), "global": _("all scenarios")}),
    )


class SetVariable(Block):
    """Set variables."""

    type: ClassVar[str] = "set_variable"
    title: ClassVar[str] = _("Set variables")
    about: ClassVar[str] = _("Stores a value under a name, for this run or for all scenarios.")
    icon: ClassVar[str] = "variable"
    group: ClassVar[Literal["data"]] = "data"
    ports: ClassVar[tuple[str, ...]] = ("next", "error")
    first: ClassVar[Mapping[str, Value]] = {"variables": [{"name": "", "value": ""}]}

    class Config(BlockConfig):
        """All values are computed before any variable changes."""

        variables: list[Assignment] = Field(min_length=1, max_length=100, title=_("Variables"))

    def summary(self, config: Config) -> Summary:
        """The names and their values."""
        return "%(pairs)s", {"pairs": ", ".join(f"{one.name} = {as_text(one.value)}" for one in config.variables)}

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
