"""The promise about the results link's answer."""

from typing import Any

from hub.scenarios.check import Program, check
from hub.scenarios.contract import example, openapi, result_schema
from hub.values import dumps
from tests.scenarios.fakes import FakePortal, document

SEND = {"id": "greet", "type": "send_message", "config": {"chat_id": "1", "line": "Sales", "text": "Hi"}}


def program(*nodes: dict[str, Any], **more: Any) -> Program:
    made, found = check(document(*nodes, **more), FakePortal())
    assert made is not None, found
    return made


def returns(**config: Any) -> dict[str, Any]:
    return {"id": "answer", "type": "return_result", "config": config}


def test_returned_values_and_their_types_make_the_schema() -> None:
    values = {
        "id": "{{blocks.greet.message_id}}",
        "sum": "{{sum}}",
        "text": "Hi {{sum}}",
        "whole": {"n": 1, "list": ["a", "b"]},
        "some": "{{sum | plus: 1}}",
    }
    schema = result_schema(program(SEND, returns(values=values, types={"sum": "number"})))
    assert schema["required"] == ["id", "sum", "text", "whole", "some"]
    assert schema["properties"] == {
        "id": {"type": ["string", "null"]},
        "sum": {"type": "number"},
        "text": {"type": "string"},
        "whole": {
            "type": "object",
            "properties": {"n": {"type": "number"}, "list": {"type": "array", "items": {"type": "string"}}},
            "required": ["n", "list"],
        },
        "some": {},
    }
    assert dumps(example(schema)) == '{"id":"text","sum":1,"text":"text","whole":{"n":1,"list":["text"]},"some":null}'


def test_without_return_result_the_blocks_outputs_make_the_schema() -> None:
    schema = result_schema(program(SEND))
    assert list(schema["properties"]) == ["greet"]
    assert schema["properties"]["greet"]["properties"]["message_id"] == {"type": "string"}
    assert "required" not in schema


def test_only_what_every_return_gives_is_required() -> None:
    other = returns(values={"a": "x", "b": "y"}) | {"id": "other"}
    schema = result_schema(program(returns(values={"a": "{{n}}"}), other))
    assert schema["required"] == ["a"]
    assert schema["properties"] == {"a": {}, "b": {"type": "string"}}


def test_openapi_describes_both_links_and_holds_no_token() -> None:
    described = openapi(program(SEND, start={"fields": ["chat_id"]}), 19798, "https://hub.example/")
    assert described["openapi"] == "3.1.0"
    assert list(described["paths"]) == ["/api/request/", "/api/request/get_result/"]
    item = described["paths"]["/api/request/get_result/"]
    token, template_id, field = item["parameters"]
    assert token == {"name": "token", "in": "query", "required": True, "schema": {"type": "string"}}
    assert template_id["schema"] == {"type": "integer", "const": 19798}
    assert field["name"] == "chat_id"
    assert {"200", "202", "422", "502"} <= set(item["get"]["responses"])


def test_a_link_that_takes_only_post_has_no_get() -> None:
    described = openapi(program(SEND, start={"post_only": True}), 1, "https://hub.example")
    assert "get" not in described["paths"]["/api/request/"]
