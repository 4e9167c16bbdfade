"""What changed between two versions of a scenario, in sentences a person can read."""

from collections.abc import Iterator
from typing import Protocol

from hub.scenarios.document import BlockNode, Document
from hub.values import Value, dumps

MAX_SHOWN = 200


class Names(Protocol):
    """What blocks, their fields and their exits are called."""

    def block(self, node: BlockNode) -> str:
        """A block."""

    def beside(self, node: BlockNode) -> str:
        """What stands in brackets behind a block that came or went."""

    def field(self, node: BlockNode, path: str) -> str:
        """The place of a block at this path."""

    def port(self, node: BlockNode, port: str) -> str:
        """An exit."""


class AsWritten:
    """Names as the document has them."""

    def block(self, node: BlockNode) -> str:
        """Its id."""
        return node.id

    def beside(self, node: BlockNode) -> str:
        """Its type."""
        return node.type

    def field(self, node: BlockNode, path: str) -> str:
        """The path."""
        return path

    def port(self, node: BlockNode, port: str) -> str:
        """Its name."""
        return port


def describe(old: Document, new: Document, names: Names | None = None) -> list[str]:
    """One sentence for every change; where blocks stand in the editor does not count. Empty: nothing changed."""
    called = names or AsWritten()
    return [*_heads(old, new), *_blocks(old, new, called), *_links(old, new, called)]


def _heads(old: Document, new: Document) -> Iterator[str]:
    if old.name != new.name:
        yield f"The name changed from {_shown(old.name)} to {_shown(new.name)}."
    before = {variable.name: variable for variable in old.variables}
    after = {variable.name: variable for variable in new.variables}
    for name in before:
        if name not in after:
            yield f"Variable {name} was removed."
    for name, variable in after.items():
        if name not in before:
            yield f"Variable {name} was added."
        elif before[name] != variable:
            yield f"Variable {name} changed: {_variable(before[name])} became {_variable(variable)}."


def _blocks(old: Document, new: Document, called: Names) -> Iterator[str]:
    before = {node.id: node for node in old.blocks}
    after = {node.id: node for node in new.blocks}
    for key, node in before.items():
        if key not in after:
            yield f"Block {called.block(node)} ({called.beside(node)}) was removed."
    for key, node in after.items():
        if key not in before:
            yield f"Block {called.block(node)} ({called.beside(node)}) was added."
        else:
            yield from _fields(before[key], node, called)


def _fields(old: BlockNode, new: BlockNode, called: Names) -> Iterator[str]:
    block = called.block(new)
    before = {"type": old.type, "title": old.title, "note": old.note} | _flat(old.config)
    after = {"type": new.type, "title": new.title, "note": new.note} | _flat(new.config)
    for path in before:
        if path not in after:
            yield f"Block {block}: {called.field(old, path)} was removed, it was {_shown(before[path])}."
    for path, value in after.items():
        if path not in before:
            yield f"Block {block}: {called.field(new, path)} was added: {_shown(value)}."
        elif _shown(before[path], None) != _shown(value, None):
            yield f"Block {block}: {called.field(new, path)} changed from {_shown(before[path])} to {_shown(value)}."


def _links(old: Document, new: Document, called: Names) -> Iterator[str]:
    nodes = {node.id: node for node in (*old.blocks, *new.blocks)}

    def told(source: str, port: str, target: str) -> tuple[str, str, str]:
        begin, end = (called.block(nodes[key]) if key in nodes else key for key in (source, target))
        return begin, end, called.port(nodes[source], port) if source in nodes else port

    before = {(link.from_, link.port, link.to) for link in old.links}
    after = {(link.from_, link.port, link.to) for link in new.links}
    for source, port, target in sorted(before - after):
        begin, end, way = told(source, port, target)
        yield f"The connection {begin} → {end} (exit {way}) was removed."
    for source, port, target in sorted(after - before):
        begin, end, way = told(source, port, target)
        yield f"The connection {begin} → {end} (exit {way}) was added."


def _flat(value: Value, path: str = "") -> dict[str, Value]:
    """Objects opened up into paths; lists are one value, except lists of objects."""
    if isinstance(value, dict) and (value or not path):
        parts = ((f"{path}.{key}" if path else key, item) for key, item in value.items())
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        parts = ((f"{path}[{number}]", item) for number, item in enumerate(value))
    else:
        return {path: value}
    return {key: item for name, part in parts for key, item in _flat(part, name).items()}


def _shown(value: Value, limit: int | None = MAX_SHOWN) -> str:
    text = f"“{value}”" if isinstance(value, str) else dumps(value)
    return text if limit is None or len(text) <= limit else text[: limit - 1] + "…"


def _variable(variable: object) -> str:
    kind, default = getattr(variable, "type", "any"), getattr(variable, "default", None)
    return kind if default is None else f"{kind} with default {_shown(default)}"
