"""Scenarios over the management API: what is kept, what goes live, and what the links look like."""

import copy
import re
from typing import Any

import pytest
from sqlmodel import select

from hub.core import Hub
from hub.portals.models import Stamp
from hub.scenarios.models import Link
from tests.conftest import Api
from tests.web.documents import LINE, document, without_start
from tests.web.test_pages_settings import signed_in

UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


@pytest.fixture
def line(api: Api) -> str:
    """The line that the documents name."""
    return str(api.post("/lines", LINE).get_json()["id"])


def test_a_clean_scenario_that_starts_by_a_link_is_live_at_once(api: Api, line: str) -> None:
    answer = api.post("/scenarios", document())
    assert answer.status_code == 201
    made = answer.get_json()
    assert (made["enabled"], made["version"], made["published"], made["problems"]) == (True, 1, True, [])
    token = re.fullmatch(f"https://hub.test/get/\\?token=({UUID4})", made["links"]["token_only"])
    assert token is not None
    long = f"?token={token[1]}&chat_id=&id=&template_id={made['id']}"
    assert made["links"]["request"] == f"https://hub.test/api/request/{long}"
    assert made["links"]["result"] == f"https://hub.test/api/request/get_result/{long}"
    assert api.client.post(f"/get/?token={token[1]}", json={"chat_id": "5"}).status_code == 200


def test_a_scenario_with_errors_is_kept_and_not_published(api: Api) -> None:
    made = api.post("/scenarios", document()).get_json()
    assert (made["enabled"], made["version"], made["published"]) == (True, 1, False)
    assert [problem["code"] for problem in made["problems"]] == ["line_missing"]


def test_a_scenario_without_a_link_is_off_until_somebody_switches_it_on(api: Api, line: str) -> None:
    made = api.post("/scenarios", without_start()).get_json()
    assert (made["enabled"], made["published"], made["links"]) == (False, False, None)


def test_a_draft_is_never_published_and_switching_on_publishes_it(api: Api, line: str) -> None:
    made = api.post("/scenarios?draft=true", document()).get_json()
    assert (made["published"], made["published_version"]) == (False, None)
    api.put(f"/scenarios/{made['id']}?draft=true", document(event_key="tranid"))
    switched = api.patch(f"/scenarios/{made['id']}", {"enabled": True}).get_json()
    assert (switched["published"], switched["published_version"]) == (True, 2)


def test_a_broken_version_leaves_the_live_one_alone(api: Api, line: str) -> None:
    made = api.post("/scenarios", document()).get_json()
    saved = api.put(f"/scenarios/{made['id']}", document(line="Нет такой")).get_json()
    assert (saved["version"], saved["published"], saved["published_version"]) == (2, False, 1)
    assert api.patch(f"/scenarios/{made['id']}", {"enabled": True}).get_json()["published_version"] == 1


def test_switching_on_is_refused_with_the_problems_while_nothing_is_clean(api: Api) -> None:
    made = api.post("/scenarios", document()).get_json()
    answer = api.patch(f"/scenarios/{made['id']}", {"enabled": True})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "not_publishable")
    assert answer.get_json()["problems"][0]["code"] == "line_missing"
    api.post("/lines", LINE)
    assert api.patch(f"/scenarios/{made['id']}", {"enabled": True}).get_json()["published"] is True


def test_a_scenario_that_is_off_is_saved_but_not_published(api: Api, line: str) -> None:
    made = api.post("/scenarios", document()).get_json()
    assert api.patch(f"/scenarios/{made['id']}", {"enabled": False}).get_json()["enabled"] is False
    saved = api.put(f"/scenarios/{made['id']}", document(event_key="tranid")).get_json()
    assert (saved["version"], saved["published_version"]) == (2, 1)


def test_restoring_publishes_the_old_document_as_a_new_version(api: Api, line: str) -> None:
    made = api.post("/scenarios", document()).get_json()
    first = api.get(f"/scenarios/{made['id']}/document").get_data()
    api.put(f"/scenarios/{made['id']}", document(event_key="tranid"))
    answer = api.post(f"/scenarios/{made['id']}/versions/1/restore")
    assert answer.status_code == 201
    assert (answer.get_json()["version"], answer.get_json()["published"]) == (3, True)
    assert api.get(f"/scenarios/{made['id']}/document").get_data() == first
    listed = api.get(f"/scenarios/{made['id']}/versions").get_json()["items"]
    assert [(one["version"], one["published"]) for one in listed] == [(3, True), (2, False), (1, False)]


def test_a_save_that_has_not_seen_the_newest_version_loses(api: Api, line: str) -> None:
    made = api.post("/scenarios", document())
    path = f"/scenarios/{made.get_json()['id']}"
    assert made.headers["ETag"] == '"1"'
    assert api.put(path, document(event_key="a"), headers={"If-Match": '"1"'}).status_code == 200
    lost = api.put(path, document(event_key="b"), headers={"If-Match": '"1"'})
    assert (lost.status_code, lost.get_json()["code"], lost.get_json()["version"]) == (409, "version_conflict", 2)
    assert api.put(path, document(), headers={"If-Match": "abc"}).status_code == 400


def test_a_document_from_elsewhere_can_leave_the_scenario_its_name(api: Api, line: str) -> None:
    made = api.post("/scenarios", document("Заказ")).get_json()
    api.post("/scenarios", document("Чужой"))
    kept = api.put(f"/scenarios/{made['id']}?draft=true&keep_name=true", document("Чужой", event_key="a"))
    assert (kept.status_code, kept.get_json()["name"], kept.get_json()["version"]) == (200, "Заказ", 2)
    drawn = api.get(f"/scenarios/{made['id']}/document").get_json()
    assert (drawn["name"], drawn["blocks"][0]["config"]["event_key"]) == ("Заказ", "a")


@pytest.mark.parametrize("name", ["Заказ готов", " ЗАКАЗ готов "])
def test_a_scenario_name_is_unique_whatever_its_letter_case(api: Api, line: str, name: str) -> None:
    api.post("/scenarios", document())
    answer = api.post("/scenarios", document(name))
    assert (answer.status_code, answer.get_json()["code"]) == (422, "name_taken")


def test_a_rename_is_a_new_version_that_stays_live_and_keeps_the_token(api: Api, line: str) -> None:
    made = api.post("/scenarios", document()).get_json()
    renamed = api.patch(f"/scenarios/{made['id']}", {"name": "Новое имя"}).get_json()
    assert (renamed["name"], renamed["published"], renamed["version"]) == ("Новое имя", True, 2)
    assert renamed["links"] == made["links"]
    assert api.get(f"/scenarios/{made['id']}/document").get_json()["name"] == "Новое имя"
    assert api.post("/scenarios", document()).status_code == 201


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("email", "reserved_name"),
        ("Email", "reserved_name"),
        (" EMAIL ", "reserved_name"),
        ("token", "reserved_name"),
        ("Email1", None),
        ("id", None),
    ],
)
def test_reserved_field_names_are_refused(api: Api, line: str, field: str, code: str | None) -> None:
    answer = api.post("/scenarios", document(fields=["chat_id", field]))
    assert (answer.status_code, answer.get_json().get("code")) == ((422, code) if code else (201, None))


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"format": 2},
        {"blocks": "none"},
        {"portal_id": 1},
        {"blocks": [{"id": "a", "type": "incoming_webhook"}, {"id": "b", "type": "incoming_webhook"}]},
    ],
)
def test_what_is_no_scenario_is_refused_and_not_kept(api: Api, change: dict[str, Any]) -> None:
    answer = api.post("/scenarios", document() | change)
    assert answer.status_code == 422
    assert answer.get_json()["errors"]
    assert api.get("/scenarios").get_json()["items"] == []


def test_yaml_and_json_are_the_same_document(api: Api, line: str) -> None:
    made = api.post("/scenarios", document()).get_json()
    path = f"/scenarios/{made['id']}"
    text = api.get(f"{path}/document", headers={"Accept": "application/yaml"})
    assert text.content_type == "application/yaml; charset=utf-8"
    assert api.get(f"{path}/document?format=yaml").get_data() == text.get_data()
    for kind in ("application/yaml", "application/x-yaml", "text/yaml"):
        answer = api.put(path, data=text.get_data(), content_type=kind)
        assert (answer.status_code, answer.get_json()["published"]) == (200, True)
    assert api.get(f"{path}/document?format=yaml").get_data() == text.get_data()
    assert api.get(f"{path}/document").get_json()["blocks"] == document()["blocks"]
    assert api.get(f"{path}/versions/1/diff/4").get_json()["changes"] == []
    shown = text.get_data(as_text=True)
    assert made["links"]["token_only"].partition("=")[2] not in shown
    assert "SECRET" not in shown


def test_broken_yaml_and_broken_json_are_told_from_bad_documents(api: Api) -> None:
    assert api.post("/scenarios", data=b"{a: [", content_type="application/yaml").status_code == 400
    refused = api.post("/scenarios", data=b'{"format": 1,}', content_type="application/json")
    assert (refused.status_code, refused.get_json()["code"]) == (400, "invalid_json")
    doubled = api.post("/scenarios", data=b'{"format":1,"format":1}', content_type="application/json")
    assert (doubled.status_code, doubled.get_json()["code"]) == (400, "duplicate_key")
    assert api.post("/scenarios", data=b"<a/>", content_type="text/xml").status_code == 415


def test_the_diff_speaks_in_sentences(api: Api, line: str) -> None:
    made = api.post("/scenarios", document()).get_json()
    changed = copy.deepcopy(document(event_key="tranid"))
    changed["blocks"][1]["config"]["text"] = "Готово"
    changed["blocks"].append({"id": "end", "type": "stop", "config": {"outcome": "success"}})
    changed["links"] = [{"from": "start", "port": "next", "to": "end"}]
    api.put(f"/scenarios/{made['id']}", changed)
    assert api.get(f"/scenarios/{made['id']}/versions/1/diff/2").get_json()["changes"] == [
        "Block start: event_key was added: “tranid”.",
        "Block greet: text changed from “Заказ {{id}}” to “Готово”.",
        "Block end (stop) was added.",
        "The connection start → greet (exit next) was removed.",
        "The connection start → end (exit next) was added.",
    ]
    assert api.get(f"/scenarios/{made['id']}/versions/1/diff/9").status_code == 404


def test_people_read_the_diff_by_the_titles_of_blocks_and_fields_in_their_language(
    api: Api, line: str, app: Any, hub: Any, portal: Any
) -> None:
    made = api.post("/scenarios", document()).get_json()
    changed = copy.deepcopy(document(event_key="tranid"))
    changed["blocks"][1] |= {"title": "Привет"}
    changed["blocks"][1]["config"]["text"] = "Готово"
    changed["blocks"].append({"id": "end", "type": "stop", "config": {"outcome": "success"}})
    changed["links"] = [{"from": "start", "port": "next", "to": "end"}]
    api.put(f"/scenarios/{made['id']}", changed)
    person = signed_in(app, hub, portal, "olga@shop.test", "editor")
    assert person.get(f"/api/v1/scenarios/{made['id']}/versions/1/diff/2").get_json()["changes"] == [
        "Блок Входящий webhook: Ключ события – добавлено “tranid”.",
        "Блок Привет: Название блока – было “”, стало “Привет”.",
        "Блок Привет: Текст – было “Заказ {{id}}”, стало “Готово”.",
        "Добавлен блок Стоп (end).",
        "Удалена связь Входящий webhook → Привет (выход дальше).",
        "Добавлена связь Входящий webhook → Стоп (выход дальше).",
    ]


def test_a_rotated_link_lives_on_for_its_grace(api: Api, line: str) -> None:
    made = api.post("/scenarios", document()).get_json()
    old = made["links"]["token_only"].removeprefix("https://hub.test")
    rotated = api.post(f"/scenarios/{made['id']}/rotate-token")
    assert rotated.status_code == 200
    new = rotated.get_json()["links"]["token_only"].removeprefix("https://hub.test")
    assert new != old
    assert rotated.get_json()["old_link_expires_at"] is not None
    for link in (old, new):
        assert api.client.post(link, json={"chat_id": "5"}).status_code == 200


def test_a_link_rotated_without_grace_is_unknown_at_once(api: Api, line: str, hub: Hub) -> None:
    made = api.post("/scenarios", document()).get_json()
    old = made["links"]["token_only"].removeprefix("https://hub.test")
    rotated = api.post(f"/scenarios/{made['id']}/rotate-token", {"grace_days": 0}).get_json()
    assert rotated["old_link_expires_at"] is None
    assert api.client.post(old, json={"chat_id": "5"}).status_code == 404
    assert api.post(f"/scenarios/{made['id']}/rotate-token", {"grace_days": 31}).status_code == 422
    with hub.db.read() as session:
        kept = session.exec(select(Link.token_sealed)).all()
    assert len(kept) == 1
    assert rotated["links"]["token_only"].partition("=")[2] not in kept[0]


def test_a_deleted_scenario_is_gone_and_its_link_unknown(api: Api, line: str) -> None:
    made = api.post("/scenarios", document()).get_json()
    assert api.delete(f"/scenarios/{made['id']}").status_code == 204
    assert api.get(f"/scenarios/{made['id']}").status_code == 404
    link = made["links"]["token_only"].removeprefix("https://hub.test")
    assert api.client.post(link, json={"chat_id": "5"}).status_code == 404
    assert api.post("/scenarios", document()).status_code == 201


def test_the_contract_of_a_scenario_names_no_token(api: Api, line: str) -> None:
    made = api.post("/scenarios", document()).get_json()
    answer = api.get(f"/scenarios/{made['id']}/openapi.json")
    assert answer.get_json()["openapi"] == "3.1.0"
    assert made["links"]["token_only"].partition("=")[2] not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PUT", "", document("Чужое")),
        ("PATCH", "", {"enabled": False}),
        ("DELETE", "", None),
        ("GET", "/document", None),
        ("GET", "/versions", None),
        ("GET", "/versions/1/diff/1", None),
        ("POST", "/versions/1/restore", None),
        ("POST", "/rotate-token", None),
        ("GET", "/openapi.json", None),
    ],
)
def test_a_strangers_scenario_does_not_exist(
    api: Api, stranger: Api, line: str, method: str, path: str, body: Any
) -> None:
    made = api.post("/scenarios", document()).get_json()
    assert stranger.call(method, f"/scenarios/{made['id']}{path}", body).status_code == 404
    assert stranger.get("/scenarios").get_json()["items"] == []
    assert api.get(f"/scenarios/{made['id']}").get_json() == made


def test_every_change_counts_in_the_portals_stamp(api: Api, hub: Hub, line: str) -> None:
    def stamp() -> int:
        with hub.db.read() as session:
            return session.exec(select(Stamp.config)).one()

    seen = [stamp()]
    made = api.post("/scenarios", document()).get_json()
    seen.append(stamp())
    api.put("/constants/shop", {"value": "x"})
    seen.append(stamp())
    api.post(f"/scenarios/{made['id']}/rotate-token")
    seen.append(stamp())
    api.post(f"/lines/{line}/pause")
    seen.append(stamp())
    api.patch("/portals/local", {"time_zone": "Asia/Omsk"})
    seen.append(stamp())
    assert seen == sorted(set(seen))
