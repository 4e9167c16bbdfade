"""Vectors 20 to 22: what the results link answers, at once, after a failure, and when the run takes longer."""

import time

from tests.journeys.installation import Installation, answer, assign, new_chat, pause, send
from tests.processes import wait_until


def test_v20_the_built_result_comes_back(installation: Installation) -> None:
    scenario = installation.scenario(assign("count", sum="{{price | times: 2}}"), answer(sum="{{sum}}", s="[{{sum}}]"))
    for link in (scenario.bare_result, scenario.result):
        answered = installation.post(link, '{"price": 1250.50}')
        assert answered.status_code == 200
        assert answered.json()["status"] == "done"
        assert set(answered.json()) == {"status", "run", "data"}
        assert '"sum":2501' in answered.text
        assert answered.json()["data"]["s"].startswith("[2501")
        assert installation.read(f"/runs/{answered.json()['run']}")["status"] == "completed"


def test_v20_a_get_with_filled_fields_is_answered_too(installation: Installation) -> None:
    scenario = installation.scenario(answer(twice="{{id}}{{id}}"))
    answered = installation.get(scenario.result.replace("&id=", "&id=7"))
    assert (answered.status_code, answered.json()["data"]) == (200, {"twice": "77"})


def test_the_result_of_a_sent_message_is_that_it_was_sent(installation: Installation) -> None:
    chat = new_chat()
    scenario = installation.scenario(send("hello", chat), answer(status="{{blocks.greet.status}}"))
    answered = installation.post(scenario.bare_result)
    assert (answered.status_code, answered.json()["data"]) == (200, {"status": "sent"})
    assert installation.received(chat) == ["hello"]


def test_without_a_built_result_the_outputs_of_the_blocks_come_back(installation: Installation) -> None:
    scenario = installation.scenario(send("hello", new_chat()))
    data = installation.post(scenario.bare_result).json()["data"]
    assert data["greet"]["status"] == "sent"
    assert data["greet"]["message_id"]


def test_v21_a_block_that_fails_on_its_data_is_told_at_once(installation: Installation) -> None:
    scenario = installation.scenario(
        assign("first", a="1"), assign("broken", b="{{a | divided_by: 0}}"), answer(b="{{b}}")
    )
    began = time.monotonic()
    answered = installation.post(scenario.bare_result)
    assert time.monotonic() - began < 5
    told = answered.json()
    assert (answered.status_code, told["status"], told["block"]) == (422, "failed", "broken")
    assert told["error"]["code"] == "calc_error"
    assert told["error"]["message"]
    assert installation.read(f"/runs/{told['run']}")["status"] == "failed"


def test_v21_a_messenger_that_refuses_is_told_at_once(installation: Installation) -> None:
    scenario = installation.scenario(send("hello", "7770403"), answer(ok="yes"))
    answered = installation.post(scenario.bare_result)
    told = answered.json()
    assert (answered.status_code, told["status"], told["block"]) == (502, "failed", "greet")


def test_v22_a_run_that_outlasts_the_wait_gives_its_result_later(installation: Installation) -> None:
    scenario = installation.scenario(pause(2), answer(id="{{id}}"), result_wait_s=1)
    began = time.monotonic()
    answered = installation.post(scenario.bare_result, {"id": "42"})
    waited = time.monotonic() - began
    assert waited >= 0.9
    told = answered.json()
    assert (answered.status_code, told["status"]) == (202, "running")
    result_url = installation.url + told["result_url"][told["result_url"].index("/", 8) :]
    assert told["run"] in result_url
    wrong = installation.get(result_url[:-1] + ("0" if result_url[-1] != "0" else "1"))
    assert (wrong.status_code, wrong.json()["code"]) == (404, "not_found")
    assert installation.get(result_url.partition("?")[0]).status_code == 404
    wait_until(lambda: installation.get(result_url).status_code == 200, what="the late result")
    assert installation.get(result_url).json() == {"status": "done", "run": told["run"], "data": {"id": "42"}}


def test_the_usual_link_does_not_wait_for_a_long_scenario(installation: Installation) -> None:
    scenario = installation.scenario(pause(60), answer(id="{{id}}"))
    accepted = installation.post(scenario.short)
    assert accepted.json()["status"] == "accepted"
    assert installation.read(f"/runs/{accepted.json()['run']}")["status"] == "waiting"


def test_a_duplicate_at_the_results_link_gets_the_first_result(installation: Installation) -> None:
    scenario = installation.scenario(answer(n="{{n}}"), event_key="tranid")
    first = installation.post(scenario.bare_result, {"tranid": "x", "n": "1"}).json()
    again = installation.post(scenario.bare_result, {"tranid": "x", "n": "2"}).json()
    assert again == first
    assert len(installation.runs_of(scenario)) == 1
