"""What the editor has to know of a document while it is drawn: problems, exits, results and variables.

Broken documents are inspected as far as they can be read, so that one wrong field does not blank the rest.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from hub.language import SYSTEM_NAMES
from hub.scenarios.block import Block, BlockConfig, JsonType, Problem, Summary
from hub.scenarios.check import Examined, Resources, examined
from hub.scenarios.document import BlockNode, Document, DocumentError, Link, Variable, parse_document
from hub.scenarios.form import _
from hub.scenarios.names import filled, set_by
from hub.values import Value

NAMELESS = "…"
FOLLOWING = ("unknown_link_end", "unreachable", "no_start")
"""What is wrong with a document only because a block of it cannot be read, which is told already."""
SYSTEM_TITLES: Mapping[str, str] = {
    "company_id": _("number of the company"),
    "email": _("e-mail of the customer"),
    "license_id": _("line that wrote last"),
    "message": _("message of the customer"),
    "messenger_type": _("messenger"),
    "name": _("name of the customer"),
    "phone": _("phone of the customer"),
    "responsible": _("employee responsible"),
    "username": _("user name of the customer"),
    "date": _("today's date"),
    "day_of_week": _("day of the week"),
    "time": _("time of day"),
}


LINK_TITLES: Mapping[str, str] = {
    "CONTACT": _("Contact"),
    "COMPANY": _("Company"),
    "ASSIGNED_BY": _("Responsible person"),
}
USER_TITLES: Mapping[str, str] = {
    "NAME": _("Name"),
    "LAST_NAME": _("Last name"),
    "EMAIL": _("E-mail"),
    "WORK_PHONE": _("Work phone"),
    "PERSONAL_MOBILE": _("Mobile phone"),
    "WORK_POSITION": _("Position"),
}
"""What is called so by whom: the fields of an employee, of which the portal tells no titles."""


@dataclass(frozen=True)
class Output:
    """One result of a block, by its path."""

    path: str
    name: str
    title: str | None
    type: JsonType


@dataclass(frozen=True)
class Drawn:
    """A block as it is drawn. `config` is None while it cannot be read; `words` are the portal's own for codes of the
    CRM in it."""

    title: str
    block: Block | None
    config: Any
    ports: tuple[str, ...]
    outputs: tuple[Output, ...]
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def summary(self) -> Summary | None:
        """In one line, what it does; None while its config cannot be read."""
        return None if self.block is None or self.config is None else self.block.summary(self.config)


@dataclass(frozen=True)
class Known:
    """A name that templates may use. `source`: the id of the block that sets it, or `declared`, `system`, `constant`,
    `global`. `of`: whose it is, where that is not the run itself."""

    path: str
    title: str
    type: JsonType
    source: str
    of: str = ""


@dataclass(frozen=True)
class Inspected:
    """What a document is like."""

    problems: list[Problem]
    blocks: dict[str, Drawn]
    variables: list[Known]


def inspect(raw: Mapping[str, Value], resources: Resources) -> Inspected:
    """Look a document over; it need not be one that could be kept."""
    doc, refused = readable(raw)
    scenario, problems = examined(doc, resources)
    known = {(problem.code, problem.block) for problem in refused}
    hidden = FOLLOWING if refused else ()
    others = [one for one in problems if (one.code, one.block) not in known and one.code not in hidden]
    drawn = {node.id: _drawn(node, scenario, resources) for node in doc.blocks}
    return Inspected([*refused, *others], drawn, list(_variables(scenario, resources)))


def readable(raw: Mapping[str, Value]) -> tuple[Document, list[Problem]]:
    """The document, or as much of it as can be read, and why the rest cannot."""
    try:
        return parse_document(raw), []
    except DocumentError as error:
        refused = error.problems
    name = raw.get("name")
    doc = Document(
        format=1,
        name=name if isinstance(name, str) and name.strip() else NAMELESS,
        variables=_parts(Variable, raw.get("variables")),
        blocks=list({node.id: node for node in _parts(BlockNode, raw.get("blocks"))}.values()),
        links=_parts(Link, raw.get("links")),
    )
    return doc, [_placed(problem, raw.get("blocks")) for problem in refused]


def _parts(model: Any, raw: Value) -> list[Any]:
    found = []
    for part in raw if isinstance(raw, list) else ():
        try:
            found.append(model.model_validate(part))
        except ValidationError:
            continue  # parse_document has named it already
    return found


def _placed(problem: Problem, blocks: Value) -> Problem:
    """A problem of the document's schema, such as `blocks[2].title`, at its block."""
    step, _dot, rest = (problem.field or "").partition(".")
    number = step.removeprefix("blocks[").removesuffix("]")
    if problem.block is not None or not number.isdecimal() or not isinstance(blocks, list):
        return problem
    block = blocks[int(number)] if int(number) < len(blocks) else None
    name = block.get("id") if isinstance(block, dict) else None
    if not isinstance(name, str):
        return problem
    return Problem(problem.code, problem.message, name, rest.removeprefix("config.") or None, problem.severity)


def _drawn(node: BlockNode, scenario: Examined, resources: Resources) -> Drawn:
    block, config = scenario.known.get(node.type), scenario.configs.get(node.id)
    if block is None:
        return Drawn(node.title, None, None, ("next",), ())
    ports = block.ports_of(config) if config is not None else block.ports_drawn(node.config)
    offered = block.outputs_of(config) if config is not None else block.outputs
    outputs = (
        Output(f"blocks.{node.id}.{name}", name, block.output_titles.get(name), kind)
        for name, kind in offered.items()
        if name != "*"
    )
    return Drawn(node.title or block.title, block, config, ports, tuple(outputs), card_words(config, resources))


def card_words(config: Any, resources: Resources) -> Mapping[str, str]:
    """What the portal calls the stages and fields of the kind of card that a block is about, by their codes, as they
    were last read."""
    crm = resources.crm(entity) if isinstance(entity := getattr(config, "entity", None), str) else None
    return {**crm.fields, **crm.stages} if crm is not None else {}


def _variables(scenario: Examined, resources: Resources) -> Iterable[Known]:
    """Fields of the start, declared variables, those that blocks set, those of the system, each once; then what all
    scenarios share."""
    seen: set[str] = set()
    for block_id, block, config in scenario.checked():
        words = card_words(config, resources)
        fields = filled(scenario, config)
        for name in dict.fromkeys((*block.fills(config), *fields)):
            if name not in seen:
                seen.add(name)
                system = SYSTEM_TITLES.get(name)
                title, of = (system, "") if system else _title(fields.get(name, ""), words, resources)
                yield Known(name, title or name, "any", block_id, of)
    for variable in scenario.doc.variables:
        if variable.name not in seen:
            seen.add(variable.name)
            yield Known(variable.name, variable.name, variable.type, "declared")
    for block_id, _block, config in scenario.checked():
        for name in _set_by(config):
            if name and name not in seen:
                seen.add(name)
                yield Known(name, name, "any", block_id)
    for name in SYSTEM_NAMES:
        if name not in seen:
            yield Known(name, SYSTEM_TITLES[name], "string", "system")
    shared = resources.names()
    for name in sorted(shared.constants):
        yield Known(f"const.{name}", name, "string", "constant", _("Constant"))
    for name in sorted(shared.globals):
        yield Known(f"global.{name}", name, "any", "global", _("Shared variable"))


def _title(code: str, words: Mapping[str, str], resources: Resources) -> tuple[str, str]:
    """What a field of a mapping is called, and whose it is; empty where nobody knows."""
    link, dot, own = code.rpartition(".")
    if not dot:
        return words.get(code, ""), ""
    card = resources.crm(link.lower()) if link in ("CONTACT", "COMPANY") else None
    titles = USER_TITLES if link == "ASSIGNED_BY" else card.fields if card is not None else {}
    title = titles.get(own, "")
    return title, LINK_TITLES[link] if title else ""


def _set_by(config: BlockConfig) -> list[str]:
    item = getattr(config, "as_", None)
    names = [*set_by(config, "local"), *set_by(config, "global")]
    return [*names, item] if isinstance(item, str) else names
