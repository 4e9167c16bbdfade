"""Routes about constants and global variables."""

from typing import Any

from pydantic import StrictStr

from hub.scenarios import variables
from hub.scenarios.models import Constant, GlobalVariable
from hub.values import Value
from hub.web.api.base import Call, Input, route

# The value may have 64 KiB as it is stored; with its letters escaped it arrives up to three times as long.
LIMIT = 4 * variables.MAX_VALUE_BYTES


class ConstantValue(Input):
    """A constant is a text."""

    value: StrictStr


class AnyValue(Input):
    """A global variable holds anything."""

    value: Any


@route("GET", "/constants", summary="All constants", shape="Variable", page=True, role="editor")
def list_constants(call: Call) -> Value:
    """By name."""
    return _all(call, Constant)


@route("GET", "/constants/{name}", summary="One constant", shape="Variable", role="editor")
def read_constant(call: Call, name: str) -> Value:
    """404 when there is none."""
    return _one(call, Constant, name)


@route("PUT", "/constants/{name}", summary="Set a constant", body=ConstantValue, limit=LIMIT, shape="Variable")
def put_constant(call: Call, name: str) -> Value:
    """Made when there is none yet."""
    return _put(call, Constant, name)


@route("DELETE", "/constants/{name}", summary="Take a constant away", status=204)
def delete_constant(call: Call, name: str) -> Value:
    """404 when there is none."""
    _delete(call, Constant, name)


@route("GET", "/variables", summary="All global variables", shape="Variable", page=True)
def list_variables(call: Call) -> Value:
    """By name."""
    return _all(call, GlobalVariable)


@route("GET", "/variables/{name}", summary="One global variable", shape="Variable")
def read_variable(call: Call, name: str) -> Value:
    """404 when there is none."""
    return _one(call, GlobalVariable, name)


@route("PUT", "/variables/{name}", summary="Set a global variable", body=AnyValue, limit=LIMIT, shape="Variable")
def put_variable(call: Call, name: str) -> Value:
    """Made when there is none yet."""
    return _put(call, GlobalVariable, name)


@route("DELETE", "/variables/{name}", summary="Take a global variable away", status=204)
def delete_variable(call: Call, name: str) -> Value:
    """404 when there is none."""
    _delete(call, GlobalVariable, name)


def _all(call: Call, kind: type[Constant] | type[GlobalVariable]) -> Value:
    with call.hub.db.read() as session:
        found = variables.all_of(session, kind, call.portal_id)
        return {"items": [variables.to_dict(row) for row in found], "next": None}


def _one(call: Call, kind: type[Constant] | type[GlobalVariable], name: str) -> Value:
    with call.hub.db.read() as session:
        return variables.to_dict(variables.get(session, kind, call.portal_id, name))


def _put(call: Call, kind: type[Constant] | type[GlobalVariable], name: str) -> Value:
    with call.hub.db.write() as session:
        return variables.to_dict(variables.put(session, kind, call.portal_id, name, call.body.value))


def _delete(call: Call, kind: type[Constant] | type[GlobalVariable], name: str) -> None:
    with call.hub.db.write() as session:
        variables.delete(session, kind, call.portal_id, name)
