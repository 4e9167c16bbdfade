"""Undelivered: groups in words, what sending again would do, and every act on one message and on many."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import select

from hub.accounts import users
from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.delivery.models import Message
from hub.portals.models import Portal
from tests.conftest import Api
from tests.web.documents import LINE, document

OWN = {"Sec-Fetch-Site": "same-origin"}
PASSWORD = "correct horse"
DAY = 24 * 3600 * SECOND
Put = Callable[..., str]


@pytest.fixture
def signed_in(hub: Hub, portal: Portal, client: Any) -> Callable[[str], Any]:
    """Signs somebody with a role in; the browser that results."""
    assert portal.id is not None
    with hub.db.write() as session:
        for role in users.ROLES:
            users.create_user(session, portal.id, email=f"{role}@shop.test", password=PASSWORD, role=role)

    def sign_in(role: str) -> Any:
        client.post("/login", data={"email": f"{role}@shop.test", "password": PASSWORD}, headers=OWN)
        return client

    return sign_in


@pytest.fixture
def put(api: Api, hub: Hub) -> Put:
    """Makes a message to a chat and brings it into a state, as the worker would."""
    api.post("/lines", LINE)
    link = api.post("/scenarios", document()).json["links"]["request"].removeprefix("https://hub.test")

    def make(chat: str, state: str, code: str = "blocked", *, age: int = 0) -> str:
        run = api.client.post(link, json={"chat_id": chat, "id": "7"}).json["run"]
        message_id = str(api.get(f"/runs/{run}").json["messages"][0])
        with hub.db.write() as session:
            message = session.exec(select(Message).where(Message.id == message_id)).one()
            message.state, message.head, message.attempts = state, False, 3
            message.error = f'{{"code":"{code}","message":"Bad Request: no."}}'
            message.created_at -= age
            message.ended_at = now_us() - age
            session.add(message)
        return message_id

    return make


def states(api: Api, *ids: str) -> list[str]:
    return [api.get(f"/messages/{one}").json["state"] for one in ids]


def test_an_empty_list_says_that_this_is_how_it_should_be(signed_in: Any) -> None:
    assert "Пусто. Так и должно быть" in signed_in("viewer").get("/undelivered?lang=ru").text


def test_messages_stand_in_groups_by_reason_in_words_with_their_number_and_age(signed_in: Any, put: Put) -> None:
    put("101", "failed", "blocked", age=3 * DAY)
    put("102", "undelivered", "blocked")
    unsure = put("103", "unconfirmed", "read_timeout")
    browser = signed_in("editor")
    text = browser.get("/undelivered?lang=ru").text
    assert "Получатель нас заблокировал" in text
    assert "самому старому 3 дня" in text
    assert "Ответ не пришёл: возможно, доставлено" in text
    assert text.index("Получатель нас") < text.index("Ответ не пришёл")
    assert "Bad Request" not in text
    only = browser.get("/undelivered?state=unconfirmed&reason=read_timeout").text
    assert f"message-{unsure}" in only
    assert only.count('data-testid="message-') == 1
    assert "Не дошло" in only


def test_of_a_message_that_may_have_arrived_it_is_said_to_look_first_whatever_the_reason(
    signed_in: Any, put: Put
) -> None:
    put("103", "unconfirmed", "provider_down")
    text = signed_in("editor").get("/undelivered?lang=ru").text
    assert text.count("Мессенджер не работал: возможно, доставлено") == 2
    assert "Загляните в мессенджер" in text
    assert "Отправьте снова." not in text


def test_a_code_that_nobody_knows_is_shown_with_the_words_of_the_messenger(signed_in: Any, put: Put) -> None:
    put("101", "failed", "4711")
    assert "Bad Request: no." in signed_in("viewer").get("/undelivered").text


def test_what_a_repeat_does_not_mend_is_told_apart_and_sent_only_when_it_is_ticked(
    signed_in: Any, put: Put, api: Api
) -> None:
    again, blocked = put("101", "failed", "provider_down"), put("102", "failed", "blocked", age=2 * DAY)
    browser = signed_in("editor")
    text = browser.get("/undelivered/plan?lang=ru").text
    assert "1 не старше суток: отправим" in text
    assert "1 вряд ли дойдёт и теперь: причина у получателя" in text
    assert text.count(" checked") == 1
    browser.post("/undelivered/send", data={"part": ["fresh", "old"], "until": now_us()}, headers=OWN)
    assert states(api, again, blocked) == ["queued", "failed"]
    browser.post("/undelivered/send", data={"part": "lasting", "until": now_us()}, headers=OWN)
    assert states(api, again, blocked) == ["queued", "queued"]


def test_before_many_are_sent_it_is_said_how_many_are_old_or_may_have_arrived(
    signed_in: Any, put: Put, api: Api
) -> None:
    fresh = [put(str(100 + number), "failed", "provider_down") for number in range(3)]
    old = [put(str(200 + number), "expired", "expired", age=2 * DAY) for number in range(2)]
    unsure = put("300", "unconfirmed", "read_timeout")
    browser = signed_in("editor")
    text = browser.get("/undelivered/plan?lang=ru").text
    assert "6 сообщений" in text
    assert "3 не старше суток: отправим" in text
    assert "2 старше суток: всё равно отправить" in text
    assert "1 неизвестно" in text
    sent = browser.post("/undelivered/send", data={"part": "fresh", "until": now_us()}, headers=OWN)
    assert (sent.status_code, sent.location) == (303, "/undelivered?done=sent&count=3")
    assert states(api, *fresh, *old, unsure) == ["queued"] * 3 + ["expired"] * 2 + ["unconfirmed"]
    browser.post("/undelivered/send", data={"part": ["old", "unconfirmed"], "until": now_us()}, headers=OWN)
    assert states(api, *old, unsure) == ["queued"] * 3


def test_what_waits_on_a_line_that_does_not_work_is_named_though_it_has_not_failed(
    signed_in: Any, put: Put, hub: Hub
) -> None:
    put("101", "queued")
    browser = signed_in("viewer")
    assert "Пусто. Так и должно быть" in browser.get("/undelivered?lang=ru").text
    hub.db.writer.run(lambda sql: sql.run("UPDATE line SET state = 'unreachable'"))
    text = browser.get("/undelivered?lang=ru").text
    assert "1 сообщение ждёт на линии «Продажи», которая не работает." in text
    assert "Пусто" not in text


def test_with_nothing_ticked_nothing_is_sent_and_it_is_said(signed_in: Any, put: Put, api: Api) -> None:
    unsure = put("300", "unconfirmed", "read_timeout")
    answer = signed_in("editor").post("/undelivered/send?lang=ru", data={"until": now_us()}, headers=OWN)
    assert answer.status_code == 422
    assert "Ничего не отмечено" in answer.text
    assert states(api, unsure) == ["unconfirmed"]


def test_what_failed_after_the_look_is_not_sent_with_the_rest(signed_in: Any, put: Put, api: Api) -> None:
    seen = put("101", "failed", "provider_down")
    until = now_us()
    later = put("102", "failed", "provider_down")
    signed_in("editor").post("/undelivered/send", data={"part": "fresh", "until": until}, headers=OWN)
    assert states(api, seen, later) == ["queued", "failed"]


def test_only_the_ticked_ones_or_those_of_a_reason_are_sent(signed_in: Any, put: Put, api: Api) -> None:
    ids = [put(str(100 + number), "failed", code) for number, code in enumerate(("a", "a", "b"))]
    browser = signed_in("editor")
    chosen = {"part": "fresh", "until": now_us()}
    browser.post("/undelivered/send", data=chosen | {"id": ids[:1]}, headers=OWN)
    assert states(api, *ids) == ["queued", "failed", "failed"]
    browser.post("/undelivered/send", data=chosen | {"reason": "b", "state": "failed"}, headers=OWN)
    assert states(api, *ids) == ["queued", "failed", "queued"]


def test_one_is_sent_to_another_number_by_another_line(signed_in: Any, put: Put, api: Api) -> None:
    message = put("101", "failed")
    other = api.post("/lines", LINE | {"name": "Запасная"}).json["id"]
    browser = signed_in("editor")
    refused = browser.post(f"/undelivered/{message}/send?lang=ru", data={"chat_id": "1" * 300}, headers=OWN)
    assert refused.status_code == 422
    assert "Нужен получатель" in refused.text
    assert (
        browser.post(f"/undelivered/{message}/send", data={"chat_id": "55", "line": other}, headers=OWN).status_code
        == 303
    )
    shown = api.get(f"/messages/{message}").json
    assert (shown["state"], shown["line"], shown["chat_id"]) == ("queued", other, "55")


@pytest.mark.parametrize(("answer", "state"), [("sent", "sent"), ("failed", "failed")])
def test_somebody_says_whether_a_message_arrived(signed_in: Any, put: Put, api: Api, answer: str, state: str) -> None:
    message = put("101", "unconfirmed", "read_timeout")
    browser = signed_in("editor")
    assert browser.post(f"/undelivered/{message}/settle", data={"as": answer}, headers=OWN).status_code == 303
    assert states(api, message) == [state]
    assert browser.post(f"/undelivered/{message}/settle", data={"as": answer}, headers=OWN).status_code == 409


def test_of_many_at_once_it_is_said_whether_they_arrived(signed_in: Any, put: Put, api: Api) -> None:
    unsure = [put(str(100 + number), "unconfirmed", "read_timeout") for number in range(2)]
    failed = put("200", "failed")
    browser = signed_in("editor")
    assert "Дошли все 2" in browser.get("/undelivered/plan?lang=ru").text
    said = browser.post("/undelivered/settle", data={"as": "sent", "until": now_us()}, headers=OWN)
    assert said.location == "/undelivered?done=arrived&count=2"
    assert states(api, *unsure, failed) == ["sent", "sent", "failed"]


def test_what_is_put_aside_is_gone_from_the_list_and_can_still_be_sent(signed_in: Any, put: Put, api: Api) -> None:
    one, two, arrived = put("101", "failed"), put("102", "unconfirmed", "read_timeout"), put("103", "sent")
    browser = signed_in("editor")
    assert browser.post(f"/undelivered/{one}/discard", headers=OWN).status_code == 303
    assert browser.post(f"/undelivered/{arrived}/discard", headers=OWN).status_code == 303
    assert states(api, one, two, arrived) == ["cancelled", "unconfirmed", "sent"]
    gone = browser.post("/undelivered/discard", data={"until": now_us()}, headers=OWN)
    assert gone.location == "/undelivered?done=discarded&count=1"
    assert states(api, two) == ["cancelled"]
    assert api.post(f"/messages/{one}/redeliver").json["state"] == "queued"


def test_a_list_goes_on_where_its_page_ended_and_keeps_its_group(signed_in: Any, put: Put) -> None:
    for number in range(52):
        put(str(1000 + number), "failed")
    put("9", "failed", "other")
    browser = signed_in("viewer")
    first = browser.get("/undelivered?state=failed&reason=blocked").text
    assert first.count('data-testid="message-') == 50
    following = first.split('href="/undelivered?state=failed&amp;reason=blocked&amp;below=')[1].split('"')[0]
    second = browser.get(f"/undelivered?state=failed&reason=blocked&below={following}").text
    assert second.count('data-testid="message-') == 2


@pytest.mark.parametrize("path", ["send", "settle", "discard", "{id}/send", "{id}/settle", "{id}/discard"])
def test_whoever_may_only_look_can_change_nothing(signed_in: Any, put: Put, api: Api, path: str) -> None:
    message = put("101", "failed")
    browser = signed_in("viewer")
    page = browser.get("/undelivered?lang=en").text
    assert "Send again" not in page
    assert browser.post(f"/undelivered/{path.format(id=message)}", headers=OWN).status_code == 403
    assert states(api, message) == ["failed"]


def test_a_strangers_message_is_neither_shown_nor_touched(
    signed_in: Any, put: Put, api: Api, stranger: Api, hub: Hub
) -> None:
    mine = put("101", "failed")
    with hub.db.write() as session:
        message = session.exec(select(Message).where(Message.id == mine)).one()
        other = session.exec(select(Portal).where(Portal.member_id == "other")).one()
        assert other.id is not None
        message.portal_id = other.id
        session.add(message)
    browser = signed_in("editor")
    assert mine not in browser.get("/undelivered").text
    assert browser.post(f"/undelivered/{mine}/send", headers=OWN).status_code == 404
    browser.post("/undelivered/discard", data={"until": now_us()}, headers=OWN)
    assert stranger.get(f"/messages/{mine}").json["state"] == "failed"
