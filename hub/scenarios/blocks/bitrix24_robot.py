"""Start block: a robot or a process of a Bitrix24 portal starts a run, and may wait for its result."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from hub.language import field_problem
from hub.scenarios.block import Block, BlockConfig, CheckContext, Go, JsonType, Outcome, Problem, RunContext

MAX_TIMEOUT_S = 30 * 86_400
_name = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}\Z")


class Input(BlockConfig):
    """What the author of a process fills in; it becomes a local variable. The portal takes Latin names only."""

    name: str = Field(min_length=1, max_length=64)
    title: str = Field(default="", max_length=100)
    type: Literal["string", "text", "int", "double", "bool", "date", "datetime", "user"] = "string"


class Bitrix24Robot(Block):
    """Bitrix24 robot."""

    type: ClassVar[str] = "bitrix24_robot"
    title: ClassVar[str] = "Bitrix24 robot"
    group: ClassVar[Literal["start"]] = "start"
    start: ClassVar[bool] = True
    outputs: ClassVar[Mapping[str, JsonType]] = {"document_id": "string"}

    class Config(BlockConfig):
        """`title` is what the portal calls the robot. `wait`: its process stands still until the result is there, for
        at most `timeout_s` seconds if that is set."""

        title: str = Field(min_length=1, max_length=100)
        inputs: list[Input] = Field(default_factory=list, max_length=50)
        wait: bool = True
        timeout_s: int | None = Field(default=None, ge=1, le=MAX_TIMEOUT_S)

        @property
        def fields(self) -> list[str]:
            """The names of the variables that it fills."""
            return [one.name for one in self.inputs]

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
