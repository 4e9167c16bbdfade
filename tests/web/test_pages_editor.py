"""The page that a scenario is drawn on: what its script begins with, and what it asks for."""

from typing import Any

from tests.conftest import Api
from tests.web.documents import LINE, document
from tests.web.people import OWN, Person


def test_the_page_of_a_scenario_holds_all_that_its_script_begins_with(editor: Person, api: Api) -> None:
    made = api.post("/scenarios", document("</script><b>")).get_json()
    data = editor.drawn(f"/scenarios/{made['id']}")
    assert data["document"] == api.get(f"/scenarios/{made['id']}/document").get_json()
    assert data["scenario"]["revision"] == "1"
    assert data["checked"]["problems"][0]["code"] == "line_missing"
    assert {block["type"] for block in data["blocks"]} >= {"send_message", "condition"}
    assert (data["me"]["name"], data["me"]["role"]) == ("editor@shop.test", "editor")


def test_how_a_scenario_is_doing_is_told_while_it_is_drawn(editor: Person, api: Api, client: Any) -> None:
    api.post("/lines", LINE)
    made = api.post("/scenarios", document()).get_json()
    quiet = api.get(f"/scenarios/{made['id']}/live").get_json()
    assert (quiet["last_request"], quiet["accepted_24h"], quiet["editors"]) == (None, 0, [])
    link = made["links"]["token_only"].removeprefix("https://hub.test")
    client.post(link, json={"id": "7"})
    client.post(link, data={"test": "test"})
    editor.client.put(f"/api/v1/scenarios/{made['id']}?draft=true", json=document(), headers=OWN)
    now = api.get(f"/scenarios/{made['id']}/live").get_json()
    assert (now["accepted_24h"], now["failed_24h"], now["last_request"]["state"]) == (1, 1, "check")
    assert (now["editors"], now["revision"], now["published"]) == (["editor@shop.test"], "2", 1)
    mine = editor.client.get(f"/api/v1/scenarios/{made['id']}/live").get_json()
    assert mine["editors"] == []


def test_states_are_called_in_the_editor_as_on_the_pages(editor: Person, api: Api) -> None:
    page = f"/scenarios/{api.post('/scenarios', document()).get_json()['id']}"
    failed = {"text": "не отправлено", "tone": "bad", "sign": "circle-x"}
    assert editor.drawn(page)["states"]["message"]["failed"] == failed
    assert editor.drawn(page, "en")["states"]["line"]["auth_failed"]["text"] == "refused"


def test_a_run_is_drawn_on_its_own_scenario_only(editor: Person, api: Api, client: Any) -> None:
    api.post("/lines", LINE)
    made, other = (api.post("/scenarios", document(name)).get_json() for name in ("Первый", "Второй"))
    link = made["links"]["token_only"].removeprefix("https://hub.test")
    run = client.post(link, json={"chat_id": "5", "id": "7"}).get_json()["run"]
    drawn = editor.drawn(f"/scenarios/{made['id']}?run={run}")["run"]
    assert (drawn["trace"]["id"], drawn["example"]["value"]["id"]) == (run, "7")
    for address in (f"/scenarios/{other['id']}?run={run}", f"/scenarios/{made['id']}?run=none"):
        assert editor.drawn(address)["run"] is None
