"""Runs what hangs on `each` once for every item of a list, one after another."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from hub.language import field_problem
from hub.scenarios.block import (
    Block,
    BlockConfig,
    CheckContext,
    Fail,
    Go,
    Loop,
    Outcome,
    Problem,
    RunContext,
    Summary,
    ValueTemplate,
)
from hub.scenarios.form import _, hint
from hub.values import Value, type_name

MAX_ITEMS = 1_000


class ForEach(Block):
    """For each."""

    type: ClassVar[str] = "for_each"
    title: ClassVar[str] = _("For each")
    about: ClassVar[str] = _("Does the same with every item of a list.")
    icon: ClassVar[str] = "repeat"
    group: ClassVar[Literal["logic"]] = "logic"
    ports: ClassVar[tuple[str, ...]] = ("each", "next")
    first: ClassVar[Mapping[str, Value]] = {"list": ""}

    class Config(BlockConfig):
        """`as` names the local variable that holds the item; items beyond `limit` are left out."""

        list_: ValueTemplate = Field(alias="list", title=_("List"))
        as_: str = Field(default="item", alias="as", title=_("Name of the variable for an item"))
        limit: int = Field(
            default=MAX_ITEMS, ge=1, le=MAX_ITEMS, title=_("Maximum items"), json_schema_extra=hint(more=True)
        )

    def summary(self, config: Config) -> Summary:
        """Which list."""
        return _("For each of %(list)s"), {"list": str(config.list_)}

    def problems(self, config: Config, check: CheckContext) -> Iterator[Problem]:
        """A name that no variable can have."""
        code = field_problem(config.as_)
        if code:
            message = f"“{config.as_[:64]}” cannot be the name of a variable."
            yield Problem(code, message, check.block_id, "as")

    def run(self, config: Config, context: RunContext) -> Outcome:
        """Loop over the list, then go on."""
        if context.resumed is not None:
            return Go()
        items = context.value(config.list_)
        if not isinstance(items, list):
            return Fail("not_a_list", f"A list is needed here, not {type_name(items)}.")
        if len(items) > config.limit:
            context.warn("list_cut", f"Only {config.limit} of {len(items)} items are used.", str(config.list_)[:200])
        return Loop(tuple(items[: config.limit]), config.as_)
