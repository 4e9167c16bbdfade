"""Checks a scenario for publishing: either it becomes a `Program` that the engine runs, or one sees what is wrong.

Each check is a short generator over the same `Examined`; what only one kind of block can know is asked of the block.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from pydantic import ValidationError

from hub.language import Path, TemplateError, compile_template, parse_path
from hub.scenarios.block import Block, BlockConfig, CrmInfo, JsonType, LineInfo, PortalNames, Problem
from hub.scenarios.document import BlockNode, Document, schema_problems
from hub.scenarios.mapping_row import MappingRow
from hub.scenarios.names import Names
from hub.scenarios.registry import blocks
from hub.scenarios.templating import templates
from hub.values import Value


class Resources(Protocol):
    """What the portal has, as far as a check needs to know."""

    def line(self, name: str) -> LineInfo | None:
        """The line with that name."""

    def scenario_exists(self, scenario: int) -> bool:
        """Whether there is a scenario with that id."""

    def crm(self, entity: str) -> CrmInfo | None:
        """The fields and stages of a kind of card, None where they have not been read."""

    def mapping(self, entity: str) -> Sequence[MappingRow]:
        """Which fields of a kind of card become which variables where a scenario does not say."""

    def names(self) -> PortalNames:
        """What templates may name beside what the document says."""


@dataclass(frozen=True, slots=True)
class Node:
    """One block, ready to run."""

    id: str
    block: Block
    config: Any
    type: str
    title: str


@dataclass(frozen=True, slots=True)
class Program:
    """A scenario without errors. `links` leads from `(block id, port)` to a block id; `variables` are the declared
    ones as `(type, default)`; `fields` are the variables that the start block fills."""

    name: str
    start: str
    nodes: Mapping[str, Node]
    links: Mapping[tuple[str, str], str]
    fields: tuple[str, ...]
    variables: Mapping[str, tuple[JsonType, Value]]
    start_config: Any


def check(doc: Document, resources: Resources) -> tuple[Program | None, list[Problem]]:
    """The program, and everything that is wrong; with any problem of severity `error` there is no program."""
    scenario, problems = examined(doc, resources)
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    return _program(scenario), problems


def examined(doc: Document, resources: Resources) -> "tuple[Examined, list[Problem]]":
    """What is known of the blocks of a document, and everything that is wrong with it."""
    scenario = Examined(doc, resources, {node.id: node for node in doc.blocks})
    found = (_blocks, _links, _reach, _templates, _own_problems)
    return scenario, [problem for part in found for problem in part(scenario)]


class NotRunnable(ValueError):
    """A document that was asked to run but has blocks that cannot; `problems` says which."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


def compile_document(doc: Document) -> Program:
    """The program of a document that passed its check once: what the portal has today is not asked again.
    Raises NotRunnable where there is no start or a block cannot be read."""
    _scenario, program, errors = read_blocks(doc)
    if program is None:
        raise NotRunnable(errors)
    return program


def read_blocks(doc: Document) -> "tuple[Examined, Program | None, list[Problem]]":
    """The blocks of a document as far as they can be read, and its program where all can, else the errors; what the
    portal has is not asked."""
    scenario = Examined(doc, _Nothing(), {node.id: node for node in doc.blocks})
    errors = [problem for part in (_blocks, _reach) for problem in part(scenario) if problem.severity == "error"]
    return scenario, None if errors else _program(scenario), errors


class _Nothing:
    """Resources for where none are asked for."""

    def line(self, name: str) -> LineInfo | None:
        return None

    def scenario_exists(self, scenario: int) -> bool:
        return False

    def crm(self, entity: str) -> CrmInfo | None:
        return None

    def mapping(self, entity: str) -> Sequence[MappingRow]:
        return ()

    def names(self) -> PortalNames:
        return PortalNames()


class Examined:
    """A document with what is known of its blocks so far."""

    def __init__(self, doc: Document, resources: Resources, written: dict[str, BlockNode]) -> None:
        self.doc = doc
        self.resources = resources
        self.written = written
        self.known = blocks()
        self.configs: dict[str, BlockConfig] = {}
        self.starts = [node.id for node in doc.blocks if node.type in self.known and self.block(node.id).start]

    def block(self, block_id: str) -> Block:
        return self.known[self.written[block_id].type]

    def checked(self) -> Iterator[tuple[str, Block, BlockConfig]]:
        for block_id, config in self.configs.items():
            yield block_id, self.block(block_id), config


@dataclass
class _CheckContext:
    """The `CheckContext` that one block sees."""

    block_id: str
    scenario: Examined

    def line(self, name: str) -> LineInfo | None:
        return self.scenario.resources.line(name)

    def scenario_exists(self, scenario: int) -> bool:
        return self.scenario.resources.scenario_exists(scenario)

    def crm(self, entity: str) -> CrmInfo | None:
        return self.scenario.resources.crm(entity)

    def block_config(self, block_id: str) -> tuple[str, BlockConfig] | None:
        config = self.scenario.configs.get(block_id)
        return (self.scenario.written[block_id].type, config) if config is not None else None


def _blocks(scenario: Examined) -> Iterator[Problem]:
    """Read every config; what can be read stays in `scenario.configs`."""
    for node in scenario.doc.blocks:
        block = scenario.known.get(node.type)
        if block is None:
            yield Problem("unknown_block", f"There is no block of type “{node.type}”.", node.id, "type")
            continue
        if node.version > block.version:
            message = f"The block was written by a newer version ({node.version}) of this program."
            yield Problem("unknown_version", message, node.id, "version")
            continue
        config = node.config
        try:
            if node.version < block.version:
                config = block.upgrade(dict(config), node.version)
            scenario.configs[node.id] = block.Config.model_validate(config)
        except ValidationError as error:
            yield from schema_problems(error, node.id, "bad_config")


def _links(scenario: Examined) -> Iterator[Problem]:
    """Loose ends, ports that are not there or used twice, links into the start."""
    taken: set[tuple[str, str]] = set()
    for number, link in enumerate(scenario.doc.links):
        place = f"links[{number}]"
        loose = [end for end in (link.from_, link.to) if end not in scenario.written]
        for end in loose:
            message = f"A link ends at “{end[:64]}”, but there is no such block."
            yield Problem("unknown_link_end", message, None, place)
        if link.to in scenario.starts:
            yield Problem("link_into_start", "Nothing may lead into the start block.", link.to, place)
        if (link.from_, link.port) in taken:
            message = f"Two links leave “{link.from_[:64]}” by the port “{link.port}”."
            yield Problem("double_link", message, link.from_, place)
        taken.add((link.from_, link.port))
        config = scenario.configs.get(link.from_)
        if config is not None and link.port not in scenario.block(link.from_).ports_of(config):
            message = f"The block “{link.from_}” has no port “{link.port}”."
            yield Problem("unknown_port", message, link.from_, place)


def _reach(scenario: Examined) -> Iterator[Problem]:
    """No start, several starts, and blocks that nothing leads to."""
    if not scenario.starts:
        led_to = {link.to for link in scenario.doc.links}
        # A block of a type that is not known here, which nothing leads to, is where it was to start.
        if all(node.type in scenario.known or node.id in led_to for node in scenario.doc.blocks):
            yield Problem("no_start", "The scenario has no start block.")
        return
    for extra in scenario.starts[1:]:
        yield Problem("two_starts", "A scenario has only one start block.", extra)
    onward: dict[str, list[str]] = {}
    for link in scenario.doc.links:
        onward.setdefault(link.from_, []).append(link.to)
    reached, ahead = set(scenario.starts), list(scenario.starts)
    while ahead:
        for to in onward.get(ahead.pop(), ()):
            if to not in reached:
                reached.add(to)
                ahead.append(to)
    for block_id in scenario.written:
        if block_id not in reached:
            yield Problem("unreachable", "Nothing leads to this block.", block_id, None, "warning")


def _templates(scenario: Examined) -> Iterator[Problem]:
    """Templates that cannot be read, results of blocks that do not exist, names that nothing fills."""
    names = Names(scenario)
    for block_id, _, config in scenario.checked():
        for place, source, _ in templates(config):
            try:
                template = compile_template(source)
            except TemplateError as error:
                message = f"{error.message} This is at character {error.column}."
                yield Problem("bad_template", message, block_id, place)
                continue
            for path in template.paths:
                yield from _reference(scenario, path, block_id, place)
                yield from names.problems(path, block_id, place, needed=path in template.needed)
        for place, source in _bare_paths(config):
            try:
                path = parse_path(source)
            except TemplateError:
                continue  # the block itself reports it
            yield from _reference(scenario, path, block_id, place)
            yield from names.problems(path, block_id, place, needed=True)


def _bare_paths(config: BlockConfig) -> Iterator[tuple[str, str]]:
    for number, path in enumerate(getattr(config, "skip_if_empty", ())):
        yield f"skip_if_empty[{number}]", path


def _reference(scenario: Examined, path: Path, block_id: str, place: str) -> Iterator[Problem]:
    if path.root != "blocks" or not path.steps:
        return
    target = str(path.steps[0])
    if target not in scenario.written:
        message = f"There is no block “{target[:64]}” whose result could be used."
        yield Problem("unknown_reference", message, block_id, place)
        return
    config = scenario.configs.get(target)
    if config is None or len(path.steps) < 2:
        return
    outputs = scenario.block(target).outputs_of(config)
    if path.steps[1] not in outputs and "*" not in outputs:
        offers = f"it has {', '.join(outputs)}" if outputs else "it has none"
        message = f"The block “{target}” has no result “{str(path.steps[1])[:64]}”; {offers}."
        yield Problem("unknown_reference", message, block_id, place)


def _own_problems(scenario: Examined) -> Iterator[Problem]:
    for block_id, block, config in scenario.checked():
        yield from block.problems(config, _CheckContext(block_id, scenario))


def _program(scenario: Examined) -> Program:
    start = scenario.starts[0]
    config = scenario.configs[start]
    titles = {node.id: node.title for node in scenario.doc.blocks}
    nodes = {
        block_id: Node(block_id, block, checked, block.type, titles[block_id] or block_id)
        for block_id, block, checked in scenario.checked()
    }
    return Program(
        name=scenario.doc.name,
        start=start,
        nodes=MappingProxyType(nodes),
        links=MappingProxyType({(link.from_, link.port): link.to for link in scenario.doc.links}),
        fields=scenario.block(start).fills(config),
        variables=MappingProxyType({item.name: (item.type, item.default) for item in scenario.doc.variables}),
        start_config=config,
    )
