"""What a scenario sent for a card stands beside the card, with what became of it."""

from typing import Any

import pytest

from hub.accounts.keys import create_key
from hub.core import Hub
from hub.delivery import interventions
from hub.sandbox.faults import Fault
from tests.bitrix24.conftest import Visitor
from tests.bitrix24.robots import Portal
from tests.conftest import Api
from tests.processes import wait_until

SEND = {
    "id": "greet",
    "type": "send_message",
    "config": {"line": "Phones", "chat_id": "+79990001122", "text": "Ваш заказ [готов]"},
}


@pytest.fixture
def portal(visitor: Visitor, hub: Hub, sandbox: Any) -> Portal:
    made = Portal(visitor, hub)
    made.line(sandbox)
    return made


def start(portal: Portal, *nodes: dict[str, Any]) -> int:
    """Run a scenario by a robot over a deal; gives the deal."""
    scenario = portal.scenario(*(nodes or (SEND,)), name="Заказ готов", wait=False)
    portal.work()
    deal = portal.deal()
    portal.process({"kind": "robot", "code": f"hub_{scenario}", "properties": {}}, deal=deal)
    portal.work()
    return deal


def comments(portal: Portal, deal: int) -> list[str]:
    rows = portal.visitor.simulator.portal.crm.comments.values()
    return [row["text"] for row in rows if (row["kind"], row["item"]) == (2, deal)]


def message(portal: Portal) -> str:
    return str(portal.one("SELECT id FROM message"))


def test_one_comment_follows_the_message(portal: Portal) -> None:
    deal = start(portal)
    assert comments(portal, deal) == []
    portal.send()
    portal.work()
    head = "Отправлено сообщение (WhatsApp): «Ваш заказ &#91;готов&#93;»"
    assert comments(portal, deal) == [f"{head} · отправлено · сценарий «Заказ готов»"]
    portal.report(message(portal), "delivered")
    portal.work()
    assert comments(portal, deal) == [f"{head} · доставлено · сценарий «Заказ готов»"]
    portal.report(message(portal), "read")
    portal.work()
    assert comments(portal, deal) == [f"{head} · прочитано · сценарий «Заказ готов»"]


def test_states_that_overtake_each_other_cost_one_call(portal: Portal) -> None:
    deal = start(portal)
    portal.send()
    portal.work(only=["bitrix24-telling"])
    portal.report(message(portal), "delivered")
    portal.work(only=["bitrix24-telling"])
    portal.work()
    assert len(comments(portal, deal)) == 1
    assert "доставлено" in comments(portal, deal)[0]
    assert [call.method for call in portal.cloud.calls if "timeline" in call.method] == ["crm.timeline.comment.add"]


def test_a_message_of_a_later_step_is_noted_too(portal: Portal) -> None:
    pause = {"id": "pause", "type": "pause", "config": {"for_s": 1}}
    deal = start(portal, pause, SEND)
    wait_until(lambda: portal.carry_on() > 0, what="the end of the pause")
    portal.send()
    portal.work()
    assert len(comments(portal, deal)) == 1


def test_a_failure_says_why_and_a_redelivery_changes_the_comment(portal: Portal, sandbox: Any) -> None:
    sandbox.board.add(Fault("status", service="whatsapp", status=400, chat="79990001122"))
    deal = start(portal)
    portal.send()
    portal.work()
    (comment,) = comments(portal, deal)
    assert comment.startswith("Сообщение не отправлено (WhatsApp)")
    interventions.redeliver(portal.hub, portal.portal_id, message(portal))
    portal.work()
    portal.send()
    portal.work()
    (comment,) = comments(portal, deal)
    assert "· отправлено ·" in comment


def test_in_an_english_portal_it_is_english(portal: Portal) -> None:
    portal.hub.db.writer.run(lambda sql: sql.run("UPDATE portal SET language = 'en'"))
    deal = start(portal)
    portal.send()
    portal.work()
    assert comments(portal, deal)[0].startswith("Message sent (WhatsApp)")


def test_a_portal_that_does_not_want_it_gets_no_comment(portal: Portal) -> None:
    with portal.hub.db.write() as session:
        api = Api(portal.visitor.client, create_key(session, portal.portal_id, "tests"))
    assert api.put("/bitrix24/timeline", {"enabled": False}).get_json() == {"enabled": False}
    deal = start(portal)
    portal.send()
    portal.work()
    assert comments(portal, deal) == []
    assert portal.one("SELECT count(*) FROM bitrix24_call") == 0


def test_a_card_that_is_gone_ends_it(portal: Portal) -> None:
    deal = start(portal)
    del portal.visitor.simulator.portal.crm.items[2][deal]
    portal.send()
    portal.work()
    portal.report(message(portal), "delivered")
    portal.work()
    assert set(portal.column("SELECT state FROM bitrix24_call")) == {"failed"}
    assert portal.work() == 0


def test_messages_that_no_card_led_to_are_not_looked_at(portal: Portal) -> None:
    from tests.scenarios.site import Site

    site = Site(portal.hub, portal.portal_id)
    site.post(site.token(site.scenario(SEND)), {})
    portal.send()
    assert portal.column("SELECT told FROM message") == [None]
    portal.work()
    assert portal.one("SELECT count(*) FROM bitrix24_call") == 0
