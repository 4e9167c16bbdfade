"""openapi.json: OpenAPI 3.1, made from the same declarations that the routes are made from."""

import json
import re
from typing import Any

from pydantic import BaseModel

from hub.values import Value
from hub.web.api.base import PREFIX, ROUTES, WHOLE_NUMBERS, YAML_TYPES, Call, Route, route
from hub.web.api.shapes import SHAPES, Schema

_REF = "#/components/schemas/{model}"


@route("GET", "/openapi.json", summary="This description", public=True)
def read_description(call: Call) -> Value:
    """Needs no key."""
    return describe(call.hub.settings.base_url)


def describe(base_url: str) -> dict[str, Any]:
    """Every route of the management API."""
    schemas: dict[str, Schema] = dict(SHAPES)
    paths: dict[str, dict[str, Any]] = {}
    for declared in ROUTES:
        paths.setdefault(declared.path, {})[declared.method.lower()] = _operation(declared, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Hubline management API", "version": "1"},
        "servers": [{"url": base_url + PREFIX}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(declared: Route, schemas: dict[str, Schema]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": declared.endpoint.removeprefix("api."),
        "summary": declared.summary,
        "description": (declared.handler.__doc__ or "").strip(),
        "tags": [declared.subject],
        "parameters": [*_path_parameters(declared.path), *_query_parameters(declared)],
        "responses": {
            str(declared.status): _success(declared),
            "default": {
                "description": "What went wrong.",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        },
    }
    if declared.public:
        operation["security"] = []
    if declared.body is not None:
        operation["requestBody"] = _body(declared, schemas)
    return operation


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "integer", "minimum": 0} if name in WHOLE_NUMBERS else {"type": "string"},
        }
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def _query_parameters(declared: Route) -> list[dict[str, Any]]:
    model = declared.query.model_json_schema()
    return [
        {"name": name, "in": "query", "required": name in model.get("required", ()), "schema": schema}
        for name, schema in model.get("properties", {}).items()
    ]


def _success(declared: Route) -> dict[str, Any]:
    if declared.status == 204:
        return {"description": "Done."}
    schema: Schema = {} if declared.shape is None else {"$ref": f"#/components/schemas/{declared.shape}"}
    if declared.page:
        schema = {
            "type": "object",
            "properties": {"items": {"type": "array", "items": schema}, "next": {"type": ["string", "null"]}},
            "required": ["items", "next"],
        }
    content = {"application/json": {"schema": schema}}
    if declared.path.endswith("/document"):
        content[YAML_TYPES[0]] = {"schema": {}}
    return {"description": declared.summary + ".", "content": content}


def _body(declared: Route, schemas: dict[str, Schema]) -> dict[str, Any]:
    if isinstance(declared.body, str):
        schema: Schema = {"type": "object", "required": ["format", "name", "blocks"]}
        return {"required": True, "content": {kind: {"schema": schema} for kind in ("application/json", *YAML_TYPES)}}
    if declared.body is None:
        raise ValueError("this route takes no body")
    name = _adopt(declared.body, schemas)
    schema = {"$ref": _REF.format(model=name)}
    return {"required": not declared.optional, "content": {"application/json": {"schema": schema}}}


def _adopt(model: type[BaseModel], schemas: dict[str, Schema]) -> str:
    """Put a body's schema, and those it uses, among the components."""
    # Titles may be marked for translation; here they are plain texts.
    schema = json.loads(json.dumps(model.model_json_schema(ref_template=_REF)))
    schemas.update(schema.pop("$defs", {}))
    schemas[model.__name__] = schema
    return model.__name__
