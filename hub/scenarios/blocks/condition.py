"""Leaves by the first branch whose comparisons hold, else by `else`."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from hub.language import Operator, TemplateFailure, compare, compile_pattern
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
from hub.values import Value

OPERATOR_TITLES: Mapping[str, str] = {
    "eq": _("equals"),
    "ne": _("differs from"),
    "contains": _("contains"),
    "not_contains": _("does not contain"),
    "starts_with": _("begins with"),
    "ends_with": _("ends with"),
    "gt": _("is more than"),
    "ge": _("is at least"),
    "lt": _("is less than"),
    "le": _("is at most"),
    "empty": _("is empty"),
    "not_empty": _("is not empty"),
    "in": _("is in the list"),
    "matches": _("matches the pattern"),
    "before": _("is before"),
    "after": _("is after"),
}


class Comparison(BlockConfig):
    """Two values and what must hold between them; `empty` and `not_empty` need no `right`."""

    left: ValueTemplate = Field(title=_("Value"))
    op: Operator = Field(title=_("Comparison"), json_schema_extra=hint(titles=OPERATOR_TITLES))
    right: ValueTemplate = Field(default=None, title=_("With what"))

    @model_validator(mode="after")
    def _has_what_it_compares(self) -> "Comparison":
        if self.op not in ("empty", "not_empty") and "right" not in self.model_fields_set:
            raise ValueError(f"The comparison {self.op} needs a value on its right side.")
        return self


class Branch(BlockConfig):
    """A port and the comparisons that lead to it: all of them, or any."""

    port: str = Field(pattern=r"^[^\W\d][\w-]{0,63}$", title=_("Name of the branch"))
    all: list[Comparison] | None = Field(default=None, min_length=1, max_length=50, title=_("All of these are true"))
    any: list[Comparison] | None = Field(default=None, min_length=1, max_length=50, title=_("Any of these is true"))

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "Branch":
        if (self.all is None) == (self.any is None):
            raise ValueError("A branch has either “all” or “any”.")
        return self


class Condition(Block):
    """Condition."""

    type: ClassVar[str] = "condition"
    title: ClassVar[str] = _("Condition")
    about: ClassVar[str] = _("Takes the first branch whose conditions are met.")
    icon: ClassVar[str] = "git-branch"
    group: ClassVar[Literal["logic"]] = "logic"
    ports: ClassVar[tuple[str, ...]] = ("else",)
    outputs: ClassVar[Mapping[str, JsonType]] = {"branch": "string"}
    output_titles: ClassVar[Mapping[str, str]] = {"branch": _("branch taken")}
    first: ClassVar[Mapping[str, Value]] = {"branches": [{"port": "yes", "all": [{"left": "", "op": "not_empty"}]}]}

    class Config(BlockConfig):
        """Branches are tried in their order."""

        branches: list[Branch] = Field(
            min_length=1, max_length=10, title=_("Branches"), json_schema_extra=hint("branches")
        )

        @model_validator(mode="after")
        def _ports_differ(self) -> "Condition.Config":
            ports = [branch.port for branch in self.branches]
            if len(set(ports)) != len(ports):
                raise ValueError("Two branches have the same name.")
            if {"else", "error"} & set(ports):
                raise ValueError("No branch may be called “else” or “error”.")
            return self

    def ports_of(self, config: Config) -> tuple[str, ...]:
        """One port for each branch, and `else`."""
        return (*(branch.port for branch in config.branches), "else")

    def ports_drawn(self, config: Mapping[str, Value]) -> tuple[str, ...]:
        """The branches that have a name already, and `else`."""
        rows = config.get("branches")
        named = [row.get("port") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        return (*dict.fromkeys(port for port in named if isinstance(port, str) and port), "else")

    def summary(self, config: Config) -> Summary:
        """The names of the branches."""
        return _("Branches: %(names)s"), {"names": ", ".join(branch.port for branch in config.branches)}

    def problems(self, config: Config, check: CheckContext) -> Iterator[Problem]:
        """Patterns that are no regular expressions."""
        for number, branch in enumerate(config.branches):
            kind, rows = ("all", branch.all) if branch.all is not None else ("any", branch.any or [])
            for at, row in enumerate(rows):
                if row.op == "matches" and isinstance(row.right, str) and "{{" not in row.right:
                    try:
                        compile_pattern(row.right)
                    except TemplateFailure as error:
                        place = f"branches[{number}].{kind}[{at}].right"
                        yield Problem("bad_pattern", error.message, check.block_id, place)

    def run(self, config: Config, context: RunContext) -> Outcome:
        """Try the branches; unlike types are compared as texts, with a warning."""
        for branch in config.branches:
            if branch.all is not None:
                holds = all(_holds(row, context) for row in branch.all)
            else:
                holds = any(_holds(row, context) for row in branch.any or [])
            if holds:
                return Go(branch.port, {"branch": branch.port})
        return Go("else", {"branch": "else"})


def _holds(row: Comparison, context: RunContext) -> bool:
    holds, warning = compare(row.op, context.value(row.left), context.value(row.right), context.zone)
    if warning:
        context.warn("type_mismatch", warning, str(row.left)[:200])
    return holds
