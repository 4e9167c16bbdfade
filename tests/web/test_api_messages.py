"""Messages over the management API: finding them, and sending again, cancelling and settling by hand."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import col, select

from hub.clock import now_us
from hub.core import Hub
from hub.delivery.models import Attempt, Message
from tests.conftest import Api
from tests.web.documents import LINE, document

Send = Callable[..., str]


@pytest.fixture
def send(api: Api) -> Send:
    """Makes a message to a chat by calling a link; gives its id."""
    api.post("/lines", LINE)
    link = api.post("/scenarios", document()).get_json()["links"]["request"].removeprefix("https://hub.test")

    def call(chat: str = "5") -> str:
        run = api.client.post(link, json={"chat_id": chat, "id": "7"}).get_json()["run"]
        return str(api.get(f"/runs/{run}").get_json()["messages"][0])

    return call


def put(hub: Hub, message_id: str, state: str, code: str | None = None) -> None:
    """Bring a message into a state as the worker would."""
    with hub.db.write() as session:
        message = session.exec(select(Message).where(Message.id == message_id)).one()
        message.state, message.attempts, message.failures = state, 3, 3
        message.head = state in ("queued", "sending")
        message.error = None if code is None else f'{{"code":"{code}","message":"No."}}'
        session.add(message)
        session.merge(
            Attempt(message_id=message_id, n=3, owner="w", started_at=now_us(), outcome="rejected", code=code or "")
        )


def heads(hub: Hub) -> list[str]:
    """The messages that may be claimed."""
    with hub.db.read() as session:
        return list(session.exec(select(Message.id).where(col(Message.head).is_(True)).order_by(col(Message.seq))))


def test_a_message_shows_where_it_is(api: Api, send: Send, hub: Hub) -> None:
    message = api.get(f"/messages/{send()}").get_json()
    assert (message["channel"], message["chat_id"], message["text"]) == ("telegram", "5", "Заказ 7")
    assert (message["state"], message["block"], message["attempts"]) == ("queued", "greet", [])
    put(hub, message["id"], "failed", "blocked")
    shown = api.get(f"/messages/{message['id']}").get_json()
    assert shown["error"] == {"code": "blocked", "message": "No."}
    assert [(one["n"], one["outcome"], one["code"]) for one in shown["attempts"]] == [(3, "rejected", "blocked")]


def test_messages_are_found_by_every_filter(api: Api, send: Send, hub: Hub) -> None:
    first, second = send("5"), send("6")
    put(hub, first, "failed", "blocked")
    line = api.get("/lines").get_json()["items"][0]["id"]
    scenario = api.get("/scenarios").get_json()["items"][0]["id"]

    def found(**filters: Any) -> list[str]:
        answer = api.get("/messages", query_string=filters)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return [one["id"] for one in answer.get_json()["items"]]

    assert found() == [second, first]
    assert found(state="failed") == [first]
    assert found(state="failed,queued", line=line, scenario=scenario) == [second, first]
    assert found(reason="blocked") == [first]
    assert found(chat="6") == [second]
    assert found(line="x") == found(scenario=scenario + 1) == found(reason="other") == []
    assert found(before="2020-01-01T00:00:00Z") == []
    assert found(after="2020-01-01T00:00:00Z") == [second, first]


@pytest.mark.parametrize(
    "query", ["limit=201", "limit=0", "state=lost", "cursor=!", "cursor=YWI=", "colour=1", "before=yesterday"]
)
def test_a_wrong_parameter_is_refused(api: Api, query: str) -> None:
    assert api.get(f"/messages?{query}").status_code == 422


def test_a_list_goes_on_where_its_page_ended(api: Api, send: Send) -> None:
    made = [send(str(number)) for number in range(5)]
    seen, cursor = [], ""
    for _ in range(3):
        page = api.get(f"/messages?limit=2{cursor}").get_json()
        seen += [one["id"] for one in page["items"]]
        cursor = f"&cursor={page['next']}"
    assert seen == made[::-1]
    assert page["next"] is None


@pytest.mark.parametrize("state", ["failed", "expired", "undelivered", "unconfirmed", "cancelled"])
def test_a_message_that_did_not_arrive_is_sent_again(api: Api, send: Send, hub: Hub, state: str) -> None:
    message = send()
    put(hub, message, state, "blocked")
    answer = api.post(f"/messages/{message}/redeliver")
    assert answer.status_code == 200
    shown = answer.get_json()
    assert (shown["state"], shown["error"], len(shown["attempts"])) == ("queued", None, 1)
    assert heads(hub) == [message]
    with hub.db.read() as session:
        kept = session.exec(select(Message).where(Message.id == message)).one()
        assert (kept.attempts, kept.failures) == (3, 0)


@pytest.mark.parametrize("state", ["queued", "sending", "sent", "delivered", "read"])
def test_a_message_that_waits_or_arrived_is_not_sent_again(api: Api, send: Send, hub: Hub, state: str) -> None:
    message = send()
    put(hub, message, state)
    answer = api.post(f"/messages/{message}/redeliver")
    assert (answer.status_code, answer.get_json()["state"]) == (409, state)


def test_a_message_goes_again_to_another_line_and_chat(api: Api, send: Send, hub: Hub) -> None:
    message = send()
    put(hub, message, "failed", "blocked")
    other = api.post("/lines", LINE | {"name": "Запасная"}).get_json()["id"]
    shown = api.post(f"/messages/{message}/redeliver", {"line": other, "chat_id": " 77 "}).get_json()
    assert (shown["line"], shown["chat_id"], shown["chat_id_raw"]) == (other, "77", " 77 ")
    put(hub, message, "failed", "blocked")
    assert api.post(f"/messages/{message}/redeliver", {"chat_id": " "}).status_code == 422
    assert api.post(f"/messages/{message}/redeliver", {"line": "nope"}).status_code == 404


def test_a_message_sent_again_waits_behind_the_open_one_of_its_chat(api: Api, send: Send, hub: Hub) -> None:
    old, new = send(), send()
    put(hub, old, "failed")
    put(hub, new, "queued")
    api.post(f"/messages/{old}/redeliver")
    assert heads(hub) == [new]


def test_a_message_whose_line_is_gone_needs_another(api: Api, send: Send, hub: Hub) -> None:
    message = send()
    put(hub, message, "failed")
    line = api.get("/lines").get_json()["items"][0]["id"]
    assert api.delete(f"/lines/{line}").status_code == 204
    answer = api.post(f"/messages/{message}/redeliver")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "line_missing")
    assert api.post("/messages/redeliver").get_json() == {"count": 0, "groups": []}


def test_cancelling_the_head_lets_the_next_message_of_the_chat_go(api: Api, send: Send, hub: Hub) -> None:
    first, second = send(), send()
    assert heads(hub) == [first]
    assert api.post(f"/messages/{first}/cancel").get_json()["state"] == "cancelled"
    assert heads(hub) == [second]
    assert api.post(f"/messages/{first}/cancel").status_code == 409


@pytest.mark.parametrize("outcome", ["sent", "failed"])
def test_an_unconfirmed_message_is_settled_by_hand(api: Api, send: Send, hub: Hub, outcome: str) -> None:
    message = send()
    assert api.post(f"/messages/{message}/settle", {"as": outcome}).status_code == 409
    put(hub, message, "unconfirmed", "timeout")
    shown = api.post(f"/messages/{message}/settle", {"as": outcome}).get_json()
    assert shown["state"] == outcome
    assert (shown["sent_at"] is not None) == (outcome == "sent")
    assert api.post(f"/messages/{message}/settle", {"as": "lost"}).status_code == 422


def test_many_are_counted_by_reason_before_they_are_sent_again(api: Api, send: Send, hub: Hub) -> None:
    messages = [send(str(number)) for number in range(5)]
    for message, state, code in zip(
        messages, ("failed", "failed", "expired", "unconfirmed", "sent"), ("a", "a", "b", "c", None), strict=True
    ):
        put(hub, message, state, code)
    counted = api.post("/messages/redeliver", {"preview": True}).get_json()
    assert counted["count"] == 3
    assert [(group["reason"], group["count"]) for group in counted["groups"]] == [("a", 2), ("b", 1)]
    assert heads(hub) == []
    done = api.post("/messages/redeliver", {"filter": {"reason": "a"}}).get_json()
    assert (done["count"], heads(hub)) == (2, messages[:2])
    assert api.post("/messages/redeliver", {"filter": {"state": "unconfirmed"}}).get_json()["count"] == 1
    assert api.post("/messages/redeliver", {"filter": {"state": "sent"}}).status_code == 422


def test_of_one_chat_only_the_oldest_of_many_goes_first(api: Api, send: Send, hub: Hub) -> None:
    messages = [send() for _ in range(3)]
    for message in messages:
        put(hub, message, "failed", "a")
    assert api.post("/messages/redeliver").get_json()["count"] == 3
    assert heads(hub) == messages[:1]


@pytest.mark.parametrize("action", ["", "/redeliver", "/send-now", "/cancel", "/settle"])
def test_a_strangers_message_does_not_exist(api: Api, stranger: Api, send: Send, hub: Hub, action: str) -> None:
    message = send()
    put(hub, message, "failed")
    body = {"as": "sent"} if action == "/settle" else None
    assert stranger.call("POST" if action else "GET", f"/messages/{message}{action}", body).status_code == 404
    assert stranger.get("/messages").get_json()["items"] == []
    assert stranger.post("/messages/redeliver").get_json()["count"] == 0
    mine = api.post("/lines", LINE | {"name": "Вторая"}).get_json()["id"]
    theirs = stranger.post("/lines", LINE).get_json()["id"]
    assert api.post(f"/messages/{message}/redeliver", {"line": theirs}).status_code == 404
    assert api.post(f"/messages/{message}/redeliver", {"line": mine}).status_code == 200
