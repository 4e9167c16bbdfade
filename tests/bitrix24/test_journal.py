"""Events of cards in the journal, run again, tried out, and the API of fields and mappings."""

from dataclasses import replace
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from hub.accounts.keys import create_key
from hub.bitrix24 import connections, events
from hub.clock import SECOND, now_us
from hub.endpoints import replay
from hub.scenarios import runner, store
from hub.values import loads
from tests.bitrix24.scene import Scene
from tests.conftest import Api

STAGE = "PREPARATION"
VALUES = {"text": "{{client_name}}: {{sum}}", "old": "{{bitrix.old.OPPORTUNITY}}", "mail": "{{email}}"}


@pytest.fixture
def portal_api(client: Any, scene: Scene) -> Api:
    """The API with a key of the connected portal."""
    with scene.hub.db.write() as session:
        return Api(client, create_key(session, scene.portal_id, "tests"))


def happened(scene: Scene) -> int:
    scenario = scene.scenario(on="field", fields=["OPPORTUNITY"], values=VALUES)
    scene.tell(1)
    scene.work()
    scene.change(number=1, OPPORTUNITY="700")
    scene.tell(1)
    scene.work()
    return scenario


def test_a_replay_sees_the_card_as_it_was_with_its_old_values(scene: Scene) -> None:
    happened(scene)
    (first,) = scene.results()
    scene.change(number=1, OPPORTUNITY="9000")
    ((request_id,),) = scene.rows("SELECT id FROM request WHERE outcome = 'run'")
    replay.replay(scene.runtime, scene.portal_id, request_id, version="same", dry=False, only_undelivered=False)
    assert scene.results() == [first, first]
    assert first["old"] == "12500.00"
    dry = replay.replay(scene.runtime, scene.portal_id, request_id, version="same", dry=True, only_undelivered=False)
    assert dry["result"] == first


def test_a_replay_is_about_the_same_card_so_its_messages_stand_beside_it_too(scene: Scene) -> None:
    happened(scene)
    ((request_id,),) = scene.rows("SELECT id FROM request WHERE outcome = 'run'")
    replay.replay(scene.runtime, scene.portal_id, request_id, version="same", dry=False, only_undelivered=False)
    rows = scene.rows(
        "SELECT b.entity, b.entity_id, b.depth, r.tells FROM bitrix24_run b JOIN run r ON r.id = b.run_id"
    )
    assert [(entity, int(number), depth, bool(tells)) for entity, number, depth, tells in rows] == [
        ("deal", 1, 0, True)
    ] * 2


def test_a_run_that_goes_on_later_still_sees_the_cards(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    pause = {"id": "wait", "type": "pause", "config": {"for_s": 60}}
    give = {"id": "give", "type": "return_result", "config": {"values": {"deal": "{{bitrix.deal.TITLE}}"}}}
    scene.scenario(pause, give, on="updated")
    scene.tell(1)
    scene.work()
    later = now_us() + 3600 * SECOND
    monkeypatch.setattr(runner, "now_us", lambda: later)
    claimed = scene.hub.db.writer.run(lambda sql: store.claim_due(sql, owner=scene.hub.owner, limit=5, now=later))
    for run in claimed:
        scene.runtime.runner.execute(run)
    assert scene.results() == [{"deal": "Заказ 1001"}]


def test_a_variable_that_is_empty_and_used_leaves_its_reason_on_the_run_and_at_its_place(scene: Scene) -> None:
    scene.change(kind=3, number=2, NAME="Пётр")
    scene.change(number=1, CONTACT_ID=2)
    happened(scene)
    ((warnings,),) = scene.rows("SELECT warnings FROM run")
    assert "The field “E-mail” is empty." in warnings
    assert "Телефон" not in warnings
    ((inputs,),) = scene.rows("SELECT input FROM step WHERE block = 'give'")
    places = {place["path"]: place["missing"] for one in loads(inputs) for place in one["places"]}
    assert (places["email"], places["client_name"]) == ("The field “E-mail” is empty.", None)


def test_the_journal_names_the_card_and_says_what_was_recovered(portal_api: Api, scene: Scene) -> None:
    happened(scene)
    shown = portal_api.get("/requests").json["items"]
    assert [(one["outcome"], one["card"]) for one in shown] == [
        ("run", {"entity": "deal", "id": 1, "recovered": False}),
        ("unchanged", {"entity": "deal", "id": 1, "recovered": False}),
    ]
    whole = portal_api.get(f"/requests/{shown[0]['id']}").json
    assert whole["body"]["variables"]["client_name"] == "Анна"
    assert portal_api.get("/requests?outcome=unchanged").json["items"][0]["id"] == shown[1]["id"]
    refused = portal_api.post(f"/requests/{shown[1]['id']}/replay", {})
    assert (refused.status_code, refused.json["code"]) == (409, "nothing_to_run")


def test_the_portals_own_mapping_counts_from_the_next_event_on(portal_api: Api, scene: Scene) -> None:
    scenario = scene.scenario(on="updated", values={"whom": "{{whom}}"})
    shown = portal_api.get("/mappings").json["items"]
    assert [one["entity"] for one in shown] == ["deal", "contact", "lead", "company"]
    assert all(one["default"] for one in shown)
    assert shown[0]["used_by"] == [{"id": scenario, "name": "On a card"}]
    rows = [{"variable": "whom", "field": "CONTACT.LAST_NAME", "format": None, "default": "", "pick": "first"}]
    put = portal_api.put("/mappings/deal", {"rows": rows})
    assert (put.status_code, put.json["rows"], put.json["default"]) == (200, rows, False)
    scene.tell(1)
    scene.work()
    assert scene.results() == [{"whom": "Смирнова"}]


@pytest.mark.parametrize(
    "rows",
    [
        [{"variable": "a", "field": "TITLE"}, {"variable": "a", "field": "ID"}],
        [{"variable": "message", "field": "TITLE"}],
        [{"variable": "a", "field": "TITLE; DROP"}],
        [{"variable": "a", "field": "TITLE", "format": "poem"}],
    ],
)
def test_a_mapping_that_cannot_be_is_refused(portal_api: Api, rows: Any) -> None:
    assert portal_api.put("/mappings/deal", {"rows": rows}).status_code == 422
    assert portal_api.put("/mappings/poem", {"rows": []}).status_code == 404


def test_fields_have_the_titles_of_the_portal_and_a_renamed_one_its_new_title(portal_api: Api, scene: Scene) -> None:
    def titles() -> dict[str, str]:
        answer = portal_api.get("/bitrix24/fields/deal")
        assert answer.status_code == 200, answer.json
        return {one["code"]: one["title"] for one in answer.json["fields"]}

    assert titles()["UF_CRM_1747309727"] == "Лояльность"
    asked = len(scene.connected.calls("batch"))
    titles()
    assert len(scene.connected.calls("batch")) == asked
    field = scene.connected.portal.crm.fields[2]
    field["UF_CRM_1747309727"] = replace(field["UF_CRM_1747309727"], title="Уровень")
    with scene.hub.db.sql() as sql:
        connection = connections.of_portal(sql, scene.portal_id)
    assert connection is not None
    event = {"event": "ONCRMDEALUSERFIELDUPDATE", "data": {"FIELDS": {"ID": "1"}}}
    assert events.accept(scene.hub, scene.runtime.library, connection, event) == "fields"
    assert titles()["UF_CRM_1747309727"] == "Уровень"
    stages = portal_api.get("/bitrix24/fields/deal").json["stages"]
    assert {"C1:NEW", "NEW"} <= {one["id"] for one in stages}


def test_a_card_of_the_portal_is_an_example_that_a_dry_run_takes(portal_api: Api, scene: Scene) -> None:
    scenario = scene.scenario(on="stage", stage=STAGE, values=VALUES)
    assert portal_api.get(f"/bitrix24/examples/deal?stage={STAGE}").json["items"] == []
    scene.change(number=1, STAGE_ID=STAGE)
    (example,) = portal_api.get(f"/bitrix24/examples/deal?stage={STAGE}").json["items"]
    assert (example["id"], example["title"]) == (1, "Заказ 1001")
    trace = portal_api.post(f"/scenarios/{scenario}/test", {"body": example["event"]}).json
    assert trace["result"]["text"].replace("\xa0", " ") == "Анна: 12 500 ₽"
    assert portal_api.post(f"/scenarios/{scenario}/test", {}).json["status"] == "completed"
    assert portal_api.post(f"/scenarios/{scenario}/test", {"body": {"a": 1}}).status_code == 422


def test_what_asks_the_portal_answers_in_the_shape_that_the_description_gives(portal_api: Api, scene: Scene) -> None:
    described = portal_api.client.get("/api/v1/openapi.json").get_json()
    for path in ("/bitrix24/fields/{entity}", "/bitrix24/examples/{entity}"):
        for entity in ("deal", "contact", "lead", "company", "dynamic:147"):
            answer = portal_api.get(path.format(entity=entity))
            assert answer.status_code == 200, answer.json
            schema = described["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            validator = Draft202012Validator(schema | {"components": described["components"]})
            assert [error.message for error in validator.iter_errors(answer.json)] == [], (path, entity)


def test_what_the_portal_says_no_to_is_told_in_the_words_of_the_api(portal_api: Api, scene: Scene, api: Api) -> None:
    assert api.get("/bitrix24/fields/deal").json["code"] == "not_connected"
    scene.connected.expire()
    scene.connected.expire(refresh=True)
    answer = portal_api.get("/bitrix24/fields/deal")
    assert (answer.status_code, answer.json["code"]) == (409, "b24.auth")


def test_a_new_scenario_for_cards_is_off_has_no_link_and_is_warned_of_what_the_portal_lacks(
    portal_api: Api, scene: Scene
) -> None:
    portal_api.get("/bitrix24/fields/deal")
    start = {"entity": "deal", "on": "stage", "stage": "C9:NEW", "mapping": [{"variable": "x", "field": "UF_GONE"}]}
    made = portal_api.post(
        "/scenarios",
        {"format": 1, "name": "Cards", "blocks": [{"id": "start", "type": "bitrix24_event", "config": start}]},
    ).json
    assert (made["enabled"], made["links"]) == (False, None)
    assert [(one["code"], one["severity"]) for one in made["problems"]] == [
        ("unknown_stage", "warning"),
        ("unknown_field", "warning"),
    ]
