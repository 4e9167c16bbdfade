"""Start block: a robot or a process of a Bitrix24 portal starts a run, and may wait for its result."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

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
)
from hub.scenarios.form import _, hint

MAX_TIMEOUT_S = 30 * 86_400
_name = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}\Z")


INPUT_TYPES: Mapping[str, str] = {
    "string": _("line of text"),
    "text": _("text"),
    "int": _("whole number"),
    "double": _("number"),
    "bool": _("yes or no"),
    "date": _("date"),
    "datetime": _("date and time"),
    "user": _("employee"),
}


class Input(BlockConfig):
    """What the author of a process fills in; it becomes a local variable. The portal takes Latin names only."""

    name: str = Field(min_length=1, max_length=64, title=_("Name in Latin letters"))
    title: str = Field(default="", max_length=100, title=_("What people see"))
    type: Literal["string", "text", "int", "double", "bool", "date", "datetime", "user"] = Field(
        default="string", title=_("Type"), json_schema_extra=hint(titles=INPUT_TYPES)
    )


class Bitrix24Robot(Block):
    """Bitrix24 robot."""

    type: ClassVar[str] = "bitrix24_robot"
    title: ClassVar[str] = _("Bitrix24 robot")
    about: ClassVar[str] = _("Starts when a robot or a process of the portal asks, and may answer it.")
    icon: ClassVar[str] = "robot"
    group: ClassVar[Literal["start"]] = "start"
    start: ClassVar[bool] = True
    outputs: ClassVar[Mapping[str, JsonType]] = {"document_id": "string"}
    output_titles: ClassVar[Mapping[str, str]] = {"document_id": _("card that the robot works on")}

    class Config(BlockConfig):
        """`title` is what the portal calls the robot. `wait`: its process stands still until the result is there, for
        at most `timeout_s` seconds if that is set."""

        title: str = Field(min_length=1, max_length=100, title=_("Name among the robots"))
        inputs: list[Input] = Field(default_factory=list, max_length=50, title=_("What the robot passes on"))
        wait: bool = Field(default=True, title=_("The robot waits for the result"))
        timeout_s: int | None = Field(
            default=None, ge=1, le=MAX_TIMEOUT_S, title=_("At most"), json_schema_extra=hint("duration_s", more=True)
        )

        @property
        def fields(self) -> list[str]:
            """The names of the variables that it fills."""
            return [one.name for one in self.inputs]

    def summary(self, config: Config) -> Summary:
        """What the robot is called."""
        return _("Robot “%(title)s”"), {"title": config.title}

    def fills(self, config: Config) -> tuple[str, ...]:
        """Its inputs."""
        return tuple(config.fields)

    def problems(self, config: Config, check: CheckContext) -> Iterator[Problem]:
        """Names that the portal or the language does not take, or that are there twice."""
        seen: set[str] = set()
        for number, one in enumerate(config.inputs):
            place = f"inputs[{number}].name"
            if not _name.match(one.name):
                message = f"“{one.name}” cannot be an input: Bitrix24 takes Latin letters, digits and _ only."
                yield Problem("bad_name", message, check.block_id, place)
            elif field_problem(one.name) or one.name == "document_id":
                message = f"“{one.name}” cannot be the name of an input; it is taken."
                yield Problem("reserved_name", message, check.block_id, place)
            elif one.name.casefold() in seen:
                message = f"The input “{one.name}” is there twice; letter case does not count."
                yield Problem("duplicate_field", message, check.block_id, place)
            seen.add(one.name.casefold())
        if config.timeout_s is not None and not config.wait:
            message = "The robot does not wait, so its time limit has no effect."
            yield Problem("timeout_without_wait", message, check.block_id, "timeout_s", "warning")

    def run(self, config: Any, context: RunContext) -> Outcome:
        """The inputs are variables already; what is left is the document that the process is about."""
        document = context.lookup("body.document_id")
        return Go(output={"document_id": document if isinstance(document, str) else ""})
