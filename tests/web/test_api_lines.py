"""Lines over the management API: secrets stay inside, names are unique, and a check says whether a line works."""

import pytest

from hub.core import Hub
from hub.delivery.lines import open_config
from hub.delivery.models import Line
from hub.sandbox.server import Sandbox
from tests.conftest import Api
from tests.web.documents import LINE, document


def test_a_line_is_made_with_defaults_and_hides_its_secrets(api: Api) -> None:
    made = api.post("/lines", LINE)
    assert made.status_code == 201
    line = made.get_json()
    assert line["config"]["token"] == "•••"
    assert line["settings"] == {
        "country": "RU",
        "on_unconfirmed": "hold",
        "rate_per_s": None,
        "rate_per_chat_per_s": None,
        "bitrix24_sender": None,
        "open_line": None,
    }
    assert (line["state"], line["queue"]) == ("active", 0)
    assert line["webhook_url"].startswith("https://hub.test/channels/")
    assert api.get(f"/lines/{line['id']}").get_json() == line
    assert api.get("/lines").get_json() == {"items": [line], "next": None}
    assert "SECRET" not in api.get("/lines").get_data(as_text=True)


def test_a_hidden_secret_that_comes_back_keeps_the_stored_one(api: Api, hub: Hub) -> None:
    made = api.post("/lines", LINE).get_json()
    config = made["config"] | {"api_url": "https://bots.example.com"}
    changed = api.patch(f"/lines/{made['id']}", {"config": config})
    assert changed.status_code == 200
    assert changed.get_json()["config"]["api_url"] == "https://bots.example.com"
    with hub.db.read() as session:
        line = session.get(Line, made["id"])
        assert line is not None
        assert open_config(hub, line)["token"] == "111:SECRET-token"
        assert "SECRET" not in line.config_sealed


def test_a_hidden_secret_cannot_be_the_first_one(api: Api) -> None:
    answer = api.post("/lines", LINE | {"config": {"token": "•••"}})
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["pointer"] == "/config/token"


def test_a_wrong_config_is_refused_without_repeating_it(api: Api) -> None:
    answer = api.post("/lines", LINE | {"config": {"token": "spaced SECRET token", "colour": "SECRET"}})
    assert answer.status_code == 422
    problem = answer.get_json()
    assert answer.content_type == "application/problem+json; charset=utf-8"
    assert {error["pointer"] for error in problem["errors"]} == {"/config/token", "/config/colour"}
    assert "SECRET" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("name", ["Продажи", "  продажи "])
def test_a_line_name_is_unique_whatever_its_letter_case(api: Api, name: str) -> None:
    api.post("/lines", LINE)
    answer = api.post("/lines", LINE | {"name": name})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "name_taken")


def test_two_portals_may_use_the_same_line_name(api: Api, stranger: Api) -> None:
    assert api.post("/lines", LINE).status_code == 201
    assert stranger.post("/lines", LINE).status_code == 201


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"channel": "pigeon"}, "/channel"),
        ({"name": " "}, "/name"),
        ({"name": "a\u202eb"}, "/name"),
        ({"settings": {"on_unconfirmed": "perhaps"}}, "/settings/on_unconfirmed"),
        ({"settings": {"rate_per_s": -1}}, "/settings/rate_per_s"),
        ({"settings": {"speed": 1}}, "/settings/speed"),
        ({"portal_id": 2}, "/portal_id"),
    ],
)
def test_what_cannot_be_kept_of_a_line_is_pointed_at(api: Api, change: dict[str, object], pointer: str) -> None:
    answer = api.post("/lines", LINE | change)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.get_json()["errors"]] == [pointer]


def test_settings_change_one_by_one_and_null_goes_back_to_the_default(api: Api) -> None:
    line = api.post("/lines", LINE | {"settings": {"rate_per_s": 25, "country": "KZ"}}).get_json()
    changed = api.patch(f"/lines/{line['id']}", {"settings": {"on_unconfirmed": "resend", "rate_per_s": None}})
    assert changed.get_json()["settings"] == {
        "country": "KZ",
        "on_unconfirmed": "resend",
        "rate_per_s": None,
        "rate_per_chat_per_s": None,
        "bitrix24_sender": None,
        "open_line": None,
    }


def test_a_line_is_paused_and_resumed(api: Api) -> None:
    line = api.post("/lines", LINE).get_json()
    assert api.post(f"/lines/{line['id']}/pause").get_json()["state"] == "paused"
    assert api.post(f"/lines/{line['id']}/resume").get_json()["state"] == "active"


def test_a_check_that_succeeds_brings_a_broken_line_back(api: Api, hub: Hub, sandbox: Sandbox, portal: object) -> None:
    config = {"token": "111:AAA", "api_url": f"{sandbox.url}/telegram"}
    line_id = api.post("/lines", LINE | {"config": config}).get_json()["id"]
    with hub.db.write() as session:
        line = session.get(Line, line_id)
        assert line is not None
        line.state, line.state_reason = "auth_failed", "401"
        session.add(line)
    answer = api.post(f"/lines/{line_id}/check").get_json()
    assert answer["ok"] is True
    assert answer["identity"]["name"]
    assert api.get(f"/lines/{line_id}").get_json()["state"] == "active"


def test_a_check_that_fails_says_why_and_changes_nothing(api: Api) -> None:
    config = {"token": "111:SECRET", "api_url": "http://127.0.0.1:9"}
    line_id = api.post("/lines", LINE | {"config": config}).get_json()["id"]
    answer = api.post(f"/lines/{line_id}/check")
    assert answer.status_code == 200
    assert answer.get_json()["ok"] is False
    assert answer.get_json()["error"]["code"] == "address_refused"
    assert "SECRET" not in answer.get_data(as_text=True)


def test_a_deleted_line_is_gone_with_its_secrets_and_frees_its_name(api: Api, hub: Hub) -> None:
    line_id = api.post("/lines", LINE).get_json()["id"]
    assert api.delete(f"/lines/{line_id}").status_code == 204
    assert api.get(f"/lines/{line_id}").status_code == 404
    assert api.post("/lines", LINE).status_code == 201
    with hub.db.read() as session:
        kept = session.get(Line, line_id)
        assert kept is not None
        assert (kept.config_sealed, kept.token_sealed) == ("", "")


def test_a_line_with_waiting_messages_cannot_be_deleted(api: Api) -> None:
    line_id = api.post("/lines", LINE).get_json()["id"]
    link = api.post("/scenarios", document()).get_json()["links"]["request"].removeprefix("https://hub.test")
    assert api.client.post(link, json={"chat_id": "5"}).status_code == 200
    assert api.get(f"/lines/{line_id}").get_json()["queue"] == 1
    answer = api.delete(f"/lines/{line_id}")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "line_in_use")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/check"), ("POST", "/pause"), ("POST", "/resume")],
)
def test_a_strangers_line_does_not_exist(api: Api, stranger: Api, hub: Hub, method: str, path: str) -> None:
    line_id = api.post("/lines", LINE).get_json()["id"]
    answer = stranger.call(method, f"/lines/{line_id}{path}", {} if method == "PATCH" else None)
    assert answer.status_code == 404
    assert stranger.get("/lines").get_json()["items"] == []
    assert api.get(f"/lines/{line_id}").get_json()["state"] == "active"


def test_messengers_are_called_as_in_the_language_of_the_page(api: Api) -> None:
    titles = {
        one["kind"]: one["title"] for one in api.get("/channels", headers={"Accept-Language": "ru"}).json["items"]
    }
    assert titles == {
        "max": "MAX",
        "smsc": "SMS (SMSC)",
        "smsru": "SMS (SMS.ru)",
        "telegram": "Telegram",
        "vk": "ВКонтакте",
        "whatsapp": "WhatsApp",
    }


def test_the_channels_describe_their_config(api: Api) -> None:
    kinds = {one["kind"]: one for one in api.get("/channels").get_json()["items"]}
    assert "token" in kinds["telegram"]["config"]["properties"]
    assert kinds["telegram"]["capabilities"]["text_chars"] == 4096
