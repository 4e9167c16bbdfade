"""Requests of a portal at a usual link, without an application: recognised and named, and treated as any other."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from hub.bitrix24.classic import Sender, sender_of
from hub.core import Hub
from tests.bitrix24.conftest import Simulator, control
from tests.conftest import Api

DOCUMENT = {
    "format": 1,
    "name": "By link",
    "blocks": [{"id": "start", "type": "incoming_webhook", "config": {"fields": ["deal"]}}],
    "links": [],
}


def post_all(api: Api, simulator: Simulator) -> None:
    """Post to the product what the portal's queue posted to an address where nobody listens."""
    assert simulator.cloud.queue.wait_idle(10)
    for delivery in simulator.cloud.queue.deliveries():
        parts = urlsplit(delivery.url)
        answer = api.client.post(f"{parts.path}?{parts.query}", data=delivery.fields)
        assert answer.status_code == 200


def requests(api: Api) -> list[Any]:
    found: list[Any] = api.get("/requests").get_json()["items"]
    return found


def test_a_robot_is_named_with_its_card(api: Api, simulator: Simulator) -> None:
    link = api.post("/scenarios", DOCUMENT).get_json()["links"]["token_only"]
    deal = control(simulator, "card", do="add", fields={"TITLE": "Order"})["id"]
    step = {"kind": "webhook", "url": f"{link}&deal={{=Document:ID}}"}
    control(simulator, "process", entityTypeId=2, id=deal, steps=[step])
    post_all(api, simulator)
    (request,) = requests(api)
    name = f"робот Битрикс24, сделка {deal}"
    assert request["sender"] == {"kind": "robot", "entity": "deal", "id": deal, "name": name}
    assert request["outcome"] == "run"
    assert api.get(f"/requests/{request['id']}").get_json()["sender"]["name"] == name


def test_an_outgoing_webhook_of_an_event_is_named_and_its_token_is_not_shown(api: Api, simulator: Simulator) -> None:
    link = api.post("/scenarios", DOCUMENT).get_json()["links"]["token_only"]
    token = control(simulator, "outgoing", event="ONCRMDEALADD", url=link)["token"]
    deal = control(simulator, "card", do="add", fields={"TITLE": "Order"})["id"]
    post_all(api, simulator)
    (request,) = requests(api)
    assert request["sender"]["name"] == f"событие Битрикс24, сделка {deal}"
    assert token not in api.get(f"/requests/{request['id']}").get_data(as_text=True)


def test_the_token_of_an_outgoing_webhook_is_not_kept_and_the_rest_of_the_form_is(
    api: Api, simulator: Simulator, hub: Hub
) -> None:
    link = api.post("/scenarios", DOCUMENT).get_json()["links"]["token_only"]
    token = control(simulator, "outgoing", event="ONCRMDEALADD", url=link)["token"]
    control(simulator, "card", do="add", fields={"TITLE": "Order"})
    post_all(api, simulator)
    with hub.db.sql() as sql:
        row = sql.one("SELECT raw FROM request")
    assert row is not None
    kept = bytes(row[0]).decode()
    assert token not in kept
    (posted,) = simulator.cloud.queue.deliveries()
    pairs = dict(parse_qsl(kept, keep_blank_values=True))
    assert pairs == posted.fields | {"auth[application_token]": "***"}


def test_anybody_else_has_no_such_name(api: Api) -> None:
    link = api.post("/scenarios", DOCUMENT).get_json()["links"]["token_only"].removeprefix("https://hub.test")
    for body in ({"document_id": "DEAL_42"}, {"deal": "42"}, ["document_id"], {"event": "ONCRM", "data": 1}):
        assert api.client.post(link, json=body).status_code == 200
    assert [request["sender"] for request in requests(api)] == [None] * 4


@pytest.mark.parametrize(
    ("document", "sender"),
    [
        (["crm", "CCrmDocumentLead", "LEAD_9"], Sender("robot", "lead", 9)),
        ({"0": "crm", "1": "CCrmDocumentDeal", "2": "DEAL_42"}, Sender("robot", "deal", 42)),
        (["crm", "Dynamic", "DYNAMIC_147_5"], Sender("robot", "dynamic:147", 5)),
        (["lists", "BizprocDocument", "DEAL_42"], None),
        (["crm", "CCrmDocumentDeal", "DEAL_x"], None),
        (["crm", "CCrmDocumentDeal"], None),
    ],
)
def test_every_kind_of_document_is_known(document: Any, sender: Sender | None) -> None:
    assert sender_of({"document_id": document}) == sender


def test_comments_beside_cards_cannot_be_switched_where_no_portal_is_connected(api: Api) -> None:
    assert api.put("/bitrix24/timeline", {"enabled": False}).status_code == 409
