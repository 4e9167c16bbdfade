"""What holds for every route of the management API: keys, limits, problems, and a description that tells the truth."""

import json
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema_rs import Draft202012Validator

from hub.core import Hub
from hub.web.api.base import PREFIX, ROUTES
from hub.web.redaction import redacted, redacted_text
from tests.conftest import Api
from tests.web.documents import LINE, document


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer hub_wrong", "Basic hub_wrong"])
def test_nothing_is_said_without_a_key(client: FlaskClient, hub: Hub, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    for route in ROUTES:
        if route.public:
            continue
        path = re.sub(r"\{\w+\}", "1", route.path)
        answer = client.open(PREFIX + path, method=route.method, headers=headers)
        assert answer.status_code == 401, route
        assert answer.get_json()["code"] == "unauthorized"
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_problem_has_the_members_of_the_standard(api: Api) -> None:
    answer = api.get("/scenarios/99")
    assert answer.content_type == "application/problem+json; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    problem = answer.get_json()
    assert problem.pop("trace_id")
    assert problem == {
        "type": "/problems/not-found",
        "title": "Not found",
        "status": 404,
        "detail": "There is no such scenario.",
        "instance": "/api/v1/scenarios/99",
        "code": "not_found",
    }


def test_an_unknown_method_says_which_exist(api: Api) -> None:
    answer = api.call("PUT", "/lines")
    assert (answer.status_code, answer.get_json()["code"]) == (405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


def test_an_unforeseen_error_says_nothing_about_itself(app: Flask, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object) -> None:
        raise RuntimeError("SECRET /etc/passwd")

    monkeypatch.setattr("hub.delivery.lines.all_of", broken)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = api.get("/lines")
    assert (answer.status_code, answer.get_json()["code"]) == (500, "internal")
    assert "SECRET" not in answer.get_data(as_text=True)


@pytest.mark.parametrize(("path", "limit"), [("/lines", 64 * 1024), ("/scenarios", 512 * 1024)])
def test_a_body_above_its_limit_is_refused(api: Api, path: str, limit: int) -> None:
    body = json.dumps({"name": "x" * limit})
    answer = api.post(path, data=body, content_type="application/json")
    assert (answer.status_code, answer.get_json()["code"]) == (413, "body_too_large")
    fits = api.post(path, data=json.dumps({"name": "x" * (limit - 20)}), content_type="application/json")
    assert fits.status_code in (400, 422)


@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"{a:1}", "application/json", 400),
        (b'{"name": "a",}', "application/json", 400),
        ('{"name": “a”}'.encode(), "application/json", 400),
        (b'{"name":"a","name":"b"}', "application/json", 400),
        (b"[" * 1000, "application/json", 400),
        (b'{"name":NaN}', "application/json", 400),
        (b"[]", "application/json", 422),
        (b"name=a", "application/x-www-form-urlencoded", 415),
    ],
)
def test_the_management_api_repairs_nothing(api: Api, raw: bytes, kind: str, status: int) -> None:
    assert api.post("/lines", data=raw, content_type=kind).status_code == status


def test_a_compressed_body_is_not_read(api: Api) -> None:
    answer = api.post("/lines", data=b"{}", content_type="application/json", headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415


@pytest.mark.parametrize("path", ["/lines/%00", "/messages/%00", "/constants/%00", "/scenarios/99999999999999999999"])
def test_an_address_that_cannot_be_is_not_found(api: Api, path: str) -> None:
    assert api.get(path).status_code == 404


def test_a_nul_in_a_parameter_is_refused(api: Api) -> None:
    assert api.get("/messages?chat=%00").status_code == 422


def test_values_keep_their_literals(api: Api) -> None:
    raw = b'{"value":{"sum":150000.00,"big":123456789012345678901234567890,"e":1e5}}'
    answer = api.put("/variables/order", data=raw, content_type="application/json")
    assert answer.status_code == 200
    assert raw[1:-1] in api.get("/variables/order").get_data()
    assert api.delete("/variables/order").status_code == 204
    assert api.get("/variables/order").status_code == 404


def test_a_constant_is_a_text_with_a_free_name(api: Api, stranger: Api) -> None:
    assert api.put("/constants/shop", {"value": "Цветы"}).get_json()["value"] == "Цветы"
    assert api.put("/constants/shop", {"value": 5}).status_code == 422
    assert api.put("/constants/ЕMAIL-x", {"value": "a"}).status_code == 200
    for name, code in (("email", "reserved_name"), ("a b", "bad_name"), ("x" * 65, "too_long")):
        assert api.put(f"/constants/{name}", {"value": "a"}).get_json()["code"] == code
    assert api.put("/constants/long", {"value": "я" * 32_768}).status_code == 422
    assert api.put("/constants/long", {"value": "я" * 32_000}).status_code == 200
    assert stranger.get("/constants/shop").status_code == 404
    assert stranger.delete("/constants/shop").status_code == 404
    assert stranger.get("/constants").get_json()["items"] == []


def test_a_key_sees_and_changes_only_its_own_portal_and_the_operators_sees_all(api: Api, stranger: Api) -> None:
    assert [one["member_id"] for one in stranger.get("/portals").get_json()["items"]] == ["other"]
    assert sorted(one["member_id"] for one in api.get("/portals").get_json()["items"]) == ["local", "other"]
    assert api.get("/portals/other").status_code == 200
    assert api.patch("/portals/other", {"language": "en"}).status_code == 404
    changed = api.patch("/portals/local", {"time_zone": "Asia/Omsk", "language": "en", "retention_days": 60})
    assert changed.get_json()["time_zone"] == "Asia/Omsk"
    wrong = api.patch("/portals/local", {"time_zone": "Mars", "language": "xx", "retention_days": 91})
    assert [one["pointer"] for one in wrong.get_json()["errors"]] == ["/time_zone", "/language", "/retention_days"]
    assert api.get("/portals/local").get_json()["retention_days"] == 60
    assert stranger.get("/portals/local").status_code == 404
    assert stranger.patch("/portals/local", {"language": "ru"}).status_code == 404


def test_health_says_what_is_missing(api: Api) -> None:
    health = api.get("/health").get_json()
    checks = {check["name"]: check for check in health["checks"]}
    assert checks["database"]["ok"] is True
    assert checks["worker"]["ok"] is False
    assert health["ok"] is False


def test_the_description_names_every_route_and_no_other(app: Flask, api: Api) -> None:
    described = api.client.get("/api/v1/openapi.json").get_json()
    told = {(method.upper(), path) for path, methods in described["paths"].items() for method in methods}
    there = {
        (method, re.sub(r"<(?:[^:>]+:)?(\w+)>", r"{\1}", rule.rule.removeprefix(PREFIX)))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(PREFIX)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert told == there
    assert len(told) == len(ROUTES)
    names = set(described["components"]["schemas"])
    assert set(re.findall(r"#/components/schemas/(\w+)", json.dumps(described))) <= names


def test_answers_have_the_shape_that_the_description_gives(api: Api) -> None:
    described = api.client.get("/api/v1/openapi.json").get_json()
    api.post("/lines", LINE)
    made = api.post("/scenarios", document()).get_json()
    link = made["links"]["request"].removeprefix("https://hub.test")
    sent = api.client.post(link, json={"chat_id": "5", "id": "7"}).get_json()
    api.put("/constants/shop", {"value": "x"})
    values = {
        "scenario_id": made["id"],
        "line_id": api.get("/lines").get_json()["items"][0]["id"],
        "request_id": sent["request"],
        "run_id": sent["run"],
        "message_id": api.get("/messages").get_json()["items"][0]["id"],
        "member_id": "local",
        "name": "shop",
        "entity": "deal",
        "a": 1,
        "b": 1,
    }
    checked = 0
    for path, methods in described["paths"].items():
        # What asks a portal is held against its shape where there is one, in tests/bitrix24/test_journal.py.
        asks_portal = path.startswith(("/bitrix24/fields", "/bitrix24/examples"))
        if "get" not in methods or path in ("/variables/{name}", "/openapi.json") or asks_portal:
            continue
        answer = api.get(path.format(**values))
        assert answer.status_code == 200, path
        schema: dict[str, Any] = methods["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        validator = Draft202012Validator(schema | {"components": described["components"]})
        assert [error.message for error in validator.iter_errors(answer.get_json())] == [], path
        checked += 1
    assert checked > 15


def test_redaction_reaches_every_depth_and_broken_bodies() -> None:
    assert redacted({"a": [{"API_KEY": "x", "token": ""}], "tokens": "kept"}) == {
        "a": [{"API_KEY": "•••", "token": ""}],
        "tokens": "kept",
    }
    assert redacted_text("a=1&password=x&user[secret]=y") == "a=1&password=•••&user[secret]=•••"
    assert redacted_text('{“token”: “abc”, "b": 1') == '{“token”: "•••", "b": 1'
