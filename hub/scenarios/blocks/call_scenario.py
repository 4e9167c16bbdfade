"""Runs another scenario of the portal and takes what it returns."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from hub.language import field_problem
from hub.scenarios.block import (
    Block,
    BlockConfig,
    Call,
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


class CallScenario(Block):
    """Call a scenario."""

    type: ClassVar[str] = "call_scenario"
    title: ClassVar[str] = _("Call a scenario")
    about: ClassVar[str] = _("Runs another scenario and uses its result.")
    icon: ClassVar[str] = "sitemap"
    group: ClassVar[Literal["logic"]] = "logic"
    ports: ClassVar[tuple[str, ...]] = ("next", "error")
    outputs: ClassVar[Mapping[str, JsonType]] = {"*": "any"}

    class Config(BlockConfig):
        """`values` become local variables of the called scenario."""

        scenario: int = Field(ge=1, title=_("Scenario"), json_schema_extra=hint("scenario"))
        values: dict[str, ValueTemplate] = Field(default_factory=dict, max_length=100, title=_("Variables for it"))

    def summary(self, config: Config) -> Summary:
        """Which one."""
        return _("Scenario #%(scenario)s"), {"scenario": str(config.scenario)}

    def problems(self, config: Config, check: CheckContext) -> Iterator[Problem]:
        """A scenario that is not there, and names that no variable can have."""
        if not check.scenario_exists(config.scenario):
            message = f"There is no scenario {config.scenario}."
            yield Problem("scenario_missing", message, check.block_id, "scenario")
        for name in config.values:
            code = field_problem(name)
            if code:
                message = f"“{name[:64]}” cannot be the name of a variable."
                yield Problem(code, message, check.block_id, f"values.{name}")

    def run(self, config: Config, context: RunContext) -> Outcome:
        """Call, then pass on the result or the failure."""
        resumed = context.resumed
        if resumed is None:
            return Call(config.scenario, {name: context.value(value) for name, value in config.values.items()})
        if resumed["status"] == "completed":
            return Go(output=resumed.get("result") or {})
        error = resumed.get("error") or {}
        return Fail(
            error.get("code") or "call_failed",
            error.get("message") or f"The scenario {config.scenario} failed.",
            resumed.get("result") or {},
            "messenger" if error.get("blame") == "messenger" else "data",
        )
