"""Names in templates: which are known before a request comes, and what is said of the others."""

from typing import Any

import pytest

from hub.scenarios.block import CrmInfo, PortalNames
from hub.scenarios.check import check
from tests.scenarios.fakes import FakePortal, document

PORTAL = FakePortal(
    PortalNames(frozenset({"shop_phone"}), frozenset({"counter"}), frozenset({"Email1", "utm"})),
    {"deal": CrmInfo({"TITLE": "Name"}, {"WON": "Won"})},
)


def found(text: str, portal: FakePortal = PORTAL, **more: Any) -> list[tuple[str, str, str]]:
    """Severity, place and message of what is said of a text."""
    node = {"id": "send", "type": "send_message", "config": {"chat_id": "1", "line": "Sales", "text": text}}
    return [(one.severity, one.field or "", one.message) for one in check(document(node, **more), portal)[1]]


def by_card(text: str, **config: Any) -> list[tuple[str, str, str]]:
    """The same in a scenario that a card starts."""
    start = {"id": "start", "type": "bitrix24_event", "config": {"entity": "deal", "on": "created", **config}}
    node = {"id": "send", "type": "send_message", "config": {"chat_id": "1", "line": "Sales", "text": text}}
    doc = document(node)
    blocks = [type(doc.blocks[0]).model_validate(start), doc.blocks[1]]
    return [
        (one.severity, one.field or "", one.message)
        for one in check(doc.model_copy(update={"blocks": blocks}), PORTAL)[1]
    ]


def test_a_name_that_only_a_request_could_bring_is_a_warning_at_its_place() -> None:
    (problem,) = found("Hello {{zzz}}")
    assert problem == (
        "warning",
        "text",
        "“zzz” is no field, variable or constant: it stays empty unless a request brings it.",
    )


@pytest.mark.parametrize(
    "text",
    [
        "{{chat_id}}",
        "{{n}}",
        "{{shop_phone}} {{const.shop_phone}}",
        "{{counter}} {{global.counter}}",
        "{{Email1}} {{body.anything}} {{query.anything}}",
        "{{date}} {{system.phone}} {{run.id}} {{request.ip}}",
        "{{zzz | default: 'friend'}}",
    ],
)
def test_names_that_something_fills_or_that_may_be_missing_are_no_problem(text: str) -> None:
    assert found(text, start={"fields": ["chat_id"]}, variables=[{"name": "n"}]) == []


def test_a_misspelled_name_is_told_the_one_that_was_meant() -> None:
    assert [message for _, _, message in found("{{chat_idd}}", start={"fields": ["chat_id"]})] == [
        "“chat_idd” is not known here; did you mean “chat_id”?"
    ]
    assert [message for _, _, message in found("{{const.shop_fone}}")] == [
        "There is no name “const.shop_fone”; did you mean “const.shop_phone”?"
    ]


def test_a_name_that_can_come_from_nowhere_blocks_publishing() -> None:
    assert found("{{run.colour}}") == [("error", "text", "There is no name “run.colour”.")]


def test_every_place_is_looked_at_conditions_addresses_and_what_may_not_be_empty() -> None:
    row = {"left": "{{zzz}}", "op": "not_empty"}
    condition = {"id": "c", "type": "condition", "config": {"branches": [{"port": "a", "all": [row]}]}}
    call = {"id": "h", "type": "http_request", "config": {"method": "GET", "url": "https://a.example/{{zzz}}"}}
    send = {
        "id": "send",
        "type": "send_message",
        "config": {"chat_id": "1", "line": "Sales", "text": "Hi", "skip_if_empty": ["zzz"]},
    }
    links = [("start", "next", "c"), ("c", "a", "h"), ("h", "next", "send")]
    problems = check(document(condition, call, send, links=links), PORTAL)[1]
    assert [(one.block, one.field) for one in problems] == [
        ("c", "branches[0].all[0].left"),
        ("h", "url"),
        ("send", "skip_if_empty[0]"),
    ]


def test_a_card_brings_what_the_portals_mapping_or_the_scenarios_own_says_and_nothing_else() -> None:
    assert by_card("{{client_name}} {{bitrix.deal.TITLE}} {{bitrix.new.STAGE_ID}}") == []
    own = [{"variable": "total", "field": "OPPORTUNITY"}]
    assert [message for _, place, message in by_card("{{total}} {{client_name}}", mapping=own) if place == "text"] == [
        "There is no name “client_name”: no field of the card, no variable and no constant is called so."
    ]
    assert [message for _, _, message in by_card("{{body.x}} {{utm}} {{bitrix.deal.GONE}}")] == [
        "A card starts this scenario, so there is nothing in “body”.",
        "There is no name “utm”: no field of the card, no variable and no constant is called so.",
        "The portal has no field “GONE” there.",
    ]


def test_without_a_card_nothing_is_in_bitrix() -> None:
    assert [message for _, _, message in found("{{bitrix.deal.TITLE}}")] == [
        "No card starts this scenario, so there is nothing in “bitrix”."
    ]
