"""Forms drawn from a JSON Schema, as `_macros/form.html` shows them: what stands in them, and what comes back.

A stored secret is never among the values: its field holds "•••", and what comes back as that stays as it was.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["text", "password", "number", "choice"]


@dataclass(frozen=True)
class Words:
    """What a field is called, and where one finds what belongs into it."""

    title: Any
    hint: Any = ""


@dataclass(frozen=True)
class Field:
    """One field of a form. `choices`: the values that may be chosen, with their words. `shown`: at once, not only on
    demand."""

    name: str
    title: str
    hint: str
    kind: Kind
    value: str
    required: bool
    shown: bool
    error: str
    choices: Mapping[str, str]
    longest: int


def fields(
    schema: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    words: Mapping[str, Words],
    secrets: Collection[str] = (),
    choices: Mapping[str, Mapping[str, Any]] | None = None,
    errors: Mapping[str, str] | None = None,
) -> list[Field]:
    """A field for each property of a schema of an object, those that must be filled first, then those marked `shown`;
    one that is not among the values shows its default."""
    required = schema.get("required", [])
    made = []
    for name, described in schema.get("properties", {}).items():
        kind = _kind(described)
        spoken = words.get(name, Words(described.get("title", name)))
        offered = {key: str(text) for key, text in (choices or {}).get(name, {}).items()}
        value = values.get(name, described.get("default"))
        made.append(
            Field(
                name=name,
                title=str(spoken.title),
                hint=str(spoken.hint),
                kind="choice" if offered else "password" if name in secrets else kind,
                value="" if value is None else str(value),
                required=name in required,
                shown=name in required or bool(described.get("shown")),
                error=(errors or {}).get(name, ""),
                choices=offered,
                longest=described.get("maxLength", 2_000),
            )
        )
    return sorted(made, key=lambda field: (not field.required, not field.shown))


def given(schema: Mapping[str, Any], form: Mapping[str, str], prefix: str) -> dict[str, Any]:
    """What a form says, by the names of the schema; an empty field means the default."""
    found: dict[str, Any] = {}
    for name in schema.get("properties", {}):
        if prefix + name not in form:
            continue
        text = form[prefix + name].strip()
        found[name] = text if text else None
    return found


def errors_at(errors: Collection[Mapping[str, Any]], start: str) -> dict[str, str]:
    """The messages of the errors of a part, by the field they are about: of `/config/token` those of `token`."""
    return {
        str(one["pointer"]).removeprefix(start): str(one["message"])
        for one in errors
        if str(one.get("pointer", "")).startswith(start)
    }


def _kind(described: Mapping[str, Any]) -> Kind:
    options = [described, *described.get("anyOf", [])]
    if any(one.get("format") == "password" or one.get("writeOnly") for one in options):
        return "password"
    if any(one.get("type") in ("number", "integer") for one in options):
        return "number"
    return "text"
