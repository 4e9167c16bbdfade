"""The tab in a card of the portal: this customer's messages and runs, and a form to write to them."""

import html
import re
from typing import Any

import pytest
import time_machine

from hub.clock import now_us
from hub.core import Hub
from hub.ids import new_id
from hub.values import dumps
from hub.web.access.frame import issue, read
from tests.bitrix24.conftest import Visitor, control, token_in
from tests.bitrix24.robots import Portal
from tests.bitrix24.test_timeline import comments, start

PHONE = "79995550142"
TAB = "CRM_DEAL_DETAIL_TAB"


class Tab:
    """The tab as a person's frame shows it."""

    def __init__(self, visitor: Visitor, deal: int, *, user: int = 1, placement: str = TAB, **options: str) -> None:
        self.client = visitor.client
        frame = visitor.frame(user=user, placement=placement, options={"ID": str(deal), **options})
        self.opened = visitor.open(frame)
        text = self.opened.get_data(as_text=True)
        found = re.search(r'data-wanted="([^"]+)"', text)
        self.address = html.unescape(found[1]) if found else ""
        self.token = token_in(self.opened) if found else ""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def text(self, **query: str) -> str:
        answer = self.client.get(self.address, headers=self.headers, query_string=query)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        assert "Set-Cookie" not in answer.headers
        return html.unescape(answer.get_data(as_text=True))

    def recipients(self) -> dict[str, str]:
        """Where one may write to: what is shown, and its key."""
        rows = re.findall(r'<option value="([^"]+)"[^>]*>([^<]+)</option>', self.text())
        return {" ".join(shown.split()): key for key, shown in rows}

    def send(self, to: str, text: str = "Курьер будет в 15:00", number: str = "") -> Any:
        return self.client.post(self.address, headers=self.headers, data={"to": to, "text": text, "number": number})


@pytest.fixture
def portal(visitor: Visitor, hub: Hub, sandbox: Any) -> Portal:
    made = Portal(visitor, hub)
    made.line(sandbox)
    return made


@pytest.fixture
def deal(portal: Portal) -> int:
    """A deal of a customer with a phone."""
    phone = [{"VALUE": "8 999 555-01-42", "VALUE_TYPE": "MOBILE"}]
    fields = {"NAME": "Ольга", "LAST_NAME": "Зимина", "PHONE": phone}
    made = control(portal.visitor.simulator, "card", do="add", entityTypeId=3, fields=fields)
    return portal.deal(TITLE="Заказ 77", CONTACT_ID=made["id"], ASSIGNED_BY_ID=1)


def test_a_text_written_in_the_tab_arrives_and_stands_beside_the_card(portal: Portal, deal: int, sandbox: Any) -> None:
    tab = Tab(portal.visitor, deal, user=2)
    assert "Ольга Зимина" in tab.text()
    assert "Заказ 77" in tab.text()
    recipients = tab.recipients()
    assert list(recipients) == ["Phones · 8 999 555-01-42"]
    answer = tab.send(recipients["Phones · 8 999 555-01-42"])
    assert answer.status_code == 303
    shown = portal.visitor.client.get(answer.location, headers=tab.headers).get_data(as_text=True)
    assert "Сообщение отправляется." in shown
    assert "every 3s" in shown
    portal.send()
    portal.work()
    (entry,) = [one for one in sandbox.board.entries() if one.chat == PHONE]
    assert (entry.text, entry.accepted) == ("Курьер будет в 15:00", True)
    later = tab.text()
    assert "Борис Иванов" in later
    assert "отправлено" in later
    assert "every 3s" not in later
    said = "Отправлено сообщение (WhatsApp): «Курьер будет в 15:00» · отправлено · от сотрудника: Борис Иванов"
    assert comments(portal, deal) == [said]


def test_the_same_form_sent_twice_is_one_message(portal: Portal, deal: int) -> None:
    tab, number = Tab(portal.visitor, deal), new_id()
    (to,) = tab.recipients().values()
    assert [tab.send(to, number=number).status_code for _ in range(2)] == [303, 303]
    assert portal.column("SELECT id FROM message") == [number]
    assert tab.send(to, number="not a number").status_code == 303
    assert len(portal.column("SELECT id FROM message")) == 2


def test_a_form_with_the_number_of_another_message_takes_nothing_of_it(portal: Portal, deal: int) -> None:
    start(portal)
    (others,) = portal.column("SELECT id FROM message")
    tab = Tab(portal.visitor, deal)
    (to,) = tab.recipients().values()
    assert tab.send(to, number=others).status_code == 303
    assert portal.column("SELECT id FROM message") == [others]
    assert "Ваш заказ" not in tab.text()


def test_what_scenarios_did_for_the_card_and_sent_to_the_customer_is_shown(portal: Portal) -> None:
    deal = start(portal)
    portal.send()
    text = Tab(portal.visitor, deal).text()
    assert "Ваш заказ [готов]" in text
    assert "Заказ готов" in text
    # Where the customer was written to once, one may write again.
    assert list(Tab(portal.visitor, deal).recipients()) == ["Phones · +79990001122"]
    other = Tab(portal.visitor, portal.deal()).text()
    assert "Ваш заказ" not in other
    assert "Пока ничего не написано" in other


def test_a_contacts_tab_shows_what_was_written_to_its_phone_from_a_deal(portal: Portal, deal: int) -> None:
    tab = Tab(portal.visitor, deal)
    tab.send(next(iter(tab.recipients().values())))
    contact = portal.visitor.simulator.portal.crm.items[2][deal]["CONTACT_ID"]
    of_contact = Tab(portal.visitor, int(contact), placement="CRM_CONTACT_DETAIL_TAB")
    assert "Курьер будет в 15:00" in of_contact.text()
    assert "Ольга Зимина" in of_contact.text()


def test_a_card_that_the_portal_does_not_show_somebody_is_not_shown_here_either(portal: Portal, deal: int) -> None:
    control(portal.visitor.simulator, "user", id=2, sees_all=False)
    try:
        tab = Tab(portal.visitor, deal, user=2)
    finally:
        control(portal.visitor.simulator, "user", id=2, sees_all=True)
    assert (tab.opened.status_code, tab.address) == (403, "")
    said = tab.opened.get_data(as_text=True)
    assert "Портал не показывает вам эту карточку." in said
    assert "Ольга" not in said


def test_a_ticket_opens_for_its_person_only_and_for_an_hour(portal: Portal, deal: int) -> None:
    mine, theirs = Tab(portal.visitor, deal, user=1), Tab(portal.visitor, deal, user=2)
    client = portal.visitor.client
    assert client.get(mine.address).status_code in (302, 401)
    assert client.get(mine.address, headers=theirs.headers).status_code == 403
    assert client.get(mine.address[:-2] + "xx", headers=mine.headers).status_code == 403
    secret, opened_at = portal.hub.settings.secret_key, now_us() / 1_000_000
    person = read(secret, mine.token)
    assert person is not None
    for later_s, answered in ((3590, 200), (3601, 403)):
        with time_machine.travel(opened_at + later_s, tick=False):
            # The token of whoever is looking is renewed all the time that the tab stands open.
            mine.token = issue(secret, person)
            assert client.get(mine.address, headers=mine.headers).status_code == answered


def test_nobody_writes_to_an_address_that_is_not_the_customers(portal: Portal, deal: int) -> None:
    tab = Tab(portal.visitor, deal)
    (to,) = tab.recipients().values()
    line = to.partition("|")[0]
    for wrong, text in ((f"{line}|79991111111", "x"), ("", "x"), (to, "   "), (to, "x" * 5000)):
        answer = tab.send(wrong, text)
        assert answer.status_code == 422
    assert portal.column("SELECT id FROM message") == []


@pytest.mark.parametrize("spelled", ["0", "", "x", "-1", "9" * 20])
def test_a_card_that_is_not_saved_yet_has_nothing_to_show(portal: Portal, spelled: str) -> None:
    frame = portal.visitor.frame(user=1, placement=TAB, options={"ID": "1"})
    page = portal.visitor.open(frame, PLACEMENT_OPTIONS=dumps({"ID": spelled}))
    assert page.status_code == 422
    assert "Сначала сохраните карточку." in page.get_data(as_text=True)


def test_the_tab_speaks_the_portals_language(portal: Portal, deal: int) -> None:
    portal.visitor.simulator.portal.lang = "en"
    try:
        text = Tab(portal.visitor, deal).text()
    finally:
        portal.visitor.simulator.portal.lang = "ru"
    assert "Write to the customer" in text
