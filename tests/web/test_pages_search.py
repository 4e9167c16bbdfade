"""Search: by name, by the beginning of a phone or an id, by words of a text; never in another portal."""

from typing import Any

import pytest

from hub.clock import now_us
from hub.core import Hub
from hub.delivery import lines, outbox
from hub.delivery.outbox import Entry
from hub.ids import new_id
from hub.portals.models import Portal
from hub.web.finding import Found, find
from tests.web.documents import document


def message(hub: Hub, portal_id: int, line_id: str, chat: str, text: str) -> str:
    now, made = now_us(), new_id()
    entry = Entry(
        id=made,
        portal_id=portal_id,
        line_id=line_id,
        run_id=None,
        block="notice",
        iteration=0,
        messenger="telegram",
        chat_id=chat,
        chat_id_raw=chat,
        text=text,
        extra={},
        due_at=now,
        expires_at=now + 60_000_000,
    )
    hub.db.writer.run(lambda sql: outbox.enqueue(sql, entry, now=now), lines=[line_id])
    return made


@pytest.fixture
def sent(hub: Hub, portal: Portal) -> dict[str, str]:
    """Two messages of this portal, and one of another with the same phone."""
    assert portal.id is not None
    with hub.db.write() as session:
        other = Portal(member_id="other", installed_at=now_us(), time_zone="Europe/Moscow")
        session.add(other)
        session.flush()
        assert other.id is not None
        other_id, config = other.id, {"token": "1:A"}
        line = lines.create(session, hub, portal.id, name="Продажи", channel="telegram", config=config).id
        theirs = lines.create(session, hub, other_id, name="Чужая", channel="telegram", config=config).id
    return {
        "anna": message(hub, portal.id, line, "79991234567", "Анна, ЗАКАЗ № 1042 готов"),
        "boris": message(hub, portal.id, line, "79995550011", "Борис, ждём вас"),
        "stranger": message(hub, other_id, theirs, "79991234567", "Заказ чужого портала"),
    }


def found(hub: Hub, portal: Portal, text: str) -> list[Found]:
    assert portal.id is not None
    with hub.db.read() as session:
        return find(session, portal.id, text)


@pytest.mark.parametrize("typed", ["79991234567", "8 (999) 123", "+7 999 12", "7999123"])
def test_a_phone_is_found_by_its_beginning_however_it_is_written(
    hub: Hub, portal: Portal, sent: dict[str, str], typed: str
) -> None:
    assert [(one.kind, one.id) for one in found(hub, portal, typed)] == [("chat", "79991234567")]


def test_a_phone_is_found_by_its_last_four_digits(hub: Hub, portal: Portal, sent: dict[str, str]) -> None:
    assert [(one.kind, one.title) for one in found(hub, portal, "4567")] == [("chat", "79991234567")]
    assert found(hub, portal, "567") == []


def test_every_phone_that_begins_so_is_found_once(hub: Hub, portal: Portal, sent: dict[str, str]) -> None:
    assert [one.id for one in found(hub, portal, "7999")] == ["79991234567", "79995550011"]


def test_words_of_a_text_are_found_in_whatever_letters_and_only_in_ones_own_portal(
    hub: Hub, portal: Portal, sent: dict[str, str]
) -> None:
    assert [(one.kind, one.id) for one in found(hub, portal, "заказ")] == [("message", sent["anna"])]


def test_a_message_is_found_by_its_id_and_a_strangers_is_not(hub: Hub, portal: Portal, sent: dict[str, str]) -> None:
    assert [one.id for one in found(hub, portal, sent["anna"])] == [sent["anna"]]
    assert found(hub, portal, sent["stranger"]) == []


def test_a_scenario_is_found_by_a_part_of_its_name_and_by_its_number(hub: Hub, portal: Portal, api: Any) -> None:
    made = api.post("/scenarios", document(name="Заказ готов"))
    assert made.status_code == 201, made.json
    number = str(made.json["id"])
    assert [(one.kind, one.id) for one in found(hub, portal, "ГОТОВ")] == [("scenario", number)]
    assert ("scenario", number) in [(one.kind, one.id) for one in found(hub, portal, number)]


def test_nothing_is_found_for_nothing(hub: Hub, portal: Portal, sent: dict[str, str]) -> None:
    assert found(hub, portal, "  ") == []
