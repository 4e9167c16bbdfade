"""What changed between two versions of a scenario, in sentences a person can read."""

from collections.abc import Iterator

from hub.scenarios.document import BlockNode, Document
from hub.values import Value, dumps

MAX_SHOWN = 200


def describe(old: Document, new: Document) -> list[str]:
    """One sentence for every change; where blocks stand in the editor does not count. Empty: nothing changed."""
    return [*_heads(old, new), *_blocks(old, new), *_links(old, new)]


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


def _blocks(old: Document, new: Document) -> Iterator[str]:
    before = {node.id: node for node in old.blocks}
    after = {node.id: node for node in new.blocks}
    for key, node in before.items():
        if key not in after:
            yield f"Block {key} ({node.type}) was removed."
    for key, node in after.items():
        if key not in before:
            yield f"Block {key} ({node.type}) was added."
        else:
            yield from _fields(before[key], node)


def _fields(old: BlockNode, new: BlockNode) -> Iterator[str]:
    before = {"type": old.type, "title": old.title, "note": old.note} | _flat(old.config)
    after = {"type": new.type, "title": new.title, "note": new.note} | _flat(new.config)
    for path in before:
        if path not in after:
            yield f"Block {new.id}: {path} was removed, it was {_shown(before[path])}."
    for path, value in after.items():
        if path not in before:
            yield f"Block {new.id}: {path} was added: {_shown(value)}."
        elif _shown(before[path], None) != _shown(value, None):
            yield f"Block {new.id}: {path} changed from {_shown(before[path])} to {_shown(value)}."


def _links(old: Document, new: Document) -> Iterator[str]:
    before = {(link.from_, link.port, link.to) for link in old.links}
    after = {(link.from_, link.port, link.to) for link in new.links}
    for source, port, target in sorted(before - after):
        yield f"The connection {source} → {target} (exit {port}) was removed."
    for source, port, target in sorted(after - before):
        yield f"The connection {source} → {target} (exit {port}) was added."


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
