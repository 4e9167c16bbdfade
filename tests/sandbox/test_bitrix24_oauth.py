"""The OAuth server: exchanging, refreshing, refusing, and proving a token."""

from typing import Any

import pytest
import requests

from tests.sandbox.conftest import Portal


def ask(portal: Portal, **given: str) -> requests.Response:
    app = portal.bitrix.app
    query = {"client_id": app.client_id, "client_secret": app.client_secret, "grant_type": "refresh_token"} | given
    return portal.get(f"{portal.oauth}/oauth/token/", **{name: value for name, value in query.items() if value})


def test_a_refresh_gives_a_new_pair_and_names_the_portal_by_its_endpoint(installed: Portal) -> None:
    answer = ask(installed, refresh_token=installed.refresh)
    body = answer.json()
    assert answer.status_code == 200
    assert set(body) == {
        "access_token",
        "expires",
        "expires_in",
        "scope",
        "domain",
        "server_endpoint",
        "status",
        "client_endpoint",
        "member_id",
        "user_id",
        "refresh_token",
    }
    assert f"http://{body['domain']}" == installed.oauth
    assert body["server_endpoint"] == f"{installed.oauth}/rest/"
    assert body["client_endpoint"] == f"{installed.url}/rest/"
    assert (body["expires_in"], body["user_id"]) == (3600, 1)
    assert body["refresh_token"] != installed.refresh
    assert installed.result("profile", token=body["access_token"])["ID"] == "1"


def test_a_refresh_token_works_once_and_the_old_access_token_until_its_hour_is_over(installed: Portal) -> None:
    assert ask(installed, refresh_token=installed.refresh).status_code == 200
    again = ask(installed, refresh_token=installed.refresh)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert installed.result("profile")["ID"] == "1"
    assert installed.read("state")["refreshes"] >= 1


def test_a_form_is_taken_as_well_as_a_query(installed: Portal) -> None:
    app = installed.bitrix.app
    form = {
        "grant_type": "refresh_token",
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "refresh_token": installed.refresh,
    }
    assert installed.post(f"{installed.oauth}/oauth/token/", data=form).status_code == 200


@pytest.mark.parametrize(
    ("given", "status", "error"),
    [
        ({"refresh_token": ""}, 400, "invalid_request"),
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "invalid_request"),
        ({"client_secret": "wrong"}, 400, "invalid_client"),
        ({"refresh_token": "wrong"}, 400, "invalid_grant"),
        ({"grant_type": "authorization_code", "code": "wrong"}, 400, "invalid_grant"),
    ],
)
def test_wrong_requests_are_refused_by_code(installed: Portal, given: dict[str, str], status: int, error: str) -> None:
    answer = ask(installed, **{"refresh_token": installed.refresh} | given)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_missing_refresh_token_is_named(installed: Portal) -> None:
    assert ask(installed).json()["error_description"] == 'No "refresh_token" parameter found'


def test_an_unknown_client_is_an_error_with_status_200(installed: Portal) -> None:
    answer = ask(installed, client_id="local.0.0", refresh_token=installed.refresh)
    assert (answer.status_code, answer.json()) == (200, {"error": "wrong_client"})


def test_refresh_tokens_last_half_a_year_and_codes_half_a_minute(installed: Portal) -> None:
    code = installed.control("mint", code=True)["code"]
    late = installed.control("mint", code=True)["code"]
    exchanged = ask(installed, grant_type="authorization_code", code=code)
    assert exchanged.json()["member_id"] == installed.bitrix.portal.member_id
    assert ask(installed, grant_type="authorization_code", code=code).json()["error"] == "invalid_grant"
    installed.control("clock", advance_s=31)
    assert ask(installed, grant_type="authorization_code", code=late).json()["error"] == "invalid_grant"
    installed.control("expire", refresh=True)
    assert ask(installed, refresh_token=installed.refresh).json()["error"] == "invalid_grant"


def test_an_application_that_is_not_paid_for_is_told_so(installed: Portal) -> None:
    installed.result("event.bind", event="ONAPPPAYMENT", handler=f"{installed.application.url}/event")
    installed.control("pay", paid=False)
    assert installed.application.got("event")[0]["data"]["PAYMENT_EXPIRED"] == "Y"
    answer = ask(installed, refresh_token=installed.refresh)
    assert (answer.status_code, answer.json()["error"]) == (401, "PAYMENT_REQUIRED")
    assert installed.refused("profile") == (401, "PAYMENT_REQUIRED")


def test_the_servers_app_info_proves_a_token(installed: Portal) -> None:
    def info(token: str, **options: Any) -> requests.Response:
        return installed.post(f"{installed.oauth}/rest/app.info.json/", data={"auth": token})

    result = info(installed.token).json()["result"]
    assert result["client_id"] == installed.bitrix.app.client_id
    assert result["user_id"] == "1"
    assert result["install"]["member_id"] == installed.bitrix.portal.member_id
    assert result["install"]["domain"] == installed.bitrix.portal.domain
    assert result["install"]["client_endpoint"] == f"{installed.url}/rest/"
    assert result["install"]["installed"] is True
    bad = info("0" * 70)
    assert (bad.status_code, bad.json()["error"]) == (400, "invalid_client")
    installed.control("expire")
    assert info(installed.token).json()["error"] == "expired_token"
    assert installed.get(f"{installed.oauth}/rest/app.info/", auth=installed.token).status_code == 400
    other = installed.get(f"{installed.oauth}/rest/profile/", auth=installed.token)
    assert (other.status_code, other.json()["error"]) == (404, "ERROR_METHOD_NOT_FOUND")


def test_the_portals_authorize_page_sends_a_code_to_the_registered_address(installed: Portal) -> None:
    client_id = installed.bitrix.app.client_id
    answer = installed.get(f"{installed.url}/oauth/authorize/", client_id=client_id, state="s1")
    assert answer.status_code == 302
    address = requests.Request("GET", answer.headers["Location"]).prepare().url or ""
    assert address.startswith(f"{installed.application.url}/app?code=")
    for part in ("state=s1", "domain=localhost", "member_id=", "server_domain=127.0.0.1"):
        assert part in address
    code = address.partition("code=")[2].partition("&")[0]
    assert ask(installed, grant_type="authorization_code", code=code).status_code == 200
    unknown = installed.get(f"{installed.url}/oauth/authorize/", client_id="nobody")
    assert (unknown.status_code, unknown.headers.get("Location")) == (400, None)


def test_faults_of_the_oauth_server_are_played(installed: Portal) -> None:
    fault = {"service": "bitrix24_oauth", "chat": "token"}
    installed.control("fault", kind="error", code="wrong_client", status=200, **fault)
    assert ask(installed, refresh_token=installed.refresh).json() == {"error": "wrong_client"}
    installed.control("fault", kind="status", status=502, **fault)
    assert ask(installed, refresh_token=installed.refresh).headers["Content-Type"].startswith("text/html")
    installed.control("fault", kind="hangup_after", **fault)
    with pytest.raises(requests.ConnectionError):
        ask(installed, refresh_token=installed.refresh)
    lost = ask(installed, refresh_token=installed.refresh)
    assert lost.json()["error"] == "invalid_grant", "the pair was rotated although nobody heard of it"
