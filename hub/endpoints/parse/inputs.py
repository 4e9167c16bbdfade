"""The link and the body together: what a scenario is given, and what is worth a warning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hub.endpoints.parse.body import Body, link_parts
from hub.endpoints.parse.problems import Note
from hub.language.names import SYSTEM_NAMES
from hub.values import Value


@dataclass(frozen=True)
class Inputs:
    """What a request brings: `locals` has every declared field, `query` every parameter but the link's own,
    `undeclared` the parameters that no field takes, `notes` those of the body and of the merge.

    What a CRM brings besides: `bitrix` its cards, `system` the system variables that its fields fill, `empty` why a
    variable has nothing in it, by its name.
    """

    locals: dict[str, Value]
    body: Value
    query: dict[str, Value]
    undeclared: list[str]
    notes: tuple[Note, ...] = ()
    bitrix: Mapping[str, Value] = field(default_factory=dict)
    system: Mapping[str, Value] = field(default_factory=dict)
    empty: Mapping[str, str] = field(default_factory=dict)


def merge(fields: Sequence[str], query: Mapping[str, Value], body: Body | None) -> Inputs:
    """Fill the declared fields from the link and the body; the body wins wherever it has the name, even empty.

    Names are compared exactly and on the top level only. A field that came neither way is an empty text.
    """
    sent = body.value if body is not None and isinstance(body.value, dict) else {}
    linked = {name: value for name, value in query.items() if name not in link_parts}
    values: dict[str, Value] = {}
    notes = list(body.notes) if body is not None else []
    for declared in fields:
        values[declared] = sent[declared] if declared in sent else linked.get(declared, "")
        if declared in sent and _is_empty(sent[declared]) and not _is_empty(linked.get(declared, "")):
            message = "The body sent this field empty, so its value in the link was not used."
            notes.append(Note("empty_hides_link", message, declared))
    for name in sent:
        if name in SYSTEM_NAMES:
            message = "This is the name of a system variable; the value that came is read as body.<name>."
            notes.append(Note("reserved_name", message, name))
    taken = set(fields)
    undeclared = [name for name in linked if name not in taken]
    return Inputs(values, None if body is None else body.value, linked, undeclared, tuple(notes))


def _is_empty(value: Value) -> bool:
    return value is None or value == "" or value == [] or value == {}
