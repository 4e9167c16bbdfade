"""A line in the portal's open lines: the customer writes, an operator answers, and sees that it arrived."""

import re
from typing import Any

import pytest

from hub.bitrix24 import openlines, operators, registrations, unshown
from hub.clock import now_us
from hub.core import Hub
from hub.delivery import lines
from hub.sandbox.faults import Fault
from hub.upkeep import health_bitrix24, watch
from tests.bitrix24.conftest import Visitor, control
from tests.bitrix24.robots import Portal
from tests.bitrix24.test_health import OWN, sign_in

OPEN_LINE = 107
CHAT = "555"


class Desk:
    """A Telegram line that is switched on for an open line, its customer and its operator."""

    def __init__(self, portal: Portal, sandbox: Any, chat_id: str = CHAT, **settings: Any) -> None:
        self.portal, self.chat_id = portal, chat_id
        self.line = portal.line(sandbox, "Chats", "telegram", **({"open_line": OPEN_LINE} | settings))
        self.code = f"hub_line_{self.line}"
        portal.work()
        channel: Any = portal.runtime.postman.line(self.line).channel
        self.secret = {"X-Telegram-Bot-Api-Secret-Token": channel.webhook_secret}
        with portal.hub.db.read() as session:
            shown = lines.to_dict(portal.hub, lines.get(session, portal.portal_id, self.line), 0)
        self.path = shown["webhook_url"].partition("hub.test")[2]

    def customer(self, text: str, number: int = 1, name: str = "Anna 🙂 Lee") -> Any:
        """The messenger reports what a customer wrote."""
        message = {
            "message_id": number,
            "chat": {"id": int(self.chat_id)},
            "from": {"id": int(self.chat_id), "first_name": name},
            "text": text,
        }
        update = {"update_id": 1000 + number, "message": message}
        return self.portal.visitor.client.post(self.path, json=update, headers=self.secret)

    @property
    def chat(self) -> Any:
        """The chat in the portal."""
        return self.portal.cloud.open_lines.chats[self.portal.visitor.simulator.portal.member_id, *self.key]

    @property
    def key(self) -> tuple[str, int, str]:
        return self.code, OPEN_LINE, self.chat_id

    def operator(self, text: str) -> Any:
        """An operator answers, and the portal posts it to us; gives the post."""
        answer = {"connector": self.code, "line": OPEN_LINE, "chat": self.chat_id, "text": text}
        control(self.portal.visitor.simulator, "openline", **answer)
        assert self.portal.cloud.queue.wait_idle(10)
        posted = [row for row in self.portal.cloud.queue.deliveries() if row.name == openlines.EVENT][-1]
        assert "/bitrix24/openlines/" in posted.url
        assert self.portal.post(posted).status_code == 200
        return posted

    def told(self) -> list[tuple[str, str, str]]:
        """The chat as the portal shows it."""
        return [(row["who"], row["text"], row["state"]) for row in self.chat.messages]


@pytest.fixture
def portal(visitor: Visitor, hub: Hub) -> Portal:
    made = Portal(visitor, hub)
    made.cloud.open_lines.chats.clear()
    return made


def test_a_conversation_goes_both_ways_and_the_operator_sees_how_far_it_got(portal: Portal, sandbox: Any) -> None:
    desk = Desk(portal, sandbox)
    assert desk.customer("Where is my order?").status_code == 200
    portal.work()
    assert desk.told() == [("customer", "Where is my order?", "received")]
    assert desk.chat.name == "Anna Lee"
    desk.operator("It is [b]on its way[/b][br][url=https://shop.test/1]here[/url]")
    assert portal.send() == 1
    (taken,) = [entry for entry in sandbox.board.entries() if entry.accepted]
    assert taken.chat == CHAT
    assert taken.text.endswith("It is on its way\nhere (https://shop.test/1)")
    portal.work()
    assert desk.told()[1][2] == "delivered"
    portal.report(portal.one("SELECT id FROM message"), "read")
    portal.work()
    assert desk.told()[1][2] == "read"


def test_what_a_customer_writes_is_shown_once_and_in_its_order_although_the_portal_was_away(
    portal: Portal, sandbox: Any
) -> None:
    desk = Desk(portal, sandbox)
    fault = Fault("status", service="bitrix24", chat="imconnector.send.messages", status=503, times=1)
    portal.cloud.board.add(fault)
    for number in (1, 2, 2, 3):
        desk.customer(f"Line {number}", number)
    for _ in range(4):
        portal.hub.db.writer.run(lambda sql: sql.run("UPDATE bitrix24_call SET due_at = 1 WHERE state = 'queued'"))
        portal.work()
    assert [text for _, text, _ in desk.told()] == ["Line 1", "Line 2", "Line 3"]


def test_an_answer_that_is_posted_twice_is_one_message(portal: Portal, sandbox: Any) -> None:
    desk = Desk(portal, sandbox)
    desk.customer("Hello")
    portal.work()
    posted = desk.operator("Hello to you")
    assert portal.post(posted).status_code == 200
    assert portal.one("SELECT count(*) FROM message") == 1


def test_a_line_that_is_not_switched_on_shows_nobody_anything(portal: Portal, sandbox: Any) -> None:
    desk = Desk(portal, sandbox, open_line=None)
    assert desk.customer("Hello").status_code == 200
    portal.work()
    assert portal.cloud.open_lines.chats == {}
    assert portal.installation.connectors == {}
    assert [call for call in portal.cloud.calls if call.method.startswith("imconnector")] == []


def test_switching_a_line_off_takes_its_connector_out_of_the_portal(portal: Portal, sandbox: Any) -> None:
    desk = Desk(portal, sandbox)
    desk.customer("Hello")
    portal.work()
    with portal.hub.db.write() as session:
        lines.update(session, portal.hub, lines.get(session, portal.portal_id, desk.line), settings={"open_line": None})
    portal.work()
    assert portal.installation.connectors == {}
    registrations.sync(portal.bitrix24, portal.portal_id)
    assert openlines.EVENT not in {row.event for row in portal.installation.handlers}


def test_a_daily_check_leaves_a_connector_that_is_there_as_it_is(portal: Portal, sandbox: Any) -> None:
    desk = Desk(portal, sandbox)
    registrations.sync(portal.bitrix24, portal.portal_id)
    assert desk.code in portal.installation.connectors
    assert [row.event for row in portal.installation.handlers].count(openlines.EVENT) == 1


def test_an_open_line_that_is_not_there_is_noted(portal: Portal, sandbox: Any) -> None:
    desk = Desk(portal, sandbox, open_line=999)
    rows = portal.one("SELECT error FROM bitrix24_registration WHERE kind = 'connector' AND code = ?", desk.code)
    assert rows


def test_an_answer_that_does_not_prove_itself_sends_nothing(portal: Portal, sandbox: Any) -> None:
    desk = Desk(portal, sandbox)
    desk.customer("Hello")
    portal.work()
    posted = desk.operator("Hello to you")
    for name in ("auth[application_token]", "auth[member_id]"):
        forged = {name: "x" * 32, "data[MESSAGES][0][im][message_id]": "9"}
        assert portal.post(posted, **forged).status_code == 403
    other = {"data[CONNECTOR]": "hub_line_unknown", "data[MESSAGES][0][im][message_id]": "9"}
    assert portal.post(posted, **other).status_code == 200
    assert portal.one("SELECT count(*) FROM message") == 1


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("[b]Anna Lee:[/b] [br]Hello!", "Anna Lee:\nHello!"),
        ("[url=https://a.test]https://a.test[/url]", "https://a.test"),
        ("[1] is no tag", "[1] is no tag"),
    ],
)
def test_codes_of_the_portal_are_no_part_of_a_text(written: str, said: str) -> None:
    assert operators.plain(written) == said


# ---------------------------------------------------------------- what the portal does not take


def refuse(portal: Portal, times: int) -> None:
    """The portal takes no message of the customer's, so many times."""
    portal.cloud.board.add(Fault("error", service="bitrix24_openlines", chat=CHAT, code="No such chat", times=times))


def try_again(portal: Portal) -> None:
    portal.hub.db.writer.run(lambda sql: sql.run("UPDATE bitrix24_call SET due_at = 1 WHERE state = 'queued'"))
    portal.work()


def test_what_the_portal_did_not_take_is_shown_later_and_before_what_came_after_it(
    portal: Portal, sandbox: Any
) -> None:
    desk = Desk(portal, sandbox)
    refuse(portal, 2)
    desk.customer("First", 1)
    portal.work()
    desk.customer("Second", 2)
    assert portal.cloud.open_lines.chats == {}
    for _ in range(3):
        try_again(portal)
    assert [text for _, text, _ in desk.told()] == ["First", "Second"]


def test_what_the_portal_never_takes_is_told_to_people_who_can_have_it_shown_again(
    portal: Portal, sandbox: Any, client: Any
) -> None:
    desk = Desk(portal, sandbox)
    refuse(portal, 5)
    desk.customer("First", 1), desk.customer("Second", 2)
    for _ in range(6):
        try_again(portal)
    assert [text for _, text, _ in desk.told()] == ["Second"]
    with portal.hub.db.sql() as sql:
        (check,) = [
            one for one in health_bitrix24.checks_of(sql, portal.hub, portal.portal_id) if one.more.get("unshown")
        ]
    (missed,) = check.more["unshown"]
    assert (check.name, check.state, missed["line"], missed["count"]) == ("bitrix24_handlers", "failed", desk.line, 1)
    assert "No such chat" in missed["reason"]
    found = portal.hub.db.writer.run(lambda sql: watch.look(sql, now=now_us(), lease_s=60, free=50, total=100))
    (notice,) = [one for one in found if one.cause == "line_unshown"]
    assert (notice.portal_id, notice.subject, notice.params["count"]) == (portal.portal_id, desk.line, 1)
    sign_in(portal.hub, portal.portal_id, client)
    assert client.post("/health/repair/bitrix24_handlers", headers=OWN).status_code == 303
    portal.work()
    assert [text for _, text, _ in desk.told()] == ["Second", "First"]
    with portal.hub.db.sql() as sql:
        assert list(unshown.find(sql, now=now_us())) == []


def test_an_answer_that_does_not_arrive_is_told_in_the_chat(portal: Portal, sandbox: Any) -> None:
    desk = Desk(portal, sandbox, chat_id="550403")  # of somebody who has blocked the bot
    desk.customer("Hello")
    portal.work()
    desk.operator("Hello to you")
    portal.send()
    assert portal.one("SELECT state FROM message") == "failed"
    portal.work()
    who, said, _ = desk.told()[-1]
    assert who == "customer"
    assert "Hello to you" in said
    assert "не отправлен" in said
    portal.work()
    assert len(desk.told()) == 3


def test_an_answer_with_a_file_says_that_only_its_text_is_sent(portal: Portal, sandbox: Any) -> None:
    desk = Desk(portal, sandbox)
    desk.customer("Hello")
    portal.work()
    posted = desk.operator("Look")
    other = {"data[MESSAGES][0][im][message_id]": "9", "data[MESSAGES][0][message][files][0][name]": "price.pdf"}
    for _ in range(2):
        assert portal.post(posted, **other).status_code == 200
    portal.work()
    assert [said for who, said, _ in desk.told() if "Файлы" in said] == [desk.told()[-1][1]]
    assert portal.one("SELECT count(*) FROM message") == 2
    bare = other | {"data[MESSAGES][0][im][message_id]": "10", "data[MESSAGES][0][message][text]": "[b]Anna:[/b] [br]"}
    assert portal.post(posted, **bare).status_code == 200
    assert portal.one("SELECT count(*) FROM message") == 2


def test_a_picture_without_words_is_shown_as_something_to_look_at_in_the_messenger(
    portal: Portal, sandbox: Any
) -> None:
    desk = Desk(portal, sandbox)
    desk.customer("")
    portal.work()
    assert desk.told() == [("customer", "[вложение – смотрите в мессенджере]", "received")]


def test_what_a_customer_writes_makes_no_link_and_no_button_for_the_operator(portal: Portal, sandbox: Any) -> None:
    desk = Desk(portal, sandbox)
    desk.customer("[URL=https://evil.test]Your portal[/url] [send=Yes]x[/send] [1] and [text] stay")
    portal.work()
    ((_, shown, _),) = desk.told()
    assert not re.search(r"\[/?(url|send)", shown, re.IGNORECASE)
    assert shown.replace("\u200b", "") == (
        "[URL=https://evil.test]Your portal[/url] [send=Yes]x[/send] [1] and [text] stay"
    )
    assert "[1] and [text] stay" in shown
