"""What a caller of a scenario may rely on: the JSON Schema of the answer's `data`, an example, and OpenAPI."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from hub.language import TemplateError, compile_template
from hub.scenarios.block import JsonType
from hub.scenarios.check import Program
from hub.values import Number, Value, type_name

Schema = dict[str, Any]
_types: dict[JsonType, Schema] = {
    "string": {"type": "string"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "object": {"type": "object"},
    "list": {"type": "array"},
    "any": {},
}
_examples: dict[str, Value] = {"string": "text", "number": Number("1"), "boolean": True, "null": None}
_dialect = "https://json-schema.org/draft/2020-12/schema"


def result_schema(program: Program) -> Schema:
    """JSON Schema (2020-12) of `data`: what the `return_result` blocks build, else the outputs of the blocks."""
    returns = [node.config for node in program.nodes.values() if node.type == "return_result"]
    properties: dict[str, Schema] = {}
    if not returns:
        for block_id, node in program.nodes.items():
            outputs = node.block.outputs_of(node.config)
            if outputs:
                properties[block_id] = _outputs(outputs)
        return {"$schema": _dialect, "type": "object", "properties": properties}
    for config in returns:
        for name, template in config.values.items():
            declared = config.types.get(name)
            schema = dict(_types[declared]) if declared else _of_template(template, program)
            known = properties.setdefault(name, schema)
            if known != schema:
                properties[name] = {}
    always = set.intersection(*(set(config.values) for config in returns))
    required = [name for name in properties if name in always]
    return {"$schema": _dialect, "type": "object", "properties": properties, "required": required}


def example(schema: Mapping[str, Any]) -> Value:
    """A value of a schema that `result_schema` made."""
    if schema.get("type") == "object":
        return {name: example(inner) for name, inner in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        return [example(schema["items"])] if schema.get("items") else []
    kind = schema.get("type")
    return _examples.get(kind[0] if isinstance(kind, list) else str(kind))


def openapi(program: Program, scenario_id: int, base_url: str) -> dict[str, Any]:
    """OpenAPI 3.1 of the usual and the results link. The token is a parameter; its value is never in it."""
    data = {key: value for key, value in result_schema(program).items() if key != "$schema"}
    accepted = _object(status=_const("accepted", "duplicate", "captured", "ok"), request={}, run={})
    done = _object(status=_const("done"), run={"type": "string"}, data=data)
    running = _object(status=_const("running"), run={"type": "string"}, result_url={"type": "string"})
    error = _object(code={"type": "string"}, message={"type": "string"})
    failed = _object(status=_const("failed"), run={"type": "string"}, block={"type": "string"}, error=error)
    refusals = {
        "400": {"description": "The request cannot be read."},
        "404": {"description": "There is no such link."},
        "413": {"description": "The request is too large."},
    }
    results = {
        "200": _answer("The run has returned its result.", done),
        "202": _answer("The run goes on; ask again at result_url.", running),
        "409": {"description": "The scenario is switched off."},
        "422": _answer("The run failed because of its data.", failed),
        "502": _answer("The run failed at the messenger.", failed),
    }
    usual = {"200": _answer("The request is stored.", accepted)}
    link = "/api/request/"
    return {
        "openapi": "3.1.0",
        "info": {"title": program.name, "version": "1"},
        "servers": [{"url": base_url.rstrip("/")}],
        "paths": {
            link: _path(program, scenario_id, "request", usual | refusals),
            f"{link}get_result/": _path(program, scenario_id, "result", results | refusals),
        },
    }


def _path(program: Program, scenario_id: int, name: str, responses: Schema) -> Schema:
    def parameter(field: str, schema: Schema, required: bool = False) -> Schema:
        return {"name": field, "in": "query", "required": required, "schema": schema}

    text = _types["string"]
    whole = {"type": "integer", "const": scenario_id}
    fields = {"type": "object", "properties": {field: {} for field in program.fields}}
    post = {
        "operationId": f"{name}_post",
        "requestBody": {"required": False, "content": {"application/json": {"schema": fields}}},
        "responses": responses,
    }
    item: Schema = {
        "parameters": [
            parameter("token", text, required=True),
            parameter("template_id", whole),
            *(parameter(field, text) for field in program.fields),
        ],
        "post": post,
    }
    if not getattr(program.start_config, "post_only", False):
        item["get"] = {"operationId": f"{name}_get", "responses": responses}
    return item


def _outputs(outputs: Mapping[str, JsonType]) -> Schema:
    named = {name: dict(_types[kind]) for name, kind in outputs.items() if name != "*"}
    return {"type": "object", "properties": named}


def _of_template(template: Value, program: Program) -> Schema:
    """The type of a value template as far as it can be known without running it."""
    if isinstance(template, dict):
        named = {key: _of_template(item, program) for key, item in template.items()}
        return {"type": "object", "properties": named, "required": list(named)}
    if isinstance(template, list):
        items = [_of_template(item, program) for item in template]
        same = bool(items) and all(item == items[0] for item in items)
        return {"type": "array", "items": items[0]} if same else {"type": "array"}
    if not isinstance(template, str):
        kind = "number" if isinstance(template, Decimal) else type_name(template)
        return {"type": "null"} if kind == "null" else dict(_types[cast(JsonType, kind)])
    return _of_text(template, program)


def _of_text(source: str, program: Program) -> Schema:
    try:
        paths = compile_template(source).paths
    except TemplateError:
        return {}
    bare = source.strip()
    if not (bare == source and bare.startswith("{{") and bare.endswith("}}") and bare.count("{{") == 1):
        return {"type": "string"}
    if "|" in bare or len(paths) != 1 or paths[0].root != "blocks" or len(paths[0].steps) != 2:
        return {}
    node = program.nodes.get(str(paths[0].steps[0]))
    kind = node.block.outputs_of(node.config).get(str(paths[0].steps[1])) if node else None
    # A branch may have skipped the block, and then its result is null.
    return {"type": [_types[kind]["type"], "null"]} if kind and kind != "any" else {}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def _const(*values: str) -> Schema:
    return {"enum": list(values)}


def _answer(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
