"""Runs that failed before there was a message: named and counted under Undelivered, run again, and put aside."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from hub.clock import now_us
from hub.core import Hub
from hub.portals.models import Portal
from tests.conftest import Api
from tests.scenarios.site import Site
from tests.web.documents import LINE, document
from tests.web.people import OWN, sign_in

Fails = Callable[..., str]


@pytest.fixture
def site(hub: Hub, portal: Portal) -> Site:
    """What a worker does."""
    assert portal.id is not None
    return Site(hub, portal.id)


@pytest.fixture
def browser(hub: Hub, portal: Portal, client: Any) -> Any:
    """Somebody who may change scenarios, signed in."""
    return sign_in(hub, portal, client, "editor")


@pytest.fixture
def scenario(api: Api) -> dict[str, Any]:
    api.post("/lines", LINE)
    return dict(api.post("/scenarios", document()).get_json())


@pytest.fixture
def fails(api: Api, scenario: dict[str, Any]) -> Fails:
    """Makes a run that fails for want of a chat."""
    link = scenario["links"]["token_only"].removeprefix("https://hub.test")

    def make(**sent: Any) -> str:
        run = api.client.post(link, json={"id": "7", **sent}).get_json()["run"]
        assert api.get(f"/runs/{run}").get_json()["error"]["code"] == "chat_id_empty"
        return str(run)

    return make


def mend(api: Api, scenario: dict[str, Any], before: str = "") -> None:
    """Publish a version that writes to a fixed chat; `before` is a chat that gets a message first."""
    made = document()
    made["blocks"][1]["config"]["chat_id"] = "5"
    if before:
        made["blocks"].append(made["blocks"][1] | {"id": "first", "config": {**made["blocks"][1]["config"]}})
        made["blocks"][2]["config"]["chat_id"] = before
        made["blocks"][1]["config"]["chat_id"] = "{{chat_id}}"
        made["links"] = [
            {"from": "start", "port": "next", "to": "first"},
            {"from": "first", "port": "next", "to": "greet"},
        ]
    assert api.put(f"/scenarios/{scenario['id']}", made).get_json()["published"]


def shown_number(page: str) -> int:
    found = re.search(r'href="/undelivered"><span class="tile-number">(\d+)<', page)
    assert found is not None
    return int(found[1])


def test_a_run_that_found_nobody_to_write_to_stands_in_a_group_with_its_customer_and_block(
    browser: Any, fails: Fails
) -> None:
    run = fails(Name="Анна", phone="+7 999 123-45-67")
    page = browser.get("/undelivered?lang=ru").text
    assert "Некому писать: ChatID пустой" in page
    assert "сценарий «Заказ готов»" in page
    row = page.partition(f'id="run-{run}"')[2]
    assert "Анна · +7 999 123-45-67" in row
    assert "Отправка сообщения" in row
    assert f'href="/journal/runs/{run}#failed"' in row
    trace = browser.get(f"/journal/runs/{run}?lang=ru").text
    assert re.search(r'data-testid="run-step-greet" id="failed"><details open>', trace)
    assert "Исправить сценарий" in trace


def test_the_overview_and_the_menu_count_what_stands_under_undelivered(
    browser: Any, fails: Fails, api: Api, scenario: dict[str, Any], hub: Hub
) -> None:
    fails()
    fails()
    link = scenario["links"]["token_only"].removeprefix("https://hub.test")
    assert api.client.post(link, json={"chat_id": "5", "id": "7"}).status_code == 200
    hub.db.writer.run(lambda sql: sql.run("UPDATE message SET state = 'failed', head = FALSE"))
    overview, listed = browser.get("/?lang=ru").text, browser.get("/undelivered").text
    assert shown_number(overview) == 3
    assert "3 не доставлено" in overview
    assert (listed.count('data-testid="run-'), listed.count('data-testid="message-')) == (2, 1)


def test_a_run_that_does_not_send_because_a_value_is_empty_stands_in_the_journal_only(
    browser: Any, api: Api, scenario: dict[str, Any]
) -> None:
    made = document()
    made["blocks"][1]["config"]["skip_if_empty"] = ["email"]
    assert api.put(f"/scenarios/{scenario['id']}", made).get_json()["published"]
    link = scenario["links"]["token_only"].removeprefix("https://hub.test")
    run = api.client.post(link, json={"id": "7", "chat_id": "5"}).get_json()["run"]
    page = browser.get("/?lang=ru").text
    assert shown_number(page) == 0
    assert "Не отправлено: email – пусто." in page
    assert "Пусто. Так и должно быть" in browser.get("/undelivered").text
    assert "Не отправлено: email – пусто." in browser.get(f"/journal/runs/{run}").text


def test_a_run_that_failed_with_its_message_is_counted_once(
    browser: Any, api: Api, scenario: dict[str, Any], site: Site, hub: Hub
) -> None:
    made = document()
    made["blocks"][1]["config"]["wait_for"] = "sent"
    assert api.put(f"/scenarios/{scenario['id']}", made).get_json()["published"]
    link = scenario["links"]["token_only"].removeprefix("https://hub.test")
    run = api.client.post(link, json={"chat_id": "5", "id": "7"}).get_json()["run"]
    error = '{"code":"blocked","message":"Bad Request: no."}'
    hub.db.writer.run(
        lambda sql: sql.run("UPDATE message SET state = 'failed', head = FALSE, error = ?, ended_at = 1", (error,))
    )
    hub.db.writer.run(lambda sql: sql.run("UPDATE run SET wake_at = 1 WHERE id = ?", (run,)))
    site.carry_on()
    assert api.get(f"/runs/{run}").get_json()["status"] == "failed"
    assert shown_number(browser.get("/").text) == 1
    assert f"run-{run}" not in browser.get("/undelivered").text


def test_all_of_a_group_run_again_on_the_new_version_and_are_gone_from_the_list(
    browser: Any, api: Api, fails: Fails, scenario: dict[str, Any], site: Site
) -> None:
    runs = [fails() for _ in range(3)]
    mend(api, scenario)
    query = f"scenario={scenario['id']}&failed=chat_id_empty"
    plan = browser.get(f"/undelivered/runs?{query}&lang=ru").text
    assert "3 запуска" in plan
    assert "второй раз" not in plan
    chosen = {"scenario": scenario["id"], "failed": "chat_id_empty", "until": now_us()}
    again = browser.post("/undelivered/runs/again", data=chosen | {"version": "current"}, headers=OWN)
    assert (again.status_code, again.location) == (303, "/undelivered?done=runs&count=3")
    site.carry_on()
    assert [api.get(f"/runs/{run}").get_json()["status"] for run in runs] == ["completed"] * 3
    page = browser.get("/undelivered?done=runs&count=3&lang=ru").text
    assert "Пусто. Так и должно быть" in page
    assert "3 запуска продолжаются." in page


def test_from_the_start_it_is_said_what_would_go_out_twice_and_what_arrived_is_not_repeated(
    browser: Any, api: Api, fails: Fails, scenario: dict[str, Any], site: Site, hub: Hub
) -> None:
    mend(api, scenario, before="77")
    run = fails()
    assert len(api.get("/messages").get_json()["items"]) == 1
    hub.db.writer.run(lambda sql: sql.run("UPDATE message SET state = 'delivered', head = FALSE"))
    assert "1 сообщение ушло бы второй раз." in browser.get(f"/undelivered/runs?run={run}&lang=ru").text
    sent = {"run": run, "from": "start", "until": now_us()}
    browser.post("/undelivered/runs/again", data=sent | {"messages": "undelivered"}, headers=OWN)
    site.carry_on()
    assert len(api.get("/messages").get_json()["items"]) == 1
    (again,) = re.findall(r'data-testid="run-(\w{32})"', browser.get("/undelivered").text)
    assert again != run
    sent = {"run": again, "from": "start", "messages": "all", "until": now_us()}
    browser.post("/undelivered/runs/again", data=sent, headers=OWN)
    site.carry_on()
    assert len(api.get("/messages").get_json()["items"]) == 2


def test_one_that_cannot_run_again_is_told_and_stays_while_the_others_go_on(
    browser: Any, api: Api, fails: Fails, scenario: dict[str, Any], hub: Hub
) -> None:
    fails()
    without_request = fails()
    hub.db.writer.run(lambda sql: sql.run("UPDATE run SET request_id = NULL WHERE id = ?", (without_request,)))
    sent = {"scenario": scenario["id"], "failed": "chat_id_empty", "from": "start", "until": now_us()}
    answer = browser.post("/undelivered/runs/again?lang=ru", data=sent, headers=OWN)
    assert answer.status_code == 409
    assert "1 запуск продолжается." in answer.text
    assert "У этого запуска не было запроса" in answer.text


def test_what_is_put_aside_is_counted_no_longer_and_stays_in_the_journal_as_failed(
    browser: Any, api: Api, fails: Fails, scenario: dict[str, Any]
) -> None:
    one, other = fails(), fails()
    until = now_us()
    later = fails()
    browser.post("/undelivered/runs/discard", data={"run": one}, headers=OWN)
    assert shown_number(browser.get("/").text) == 2
    chosen = {"scenario": scenario["id"], "failed": "chat_id_empty", "until": until}
    gone = browser.post("/undelivered/runs/discard", data=chosen, headers=OWN)
    assert gone.location == "/undelivered?done=runs-discarded&count=1"
    assert re.findall(r'data-testid="run-(\w{32})"', browser.get("/undelivered").text) == [later]
    assert api.get(f"/runs/{other}").get_json()["status"] == "failed"


def test_a_reason_shows_its_runs_alone_and_another_ones_messages_alone(browser: Any, fails: Fails) -> None:
    run = fails()
    query = re.search(r'href="(/undelivered\?scenario=\d+&amp;failed=chat_id_empty)"', browser.get("/undelivered").text)
    assert query is not None
    assert f"run-{run}" in browser.get(query[1].replace("&amp;", "&")).text
    assert f"run-{run}" not in browser.get("/undelivered?state=failed&reason=blocked").text


def test_a_request_that_runs_again_takes_its_failed_run_off_the_list(
    browser: Any, api: Api, fails: Fails, scenario: dict[str, Any]
) -> None:
    run = fails()
    mend(api, scenario)
    request = api.get(f"/runs/{run}").get_json()["request"]
    assert api.post(f"/requests/{request}/replay").status_code == 202
    assert shown_number(browser.get("/").text) == 0


def test_whoever_may_only_look_sees_the_runs_and_may_press_nothing(
    hub: Hub, portal: Portal, client: Any, fails: Fails
) -> None:
    sign_in(hub, portal, client, "viewer")
    run = fails()
    page = client.get("/undelivered").text
    assert f"run-{run}" in page
    assert "/undelivered/runs/discard" not in page
    for act in ("again", "discard"):
        assert client.post(f"/undelivered/runs/{act}", data={"run": run}, headers=OWN).status_code == 403


def test_another_portals_runs_are_neither_shown_nor_run(browser: Any, fails: Fails, hub: Hub, stranger: Api) -> None:
    run = fails()
    hub.db.writer.run(
        lambda sql: sql.run("UPDATE run SET portal_id = (SELECT id FROM portal WHERE member_id = 'other')")
    )
    assert shown_number(browser.get("/").text) == 0
    browser.post("/undelivered/runs/discard", data={"run": run}, headers=OWN)
    browser.post("/undelivered/runs/again", data={"run": run}, headers=OWN)
    with hub.db.sql() as sql:
        assert sql.one("SELECT status, reason FROM run") == ("failed", "chat_id_empty")
