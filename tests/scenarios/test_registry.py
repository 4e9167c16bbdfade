"""How blocks are found."""

from types import ModuleType
from typing import ClassVar, Literal

import pytest

from hub.scenarios.block import Block, Go, Outcome, RunContext
from hub.scenarios.registry import RegistryError, block_of, blocks


def module(name: str, *kinds: str) -> ModuleType:
    made = ModuleType(name)
    for number, kind in enumerate(kinds):

        class Small(Block):
            type: ClassVar[str] = kind
            title: ClassVar[str] = "Small"
            group: ClassVar[Literal["logic"]] = "logic"

            def run(self, config: object, context: RunContext) -> Outcome:
                return Go()

        Small.__module__ = name
        setattr(made, f"Small{number}", Small)
    return made


def test_every_file_among_the_blocks_is_a_block_of_that_type() -> None:
    found = blocks()
    assert {"incoming_webhook", "send_message", "condition", "pause", "for_each"} <= set(found)
    assert all(block.type == kind for kind, block in found.items())


def test_a_module_must_hold_exactly_one_block() -> None:
    assert block_of(module("one", "one"), "one").type == "one"
    with pytest.raises(RegistryError, match="not 0"):
        block_of(module("none"), "none")
    with pytest.raises(RegistryError, match="not 2"):
        block_of(module("two", "two", "two"), "two")


def test_a_block_must_have_the_type_that_its_file_says() -> None:
    with pytest.raises(RegistryError, match="type other"):
        block_of(module("one", "other"), "one")


def test_every_config_has_a_json_schema_for_the_editor() -> None:
    for block in blocks().values():
        assert block.Config.model_json_schema()["type"] == "object"
