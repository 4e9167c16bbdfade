"""A robot's inputs and results between the two worlds: what the portal declares, and the values themselves. Pure."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.scenarios.blocks.bitrix24_robot import Input
from hub.scenarios.check import Program
from hub.scenarios.contract import result_schema
from hub.values import Number, Value, as_number, as_text, literal

STATUS, ERROR = "status", "error"
"""Every robot returns these two, so that a process can branch on a run that did not end well."""
LONGEST = 60_000
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}\Z")
_TYPES = {"string": "string", "number": "double", "boolean": "bool"}
_OWN = {STATUS: {"ru": "Итог", "en": "Status"}, ERROR: {"ru": "Ошибка", "en": "Error"}}


@dataclass(frozen=True)
class Returned:
    """A result by its name in the scenario; `type` is the portal's: string, double, bool or text."""

    name: str
    type: str


def results_of(program: Program) -> dict[str, Returned]:
    """What a scenario returns, by the key that the portal knows it by. Keys are Latin there, and letter case does not
    count; a name that cannot be one gets a key that stays the same from version to version."""
    if not any(node.type == "return_result" for node in program.nodes.values()):
        return {}
    found: dict[str, Returned] = {}
    taken = {STATUS, ERROR}
    for name, schema in result_schema(program)["properties"].items():
        key = name
        if not _KEY.match(name) or name.casefold() in taken:
            key = f"r_{hashlib.sha256(name.encode()).hexdigest()[:12]}"
        taken.add(key.casefold())
        found[key] = Returned(name, _type(schema))
    return found


def declared_results(program: Program) -> dict[str, Value]:
    """RETURN_PROPERTIES of a scenario's robot."""
    own = {key: _property(name, "string") for key, name in _OWN.items()}
    return own | {key: _property(one.name, one.type) for key, one in results_of(program).items()}


def declared_inputs(inputs: Sequence[Input]) -> dict[str, Value]:
    """PROPERTIES of a scenario's robot."""
    return {one.name: {**_property(one.title or one.name, one.type), "Default": ""} for one in inputs}


def given(inputs: Sequence[Input], properties: Value) -> dict[str, Value]:
    """The values that a process filled in, as the scenario's variables; the portal posts nothing but texts."""
    sent = properties if isinstance(properties, dict) else {}
    return {one.name: _given(one.type, sent.get(one.name, "")) for one in inputs}


def returned(
    program: Program | None, status: str, result: Mapping[str, Value] | None, error: Mapping[str, Value] | None
) -> dict[str, Value]:
    """The return values of a robot whose run came to `status`."""
    said = "" if error is None else f"{as_text(error.get('code'))}: {as_text(error.get('message'))}"
    values: dict[str, Value] = {STATUS: status, ERROR: said[:LONGEST]}
    for key, one in results_of(program).items() if program is not None and result is not None else ():
        if one.name in (result or {}):
            values[key] = _returned(one.type, (result or {})[one.name])
    return values


def _property(name: str | Mapping[str, str], kind: str) -> dict[str, Value]:
    return {"Name": name if isinstance(name, str) else dict(name), "Type": kind, "Multiple": "N", "Required": "N"}


def _type(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    kinds = [one for one in kind if one != "null"] if isinstance(kind, list) else [kind]
    return _TYPES.get(str(kinds[0]), "text") if len(kinds) == 1 else "text"


def _given(kind: str, value: Value) -> Value:
    if isinstance(value, list | dict):
        return value
    text = as_text(value)
    if kind in ("int", "double"):
        number = as_number(text)
        return text if number is None else Number(literal(number))
    if kind == "bool":
        return {"Y": True, "1": True, "N": False, "0": False}.get(text.upper(), text)
    return text.removeprefix("user_") if kind == "user" else text


def _returned(kind: str, value: Value) -> Value:
    if value is None:
        return ""
    if kind == "double":
        number = as_number(value)
        return as_text(value) if number is None else Number(literal(number))
    if kind == "bool":
        return "Y" if value is True or as_text(value).lower() in ("true", "1", "y") else "N"
    return as_text(value)[:LONGEST]
