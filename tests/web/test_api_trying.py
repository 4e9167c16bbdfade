"""Trying out while drawing: examples, previews, dry runs of what is not saved, and what a change would change."""

from typing import Any

import pytest

from hub.accounts import users
from hub.core import Hub
from hub.portals.models import Portal
from tests.conftest import Api
from tests.web.documents import LINE, document

OWN = {"Sec-Fetch-Site": "same-origin"}
ORDER = {"chat_id": "89999999999", "id": "1042", "payment": {"name": "Вася", "token": "s3cret"}, "email": "a@b.test"}


@pytest.fixture
def made(api: Api) -> dict[str, Any]:
    """A scenario that runs, with its line."""
    api.post("/lines", LINE)
    found: dict[str, Any] = api.post("/scenarios", document()).get_json()
    return found


def bring(api: Api, made: dict[str, Any], body: Any = ORDER) -> str:
    link = made["links"]["token_only"].removeprefix("https://hub.test")
    answer = api.client.post(link, json=body)
    return str(answer.get_json()["request"])


def said(text: str, **config: Any) -> dict[str, Any]:
    drawn = document()
    drawn["blocks"][1]["config"] |= {"text": text, **config}
    return drawn


def previewed(api: Api, drawn: dict[str, Any], example: Any, block: str = "greet") -> dict[str, Any]:
    answer = api.post(
        "/scenarios/preview",
        {"document": drawn, "block": block, "example": example},
        headers={"Accept-Language": "ru"},
    )
    assert answer.status_code == 200, answer.text
    fields: dict[str, Any] = answer.get_json()["fields"]
    return fields


# ---------------------------------------------------------------- examples


def test_every_request_is_an_example_the_newest_first_and_its_secrets_stay_hidden(
    api: Api, made: dict[str, Any]
) -> None:
    first = bring(api, made)
    api.client.post(made["links"]["token_only"].removeprefix("https://hub.test"), data={"test": "test"})
    broken = api.client.post(
        made["links"]["token_only"].removeprefix("https://hub.test"), data="{", content_type="application/json"
    ).get_json()["request"]
    items = api.get(f"/scenarios/{made['id']}/examples").get_json()["items"]
    assert [(one["id"], one["outcome"]) for one in items][::2] == [(broken, "refused"), (first, "run")]
    assert (items[0]["value"], items[0]["warnings"][0]["code"]) == ({}, "invalid_json")
    order = items[2]
    assert order["title"] == "89999999999 · 1042"
    assert order["value"]["payment"] == {"name": "Вася", "token": "•••"}
    assert order["value"]["body"] == {"email": "a@b.test"}


def test_examples_page_and_can_be_searched(api: Api, made: dict[str, Any]) -> None:
    for number in ("1", "2", "3"):
        bring(api, made, {"chat_id": "5", "id": f"заказ {number}"})
    page = api.get(f"/scenarios/{made['id']}/examples?limit=2").get_json()
    assert [one["title"] for one in page["items"]] == ["5 · заказ 3", "5 · заказ 2"]
    rest = api.get(f"/scenarios/{made['id']}/examples?limit=2&cursor={page['next']}").get_json()
    assert ([one["title"] for one in rest["items"]], rest["next"]) == (["5 · заказ 1"], None)
    found = api.get(f"/scenarios/{made['id']}/examples?q=ЗАКАЗ 2").get_json()["items"]
    assert [one["title"] for one in found] == ["5 · заказ 2"]


def test_the_examples_of_another_portal_are_nobodys(api: Api, made: dict[str, Any], stranger: Api) -> None:
    request = bring(api, made)
    assert stranger.get(f"/scenarios/{made['id']}/examples").status_code == 404
    asked = {"document": document(), "block": "greet", "example": request}
    assert stranger.post("/scenarios/preview", asked).status_code == 404
    own = stranger.post("/scenarios", document()).get_json()["id"]
    assert stranger.post(f"/scenarios/{own}/test", {"example": request}).status_code == 404


# ---------------------------------------------------------------- previews


def test_a_preview_fills_each_place_and_says_why_one_is_empty(api: Api, made: dict[str, Any]) -> None:
    request = bring(api, made)
    fields = previewed(api, said("Заказ {{id}} для {{payment.name}}{{payment.surname}}"), request)
    text = fields["text"]
    assert text["text"] == "Заказ 1042 для Вася"
    assert [(place["expression"], place["value"], place["source"]) for place in text["places"]] == [
        ("id", "1042", "local"),
        ("payment.name", "Вася", "body"),
        ("payment.surname", "", "body"),
    ]
    assert text["places"][2]["reason"].startswith("нет ключа surname")
    assert (text["length"], text["parts"], text["problems"]) == (19, 1, [])
    assert fields["chat_id"]["text"] == "89999999999"


@pytest.mark.parametrize("wrong", [{"scenario": 2**63}, {"scenario": -1}, {"example": "1" * 65}])
def test_a_preview_of_what_cannot_be_a_scenario_or_a_request_is_refused(
    api: Api, made: dict[str, Any], wrong: dict[str, Any]
) -> None:
    answer = api.post("/scenarios/preview", {"document": document(), "block": "greet", **wrong})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "validation")


def test_a_preview_works_for_a_block_that_is_not_finished_and_a_template_that_cannot_be_read(
    api: Api, made: dict[str, Any]
) -> None:
    drawn = said("Заказ {{id")
    del drawn["blocks"][1]["config"]["line"]
    fields = previewed(api, drawn, {"query": {"id": "7", "chat_id": "5"}})
    assert fields["text"]["problems"][0]["code"] == "bad_template"
    assert fields["chat_id"]["text"] == "5"


def test_results_of_earlier_blocks_stand_in_a_preview_as_a_dry_run_gives_them(api: Api, made: dict[str, Any]) -> None:
    drawn = document()
    drawn["blocks"] += [
        {"id": "ask", "type": "http_request", "config": {"method": "GET", "url": "https://shop.test"}},
        {
            "id": "say",
            "type": "send_message",
            "config": {
                "chat_id": "{{chat_id}}",
                "line": "Продажи",
                "text": "{{blocks.greet.status}} {{blocks.ask.status}} {{run.id}}",
                "buttons": [{"label": "Заказ {{id}}"}],
            },
        },
    ]
    drawn["links"] += [{"from": "greet", "to": "ask"}, {"from": "ask", "to": "say"}]
    fields = previewed(api, drawn, {"body": {"chat_id": "5", "id": "7"}}, "say")
    assert fields["text"]["text"] == "sent 1 dry"
    assert fields["buttons[0].label"]["text"] == "Заказ 7"


def test_a_long_text_is_counted_in_the_messages_that_it_takes(api: Api, made: dict[str, Any]) -> None:
    fields = previewed(api, said("слово " * 1000), {})
    assert (fields["text"]["length"], fields["text"]["parts"]) == (6000, 2)


def test_a_preview_sends_and_stores_nothing(api: Api, made: dict[str, Any]) -> None:
    previewed(api, said("x"), {"body": {"chat_id": "5", "id": "7"}})
    assert api.get("/messages").get_json()["items"] == []
    assert api.get("/runs").get_json()["items"] == []


# ---------------------------------------------------------------- dry runs


def test_a_document_that_is_not_saved_is_run_dry_on_a_kept_request(api: Api, made: dict[str, Any]) -> None:
    request = bring(api, made)
    messages = len(api.get("/messages").get_json()["items"])
    trace = api.post(
        f"/scenarios/{made['id']}/test", {"example": request, "document": said("Новый текст {{id}}")}
    ).get_json()
    assert [one["text"] for one in trace["planned"]] == ["Новый текст 1042"]
    assert [(step["block"], step["status"]) for step in trace["steps"]] == [("start", "done"), ("greet", "done")]
    assert trace["steps"][1]["input"][1]["places"][0]["source"] == "local"
    assert (trace["request"], trace["dry"]) == (request, True)
    assert len(api.get("/messages").get_json()["items"]) == messages
    assert api.get(f"/scenarios/{made['id']}").get_json()["version"] == 1


def test_a_dry_run_says_in_the_persons_language_why_a_place_is_empty(api: Api, made: dict[str, Any]) -> None:
    given = {"document": said("Заказ {{idd}}"), "body": {"chat_id": "7", "id": "1"}}
    trace = api.post(f"/scenarios/{made['id']}/test", given, headers={"Accept-Language": "ru"}).get_json()
    (place,) = trace["steps"][1]["input"][1]["places"]
    assert place["missing"].startswith("имени idd нет"), place
    assert place["missing"] in [one["message"] for one in trace["warnings"]]


def test_a_dry_run_says_in_the_persons_language_why_a_block_did_not_send_in_what_came_out_too(
    api: Api, made: dict[str, Any]
) -> None:
    drawn = said("Заказ {{id}}")
    drawn["blocks"][1]["config"]["skip_if_empty"] = ["email"]
    given = {"document": drawn, "body": {"chat_id": "7", "id": "1"}}
    trace = api.post(f"/scenarios/{made['id']}/test", given, headers={"Accept-Language": "ru"}).get_json()
    step = trace["steps"][1]
    assert step["error"]["message"] == "Не отправлено: email – пусто."
    assert step["output"]["error"]["message"] == "Не отправлено: email – пусто."


def test_a_document_that_cannot_run_is_refused_with_its_problems(api: Api, made: dict[str, Any]) -> None:
    drawn = document()
    drawn["blocks"][1]["config"] = {"text": 5}
    answer = api.post(f"/scenarios/{made['id']}/test", {"document": drawn})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "not_runnable")
    assert {problem["block"] for problem in answer.get_json()["problems"]} == {"greet"}


def test_a_comparison_counts_the_kept_requests_whose_messages_would_change(api: Api, made: dict[str, Any]) -> None:
    for number in ("1", "22", "333"):
        bring(api, made, {"chat_id": "5", "id": number})
    drawn = document()
    drawn["blocks"].insert(
        1,
        {
            "id": "few",
            "type": "condition",
            "config": {"branches": [{"port": "много", "all": [{"left": "{{id}}", "op": "gt", "right": "100"}]}]},
        },
    )
    drawn["blocks"].append({"id": "end", "type": "stop"})
    drawn["links"] = [
        {"from": "start", "to": "few"},
        {"from": "few", "port": "много", "to": "greet"},
        {"from": "few", "port": "else", "to": "end"},
    ]
    found = api.post(f"/scenarios/{made['id']}/compare", {"document": drawn}).get_json()
    assert (found["count"], found["changed"]) == (3, 2)
    newest = found["items"][0]
    assert (newest["before"], newest["after"]) == (["Заказ 333"], ["Заказ 333"])
    assert (found["items"][1]["before"], found["items"][1]["after"]) == (["Заказ 22"], [])
    assert newest["title"] == "5 · 333"


def test_there_is_nothing_to_compare_with_while_nothing_is_published(api: Api) -> None:
    made = api.post("/scenarios", document()).get_json()
    answer = api.post(f"/scenarios/{made['id']}/compare", {"document": document()})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "not_published")


def test_a_draft_that_has_run_stays_the_version_it_was(api: Api, made: dict[str, Any]) -> None:
    request = bring(api, made)
    api.put(f"/scenarios/{made['id']}?draft=true", said("Черновик"))
    kept = api.get(f"/scenarios/{made['id']}/versions").get_json()["items"]
    assert kept[0]["draft"] is True
    api.post(f"/requests/{request}/replay", {"version": "draft"})
    kept = api.get(f"/scenarios/{made['id']}/versions").get_json()["items"]
    assert kept[0]["draft"] is False


# ---------------------------------------------------------------- who may look


@pytest.fixture
def looking(app: Any, hub: Hub, portal: Portal) -> Any:
    """The browser of somebody who may only look on."""
    assert portal.id is not None
    with hub.db.write() as session:
        users.create_user(session, portal.id, email="v@shop.test", password="correct horse", role="viewer")
    client = app.test_client()
    client.post("/login", data={"email": "v@shop.test", "password": "correct horse"}, headers=OWN)
    return client


def test_whoever_may_only_look_on_gets_no_secret_out_of_a_preview(api: Api, made: dict[str, Any], looking: Any) -> None:
    api.put("/constants/crm_key", {"value": "k3y-of-the-crm"})
    drawn = said("{{ crm_key }}/{{ payment.token }}/{{ body.payment.token }}/{{ payment.name }}")
    asked = {"document": drawn, "block": "greet", "example": bring(api, made)}
    assert previewed(api, drawn, asked["example"])["text"]["text"] == "k3y-of-the-crm/s3cret/s3cret/Вася"
    shown = looking.post("/api/v1/scenarios/preview", json=asked, headers=OWN)
    assert shown.get_json()["fields"]["text"]["text"] == "•••/•••/•••/Вася"
    assert "k3y" not in shown.text
    assert "s3cret" not in shown.text


def test_whoever_may_only_look_on_runs_no_document_of_their_own(api: Api, made: dict[str, Any], looking: Any) -> None:
    bring(api, made)
    for act in ("compare", "test"):
        body = {"document": said("{{ crm_key }}")}
        refused = looking.post(f"/api/v1/scenarios/{made['id']}/{act}", json=body, headers=OWN)
        assert refused.status_code == 403
