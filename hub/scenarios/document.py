"""The scenario document: what is kept of a scenario, read from JSON or YAML and written back byte for byte.

Here only what cannot be kept at all is refused (`DocumentError`); everything else that may be wrong with a scenario
is found by `hub.scenarios.check`. Block types and configs that nobody here knows survive reading and writing.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from hub.language import field_problem
from hub.scenarios import invalid
from hub.scenarios.block import JsonType, Problem
from hub.scenarios.reading import MAX_BYTES, Unreadable, read_json, read_yaml, tidy
from hub.scenarios.registry import blocks as known_blocks
from hub.scenarios.writing import yaml_text
from hub.values import Number, Value, dumps

MAX_BLOCKS = 200
MAX_FIELDS = 50
MAX_LINKS = 1_000
MAX_VARIABLES = 200
YAML_TYPES = frozenset({"application/yaml", "application/x-yaml", "text/yaml"})

_block_id = re.compile(r"[^\W\d][\w-]{0,63}\Z")
_field_messages = {
    "reserved_name": "The name “{name}” is taken by the product; choose another.",
    "bad_name": "“{name}” is no name: use letters, digits, _ and -, beginning with a letter or _.",
    "too_long": "The name “{name}” is longer than 64 characters.",
    "empty_name": "A name is empty.",
}


class DocumentError(ValueError):
    """A document that cannot be kept (422); `problems` says why, all of them errors."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


Pixels = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False), AfterValidator(lambda at: round(at, 3) + 0.0)]


class Position(_Part):
    """Where the editor draws a block, in its own pixels."""

    x: Pixels
    y: Pixels


class BlockNode(_Part):
    """One block as written; `config` is checked only when the scenario is."""

    id: str
    type: str = Field(min_length=1, max_length=64)
    version: int = Field(default=1, ge=1, le=1000)
    title: str = Field(default="", max_length=200)
    note: str = Field(default="", max_length=4000)
    position: Position | None = None
    config: dict[str, Any] = Field(default_factory=dict)


class Link(_Part):
    """From a port of one block to another block."""

    from_: str = Field(alias="from", max_length=200)
    port: str = Field(default="next", min_length=1, max_length=64)
    to: str = Field(max_length=200)


class Variable(_Part):
    """A local variable that the scenario declares."""

    name: str
    type: JsonType = "any"
    default: Any = None


class Document(_Part):
    """A whole scenario."""

    format: Literal[1]
    name: str
    variables: list[Variable] = Field(default_factory=list, max_length=MAX_VARIABLES)
    blocks: list[BlockNode] = Field(default_factory=list)
    links: list[Link] = Field(default_factory=list, max_length=MAX_LINKS)


def parse_document(raw: bytes | str | Mapping[str, Value], content_type: str | None = None) -> Document:
    """Read a document from JSON, from YAML (by `content_type`, or when it is no JSON and no type is given) or from
    a mapping. Raises DocumentError with everything that keeps it from being kept."""
    value = _read(raw, content_type)
    if not isinstance(value, dict):
        raise DocumentError([Problem("schema", "A scenario must be an object with format, name and blocks.")])
    if not isinstance(value.get("name"), str) or not value["name"].strip():
        raise DocumentError([Problem("name_required", "The scenario needs a name.", field="name")])
    try:
        doc = Document.model_validate(value)
    except ValidationError as error:
        raise DocumentError(list(schema_problems(error))) from None
    doc = _normalised(doc)
    problems = list(_problems(doc))
    if problems:
        raise DocumentError(problems)
    return doc


def name_key(name: str) -> str:
    """The form in which two scenario names are the same name."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).strip().casefold())


def name_problem(name: str) -> Problem | None:
    """What is wrong with a scenario's name (already trimmed), if anything."""
    if not name:
        return Problem("name_required", "The scenario needs a name.", field="name")
    if len(name) > 100 or len(unicodedata.normalize("NFKC", name)) > 400:
        return Problem("bad_scenario_name", "The name is longer than 100 characters.", field="name")
    if any(_is_control(letter) for letter in name):
        return Problem("bad_scenario_name", "The name holds a control character.", field="name")
    return None


def to_dict(doc: Document) -> dict[str, Value]:
    """The document as a value, in a fixed order and without what is only a default."""
    shown: dict[str, Value] = {"format": Number("1"), "name": doc.name}
    if doc.variables:
        shown["variables"] = [_variable(variable) for variable in doc.variables]
    shown["blocks"] = [_block(node) for node in doc.blocks]
    shown["links"] = [{"from": link.from_, "port": link.port, "to": link.to} for link in doc.links]
    return shown


def to_json(doc: Document) -> str:
    """The document as compact JSON, always the same bytes."""
    return dumps(to_dict(doc))


def to_yaml(doc: Document) -> str:
    """The document as YAML, always the same bytes."""
    return yaml_text(to_dict(doc))


def schema_problems(error: ValidationError, block: str | None = None, code: str = "schema") -> Iterator[Problem]:
    """A validation error as problems, one clear sentence each, with the path of the field."""
    for detail in error.errors(include_url=False, include_input=False):
        path = field_path(detail["loc"])
        yield Problem(code, invalid.sentence(path, detail), block=block, field=path or None)


def field_path(steps: tuple[int | str, ...]) -> str:
    """Steps into a config as people write them: `branches[0].all[1].left`."""
    path = ""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


def _read(raw: bytes | str | Mapping[str, Value], content_type: str | None) -> Value:
    kind = (content_type or "").partition(";")[0].strip().lower()
    try:
        if isinstance(raw, Mapping):
            return tidy(dict(raw))
        if len(raw) > MAX_BYTES or (isinstance(raw, str) and len(raw.encode(errors="replace")) > MAX_BYTES):
            raise Unreadable(f"The document has more than {MAX_BYTES} bytes.")
        text = raw if isinstance(raw, str) else raw.decode("utf-8-sig")
        if kind in YAML_TYPES or (not kind and not text.lstrip().startswith("{")):
            return read_yaml(text)
        return read_json(text)
    except UnicodeDecodeError:
        raise DocumentError([Problem("unreadable", "The document is not UTF-8.")]) from None
    except Unreadable as error:
        message = error.message
        if error.line:
            message = f"{error.message} This is in line {error.line}, column {error.column}."
        raise DocumentError([Problem("unreadable", message)]) from None


def _normalised(doc: Document) -> Document:
    def nfc(text: str) -> str:
        return unicodedata.normalize("NFC", text)

    nodes = []
    for node in doc.blocks:
        changes: dict[str, Any] = {"id": nfc(node.id)}
        fields = node.config.get("fields")
        if node.type == "incoming_webhook" and isinstance(fields, list):
            tidied = [nfc(name) if isinstance(name, str) else name for name in fields]
            changes["config"] = node.config | {"fields": tidied}
        nodes.append(node.model_copy(update=changes))
    links = [link.model_copy(update={"from_": nfc(link.from_), "to": nfc(link.to)}) for link in doc.links]
    variables = [variable.model_copy(update={"name": nfc(variable.name)}) for variable in doc.variables]
    return doc.model_copy(
        update={"name": nfc(doc.name).strip(), "blocks": nodes, "links": links, "variables": variables}
    )


def _problems(doc: Document) -> Iterator[Problem]:
    bad_name = name_problem(doc.name)
    if bad_name:
        yield bad_name
    if len(doc.blocks) > MAX_BLOCKS:
        yield Problem("too_many_blocks", f"A scenario has at most {MAX_BLOCKS} blocks.", field="blocks")
    seen: set[str] = set()
    for number, node in enumerate(doc.blocks):
        place = f"blocks[{number}].id"
        if not _block_id.match(node.id):
            message = f"“{node.id[:64]}” is no block id: use letters, digits, _ and -, at most 64."
            yield Problem("bad_id", message, field=place)
        elif node.id in seen:
            yield Problem("duplicate_id", f"Two blocks have the id “{node.id}”.", node.id, place)
        seen.add(node.id)
    yield from names_problems([variable.name for variable in doc.variables], None, "variables")
    known = known_blocks()
    starts = [node for node in doc.blocks if node.type in known and known[node.type].start]
    for node in starts[1:]:
        yield Problem("two_starts", "A scenario has only one start block.", node.id, "type")
    for node in starts:
        fields = node.config.get("fields")
        if node.type == "incoming_webhook" and isinstance(fields, list):
            names = [name for name in fields if isinstance(name, str)]
            yield from names_problems(names, node.id, "fields")
            if len(fields) > MAX_FIELDS:
                yield Problem("too_many_fields", f"There are more than {MAX_FIELDS} fields.", node.id, "fields")


def names_problems(names: list[str], block: str | None, field: str) -> Iterator[Problem]:
    """What is wrong with the names of fields or variables: bad, reserved or there twice."""
    seen: set[str] = set()
    for number, name in enumerate(names):
        place = f"{field}[{number}]"
        code = field_problem(name)
        if code:
            yield Problem(code, _field_messages[code].format(name=name[:64]), block, place)
        elif name in seen:
            yield Problem("duplicate_field", f"The name “{name}” is there twice.", block, place)
        seen.add(name)


def _is_control(letter: str) -> bool:
    bidi = "\u202a" <= letter <= "\u202e" or "\u2066" <= letter <= "\u2069" or letter in "\u061c\u200e\u200f"
    return bidi or unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")


def _block(node: BlockNode) -> dict[str, Value]:
    shown: dict[str, Value] = {"id": node.id, "type": node.type}
    if node.version != 1:
        shown["version"] = Number(str(node.version))
    if node.title:
        shown["title"] = node.title
    if node.note:
        shown["note"] = node.note
    if node.position:
        shown["position"] = {"x": _pixels(node.position.x), "y": _pixels(node.position.y)}
    if node.config:
        shown["config"] = node.config
    return shown


def _pixels(value: float) -> Number:
    return Number(f"{value:.3f}".rstrip("0").rstrip("."))


def _variable(variable: Variable) -> dict[str, Value]:
    shown: dict[str, Value] = {"name": variable.name}
    if variable.type != "any":
        shown["type"] = variable.type
    if variable.default is not None:
        shown["default"] = variable.default
    return shown
