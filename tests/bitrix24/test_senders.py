"""Lines as the portal's message providers: what people send from a card goes out once, and its state comes back."""

from typing import Any

import pytest

from hub.core import Hub
from hub.delivery import interventions, journal, lines
from hub.sandbox.faults import Fault
from tests.bitrix24.conftest import Visitor, control
from tests.bitrix24.robots import Portal

PHONE = "+79990001122"


@pytest.fixture
def portal(visitor: Visitor, hub: Hub) -> Portal:
    return Portal(visitor, hub)


def text(portal: Portal, line: str, to: str = PHONE, said: str = "Hello Ann") -> Any:
    """A person sends a text from a deal; gives it as the portal knows it."""
    after = max((row.number for row in portal.cloud.queue.deliveries()), default=0)
    sent = control(portal.visitor.simulator, "sms", code=f"hub_line_{line}", to=to, text=said, id=portal.deal())
    assert portal.cloud.queue.wait_idle(10)
    for posted in portal.cloud.queue.deliveries(after):
        if posted.kind == "sms":
            assert portal.post(posted).status_code == 200
    return next(one for one in portal.cloud.outbox.messages if one.id == sent["id"])


def update(portal: Portal, line: str, **changes: Any) -> None:
    with portal.hub.db.write() as session:
        lines.update(session, portal.hub, lines.get(session, portal.portal_id, line), **changes)


# ---------------------------------------------------------------- what stands in the portal


def test_a_line_that_takes_phones_is_a_provider_and_another_one_is_when_asked_to(portal: Portal, sandbox: Any) -> None:
    phones = portal.line(sandbox)
    chats = portal.line(sandbox, "Chats", "telegram")
    portal.work()
    assert set(portal.installation.senders) == {f"hub_line_{phones}"}
    assert portal.installation.senders[f"hub_line_{phones}"].name["ru"] == "Phones (WhatsApp)"
    update(portal, chats, settings={"bitrix24_sender": True})
    update(portal, phones, settings={"bitrix24_sender": False})
    portal.work()
    assert set(portal.installation.senders) == {f"hub_line_{chats}"}


def test_a_renamed_line_has_its_new_name_in_the_portal_and_a_removed_one_is_gone(portal: Portal, sandbox: Any) -> None:
    line = portal.line(sandbox)
    portal.work()
    update(portal, line, name="Service")
    portal.work()
    assert portal.installation.senders[f"hub_line_{line}"].name["en"] == "Service (WhatsApp)"
    with portal.hub.db.write() as session:
        lines.delete(session, lines.get(session, portal.portal_id, line))
    portal.work()
    assert portal.installation.senders == {}


# ---------------------------------------------------------------- a text on its way


def test_a_text_goes_out_and_each_of_its_states_comes_back(portal: Portal, sandbox: Any) -> None:
    line = portal.line(sandbox)
    portal.work()
    sms = text(portal, line)
    message = portal.one("SELECT id FROM message")
    assert portal.send() == 1
    portal.work()
    portal.report(message, "delivered")
    portal.work()
    portal.report(message, "read")
    portal.work()
    assert sms.history == ["sent", "delivered"]
    (taken,) = [entry for entry in sandbox.board.entries() if entry.accepted]
    assert (taken.text, taken.chat) == ("Hello Ann", "79990001122")


def test_it_is_in_the_journal(portal: Portal, sandbox: Any) -> None:
    line = portal.line(sandbox)
    portal.work()
    text(portal, line)
    portal.send()
    with portal.hub.db.read() as session:
        message = journal.get(session, portal.portal_id, portal.one("SELECT id FROM message"))
        (shown,) = journal.shown(session, [message])
    assert (shown["line"], shown["block"], shown["chat_id_raw"]) == (line, "bitrix24_sms", PHONE)
    assert (shown["run"], shown["state"]) == (None, "sent")


def test_the_same_post_twice_is_one_message(portal: Portal, sandbox: Any) -> None:
    line = portal.line(sandbox)
    portal.work()
    text(portal, line)
    assert portal.post(portal.cloud.queue.deliveries()[-1]).status_code == 200
    portal.send()
    assert portal.post(portal.cloud.queue.deliveries()[-1]).status_code == 200
    assert portal.one("SELECT count(*) FROM message") == 1


def test_a_text_that_the_messenger_refuses_has_failed_and_after_a_redelivery_it_is_sent(
    portal: Portal, sandbox: Any
) -> None:
    line = portal.line(sandbox)
    portal.work()
    sandbox.board.add(Fault("status", service="whatsapp", status=400, chat="79990001122"))
    sms = text(portal, line)
    message = portal.one("SELECT id FROM message")
    portal.send()
    portal.work()
    assert sms.history == ["failed"]
    interventions.redeliver(portal.hub, portal.portal_id, message)
    portal.send()
    portal.work()
    assert sms.history == ["failed", "sent"]


@pytest.mark.parametrize(("to", "said"), [("12", "Hello"), ("", "Hello"), (PHONE, "  ")])
def test_what_cannot_be_sent_has_failed_at_once(portal: Portal, sandbox: Any, to: str, said: str) -> None:
    line = portal.line(sandbox)
    portal.work()
    sms = text(portal, line, to, said)
    portal.work()
    assert sms.history == ["failed"]
    assert portal.one("SELECT count(*) FROM message") == 0


def test_a_line_that_is_switched_off_for_the_portal_takes_no_text(portal: Portal, sandbox: Any) -> None:
    line = portal.line(sandbox)
    portal.work()
    update(portal, line, settings={"bitrix24_sender": False})
    sms = text(portal, line)
    portal.work(only=["bitrix24-call"])
    assert sms.history == ["failed"]
    assert portal.one("SELECT count(*) FROM message") == 0


def test_states_reach_a_portal_that_was_away(portal: Portal, sandbox: Any) -> None:
    line = portal.line(sandbox)
    portal.work()
    sms = text(portal, line)
    method = "messageservice.message.status.update"
    portal.cloud.board.add(Fault("status", service="bitrix24", chat=method, status=502, times=2))
    portal.send()
    portal.report(portal.one("SELECT id FROM message"), "delivered")
    for _ in range(3):
        portal.hub.db.writer.run(lambda sql: sql.run("UPDATE bitrix24_call SET due_at = 1 WHERE state = 'queued'"))
        portal.work()
    assert sms.history[-1] == "delivered"


def test_a_post_that_does_not_prove_itself_sends_nothing(portal: Portal, sandbox: Any) -> None:
    line = portal.line(sandbox)
    portal.work()
    text(portal, line)
    posted = portal.cloud.queue.deliveries()[-1]
    for name in ("auth[application_token]", "auth[member_id]"):
        assert portal.post(posted, **{name: "x" * 32, "message_id": "a" * 32}).status_code == 403
    assert portal.one("SELECT count(*) FROM message") == 1


def test_a_line_of_another_portal_is_none_of_ours(portal: Portal, sandbox: Any) -> None:
    with portal.hub.db.write() as session:
        config = {"token": "EAA", "phone_number_id": "1", "api_url": f"{sandbox.url}/graph"}
        other = lines.create(session, portal.hub, 1, name="Other", channel="whatsapp", config=config).id
    line = portal.line(sandbox)
    portal.work()
    text(portal, line)
    posted = portal.cloud.queue.deliveries()[-1]
    assert portal.post(posted, code=f"hub_line_{other}", message_id="b" * 32).status_code == 200
    assert portal.column("SELECT line_id FROM message") == [line]
