"""Ends the run, as a success or as a failure."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from hub.scenarios.block import Block, BlockConfig, Finish, Outcome, RunContext, Summary, TextTemplate
from hub.scenarios.form import _, hint

OUTCOMES: Mapping[str, str] = {"success": _("success"), "failure": _("failure")}


class Stop(Block):
    """Stop."""

    type: ClassVar[str] = "stop"
    title: ClassVar[str] = _("Stop")
    about: ClassVar[str] = _("Ends the run, as a success or as a failure.")
    icon: ClassVar[str] = "player-stop"
    group: ClassVar[Literal["logic"]] = "logic"
    ports: ClassVar[tuple[str, ...]] = ()

    class Config(BlockConfig):
        """`reason` is shown in the journal."""

        outcome: Literal["success", "failure"] = Field(
            default="success", title=_("As what"), json_schema_extra=hint(titles=OUTCOMES)
        )
        reason: TextTemplate = Field(default="", max_length=2000, title=_("Reason for the journal"))

    def summary(self, config: Config) -> Summary:
        """As what it ends, and why."""
        return "%(outcome)s %(reason)s", {"outcome": OUTCOMES[config.outcome], "reason": config.reason}

    def run(self, config: Config, context: RunContext) -> Outcome:
        """End here."""
        return Finish(config.outcome == "success", context.text(config.reason))
