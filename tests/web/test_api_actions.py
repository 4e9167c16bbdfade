"""Running again and trying out, through the management API."""

import threading
from typing import Any

import pytest

from hub.worker import run_worker
from tests.processes import wait_until

DOCUMENT: dict[str, Any] = {
    "format": 1,
    "name": "Order ready",
    "blocks": [
        {"id": "start", "type": "incoming_webhook", "config": {"fields": ["chat_id"]}},
        {
            "id": "greet",
            "type": "send_message",
            "config": {"chat_id": "{{chat_id}}", "line": "Main", "text": "Hi {{who}}"},
        },
        {"id": "answer", "type": "return_result", "config": {"values": {"status": "{{blocks.greet.status}}"}}},
    ],
    "links": [
        {"from": "start", "port": "next", "to": "greet"},
        {"from": "greet", "port": "next", "to": "answer"},
    ],
}


@pytest.fixture
def scenario(api: Any, sandbox: Any) -> dict[str, Any]:
    line = {"name": "Main", "channel": "telegram", "config": {"token": "1:A", "api_url": f"{sandbox.url}/telegram"}}
    assert api.post("/lines", line).status_code == 201
    made = api.post("/scenarios", DOCUMENT)
    assert made.status_code == 201
    assert made.json["published"], made.json
    return dict(made.json)


def call(client: Any, scenario: dict[str, Any], body: Any) -> dict[str, Any]:
    answer = client.post(scenario["links"]["token_only"].removeprefix("https://hub.test"), json=body)
    assert answer.status_code == 200, answer.json
    return dict(answer.json)


def test_a_dry_test_shows_the_messages_it_would_send_and_stores_nothing(api: Any, scenario: dict[str, Any]) -> None:
    trace = api.post(f"/scenarios/{scenario['id']}/test", {"body": {"chat_id": "5", "who": "Anna"}})
    assert trace.status_code == 200, trace.json
    assert trace.json["dry"] is True
    assert trace.json["status"] == "completed"
    assert [(one["chat_id"], one["text"]) for one in trace.json["planned"]] == [("5", "Hi Anna")]
    assert trace.json["result"] == {"status": "sent"}
    assert api.get("/runs").json["items"] == []
    assert api.get("/messages").json["items"] == []


def test_a_replay_counts_what_would_go_out_twice_and_runs_again(
    api: Any, client: Any, scenario: dict[str, Any]
) -> None:
    first = call(client, scenario, {"chat_id": "5", "who": "Anna"})
    trial = api.post(f"/requests/{first['request']}/replay", {"dry": True})
    assert trial.status_code == 200
    assert trial.json["would_repeat"] == 1
    again = api.post(f"/requests/{first['request']}/replay")
    assert again.status_code == 202, again.json
    assert again.json["would_repeat"] == 1
    run = api.get(f"/runs/{again.json['run']}").json
    assert run["request"] == first["request"]
    assert len(api.get("/messages").json["items"]) == 2


def test_a_request_that_came_while_the_scenario_was_off_runs_later(
    api: Any, client: Any, scenario: dict[str, Any]
) -> None:
    api.patch(f"/scenarios/{scenario['id']}", {"enabled": False})
    kept = call(client, scenario, {"chat_id": "5", "who": "Anna"})
    assert kept["status"] == "captured"
    api.patch(f"/scenarios/{scenario['id']}", {"enabled": True})
    made = api.post(f"/requests/{kept['request']}/replay")
    assert made.status_code == 202, made.json
    assert api.get(f"/requests/{kept['request']}").json["outcome"] == "run"


def test_a_run_that_failed_for_want_of_a_chat_goes_on_from_that_block_on_the_current_version(
    api: Any, client: Any, scenario: dict[str, Any]
) -> None:
    first = call(client, scenario, {"who": "Anna"})
    run = api.get(f"/runs/{first['run']}").json
    assert run["status"] == "failed"
    assert run["error"]["code"] == "chat_id_empty"
    document = {**DOCUMENT, "blocks": [dict(block) for block in DOCUMENT["blocks"]]}
    document["blocks"][1] = {**document["blocks"][1], "config": {"chat_id": "77", "line": "Main", "text": "Hi {{who}}"}}
    assert api.put(f"/scenarios/{scenario['id']}", document).status_code == 200
    taken = api.post(f"/runs/{first['run']}/retry", {"from": "failed", "version": "current"})
    assert taken.status_code == 202, taken.json
    assert api.get(f"/runs/{first['run']}").json["status"] == "queued"


def test_a_run_that_is_over_cannot_be_stopped(api: Any, client: Any, scenario: dict[str, Any]) -> None:
    first = call(client, scenario, {"chat_id": "5", "who": "Anna"})
    refused = api.post(f"/runs/{first['run']}/cancel")
    assert refused.status_code == 409
    assert refused.json["code"] == "conflict"


SETTING = {"name": "n", "scope": "local", "value": "1"}
LOOPING: dict[str, Any] = {
    "format": 1,
    "name": "Round and round",
    "blocks": [
        {"id": "start", "type": "incoming_webhook", "config": {}},
        {
            "id": "again",
            "type": "set_variable",
            "config": {"variables": [{"name": "n", "scope": "local", "value": "1"}]},
        },
        {
            "id": "more",
            "type": "set_variable",
            "config": {"variables": [{"name": "n", "scope": "local", "value": "2"}]},
        },
    ],
    "links": [
        {"from": "start", "port": "next", "to": "again"},
        {"from": "again", "port": "next", "to": "more"},
        {"from": "more", "port": "next", "to": "again"},
    ],
}


def test_a_run_that_used_up_its_steps_gets_them_anew_when_a_person_takes_it_up(api: Any, client: Any, hub: Any) -> None:
    made = api.post("/scenarios", LOOPING)
    first = call(client, made.json, {})
    stop = threading.Event()
    worker = threading.Thread(target=run_worker, args=(hub.settings, stop))
    worker.start()

    def status() -> Any:
        return api.get(f"/runs/{first['run']}").json["status"]

    wait_until(lambda: status() == "failed", within_s=30)
    steps = len(api.get(f"/runs/{first['run']}").json["steps"])
    api.patch(f"/scenarios/{made.json['id']}", {"enabled": False})
    assert api.post(f"/runs/{first['run']}/retry", {"from": "failed"}).status_code == 202
    wait_until(
        lambda: status() == "failed" and len(api.get(f"/runs/{first['run']}").json["steps"]) > steps + 900, within_s=30
    )
    stop.set()
    worker.join()


def test_a_request_for_a_version_that_can_no_longer_run_is_kept(api: Any, client: Any, hub: Any, app: Any) -> None:
    made = api.post("/scenarios", LOOPING)
    hub.db.writer.run(
        lambda sql: sql.run("UPDATE scenario_version SET document = replace(document, 'set_variable', 'forgotten')")
    )
    kept = call(client, made.json, {})
    assert kept["status"] == "captured"
    shown = api.get(f"/requests/{kept['request']}").json
    assert shown["outcome"] == "captured"
    assert [warning["code"] for warning in shown["warnings"]] == ["not_started"]


def test_what_return_result_built_is_the_answer_even_when_the_run_fails_later(api: Any, client: Any) -> None:
    document = {
        "format": 1,
        "name": "Answer first",
        "blocks": [
            {"id": "start", "type": "incoming_webhook", "config": {}},
            {"id": "answer", "type": "return_result", "config": {"values": {"sum": "{{sum}}"}}},
            {"id": "end", "type": "stop", "config": {"outcome": "failure", "reason": "no"}},
        ],
        "links": [
            {"from": "start", "port": "next", "to": "answer"},
            {"from": "answer", "port": "next", "to": "end"},
        ],
    }
    made = api.post("/scenarios", document)
    answer = client.post(made.json["links"]["result"].removeprefix("https://hub.test"), json={"sum": 5})
    assert (answer.status_code, answer.json["data"]) == (200, {"sum": 5})
    assert api.get(f"/runs/{answer.json['run']}").json["status"] == "failed"
