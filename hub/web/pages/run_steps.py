"""The blocks that a run went through, as its page shows them: by their titles, and what went into which field."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.endpoints.previewing import templates_of
from hub.scenarios.context import SHOWN_CHARS
from hub.scenarios.document import BlockNode
from hub.scenarios.form import form_of
from hub.scenarios.registry import blocks
from hub.web.api.blocks import Titles, say


@dataclass(frozen=True)
class Given:
    """What one field of a block came to: the field's title (empty where it has no such field any more), and
    `{"template", "value", "places"}`."""

    title: str
    filled: dict[str, Any]


@dataclass(frozen=True)
class StepLine:
    """A step as the page shows it: the `title` of its block, its `kind` (its id where the kind is the title), and what
    went in."""

    step: dict[str, Any]
    title: str
    kind: str
    given: Sequence[Given]


def step_lines(steps: Sequence[dict[str, Any]], nodes: Mapping[str, BlockNode]) -> list[StepLine]:
    """The steps of a run over the blocks of its version, by their ids."""
    return [_line(step, nodes.get(step["block"])) for step in steps]


def _line(step: dict[str, Any], node: BlockNode | None) -> StepLine:
    block = blocks().get(step["type"])
    kind, title = say(block.title) if block is not None else step["type"], node.title if node is not None else ""
    given = list(_given(step["input"] or (), node))
    return StepLine(step, title or kind, kind if title else step["block"], given)


def _given(filled: Sequence[dict[str, Any]], node: BlockNode | None) -> Iterator[Given]:
    # A step keeps texts in the order in which its block read them, without the fields that they stand in.
    fields = [] if node is None else list(_fields(node))
    for one in filled:
        field = next((field for field in fields if field[0] == one["template"]), None)
        if field is not None:
            fields.remove(field)
        yield Given(field[1] if field is not None else "", one)


def _fields(node: BlockNode) -> Iterator[tuple[str, str]]:
    block = blocks().get(node.type)
    if block is not None:
        for path, template in templates_of(form_of(block.Config, str), node.config):
            if isinstance(template, str):
                yield template[:SHOWN_CHARS], Titles().field(node, path)
