"""The check for publishing: what is wrong, where, and the program when nothing is."""

from typing import Any

import pytest

from hub.scenarios.block import Problem
from hub.scenarios.check import NotRunnable, check, compile_document
from hub.scenarios.document import Document
from hub.scenarios.templating import templates
from hub.values import Number
from tests.scenarios.fakes import FakePortal, block, document

SEND = {"id": "send", "type": "send_message", "config": {"chat_id": "{{chat_id}}", "line": "Sales", "text": "Hi"}}


def problems(doc: Document) -> list[Problem]:
    return check(doc, FakePortal())[1]


def codes(doc: Document) -> list[str]:
    return [problem.code for problem in problems(doc)]


def send(**config: Any) -> dict[str, Any]:
    return SEND | {"config": {"chat_id": "1", "line": "Sales", "text": "Hi"} | config}


def values(template: Any) -> dict[str, Any]:
    return {"id": "r", "type": "return_result", "config": {"values": {"x": template}}}


def test_a_clean_scenario_becomes_a_program() -> None:
    doc = document(
        SEND | {"title": "Greeting"},
        start={"fields": ["chat_id"]},
        variables=[{"name": "n", "type": "number", "default": 1}],
    )
    program, found = check(doc, FakePortal())
    assert found == []
    assert program is not None
    assert (program.name, program.start, program.fields) == ("Test", "start", ("chat_id",))
    assert program.links == {("start", "next"): "send"}
    assert program.variables == {"n": ("number", Number("1"))}
    node = program.nodes["send"]
    assert (node.id, node.type, node.title, node.config.line) == ("send", "send_message", "Greeting", "Sales")
    assert program.start_config.tolerant_json is True


def test_an_unknown_block_blocks_publishing_only() -> None:
    program, found = check(document({"id": "x", "type": "nothing_here"}), FakePortal())
    assert program is None
    assert [(one.code, one.block) for one in found] == [("unknown_block", "x")]


def test_a_block_of_a_newer_version_blocks_publishing() -> None:
    assert codes(document({"id": "x", "type": "stop", "version": 9})) == ["unknown_version"]


def test_a_bad_config_is_reported_with_the_path_of_its_field() -> None:
    found = problems(document({"id": "x", "type": "condition", "config": {"branches": [{"port": "a", "all": [{}]}]}}))
    assert {(one.code, one.field) for one in found} == {
        ("bad_config", "branches[0].all[0].left"),
        ("bad_config", "branches[0].all[0].op"),
    }
    found = problems(document(send(colour="red")))
    assert [one.message for one in found] == ["There is no field “colour” here."]


def test_a_number_where_a_text_belongs_is_explained() -> None:
    found = problems(document(send(chat_id=Number("79990000001"))))
    assert [one.message for one in found] == ["“chat_id” must be a text; put it in quotes."]


def test_a_bad_template_is_reported_with_its_field() -> None:
    found = problems(document(send(text="Hello {{name")))
    assert [(one.code, one.block, one.field) for one in found] == [("bad_template", "send", "text")]


@pytest.mark.parametrize(
    ("links", "code"),
    [
        ([("start", "next", "send"), ("send", "next", "gone")], "unknown_link_end"),
        ([("start", "next", "send"), ("gone", "next", "send")], "unknown_link_end"),
        ([("start", "next", "send"), ("send", "sideways", "send")], "unknown_port"),
        ([("start", "next", "send"), ("start", "next", "send")], "double_link"),
        ([("start", "next", "send"), ("send", "next", "start")], "link_into_start"),
    ],
)
def test_a_link_that_makes_no_sense_blocks_publishing(links: list[tuple[str, str, str]], code: str) -> None:
    assert codes(document(send(), links=links)) == [code]


def test_a_block_that_nothing_leads_to_is_only_a_warning() -> None:
    program, found = check(document(send(), links=[]), FakePortal())
    assert program is not None
    assert [(one.code, one.severity) for one in found] == [("unreachable", "warning")]


def test_a_scenario_without_a_start_cannot_be_published() -> None:
    doc = document(send()).model_copy(update={"links": []})
    assert codes(doc.model_copy(update={"blocks": doc.blocks[1:]})) == ["no_start"]


@pytest.mark.parametrize("template", ["{{blocks.gone.status}}", "{{blocks.send.colour}}", "{{blocks.start.x}}"])
def test_a_result_that_no_block_offers_cannot_be_used(template: str) -> None:
    assert codes(document(send(), values([{"deep": template}]))) == ["unknown_reference"]


def test_the_results_of_a_called_scenario_are_not_known_beforehand() -> None:
    call = {"id": "call", "type": "call_scenario", "config": {"scenario": 7}}
    assert codes(document(call, values("{{blocks.call.anything}}"))) == []


def test_a_name_in_another_case_is_a_warning_with_the_right_one() -> None:
    found = problems(document(send(text="{{email1}} {{Email1}} {{brand}}"), start={"fields": ["Email1"]}))
    assert [(one.code, one.severity) for one in found] == [("similar_name", "warning"), ("unknown_name", "warning")]
    assert "Email1" in found[0].message
    assert "brand" in found[1].message


def test_fields_that_differ_only_by_case_are_a_warning() -> None:
    assert codes(document(send(), start={"fields": ["Foo", "foo"]})) == ["similar_name"]


def test_missing_lines_and_what_a_line_cannot_do_block_publishing() -> None:
    assert codes(document(send(line="Gone"))) == ["line_missing"]
    assert codes(document(send(messenger="whatsapp"))) == ["messenger_not_on_line"]
    assert codes(document(send(wait_for="delivered"))) == ["no_receipts"]
    assert codes(document(send(line="Phones", wait_for="delivered"))) == []


def test_a_template_stands_in_place_of_a_text_on_a_line_that_knows_templates() -> None:
    template = {"name": "order_ready", "language": "ru", "parameters": ["{{nobody"]}
    assert codes(document(send(line="Phones", text="", template={**template, "parameters": ["{{phone}}"]}))) == []
    assert codes(document(send(line="Phones", text="Hi", template={**template, "parameters": []}))) == [
        "text_with_template"
    ]
    assert codes(document(send(text="", template={**template, "parameters": {}}))) == ["no_templates"]
    assert codes(document(send(line="Phones", text="", template=template))) == ["bad_template"]


def test_a_stored_document_compiles_without_asking_what_the_portal_has() -> None:
    assert "send" in compile_document(document(send(line="Gone"))).nodes
    with pytest.raises(NotRunnable):
        compile_document(document({"id": "x", "type": "nothing_here"}))


def test_templates_are_found_through_models_lists_dicts_and_values() -> None:
    request = block("http_request").Config.model_validate(
        {"method": "POST", "url": "https://a/{{u}}", "headers": {"X-A": "{{h}}"}, "json": {"a": ["{{j}}", 1]}}
    )
    assert list(templates(request)) == [
        ("url", "https://a/{{u}}", "text"),
        ("headers.X-A", "{{h}}", "text"),
        ("json.a[0]", "{{j}}", "value"),
    ]
    pause = block("pause").Config.model_validate({"message_status": {"message": "{{m}}", "status": "sent"}})
    assert list(templates(pause)) == [("message_status.message", "{{m}}", "text")]
    loop = block("for_each").Config.model_validate({"list": "{{l}}"})
    assert list(templates(loop)) == [("list", "{{l}}", "value")]
