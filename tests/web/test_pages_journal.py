"""The journal's pages: what came, what ran, what was sent, and running it again."""

import re
from typing import Any

import pytest

from hub.core import Hub
from hub.portals.models import Portal
from tests.conftest import Api
from tests.web.documents import LINE, document
from tests.web.people import OWN, sign_in


@pytest.fixture
def editor(hub: Hub, portal: Portal, client: Any) -> Any:
    """Somebody who may change scenarios, signed in."""
    return sign_in(hub, portal, client, "editor")


@pytest.fixture
def link(api: Api) -> str:
    """The path of a link whose scenario sends one message."""
    api.post("/lines", LINE)
    made = api.post("/scenarios", document()).json
    return str(made["links"]["token_only"].removeprefix("https://hub.test"))


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def test_an_empty_journal_of_requests_shows_a_call_to_copy(editor: Any, link: str) -> None:
    page = editor.get("/journal?lang=ru")
    assert "Ссылку ещё никто не вызывал" in page.text
    assert f"https://hub.test{link}" in page.text


def test_a_request_is_shown_whole_with_its_secrets_hidden(editor: Any, client: Any, link: str) -> None:
    sent = {"chat_id": "79991234567", "id": "7", "items": [{"name": "Стул"}], "api_key": "very-secret-value"}
    assert client.post(link, json=sent).status_code == 200
    listed = editor.get("/journal?lang=ru").text
    address = re.search(r'href="(/journal/requests/[0-9a-f]{32})"', listed)
    assert address is not None
    page = editor.get(address[1])
    assert "Стул" in page.text
    assert "very-secret-value" not in page.text
    assert link.partition("token=")[2] not in page.text


def test_filters_of_the_address_narrow_a_list_and_an_empty_one_says_so(editor: Any, client: Any, link: str) -> None:
    client.post(link, json={"chat_id": "79991234567", "id": "7"})
    client.post(link, data=b'{"chat_id": ', content_type="application/json")
    assert editor.get("/journal?lang=ru").text.count("row-link") == 2
    assert editor.get("/journal?outcome=refused").text.count("row-link") == 1
    assert editor.get("/journal?from=2000-01-01&to=2000-01-02").text.count("row-link") == 0
    assert "Ничего такого нет" in editor.get("/journal/runs?status=expired").text
    assert editor.get("/journal/messages?chat=79991234567").text.count("row-link") == 1
    assert editor.get("/journal/messages?chat=1").text.count("row-link") == 0
    assert editor.get("/journal?outcome=nonsense&scenario=x&from=yesterday").status_code == 200


def test_a_run_shows_what_filled_each_place_and_why_one_stayed_empty(editor: Any, client: Any, api: Api) -> None:
    api.post("/lines", LINE)
    made = document()
    made["blocks"][1]["config"]["text"] = "Здравствуйте, {{name_client}}! Заказ {{id}}"
    link = api.post("/scenarios", made).json["links"]["token_only"].removeprefix("https://hub.test")
    run = client.post(link, json={"chat_id": "79991234567", "id": "7"}).json["run"]
    page = editor.get(f"/journal/runs/{run}?lang=ru")
    assert 'data-testid="run-step-greet"' in page.text
    said = text_of(page)
    assert "ChatID 79991234567" in said
    assert "Текст Здравствуйте, ! Заказ 7" in said
    assert "there is no name" not in said
    assert "name_client" in said


def test_the_list_of_requests_says_for_whom_each_was_and_what_came_of_it(
    editor: Any, client: Any, hub: Hub, link: str
) -> None:
    def row() -> str:
        return text_of(editor.get("/journal?lang=ru")).partition("Показать")[2]

    assert client.post(link, json={"id": "7", "Name": "Борис", "Phone": "+7 999 000-00-00"}).status_code == 200
    assert "Борис · +7 999 000-00-00 · ChatID пустой." in row()
    assert "упал" in row()
    assert client.post(link, json={"chat_id": "79991234567", "id": "8", "name": "Анна"}).status_code == 200
    assert "Анна · 79991234567" in row()
    assert "ждёт" in row()
    hub.db.writer.run(lambda sql: sql.run("UPDATE message SET state = 'sent', head = FALSE"))
    assert "выполнено" in row()
    hub.db.writer.run(lambda sql: sql.run("UPDATE message SET state = 'undelivered'"))
    assert "не доставлено" in row()


def test_a_run_that_went_on_and_failed_again_is_not_said_to_go_on(
    editor: Any, client: Any, api: Api, link: str
) -> None:
    client.post(link, json={"id": "7"})
    run = api.get("/runs").json["items"][0]["id"]
    page = text_of(editor.get(f"/journal/runs/{run}?done=goes-on&lang=ru"))
    assert "Запуск продолжили, и он снова упал." in page
    assert "Запуск продолжается." not in page


def test_a_request_that_ran_again_shows_what_came_of_the_newest_run(
    editor: Any, client: Any, api: Api, link: str
) -> None:
    client.post(link, json={"id": "7"})
    assert "упал" in text_of(editor.get("/journal?lang=ru"))
    changed = document()
    changed["blocks"][1]["config"]["chat_id"] = "5"
    scenario = api.get("/scenarios").json["items"][0]["id"]
    assert api.put(f"/scenarios/{scenario}", changed).json["published"]
    request = api.get("/requests").json["items"][0]["id"]
    assert api.post(f"/requests/{request}/replay").status_code == 202
    listed = text_of(editor.get("/journal?lang=ru")).partition("Показать")[2]
    assert "упал" not in listed
    assert "ждёт" in listed
    runs = text_of(editor.get(f"/journal/requests/{request}?lang=ru"))
    assert runs.index("ждёт") < runs.index("упал")


def word_of(html: str) -> str:
    """The first state that is shown there."""
    found = re.search(r'class="state [^"]*">.*?</svg>([^<]+)<', html, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(("state", "word"), [("failed", "не отправлено"), ("queued", "ждёт"), ("sent", "выполнено")])
def test_a_run_is_called_the_same_in_every_list_and_on_its_page(
    state: str, word: str, editor: Any, client: Any, hub: Hub, link: str
) -> None:
    run = client.post(link, json={"chat_id": "79991234567", "id": "7"}).json["run"]
    hub.db.writer.run(lambda sql: sql.run("UPDATE message SET state = ?, head = FALSE", (state,)))
    for address in ("/", "/journal", "/journal/runs"):
        (row,) = re.findall(r'<a class="row-link".*?</a>', editor.get(f"{address}?lang=ru").text, re.DOTALL)
        assert word_of(row) == word, address
    own = editor.get(f"/journal/runs/{run}?lang=ru").text
    assert word_of(own) == word


@pytest.mark.parametrize(
    ("state", "way"),
    [
        ("sent", ["ждёт", "отправляется", "отправлено", "доставлено", "прочитано"]),
        ("failed", ["ждёт", "отправляется", "не отправлено"]),
        ("undelivered", ["ждёт", "отправляется", "отправлено", "не доставлено"]),
        ("cancelled", ["ждёт", "отменено"]),
    ],
)
def test_the_way_of_a_message_ends_in_the_words_of_its_state(
    state: str, way: list[str], editor: Any, client: Any, api: Api, hub: Hub, link: str
) -> None:
    client.post(link, json={"chat_id": "79991234567", "id": "7"})
    message = api.get("/messages").json["items"][0]["id"]
    hub.db.writer.run(lambda sql: sql.run("UPDATE message SET state = ?, head = FALSE", (state,)))
    page = editor.get(f"/journal/messages/{message}?lang=ru").text
    shown = re.findall(r"<li[^>]*>([^<]+)<?", page.partition("way-of-message")[2].partition("</ol>")[0])
    assert [one.strip() for one in shown] == way


def test_running_a_request_again_asks_first_when_somebody_would_get_a_message_twice(
    editor: Any, client: Any, api: Api, link: str
) -> None:
    accepted = client.post(link, json={"chat_id": "79991234567", "id": "7"}).json
    request = api.get("/requests").json["items"][0]["id"]
    message = api.get("/messages").json["items"][0]["id"]
    asked = editor.post(f"/journal/requests/{request}/replay?lang=ru", data={}, headers=OWN)
    assert "1 сообщение ушло бы второй раз." in asked.text
    assert len(api.get("/runs").json["items"]) == 1
    sure = editor.post(f"/journal/requests/{request}/replay", data={"sure": "yes"}, headers=OWN)
    assert sure.status_code == 303
    assert not sure.location.startswith(f"/journal/runs/{accepted['run']}")
    assert "Запрос выполняется снова." in editor.get(sure.location + "&lang=ru").text
    assert api.post(f"/messages/{message}/cancel").status_code == 200

    runs = len(api.get("/runs").json["items"])
    look = editor.post(f"/journal/requests/{request}/replay", data={"look": "yes"}, headers=OWN)
    assert look.status_code == 200
    assert "Это была проверка" in look.text
    assert len(api.get("/runs").json["items"]) == runs


def test_a_request_that_cannot_be_read_is_not_offered_to_run_again_and_says_so_in_russian(
    editor: Any, client: Any, api: Api, link: str
) -> None:
    client.post(link, data=b'{"chat_id": ', content_type="application/json")
    request = api.get("/requests").json["items"][0]["id"]
    page = editor.get(f"/journal/requests/{request}?lang=ru").text
    assert "выполнить его снова нельзя" in page
    assert f"/journal/requests/{request}/replay" not in page
    refused = editor.post(f"/journal/requests/{request}/replay", data={"look": "yes"}, headers=OWN)
    assert refused.status_code == 422
    assert "Выполнить этот запрос нельзя. Тело – не правильный JSON." in refused.text
    assert "cannot be run" not in refused.text


def test_a_viewer_sees_no_button_and_may_press_none(hub: Hub, portal: Portal, client: Any, api: Api, link: str) -> None:
    sign_in(hub, portal, client, "viewer")
    client.post(link, json={"chat_id": "79991234567", "id": "7"})
    request = api.get("/requests").json["items"][0]["id"]
    message = api.get("/messages").json["items"][0]["id"]
    assert "/replay" not in client.get(f"/journal/requests/{request}").text
    assert client.post(f"/journal/requests/{request}/replay", headers=OWN).status_code == 403
    assert client.post(f"/journal/messages/{message}/cancel", headers=OWN).status_code == 403


def test_a_viewer_is_shown_a_failed_run_on_the_drawing_and_not_asked_to_fix_it(
    hub: Hub, portal: Portal, client: Any, api: Api, link: str
) -> None:
    sign_in(hub, portal, client, "viewer")
    client.post(link, json={"id": "7"})
    run = api.get("/runs").json["items"][0]
    assert run["status"] == "failed"
    shown = text_of(client.get(f"/journal/runs/{run['id']}?lang=ru"))
    assert "Показать на схеме" in shown
    assert "Исправить сценарий" not in shown


def test_the_version_before_is_brought_back_from_a_run_of_the_one_that_went_wrong(
    editor: Any, client: Any, api: Api, link: str
) -> None:
    first = client.post(link, json={"chat_id": "79991234567", "id": "7"}).get_json()["run"]
    assert "Вернуть версию" not in editor.get(f"/journal/runs/{first}?lang=ru").text
    changed = document()
    changed["blocks"][1]["config"]["text"] = "Ой {{id}}"
    scenario = api.get("/scenarios").json["items"][0]["id"]
    api.put(f"/scenarios/{scenario}?draft=true", changed)
    assert api.put(f"/scenarios/{scenario}", changed).json["published_version"] == 3
    second = client.post(link, json={"chat_id": "79991234567", "id": "8"}).get_json()["run"]
    page = editor.get(f"/journal/runs/{second}?lang=ru")
    assert "Вернуть версию 1" in page.text
    back = editor.post(f"/journal/runs/{second}/bring-back", data={"version": "1"}, headers=OWN, follow_redirects=True)
    assert "Новые запросы снова выполняет версия 1." in back.text
    assert "Вернуть версию" not in back.text
    third = client.post(link, json={"chat_id": "79991234567", "id": "9"}).get_json()["run"]
    assert api.get(f"/runs/{third}").json["version"] == 4
    assert api.get(f"/scenarios/{scenario}/document?format=json").json["blocks"][1]["config"]["text"] == "Заказ {{id}}"


def test_a_message_is_taken_back_and_sent_again_from_its_page(editor: Any, client: Any, api: Api, link: str) -> None:
    client.post(link, json={"chat_id": "79991234567", "id": "7"})
    message = api.get("/messages").json["items"][0]["id"]
    assert "Не отправлять" in editor.get(f"/journal/messages/{message}?lang=ru").text
    taken = editor.post(f"/journal/messages/{message}/cancel", headers=OWN)
    assert taken.status_code == 303
    assert "Сообщение отменено." in editor.get(taken.location + "&lang=ru").text
    again = editor.post(f"/journal/messages/{message}/send", data={"chat_id": "79990000000"}, headers=OWN)
    assert again.status_code == 303
    assert api.get(f"/messages/{message}").json["chat_id"] == "79990000000"
    assert editor.post(f"/journal/messages/{message}/arrived", headers=OWN).status_code == 409
    assert editor.post(f"/journal/messages/{message}/forget", headers=OWN).status_code == 404


def test_things_of_another_portal_are_not_there(editor: Any) -> None:
    for address in ("requests", "runs", "messages"):
        assert editor.get(f"/journal/{address}/{'0' * 32}").status_code == 404
