"""Ends the run, as a success or as a failure."""

from typing import ClassVar, Literal

from pydantic import Field

from hub.scenarios.block import Block, BlockConfig, Finish, Outcome, RunContext, TextTemplate


class Stop(Block):
    """Stop."""

    type: ClassVar[str] = "stop"
    title: ClassVar[str] = "Stop"
    group: ClassVar[Literal["logic"]] = "logic"
    ports: ClassVar[tuple[str, ...]] = ()

    class Config(BlockConfig):
        """`reason` is shown in the journal."""

        outcome: Literal["success", "failure"] = "success"
        reason: TextTemplate = Field(default="", max_length=2000)

    def run(self, config: Config, context: RunContext) -> Outcome:
        """End here."""
        return Finish(config.outcome == "success", context.text(config.reason))
