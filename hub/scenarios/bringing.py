"""A document from another portal: what it names that this portal may not have, and the document with what is taken in
its place."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from hub.language import ROOT_NAMES, SYSTEM_NAMES, Path, TemplateError, compile_template, field_problem
from hub.scenarios.check import Resources
from hub.scenarios.document import BlockNode, Document

Kind = Literal["line", "constant", "stage", "field", "variable"]
LINKS = {"CONTACT": "contact", "COMPANY": "company"}


@dataclass(frozen=True)
class Named:
    """Something of a portal that a document names. `entity`: the kind of card that a stage or field belongs to, or that
    is to fill a variable."""

    kind: Kind
    name: str
    entity: str = ""

    @property
    def key(self) -> str:
        """What the choice for it is called."""
        return ":".join(part for part in (self.kind, self.entity, self.name) if part)


def entities(document: Document) -> list[str]:
    """The kinds of cards whose stages or fields a document names or may need, each once."""
    named = [one.entity for one in _named(document) if one.entity]
    if _start_without_mapping(document) is not None:
        named += [entity_of_start(document), *LINKS.values()]
    return list(dict.fromkeys(filter(None, named)))


def missing(document: Document, here: Resources, constants: Collection[str]) -> list[Named]:
    """What a document names and this portal does not have, each once. Stages and fields of cards of which nothing is
    known are taken for there."""
    lacking = [one for one in dict.fromkeys(_named(document)) if not _is_here(one, here, constants)]
    return [*lacking, *dict.fromkeys(_unfilled(document, here))]


def with_choices(document: Document, chosen: Mapping[Named, str], here: Resources) -> Document:
    """The document with other lines, stages and fields. A stage of another funnel brings its funnel with it. Where
    fields were chosen for variables, the scenario gets a mapping of its own: this portal's, and these."""
    start = entity_of_start(document)
    blocks = [node.model_copy(update={"config": _changed(node, start, chosen)}) for node in document.blocks]
    rows = [{"variable": one.name, "field": field} for one, field in chosen.items() if one.kind == "variable"]
    begins = _start_without_mapping(document)
    if rows and begins is not None:
        usual = [row.model_dump(exclude_defaults=True) for row in here.mapping(start)]
        blocks = [
            node.model_copy(update={"config": {**node.config, "mapping": [*usual, *rows]}})
            if node.id == begins.id
            else node
            for node in blocks
        ]
    return document.model_copy(update={"blocks": blocks})


def _is_here(one: Named, here: Resources, constants: Collection[str]) -> bool:
    if one.kind == "line":
        return here.line(one.name) is not None
    if one.kind == "constant":
        return one.name in constants
    known = here.crm(one.entity)
    return known is None or one.name in (known.stages if one.kind == "stage" else known.fields)


def _named(document: Document) -> Iterator[Named]:
    start = entity_of_start(document)
    for node in document.blocks:
        config, entity = node.config, _entity(node, start)
        line, stage = config.get("line"), config.get("stage")
        if isinstance(line, str) and line:
            yield Named("line", line)
        if entity:
            if isinstance(stage, str) and stage:
                yield Named("stage", stage, entity)
            yield from (Named("field", code, entity) for code in _codes(node))
            yield from (named for row in _rows(config) if (named := _of_row(row, entity)) is not None)
        yield from _constants(config)


def _unfilled(document: Document, here: Resources) -> Iterator[Named]:
    """The variables that the mapping of another portal has filled, and this one's does not."""
    if _start_without_mapping(document) is None:
        return
    entity, shared = entity_of_start(document), here.names()
    known = {*SYSTEM_NAMES, *ROOT_NAMES, *shared.constants, *shared.globals, *_set_here(document)}
    known |= {row.variable for row in here.mapping(entity)}
    for node in document.blocks:
        for path in _paths(node.config):
            name = path.root if path.root != "local" else str(path.steps[0]) if path.steps else ""
            if name not in known and field_problem(name) is None:
                yield Named("variable", name, entity)


def _set_here(document: Document) -> Iterator[str]:
    yield from (variable.name for variable in document.variables)
    for node in document.blocks:
        rows = node.config.get("variables")
        yield from (str(row.get("name")) for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()
        yield str(node.config.get("as", "item" if node.type == "for_each" else ""))


def _start_without_mapping(document: Document) -> BlockNode | None:
    """The start block that cards start by the mapping of the portal; None where there is none."""
    starts = (node for node in document.blocks if node.type == "bitrix24_event")
    return next((node for node in starts if node.config.get("mapping") is None and _entity(node, "")), None)


def _changed(node: BlockNode, start: str, chosen: Mapping[Named, str]) -> dict[str, Any]:
    config, entity = dict(node.config), _entity(node, start)
    line = config.get("line")
    if isinstance(line, str):
        config["line"] = chosen.get(Named("line", line), line)
    if not entity:
        return config if "line" in node.config else node.config
    stage = chosen.get(Named("stage", str(config.get("stage")), entity))
    if stage is not None:
        config["stage"] = stage
        config.pop("category", None)
    codes = {code: chosen.get(Named("field", code, entity), code) for code in _codes(node)}
    fields = config.get("fields")
    if codes and isinstance(fields, dict):
        config["fields"] = {codes.get(code, code): value for code, value in fields.items()}
    elif codes and isinstance(fields, list):
        config["fields"] = [codes.get(code, code) for code in fields]
    if _rows(config):
        config["mapping"] = [_row_changed(row, entity, chosen) for row in _rows(config)]
    return config


def _row_changed(row: dict[str, Any], entity: str, chosen: Mapping[Named, str]) -> dict[str, Any]:
    named = _of_row(row, entity)
    if named is None or named not in chosen:
        return row
    link, dot, _ = str(row["field"]).rpartition(".")
    return row | {"field": f"{link}{dot}{chosen[named]}"}


def entity_of_start(document: Document) -> str:
    """The kind of card that starts a document, empty where none does."""
    found = (node.config.get("entity") for node in document.blocks if node.type == "bitrix24_event")
    return next((entity for entity in found if isinstance(entity, str)), "")


def _entity(node: BlockNode, start: str) -> str:
    """The kind of card that a block is about: without one of its own it is that of the run."""
    if not node.type.startswith("bitrix24_"):
        return ""
    entity = node.config.get("entity")
    return entity if isinstance(entity, str) else start


def _codes(node: BlockNode) -> list[str]:
    """The fields that a block reads or writes; those of a to-do are no fields of a card."""
    fields = node.config.get("fields")
    if not isinstance(fields, list | dict) or node.config.get("action") == "activity":
        return []
    return [code for code in fields if isinstance(code, str)]


def _rows(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = config.get("mapping")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _of_row(row: Mapping[str, Any], entity: str) -> Named | None:
    """What a row of a mapping names: a field of the card, or of one that it is linked with."""
    link, dot, code = str(row.get("field", "")).rpartition(".")
    of = LINKS.get(link, "") if dot else entity
    return Named("field", code, of) if of and code else None


def _constants(value: Any) -> Iterator[Named]:
    for path in _paths(value):
        if path.root == "const" and path.steps and field_problem(str(path.steps[0])) is None:
            yield Named("constant", str(path.steps[0]))


def _paths(value: Any) -> Iterator[Path]:
    """Everything that the templates in a config name."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _paths(item)
    elif isinstance(value, str) and "{{" in value:
        with suppress(TemplateError):  # the check names it
            yield from compile_template(value).paths
