"""Routes about what scenarios are made of: the blocks there are, and what the editor draws of a document."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flask_babel import format_timedelta, gettext
from pydantic import Field
from sqlmodel import Session

from hub.delivery import lines
from hub.scenarios import form
from hub.scenarios.block import Block, JsonType, Problem, Summary
from hub.scenarios.check_resources import CheckResources
from hub.scenarios.document import BlockNode
from hub.scenarios.inspecting import Drawn, Known, inspect
from hub.scenarios.registry import blocks
from hub.values import Value
from hub.web.api.base import DOCUMENT_LIMIT, MAX_INT, Call, Input, route
from hub.web.sentences import said

GROUPS = ("start", "message", "logic", "data", "bitrix24", "answer")
MAX_SUMMARY = 160


class CheckInput(Input):
    """A document as it is being drawn, and the scenario that it is of."""

    document: dict[str, Any]
    scenario: int = Field(0, ge=0, le=MAX_INT)


@route("GET", "/blocks", summary="All blocks", shape="Block", page=True)
def list_blocks(call: Call) -> Value:
    """With the form of each, in the language of whoever asks; `default` is the config of one just drawn."""
    with call.hub.db.read() as session:
        return {"items": described(session, call.portal_id), "next": None}


@route(
    "POST",
    "/scenarios/check",
    summary="Look a document over",
    body=CheckInput,
    limit=DOCUMENT_LIMIT,
    shape="Checked",
    role="viewer",
)
def check_document(call: Call) -> Value:
    """Nothing is saved, and the document need not be one that could be: what can be read of it is told."""
    given: CheckInput = call.body
    with call.hub.db.read() as session:
        return checked(session, call.portal_id, given.document, given.scenario)


def described(session: Session, portal_id: int) -> list[dict[str, Any]]:
    """Every block as the editor shows it, by groups."""
    known = lines.all_of(session, portal_id)
    only = known[0].name if len(known) == 1 else None
    ordered = sorted(blocks().values(), key=lambda block: (GROUPS.index(block.group), block.type))
    return [_described(block, only) for block in ordered]


def checked(session: Session, portal_id: int, document: Mapping[str, Value], scenario_id: int = 0) -> dict[str, Any]:
    """What the editor has to know of a document."""
    found = inspect(document, CheckResources(session, portal_id, scenario_id or None))
    return {
        "problems": [problem_shown(problem, found.blocks.get(problem.block or "")) for problem in found.problems],
        "blocks": {block_id: _drawn(drawn) for block_id, drawn in found.blocks.items()},
        "variables": [
            {"path": known.path, "title": _called(known), "type": known.type, "from": known.source}
            for known in found.variables
        ],
    }


def _called(known: Known) -> str:
    """What a variable is called: “Contact · Name”."""
    return f"{say(known.of)} · {say(known.title)}" if known.of else say(known.title)


def problem_shown(problem: Problem, drawn: Drawn | None = None) -> dict[str, Any]:
    """A problem in the language of whoever asks; a field of the block as it was drawn is called by its title."""
    message = problem.message
    if drawn is not None and drawn.block is not None and problem.field:
        message = message.replace(f"“{problem.field}”", f"“{_title(drawn.block, problem.field)}”", 1)
    return {
        "code": problem.code,
        "message": said(message),
        "block": problem.block,
        "path": problem.field,
        "severity": problem.severity,
    }


def say(text: str) -> str:
    """A marked text in the language of whoever asks; what a person has written stays as it is."""
    return str(gettext(str(text))) if isinstance(text, form.Marked) and text else str(text)


def _title(block: Block, path: str) -> str:
    """What the field of a config at a path is called; its own name where it has no title."""
    plain = re.sub(r"\[[0-9]+\]", "", path)
    return next(
        (schema["title"] for at, schema in form.texts_of(_form(block)) if at == plain and "title" in schema), path
    )


class Titles:
    """What a document's blocks, fields and exits are called in the language of whoever asks."""

    def block(self, node: BlockNode) -> str:
        """Its own title, else its type's."""
        known = blocks().get(node.type)
        return node.title or (say(known.title) if known else node.type)

    def beside(self, node: BlockNode) -> str:
        """Its id, which texts name it by."""
        return node.id

    def field(self, node: BlockNode, path: str) -> str:
        """The title of the field."""
        own = {"type": gettext("Type of the block"), "title": gettext("Name of the block"), "note": gettext("Note")}
        known = blocks().get(node.type)
        return own.get(path) or (_title(known, path) if known else path)

    def port(self, node: BlockNode, port: str) -> str:
        """The title of the exit."""
        return say(form.PORTS.get(port, port))


def _form(block: Block) -> form.Schema:
    return form.form_of(block.Config, say)


def _described(block: Block, line: str | None) -> dict[str, Any]:
    schema = _form(block)
    default = dict(block.first)
    if line is not None and "line" in schema["properties"]:
        default["line"] = line
    return {
        "type": block.type,
        "version": block.version,
        "title": say(block.title),
        "about": say(block.about),
        "group": block.group,
        "icon": block.icon,
        "trigger": block.start,
        "schema": schema,
        "default": default,
        "ports": _ports(block.ports_drawn(default)),
        "outputs": [_output(name, block.output_titles, kind) for name, kind in block.outputs.items() if name != "*"],
    }


def _drawn(drawn: Drawn) -> dict[str, Any]:
    titles: Mapping[str, str] = {} if drawn.block is None else drawn.block.output_titles
    return {
        "title": say(drawn.title),
        "ports": _ports(drawn.ports),
        "outputs": [{"path": one.path, **_output(one.name, titles, one.type)} for one in drawn.outputs],
        "summary": summary_shown(drawn.summary, drawn.words),
    }


def _ports(ports: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"id": port, "title": say(form.PORTS.get(port, port))} for port in ports]


def _output(name: str, titles: Mapping[str, str], kind: JsonType) -> dict[str, str]:
    return {"name": name, "title": say(titles.get(name, name)), "type": kind}


def summary_shown(summary: Summary | None, words: Mapping[str, str] = MappingProxyType({})) -> str:
    """What a block does, in one line in the language of whoever asks; empty where there is nothing to say. `words` are
    the portal's own for codes of its CRM."""
    if summary is None:
        return ""
    text, values = summary
    told = " ".join((say(text) % {name: _value(value, words) for name, value in values.items()}).split())
    return told if len(told) <= MAX_SUMMARY else told[: MAX_SUMMARY - 1] + "…"


def _value(value: str | int | float | tuple[str, ...], words: Mapping[str, str]) -> str:
    if isinstance(value, tuple):
        return ", ".join(words.get(code, code) for code in value)
    return say(value) if isinstance(value, str) else str(format_timedelta(value, threshold=1.5))
