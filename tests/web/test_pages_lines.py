"""The pages of lines: connecting one by its form, what to do when it broke, and letting go what waits on it."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import select

from hub.accounts import users
from hub.clock import SECOND
from hub.core import Hub
from hub.delivery.models import Line, Message
from hub.portals.models import Portal
from hub.sandbox.server import Sandbox
from tests.conftest import Api
from tests.web.documents import LINE, document

OWN = {"Sec-Fetch-Site": "same-origin"}
PASSWORD = "correct horse"
HOUR = 3600 * SECOND


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
def line(api: Api, sandbox: Sandbox) -> str:
    """A line on the simulated messenger; its id."""
    config = {"token": "1:AAAA", "api_url": f"{sandbox.url}/telegram"}
    return str(api.post("/lines", LINE | {"config": config}).json["id"])


@pytest.fixture
def wait(api: Api, hub: Hub, line: str) -> Callable[..., str]:
    """Makes a message that waits on the line, made some hours ago."""
    link = api.post("/scenarios", document()).json["links"]["request"].removeprefix("https://hub.test")

    def make(chat: str, hours: int = 0) -> str:
        run = api.client.post(link, json={"chat_id": chat, "id": "7"}).json["run"]
        message_id = str(api.get(f"/runs/{run}").json["messages"][0])
        with hub.db.write() as session:
            message = session.exec(select(Message).where(Message.id == message_id)).one()
            message.created_at -= hours * HOUR
            message.due_at -= hours * HOUR
            session.add(message)
        return message_id

    return make


def break_line(hub: Hub, line_id: str, code: str = "token_refused", state: str = "auth_failed") -> None:
    """As the worker does when the messenger refuses the account."""
    with hub.db.write() as session:
        line = session.get(Line, line_id)
        assert line is not None
        line.state, line.state_code, line.state_reason = state, code, "Unauthorized"
        session.add(line)


def test_without_a_line_the_page_offers_to_connect_one(signed_in: Any) -> None:
    assert "Подключите первую линию" in signed_in("admin").get("/lines?lang=ru").text


def test_a_line_is_connected_by_its_form_and_asked_at_once_who_we_are_there(
    signed_in: Any, api: Api, sandbox: Sandbox
) -> None:
    browser = signed_in("admin")
    form = browser.get("/lines/new?channel=telegram&lang=ru").text
    assert "@BotFather" in form
    given = {"channel": "telegram", "name": "Продажи", "config.token": "1:AAAA"}
    given |= {"config.api_url": f"{sandbox.url}/telegram", "settings.rate_per_s": "5", "settings.country": ""}
    made = browser.post("/lines/new?lang=ru", data=given, headers=OWN)
    assert made.status_code == 200
    assert "Мессенджер ответил: вы подключены как @" in made.text
    assert "1:AAAA" not in made.text
    (line,) = api.get("/lines").json["items"]
    assert (line["name"], line["settings"]["rate_per_s"], line["settings"]["country"]) == ("Продажи", 5.0, "RU")
    assert made.headers["HX-Push-Url"] == f"/lines/{line['id']}"


def test_a_line_of_max_is_connected_by_its_form_and_says_what_its_certificate_needs(
    signed_in: Any, api: Api, hub: Hub, sandbox: Sandbox
) -> None:
    browser = signed_in("admin")
    assert "business.max.ru" in browser.get("/lines/new?channel=max&lang=ru").text
    given = {"channel": "max", "name": "Продажи", "config.token": "f9LH-AAAA", "config.secret": "four"}
    given |= {"config.api_url": f"{sandbox.url}/max"}
    assert browser.post("/lines/new?lang=ru", data=given, headers=OWN).status_code == 422
    made = browser.post("/lines/new?lang=ru", data=given | {"config.secret": "a-secret"}, headers=OWN)
    assert "Мессенджер ответил: вы подключены как @sandbox_bot" in made.text
    assert "POST /subscriptions" in made.text
    (line,) = api.get("/lines").json["items"]
    break_line(hub, line["id"], "tls_error", "unreachable")
    assert "HUB_MAX_CA_FILE" in browser.get(f"/lines/{line['id']}?lang=ru").text
    assert "The certificate of MAX is not trusted here" in browser.get(f"/lines/{line['id']}?lang=en").text


def test_what_cannot_be_kept_is_said_at_its_field_and_nothing_typed_is_lost(signed_in: Any, api: Api) -> None:
    browser = signed_in("admin")
    given = {"channel": "telegram", "name": "Продажи", "config.token": "no token", "settings.rate_per_s": "fast"}
    refused = browser.post("/lines/new", data=given, headers=OWN)
    assert refused.status_code == 422
    assert 'value="Продажи"' in refused.text
    assert "field-error" in refused.text
    assert api.get("/lines").json["items"] == []
    api.post("/lines", LINE)
    taken = browser.post("/lines/new", data=given | {"config.token": "1:AAAA", "settings.rate_per_s": ""}, headers=OWN)
    assert taken.status_code == 422
    assert 'id="name-hint"' in taken.text


def test_a_secret_is_never_shown_and_stays_when_the_rest_is_saved(
    signed_in: Any, api: Api, hub: Hub, line: str
) -> None:
    browser = signed_in("admin")
    page = browser.get(f"/lines/{line}").text
    assert "1:AAAA" not in page
    assert 'value="•••"' in page
    with hub.db.read() as session:
        sealed = session.get(Line, line)
        assert sealed is not None
        before = hub.box.open(sealed.config_sealed, table="line", column="config", row=line)
    api_url = api.get(f"/lines/{line}").json["config"]["api_url"]
    given = {"name": "Отдел", "config.token": "•••", "config.api_url": api_url}
    assert browser.post(f"/lines/{line}", data=given, headers=OWN).status_code == 200
    with hub.db.read() as session:
        sealed = session.get(Line, line)
        assert sealed is not None
        assert hub.box.open(sealed.config_sealed, table="line", column="config", row=line) == before
        assert sealed.name == "Отдел"


def test_a_line_that_is_called_like_its_messenger_is_not_called_so_twice(signed_in: Any, api: Api, line: str) -> None:
    browser = signed_in("viewer")
    assert ">Telegram</span>" in browser.get("/lines").text.replace("\n", "")
    api.call("PATCH", f"/lines/{line}", {"name": "Наш Telegram"})
    assert browser.get("/lines").text.count("Telegram") == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [("token_refused", "не принимает токен"), ("payment", "ждёт оплаты"), ("4711", "отвечает ошибкой")],
)
def test_a_broken_line_says_in_plain_words_what_to_do(
    signed_in: Any, hub: Hub, line: str, code: str, words: str
) -> None:
    break_line(hub, line, code)
    browser = signed_in("viewer")
    assert words in browser.get("/lines?lang=ru").text
    assert words in browser.get(f"/lines/{line}").text


def test_after_an_outage_somebody_chooses_what_still_goes_out(
    signed_in: Any, api: Api, hub: Hub, line: str, wait: Callable[..., str]
) -> None:
    fresh, old = [wait(str(100 + number)) for number in range(2)], [wait("200", 9)]
    break_line(hub, line)
    browser = signed_in("editor")
    page = browser.get(f"/lines/{line}?lang=ru").text
    assert "Отправить 3 ожидающих?" in page
    assert "Свежих: 2, старше 8 часов: 1" in page
    assert page.count("checked") == 2
    assert "если он ответит, линия снова заработает" in page
    sent = browser.post(f"/lines/{line}/resume", data={"shown": fresh + old, "keep": fresh}, headers=OWN)
    assert sent.location == f"/lines/{line}?done=resumed&count=1"
    assert api.get(f"/lines/{line}").json["state"] == "active"
    states = [api.get(f"/messages/{one}").json["state"] for one in fresh + old]
    assert states == ["queued", "queued", "cancelled"]


def test_a_refused_line_that_answers_works_again_and_waits_for_whoever_chooses(
    signed_in: Any, api: Api, hub: Hub, line: str, wait: Callable[..., str]
) -> None:
    waiting = wait("100")
    break_line(hub, line)
    browser = signed_in("editor")
    answered = browser.post(f"/lines/{line}/check?lang=ru", headers=OWN).text
    assert "Мессенджер ответил" in answered
    assert "Линия снова работает и ждёт вас" in answered
    assert "не принимает токен" not in answered
    assert api.get(f"/lines/{line}").json["state"] == "paused"
    browser.post(f"/lines/{line}/resume", data={"shown": waiting, "keep": waiting}, headers=OWN)
    assert api.get(f"/lines/{line}").json["state"] == "active"


def test_a_line_that_waits_for_a_choice_is_named_on_the_overview_and_its_card_says_why_it_is_paused(
    signed_in: Any, hub: Hub, line: str, wait: Callable[..., str]
) -> None:
    wait("100")
    break_line(hub, line)
    browser = signed_in("editor")
    browser.post(f"/lines/{line}/check", headers=OWN)
    overview = browser.get("/?lang=ru").text
    assert "снова работает, 1 сообщение ждёт вашего выбора" in overview
    cards = browser.get("/lines?lang=ru").text
    assert "Линия снова работает и стоит на паузе: 1 сообщение ждёт вашего выбора" in cards
    for page in (overview, cards):
        assert f'href="/lines/{line}#waiting"' in page
        assert "Выбрать, что отправить" in page
    browser.post(f"/lines/{line}/resume", headers=OWN)
    assert "ждёт вашего выбора" not in browser.get("/?lang=ru").text + browser.get("/lines").text


def test_a_working_line_whose_token_is_refused_by_a_check_is_out_of_order_from_then_on(
    signed_in: Any, api: Api, line: str, sandbox: Sandbox
) -> None:
    sandbox.board.log("telegram", out=True)
    page = signed_in("editor").post(f"/lines/{line}/check?lang=ru", headers=OWN).text
    assert "не принимает токен" in page
    assert "работает</span>" not in page
    shown = api.get(f"/lines/{line}").json
    assert (shown["state"], shown["state_code"]) == ("auth_failed", "token_refused")


def test_a_line_that_was_silent_goes_on_when_it_answers_though_messages_wait(
    signed_in: Any, api: Api, hub: Hub, line: str, wait: Callable[..., str]
) -> None:
    wait("100")
    break_line(hub, line, "hung_up", state="unreachable")
    browser = signed_in("editor")
    page = browser.get(f"/lines/{line}?lang=ru").text
    assert "обрывает соединение, не ответив" in page
    assert ">hung_up<" not in page
    assert "обрывает соединение" not in browser.post(f"/lines/{line}/check", headers=OWN).text
    assert api.get(f"/lines/{line}").json["state"] == "active"


def test_a_line_that_is_still_refused_lets_nothing_go_and_cancels_nothing(
    signed_in: Any, api: Api, hub: Hub, line: str, wait: Callable[..., str]
) -> None:
    waiting = wait("100")
    api.call("PATCH", f"/lines/{line}", {"config": {"token": "2:revoked"}})
    break_line(hub, line)
    page = signed_in("editor").post(f"/lines/{line}/resume?lang=ru", data={"shown": waiting}, headers=OWN)
    assert "не принимает токен" in page.text
    assert api.get(f"/messages/{waiting}").json["state"] == "queued"
    assert api.get(f"/lines/{line}").json["state"] == "auth_failed"


def test_a_broken_line_on_which_nothing_waits_goes_on_when_it_answers(
    signed_in: Any, api: Api, hub: Hub, line: str
) -> None:
    break_line(hub, line)
    signed_in("editor").post(f"/lines/{line}/check", headers=OWN)
    assert api.get(f"/lines/{line}").json["state"] == "active"


def test_a_line_is_paused_and_goes_on(signed_in: Any, api: Api, line: str) -> None:
    browser = signed_in("editor")
    browser.post(f"/lines/{line}/pause", headers=OWN)
    assert api.get(f"/lines/{line}").json["state"] == "paused"
    browser.post(f"/lines/{line}/resume", headers=OWN)
    assert api.get(f"/lines/{line}").json["state"] == "active"


def test_a_test_message_waits_in_the_lines_queue_and_its_state_is_shown(signed_in: Any, api: Api, line: str) -> None:
    browser = signed_in("editor")
    sent = browser.post(f"/lines/{line}/test?lang=ru", data={"chat": "777", "text": "Привет"}, headers=OWN)
    assert sent.status_code == 303
    (message,) = api.get("/messages").json["items"]
    assert (message["chat_id"], message["text"], message["state"]) == ("777", "Привет", "queued")
    assert 'hx-trigger="every 2s"' in browser.get(sent.location).text
    assert browser.post(f"/lines/{line}/test", data={"chat": "", "text": "x"}, headers=OWN).status_code == 422


def test_a_line_is_deleted_unless_messages_wait_on_it(
    signed_in: Any, api: Api, line: str, wait: Callable[..., str]
) -> None:
    waiting = wait("100")
    browser = signed_in("admin")
    assert browser.post(f"/lines/{line}/delete", headers=OWN).status_code == 409
    api.post(f"/messages/{waiting}/cancel")
    assert browser.post(f"/lines/{line}/delete", headers=OWN).location == "/lines?done=gone"
    assert api.get("/lines").json["items"] == []


@pytest.mark.parametrize(
    ("role", "paths"), [("viewer", ("check", "pause", "resume", "test")), ("editor", ("delete", "", "new"))]
)
def test_a_role_that_is_too_small_changes_nothing(
    signed_in: Any, api: Api, line: str, role: str, paths: tuple[str, ...]
) -> None:
    browser = signed_in(role)
    before = api.get(f"/lines/{line}").json
    for path in paths:
        address = "/lines/new" if path == "new" else f"/lines/{line}/{path}".rstrip("/")
        assert browser.post(address, headers=OWN).status_code == 403, path
    assert api.get(f"/lines/{line}").json == before


def test_a_viewer_sees_no_address_with_a_token(signed_in: Any, api: Api, line: str) -> None:
    address = api.get(f"/lines/{line}").json["webhook_url"]
    assert address not in signed_in("viewer").get(f"/lines/{line}").text
    assert address in signed_in("editor").get(f"/lines/{line}").text


@pytest.mark.parametrize("path", ["", "/check", "/pause", "/resume", "/test", "/delete"])
def test_a_strangers_line_does_not_exist(signed_in: Any, stranger: Api, path: str) -> None:
    theirs = stranger.post("/lines", LINE).json["id"]
    browser = signed_in("admin")
    assert browser.get(f"/lines/{theirs}").status_code == 404
    assert browser.post(f"/lines/{theirs}{path}", data={"chat": "1"}, headers=OWN).status_code == 404
