"""Calling REST: encodings, the envelope, the order of checks, batch, limits, faults."""

import pytest
import requests

from tests.sandbox.conftest import Portal


def test_an_answer_has_its_result_and_the_time_block(installed: Portal) -> None:
    body = installed.call("server.time").json()
    assert list(body) == ["result", "time"]
    assert set(body["time"]) == {
        "start",
        "finish",
        "duration",
        "processing",
        "date_start",
        "date_finish",
        "operating_reset_at",
        "operating",
    }
    assert body["time"]["date_start"].endswith("+03:00")


def test_a_call_is_understood_in_every_encoding(installed: Portal) -> None:
    url, token = f"{installed.url}/rest/crm.deal.list", installed.token
    form = {"auth": token, "filter[>=ID]": "1", "select[]": ["ID", "TITLE"]}
    wanted = [{"ID": "1", "TITLE": "Заказ 1001"}]
    assert installed.get(f"{url}.json", **form).json()["result"] == wanted
    assert installed.post(f"{url}/", data=form).json()["result"] == wanted
    assert installed.post(url, files={name: (None, str(value)) for name, value in form.items()}).status_code == 200
    as_json = {"auth": token, "filter": {">=ID": 1}, "select": ["ID", "TITLE"]}
    assert installed.post(url, json=as_json).json()["result"] == wanted
    bearer = {"Authorization": f"Bearer {token}"}
    assert installed.post(url, json={"select": ["ID", "TITLE"]}, headers=bearer).json()["result"] == wanted
    assert installed.post(f"{installed.url}/rest/CRM.Deal.List", json=as_json).json()["result"] == wanted
    mixed = installed.post(f"{url}?auth={token}", json={"select": ["ID", "TITLE"]})
    assert mixed.json()["result"] == wanted
    assert installed.post(f"{url}?auth={token}&select[]=ID", data={"x": "1"}).json()["result"] == [{"ID": "1"}]


def test_an_unknown_method_is_refused_before_the_token_is_looked_at(installed: Portal) -> None:
    assert installed.refused("crm.pigeon.get", token="") == (404, "ERROR_METHOD_NOT_FOUND")
    assert installed.refused("profile", token="") == (401, "NO_AUTH_FOUND")
    assert installed.refused("profile", token="garbled") == (401, "NO_AUTH_FOUND")


def test_an_expired_token_says_so_in_the_known_words(installed: Portal) -> None:
    assert installed.control("expire")["expired"] >= 1
    answer = installed.call("profile")
    assert (answer.status_code, answer.json()) == (
        401,
        {"error": "expired_token", "error_description": "The access token provided has expired."},
    )


def test_an_access_token_lasts_an_hour(installed: Portal) -> None:
    installed.control("clock", advance_s=3595)
    assert installed.call("profile").status_code == 200
    installed.control("clock", advance_s=10)
    assert installed.refused("profile") == (401, "expired_token")


def test_a_token_of_another_portal_is_no_token_here(installed: Portal) -> None:
    other = installed.control("portals", title="Второй", burst=0)
    address = other["client_endpoint"].removesuffix("/rest/")
    assert installed.call("profile", on=address).status_code == 401
    frame = installed.control("install", on=address)["frame"]
    theirs = frame["fields"]["AUTH_ID"]
    assert installed.call("profile", on=address, token=theirs).status_code == 200
    assert installed.refused("profile", token=theirs) == (401, "invalid_token")
    assert frame["fields"]["member_id"] == other["member_id"]


def test_people_without_access_and_dismissed_people_are_refused(installed: Portal) -> None:
    token = installed.control("mint", user=2)["access"]
    installed.control("user", id=2, barred=True)
    assert installed.refused("profile", token=token) == (403, "user_access_error")
    installed.control("user", id=2, barred=False, active=False)
    assert installed.refused("profile", token=token) == (401, "authorization_error")


def test_a_method_outside_of_the_scopes_is_refused(portal: Portal) -> None:
    portal.control("app", client_id=portal.bitrix.app.client_id, scope=["crm"])
    portal.install()
    assert portal.result("scope") == ["crm"]
    assert portal.refused("placement.get") == (403, "insufficient_scope")
    assert portal.refused("user.get") == (403, "insufficient_scope")
    assert portal.result("method.get", name="placement.get") == {"isExisting": True, "isAvailable": False}
    assert portal.result("method.get", name="pigeon.get") == {"isExisting": False, "isAvailable": False}
    assert "ONIMCONNECTORMESSAGEADD" not in portal.result("events")


def test_an_incoming_webhook_acts_as_its_user_but_not_as_an_application(installed: Portal) -> None:
    url = installed.control("webhook", user=2, scope=["crm", "placement", "bizproc"])["url"]
    assert installed.get(f"{url}crm.deal.get.json", id=1).json()["result"]["ID"] == "1"
    assert installed.get(f"{url}user.admin").json()["result"] is False
    for method, error in (
        ("event.bind", "WRONG_AUTH_TYPE"),
        ("placement.bind", "WRONG_AUTH_TYPE"),
        ("bizproc.robot.list", "ACCESS_DENIED"),
    ):
        answer = installed.get(url + method)
        assert (answer.status_code, answer.json()["error"]) == (403, error)
    wrong = installed.get(f"{installed.url}/rest/2/wrong/crm.deal.get", id=1)
    assert (wrong.status_code, wrong.json()["error"]) == (401, "INVALID_CREDENTIALS")


def test_a_batch_uses_results_of_earlier_commands(installed: Portal) -> None:
    commands = {"deal": "crm.deal.get?id=1", "person": "crm.contact.get?id=$result[deal][CONTACT_ID]"}
    result = installed.result("batch", cmd=commands)
    assert result["result"]["person"]["NAME"] == "Анна"
    assert result["result_error"] == []
    assert result["result_total"] == []
    assert set(result["result_time"]) == {"deal", "person"}


def test_a_batch_answers_200_with_the_errors_of_its_commands(installed: Portal) -> None:
    commands = {"no": "crm.deal.get?id=99", "list": "crm.deal.list", "nested": "batch?cmd[a]=profile"}
    result = installed.result("batch", cmd=commands)
    assert result["result_error"]["no"] == {"error": "", "error_description": "Not found"}
    assert result["result_error"]["nested"]["error"] == "ERROR_BATCH_METHOD_NOT_ALLOWED"
    assert result["result_total"] == {"list": 1}
    halted = installed.result("batch", cmd=commands, halt=1)
    assert (halted["result"], list(halted["result_error"])) == ([], ["no"])


def test_a_batch_as_a_form_is_encoded_twice(installed: Portal) -> None:
    form = {"auth": installed.token, "cmd[deal]": "crm.deal.list?filter%5BTITLE%5D=%D0%97%D0%B0%D0%BA%D0%B0%D0%B7+1001"}
    result = installed.post(f"{installed.url}/rest/batch", data=form).json()["result"]
    assert result["result"]["deal"][0]["ID"] == "1"


def test_fifty_commands_are_the_limit(installed: Portal) -> None:
    assert len(installed.result("batch", cmd=["profile"] * 50)["result"]) == 50
    assert installed.refused("batch", cmd=["profile"] * 51) == (400, "ERROR_BATCH_LENGTH_EXCEEDED")


def test_the_bucket_lets_fifty_through_and_leaks_two_a_second(installed: Portal) -> None:
    installed.control("portal", burst=50, rate=2.0)
    seen = [installed.call("profile").status_code for _ in range(60)]
    assert seen[:50] == [200] * 50
    assert 503 in seen[50:]
    installed.control("clock", advance_s=1)
    assert installed.call("profile").status_code == 200
    assert installed.call("pigeon").status_code == 404
    refused = installed.call("pigeon")
    assert (refused.status_code, refused.json()["error"]) == (503, "QUERY_LIMIT_EXCEEDED"), "it stands in front of all"
    assert "Retry-After" not in refused.headers


def test_a_batch_is_one_request_to_the_bucket(installed: Portal) -> None:
    installed.control("portal", burst=3, rate=0.001)
    assert [installed.call("batch", cmd=["profile"] * 50).status_code for _ in range(4)] == [200, 200, 200, 503]


def test_a_method_that_worked_too_long_is_blocked_alone_until_the_oldest_minute_drops_out(installed: Portal) -> None:
    installed.control("portal", operating_limit_s=100, operating_cost_s=60)
    first = installed.call("crm.deal.list").json()["time"]
    assert 60 <= first["operating"] < 61
    assert 540 < first["operating_reset_at"] - installed.read("state")["now"] <= 600
    assert installed.call("crm.deal.list").status_code == 200
    assert installed.refused("crm.deal.list") == (429, "OPERATION_TIME_LIMIT")
    assert installed.call("crm.contact.list").status_code == 200
    inner = installed.result("batch", cmd={"a": "crm.deal.list"})
    assert inner["result_error"]["a"]["error"] == "OPERATION_TIME_LIMIT"
    installed.control("clock", advance_s=601)
    assert installed.call("crm.deal.list").status_code == 200


def test_a_portal_that_moved_answers_302(installed: Portal) -> None:
    installed.control("portal", moved_to="elsewhere.example")
    assert installed.call("profile").headers["Location"] == "http://elsewhere.example/rest/profile"
    installed.control("portal", moved_to="")
    new = installed.control("move")["domain"]
    answer = installed.call("profile")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"http://{new}/rest/profile")
    assert installed.call("profile", on=f"http://{new}").status_code == 200
    info = installed.get(f"{installed.oauth}/rest/app.info/", auth=installed.token).json()
    assert info["result"]["install"]["domain"] == new


def test_faults_are_played_for_the_method_they_name(installed: Portal) -> None:
    fault = {"service": "bitrix24", "chat": "profile"}
    installed.control("fault", kind="error", code="QUERY_LIMIT_EXCEEDED", status=503, **fault)
    assert installed.call("scope").status_code == 200
    assert installed.refused("profile") == (503, "QUERY_LIMIT_EXCEEDED")
    installed.control("fault", kind="error", code="expired_token", status=401, **fault)
    assert installed.refused("profile") == (401, "expired_token")
    installed.control("fault", kind="429", **fault)
    assert installed.refused("profile") == (429, "OPERATION_TIME_LIMIT")
    installed.control("fault", kind="status", status=504, **fault)
    page = installed.call("profile")
    assert (page.status_code, page.headers["Content-Type"]) == (504, "text/html")
    installed.control("fault", kind="hang", seconds=0.1, **fault)
    with pytest.raises(requests.ConnectionError):
        installed.call("profile")
    assert installed.call("profile").status_code == 200


def test_every_call_is_written_down_without_its_token(installed: Portal) -> None:
    installed.call("crm.deal.get", id=99)
    last = installed.read("calls")["calls"][-1]
    assert (last["method"], last["params"], last["status"], last["said"]) == (
        "crm.deal.get",
        {"id": 99},
        400,
        "Not found",
    )
    assert installed.token not in str(installed.read("calls"))


def test_a_failure_inside_is_told_in_the_envelope(installed: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed.bitrix.portal.crm, "dictionaries", None)
    assert installed.refused("crm.status.list") == (500, "INTERNAL_SERVER_ERROR")
    inner = installed.result("batch", cmd={"a": "crm.status.list", "b": "profile"})
    assert inner["result_error"]["a"]["error"] == "INTERNAL_SERVER_ERROR"
    assert inner["result"]["b"]["ID"] == "1"


def test_pages_of_other_sites_may_call(installed: Portal) -> None:
    assert installed.call("profile").headers["Access-Control-Allow-Origin"] == "*"
    asked = requests.options(f"{installed.url}/rest/profile", timeout=5)
    assert "content-type" in asked.headers["Access-Control-Allow-Headers"]
