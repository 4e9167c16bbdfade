"""The form of a block: JSON Schema of its config as the editor draws it, made from the config's own declaration.

Every field says its `title`, perhaps a `description`, and by `hint` what it is filled in with where its type alone does
not tell. Texts are marked with `_` here and translated by whoever shows them.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel

Schema = dict[str, Any]
Widget = Literal[
    "template",
    "template_multiline",
    "value",
    "line",
    "messenger",
    "scenario",
    "entity",
    "funnel",
    "stage",
    "mapping",
    "branches",
    "rows",
    "group",
    "pairs",
    "names",
    "json",
    "duration_s",
    "switch",
    "choice",
    "text",
    "number",
]


class Marked(str):
    """A text that stands in the catalogue of translations, unlike one that a person has written."""

    __slots__ = ()


def _(text: str) -> Marked:
    """Marks a text for the catalogue of translations."""
    return Marked(text)


PORTS: Mapping[str, str] = {
    "next": _("next"),
    "error": _("error"),
    "else": _("otherwise"),
    "timeout": _("timed out"),
    "each": _("for each"),
}
"""What the exits are called; one that a config names is called by that name."""
ENTITIES: Mapping[str, str] = {
    "deal": _("Deal"),
    "contact": _("Contact"),
    "lead": _("Lead"),
    "company": _("Company"),
}
"""What the kinds of cards are called; those of smart processes have names of their own in the portal."""


def hint(
    widget: Widget | None = None,
    *,
    more: bool = False,
    titles: Mapping[str, str] | None = None,
    suggest: Literal["crm_fields", "paths"] | None = None,
    channels: tuple[str, ...] = (),
    when: Mapping[str, tuple[str, ...]] | None = None,
) -> Schema:
    """How a field is drawn, for its `json_schema_extra`. `more`: among those that are shown on demand. `titles`: what
    the values of an enumeration are called. `channels`: shown for lines of these messengers only. `when`: shown while
    each of these fields beside it has one of the values."""
    told: Schema = {"x-widget": widget, "x-titles": titles, "x-suggest": suggest, "x-channels": list(channels)}
    if when:
        told["x-when"] = {name: list(values) for name, values in when.items()}
    shown = {name: value for name, value in told.items() if value}
    return shown | {"x-more": True} if more else shown


def form_of(config: type[BaseModel], say: Callable[[str], str]) -> Schema:
    """The schema of a config: without references, its texts said by `say`, each property with its `x-order` and
    `x-widget`; what may be null is marked `x-nullable`."""
    schema = config.model_json_schema()
    return _object(schema, schema.pop("$defs", {}), say)


def texts_of(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Every property of a form with its path, those of lists of objects included."""
    for name, part in schema.get("properties", {}).items():
        yield name, part
        for inner in (part, part.get("items")):
            if isinstance(inner, dict):
                for path, found in texts_of(inner):
                    yield f"{name}.{path}", found


def _object(schema: Schema, known: Mapping[str, Schema], say: Callable[[str], str]) -> Schema:
    # Docstrings of models are written for programmers, and made-up titles for nobody.
    shown: Schema = {name: value for name, value in schema.items() if name not in ("title", "description")}
    shown["properties"] = {
        name: _property(part, known, say) | {"x-order": at}
        for at, (name, part) in enumerate(schema["properties"].items())
    }
    return shown


def _property(schema: Schema, known: Mapping[str, Schema], say: Callable[[str], str]) -> Schema:
    plain = _part(schema, known, say)
    for name in ("title", "description"):
        if schema.get(name):
            plain[name] = say(schema[name])
    if "x-titles" in plain:
        plain["x-titles"] = {value: say(Marked(text)) for value, text in plain["x-titles"].items()}
    plain.setdefault("x-widget", _widget(plain))
    return plain


def _part(schema: Schema, known: Mapping[str, Schema], say: Callable[[str], str]) -> Schema:
    """A schema without references and without the branch for null."""
    own = {name: value for name, value in schema.items() if name not in ("$ref", "anyOf", "title", "description")}
    if "$ref" in schema:
        return _part(known[schema["$ref"].rpartition("/")[2]], known, say) | own
    choices = [_part(choice, known, say) for choice in schema.get("anyOf", ())]
    others = [choice for choice in choices if choice.get("type") != "null"]
    if len(others) < len(choices):
        own["x-nullable"] = True
    if len(others) == 1:
        return others[0] | own
    if others:
        return own | {"anyOf": others}
    if "properties" in own:
        return _object(own, known, say)
    for name in ("items", "additionalProperties"):
        if isinstance(own.get(name), dict):
            own[name] = _part(own[name], known, say)
    return own


def _widget(schema: Schema) -> Widget:
    if "template" in schema:
        return "template" if schema["template"] == "text" else "value"
    if "enum" in schema or "const" in schema:
        return "choice"
    if "properties" in schema:
        return "group"
    if isinstance(schema.get("additionalProperties"), dict):
        return "pairs"
    if schema.get("type") == "array":
        return "rows" if "properties" in schema.get("items", {}) else "names"
    by_type: Mapping[str, Widget] = {"boolean": "switch", "integer": "number", "number": "number", "string": "text"}
    return by_type.get(str(schema.get("type")), "json")
