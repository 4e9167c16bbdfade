"""Blocks that read and change cards: what the portal has afterwards, and what the scenario is told."""

import signal
from pathlib import Path
from typing import Any

import pytest

from hub.bitrix24 import own_writes, performer
from hub.clock import now_us
from hub.core import Hub
from hub.sandbox.faults import Fault
from hub.scenarios import versions
from hub.values import loads
from tests.bitrix24.conftest import Connected, bitrix24_environment
from tests.processes import Product, wait_until
from tests.scenarios.site import Site


@pytest.fixture
def site(connected: Connected, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(performer, "PAUSES_S", (0.0, 0.0))
    return Site(connected.hub, connected.portal_id)


def write(action: str, block_id: str = "write", **config: Any) -> dict[str, Any]:
    return {"id": block_id, "type": "bitrix24_write", "config": {"action": action, **config}}


def read(entity: str, card: str, **config: Any) -> dict[str, Any]:
    return {"id": "read", "type": "bitrix24_read", "config": {"entity": entity, "id": card, **config}}


def run(site: Site, *nodes: dict[str, Any], **body: Any) -> dict[str, Any]:
    """Run these blocks on a request; gives the run with the outputs of its blocks."""
    outcome = site.post(site.token(site.scenario(*nodes)), body)
    site.carry_on()
    found = site.run(outcome.run_id)
    found["outputs"] = loads(found["state"])["frames"][0]["outputs"]
    return found


def deal(connected: Connected, **fields: Any) -> str:
    """A new deal, without an event."""
    from hub.sandbox.bitrix24.events import Hit

    crm, kind = connected.portal.crm, connected.portal.crm.kind(2)
    hit = Hit(connected.simulator.cloud, connected.portal, connected.portal.users[1])
    return str(crm.add(hit, kind, {"TITLE": "Order", **fields}))


def card(connected: Connected, number: str) -> dict[str, Any]:
    found: dict[str, Any] = connected.portal.crm.items[2][int(number)]
    return found


def fault(connected: Connected, kind: str, method: str, **more: Any) -> Fault:
    made = Fault(kind, service="bitrix24", chat=method, **more)
    connected.simulator.cloud.board.add(made)
    return made


# ---------------------------------------------------------------- reading


def test_a_card_is_read_and_its_fields_are_the_outputs(connected: Connected, site: Site) -> None:
    number = deal(connected, OPPORTUNITY="1500.00")
    found = run(site, read("deal", "{{id}}", fields=["TITLE", "OPPORTUNITY", "UF_CRM_NONE"]), id=number)
    assert found["status"] == "completed"
    assert found["outputs"]["read"] == {"TITLE": "Order", "OPPORTUNITY": "1500.00", "UF_CRM_NONE": None}


def test_a_document_id_of_a_process_names_the_card(connected: Connected, site: Site) -> None:
    number = deal(connected)
    assert run(site, read("deal", f"DEAL_{number}"))["outputs"]["read"]["ID"] == number


def test_a_card_of_a_smart_process_has_the_codes_of_all_others(connected: Connected, site: Site) -> None:
    crm = connected.portal.crm
    if 147 not in crm.kinds:
        crm.add_type(147, "Orders")
    made = connected.client.call("crm.item.add", {"entityTypeId": 147, "fields": {"title": "One"}}).result["item"]
    found = run(site, read("dynamic:147", str(made["id"])))
    assert found["outputs"]["read"]["TITLE"] == "One"
    assert "ASSIGNED_BY_ID" in found["outputs"]["read"]


@pytest.mark.parametrize(("card_id", "code"), [("999999", "b24.gone"), ("x", "b24.bad_id"), ("", "b24.bad_id")])
def test_a_card_that_is_not_there_leaves_by_the_error_exit(site: Site, card_id: str, code: str) -> None:
    found = run(site, read("deal", "{{id}}"), id=card_id)
    assert (found["status"], found["error"]["code"]) == ("failed", code)


def test_a_portal_that_is_not_connected_is_said_so(hub: Hub, portal: Any) -> None:
    site = Site(hub, portal.id)
    assert run(site, read("deal", "1"))["error"]["code"] == "b24.auth"


def test_a_call_that_the_portal_did_not_take_is_made_again(connected: Connected, site: Site) -> None:
    fault(connected, "error", "crm.deal.get", code="QUERY_LIMIT_EXCEEDED", status=503, times=1)
    assert run(site, read("deal", deal(connected)))["status"] == "completed"


# ---------------------------------------------------------------- changing


def test_an_update_writes_the_fields_and_says_whether_anything_changed(connected: Connected, site: Site) -> None:
    number = deal(connected, OPPORTUNITY="100")
    fields = {"TITLE": "Paid {{id}}", "OPPORTUNITY": "{{sum}}"}
    node = write("update", entity="deal", id="{{id}}", fields=fields)
    found = run(site, node, write("update", "again", entity="deal", id="{{id}}", fields=fields), id=number, sum=2500)
    assert (card(connected, number)["TITLE"], card(connected, number)["OPPORTUNITY"]) == (f"Paid {number}", "2500.00")
    assert found["outputs"]["write"] == {"id": number, "changed": True}
    assert found["outputs"]["again"] == {"id": number, "changed": False}


def test_a_deal_moves_to_another_funnel(connected: Connected, site: Site) -> None:
    dictionaries = connected.portal.crm.dictionaries
    category = next(row["id"] for row in dictionaries.categories[2] if row["id"])
    stage = dictionaries.stages(2, category)[1]["STATUS_ID"]
    number = deal(connected)
    run(site, write("update", entity="deal", id=number, fields={"CATEGORY_ID": str(category), "STAGE_ID": stage}))
    assert (card(connected, number)["CATEGORY_ID"], card(connected, number)["STAGE_ID"]) == (str(category), stage)


def test_an_own_change_is_marked_before_it_is_made(connected: Connected, site: Site) -> None:
    number = deal(connected)
    fault(connected, "error", "batch", code="ACCESS_DENIED", status=403)
    run(site, write("update", entity="deal", id=number, fields={"TITLE": "Mine"}))
    with connected.hub.db.sql() as sql:
        (mark,) = own_writes.live(sql, connected.portal_id, "deal", int(number), now=now_us())
        assert own_writes.live(sql, connected.portal_id, "deal", int(number), now=now_us() + 10**10) == []
    assert (mark.fields, mark.depth) == ({"TITLE": "Mine"}, 1)
    assert list(mark.chain) == site.column("SELECT id FROM scenario")


def test_a_new_card_is_made_and_marked(connected: Connected, site: Site) -> None:
    fields = {"NAME": "{{who}}", "PHONE": "+79990001122"}
    found = run(site, write("create", entity="contact", fields=fields), who="Anna")
    number = found["outputs"]["write"]["id"]
    assert connected.portal.crm.items[3][int(number)]["NAME"] == "Anna"
    read_back = connected.client.call("crm.contact.get", {"id": number}).result
    assert read_back["PHONE"][0]["VALUE"] == "+79990001122"
    assert site.column("SELECT entity FROM bitrix24_write") == ["contact"]


def test_an_update_whose_answer_was_lost_is_looked_at_and_counts_as_made(connected: Connected, site: Site) -> None:
    number = deal(connected)
    fault(connected, "hangup_after", "batch")
    found = run(site, write("update", entity="deal", id=number, fields={"TITLE": "Mine"}))
    assert found["outputs"]["write"] == {"id": number, "changed": True}
    assert len(connected.calls("batch")) == 1


def test_a_card_whose_making_was_not_answered_is_not_made_again(connected: Connected, site: Site) -> None:
    before = len(connected.portal.crm.items[2])
    fault(connected, "hangup_after", "crm.deal.add")
    found = run(site, write("create", entity="deal", fields={"TITLE": "Once"}))
    assert found["error"]["code"] == "b24.unconfirmed"
    assert len(connected.portal.crm.items[2]) == before + 1


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("ACCESS_DENIED", 403, "b24.denied"),
        ("ERROR_METHOD_NOT_FOUND", 404, "b24.no_method"),
        ("INVALID_ARG_VALUE", 400, "b24.refused"),
    ],
)
def test_what_a_portal_refuses_has_a_code_of_its_own(
    connected: Connected, site: Site, code: str, status: int, said: str
) -> None:
    fault(connected, "error", "crm.deal.add", code=code, status=status, times=3)
    assert run(site, write("create", entity="deal", fields={"TITLE": "x"}))["error"]["code"] == said


# ---------------------------------------------------------------- comments, people, plans


def test_a_comment_stands_in_the_timeline(connected: Connected, site: Site) -> None:
    number = deal(connected)
    found = run(site, write("comment", entity="deal", id=number, text="[b]Paid[/b] {{sum}}"), sum=5)
    (comment,) = connected.portal.crm.comments.values()
    assert (comment["item"], comment["text"]) == (int(number), "[b]Paid[/b] 5")
    assert found["outputs"]["write"] == {"id": str(comment["id"]), "changed": True}


def test_a_colleague_is_told(connected: Connected, site: Site) -> None:
    found = run(site, write("notify", user_id="user_1", text="Call {{who}}"), who="Anna")
    (notice,) = connected.simulator.cloud.notifications
    assert (notice["to"], notice["text"]) == (1, "Call Anna")
    assert found["outputs"]["write"]["id"] == str(notice["id"])


def test_somebody_who_is_not_there_cannot_be_told(site: Site) -> None:
    assert run(site, write("notify", user_id="999", text="Call"))["error"]["code"] == "b24.gone"


def test_a_todo_is_planned(connected: Connected, site: Site) -> None:
    number = deal(connected)
    fields = {"DEADLINE": "25.11.2026 12:00", "DESCRIPTION": "Soon"}
    run(site, write("activity", entity="deal", id=number, text="Call back", user_id="1", fields=fields))
    (planned,) = connected.portal.crm.activities.values()
    assert planned["params"]["title"] == "Call back"
    assert planned["params"]["deadline"] == "2026-11-25T12:00:00+03:00"
    assert planned["params"]["responsibleId"] == 1


def test_a_comment_for_a_portal_that_is_away_is_written_when_it_is_back(connected: Connected, site: Site) -> None:
    number = deal(connected)
    connected.hub.db.writer.run(lambda sql: sql.run("UPDATE portal SET state = 'suspended' WHERE member_id <> 'local'"))
    found = run(site, write("comment", entity="deal", id=number, text="Paid"))
    assert found["status"] == "completed"
    assert connected.portal.crm.comments == {}
    connected.hub.db.writer.run(lambda sql: sql.run("UPDATE portal SET state = 'active'"))
    desk = next(desk for desk in site.runtime.desks if desk.name == "bitrix24-call")
    for piece in desk.hand_out(5):
        piece()
    assert [row["text"] for row in connected.portal.crm.comments.values()] == ["Paid"]


# ---------------------------------------------------------------- the end of a process in the middle


@pytest.mark.parametrize(("action", "ends"), [("update", "completed"), ("create", "failed")])
def test_a_worker_that_is_killed_while_it_changes_a_card_changes_it_once(
    connected: Connected, site: Site, tmp_path: Path, action: str, ends: str
) -> None:
    number = deal(connected)
    hanging = fault(connected, "hang", "batch" if action == "update" else "crm.deal.add", seconds=30)
    place = {"id": number} if action == "update" else {}
    node = write(action, entity="deal", fields={"TITLE": "Mine"}, **place)
    outcome = site.post(site.token(site.scenario(node)), {})
    settings = connected.hub.settings
    with Product(settings, tmp_path, bitrix24_environment(settings)) as product:
        first = product.worker()
        wait_until(lambda: hanging not in connected.simulator.cloud.board.faults(), within_s=30, what="the call")
        first.send(signal.SIGKILL)
        first.wait()
        product.worker()
        wait_until(lambda: site.run(outcome.run_id)["status"] == ends, within_s=30, what="the end of the run")
    if action == "update":
        assert card(connected, number)["TITLE"] == "Mine"
    else:
        assert site.run(outcome.run_id)["error"]["code"] == "b24.unconfirmed"


# ---------------------------------------------------------------- publishing


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"action": "update", "entity": "deal", "id": "1"}, "fields_empty"),
        ({"action": "create", "fields": {"TITLE": "x"}}, "entity_missing"),
        ({"action": "comment", "entity": "deal", "id": "1"}, "text_empty"),
        ({"action": "notify", "text": "x"}, "user_missing"),
        ({"action": "comment", "id": "1", "text": "x"}, "entity_missing"),
        ({"action": "update", "entity": "order", "id": "1", "fields": {"A": "1"}}, "bad_config"),
    ],
)
def test_what_an_action_lacks_is_found_before_publishing(hub: Hub, portal: Any, config: Any, problem: str) -> None:
    from tests.scenarios.fakes import document

    node = {"id": "write", "type": "bitrix24_write", "config": config}
    with hub.db.write() as session:
        saved = versions.save(session, hub, portal.id, document(node))
    assert [one["code"] for one in saved.problems] == [problem]


@pytest.mark.parametrize(
    ("older", "universal"),
    [("TITLE", "title"), ("ASSIGNED_BY_ID", "assignedById"), ("PARENT_ID_2", "parentId2"), ("UF_CRM_1", "UF_CRM_1")],
)
def test_a_field_is_found_by_its_code_in_both_spellings(older: str, universal: str) -> None:
    from hub.bitrix24 import entities

    assert entities.universal_name(older) == universal
    assert entities.upper_name(universal) == older
