"""The vendor's own Python library gets along with the simulated portal.

Only where it goes is changed: http in place of https, this OAuth server in place of the real one, and a port in the
portal's name, which real portals have not.
"""

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.processes import wait_until
from tests.sandbox.conftest import Portal

sdk = pytest.importorskip("b24pysdk")

from b24pysdk import Client  # noqa: E402
from b24pysdk.api.callers import call_method  # noqa: E402
from b24pysdk.api.requesters import BitrixOAuthRequester  # noqa: E402
from b24pysdk.credentials import (  # noqa: E402
    BitrixApp,
    BitrixToken,
    BitrixWebhook,
    OAuthEventData,
    OAuthPlacementData,
    OAuthWorkflowData,
)
from b24pysdk.credentials.auth import Auth  # noqa: E402
from b24pysdk.errors import (  # noqa: E402
    BitrixAPIBadRequest,
    BitrixAPIError,
    BitrixAPIExpiredToken,
    BitrixResponse302JSONDecodeError,
)
from b24pysdk.errors.oauth import BitrixOAuthInvalidGrant, BitrixOauthWrongClient  # noqa: E402


def result(request: Any) -> Any:
    """The result of a request of the library, which is sent when its response is read."""
    return request.response.result


@pytest.fixture
def at_home(installed: Portal, monkeypatch: pytest.MonkeyPatch) -> Portal:
    """The library, led to the simulated addresses."""
    caller = call_method.__globals__["_MethodCaller"]
    monkeypatch.setattr(caller, "_base_url", property(lambda self: f"http://{self._domain}/rest"))
    monkeypatch.setattr(BitrixOAuthRequester, "_OAUTH_TOKEN_URL", f"{installed.oauth}/oauth/token/")
    monkeypatch.setattr(BitrixOAuthRequester, "_APP_INFO_URL", f"{installed.oauth}/rest/app.info/")
    monkeypatch.setattr(Auth, "portal_domain", property(lambda self: urlsplit(self.client_endpoint).netloc))
    moved = property(lambda self: urlsplit(self.redirect_url).netloc)
    monkeypatch.setattr(BitrixResponse302JSONDecodeError, "new_domain", moved)
    monkeypatch.setenv("NO_PROXY", "*")
    return installed


@pytest.fixture
def app(at_home: Portal) -> BitrixApp:
    registered = at_home.bitrix.app
    return BitrixApp(client_id=registered.client_id, client_secret=registered.client_secret)


@pytest.fixture
def token(at_home: Portal, app: BitrixApp) -> BitrixToken:
    domain = at_home.bitrix.portal.domain
    return BitrixToken(domain=domain, auth_token=at_home.token, refresh_token=at_home.refresh, bitrix_app=app)


@pytest.fixture
def client(token: BitrixToken) -> Client:
    return Client(token)


def test_the_posted_page_is_understood_and_proved_at_the_oauth_server(at_home: Portal, app: BitrixApp) -> None:
    frame = at_home.control("frame", user=2)
    query = dict(pair.split("=") for pair in urlsplit(frame["action"]).query.replace("%3A", ":").split("&"))
    posted = OAuthPlacementData.from_dict(query | frame["fields"])
    assert posted.placement_options == {"URI": "/marketplace/app/7/"}
    info = BitrixToken.from_oauth_placement_data(posted, app).get_app_info()
    assert posted.validate_against_app_info(info.result)
    assert (info.result.user_id, info.result.install.installed, info.result.client_id) == (2, True, app.client_id)


def test_an_event_is_understood_and_proved(at_home: Portal, app: BitrixApp, client: Client) -> None:
    handler = f"{at_home.application.url}/event"
    assert result(client.event.bind(event="ONCRMDEALUPDATE", handler=handler)) is True
    at_home.control("card", id=1, user=2, fields={"TITLE": "x"})
    at_home.application.got("event")
    event = OAuthEventData.from_dict(at_home.read("deliveries")["deliveries"][-1]["fields"])
    assert (event.event, event.data, event.is_system) == ("ONCRMDEALUPDATE", {"FIELDS": {"ID": "1"}}, False)
    assert event.auth.oauth_token.refresh_token is None
    assert event.validate_against_app_info(event.get_app_info(app))
    at_home.control("card", id=1, user=0, fields={"TITLE": "y"})
    at_home.application.got("event", 2)
    system = OAuthEventData.from_dict(at_home.read("deliveries")["deliveries"][-1]["fields"])
    assert system.is_system
    (bound,) = result(client.event.get())
    assert bound["handler"] == handler
    assert result(client.event.unbind(event="ONCRMDEALUPDATE", handler=handler)) == {"count": 1}


def test_a_robot_is_registered_asked_and_answered(at_home: Portal, app: BitrixApp, client: Client) -> None:
    robot = client.bizproc.robot.add(
        code="start",
        handler=f"{at_home.application.url}/robot",
        auth_user_id=1,
        use_subscription=True,
        name={"ru": "Запустить"},
        return_properties={"status": {"Name": "Status", "Type": "string"}},
    )
    assert result(robot) is True
    at_home.control("process", id=1, steps=[{"kind": "robot", "code": "start", "timeout_s": 60}])
    at_home.application.got("robot")
    asked = OAuthWorkflowData.from_dict(at_home.read("deliveries")["deliveries"][-1]["fields"])
    assert (asked.code, asked.document_id[2], asked.use_subscription, asked.timeout_duration) == (
        "start",
        "DEAL_1",
        True,
        60,
    )
    assert asked.validate_against_app_info(asked.get_app_info(app))
    sent = client.bizproc.event.send(event_token=asked.event_token, return_values={"status": "done"})
    assert result(sent) is True
    wait_until(lambda: at_home.read("state")["processes"][-1]["state"] == "completed")
    assert at_home.read("state")["processes"][-1]["results"] == {"0": {"status": "done"}}


def test_an_expired_token_is_refreshed_and_the_call_repeated(
    at_home: Portal, token: BitrixToken, client: Client
) -> None:
    at_home.control("expire")
    assert result(client.crm.deal.get(bitrix_id=1))["ID"] == "1"
    assert token.auth_token != at_home.token
    assert at_home.read("state")["refreshes"] == 1


def test_a_pair_that_was_used_up_ends_in_the_librarys_own_error(
    at_home: Portal, token: BitrixToken, client: Client
) -> None:
    token.refresh_and_set_oauth_token()
    token.auth_token, token.refresh_token = at_home.token, at_home.refresh
    at_home.control("expire")
    with pytest.raises(BitrixOAuthInvalidGrant):
        result(client.crm.deal.get(bitrix_id=1))
    token.bitrix_app.client_id = "local.0.0"
    with pytest.raises(BitrixOauthWrongClient):
        token.refresh_and_set_oauth_token()
    token.refresh_token = None
    with pytest.raises(BitrixAPIExpiredToken):
        result(client.crm.deal.get(bitrix_id=1))


def test_cards_are_written_read_and_refused(client: Client) -> None:
    number = result(client.crm.contact.add({"NAME": "Ольга", "PHONE": [{"VALUE": "+7", "VALUE_TYPE": "MOBILE"}]}))
    person = result(client.crm.contact.get(bitrix_id=number))
    assert person["PHONE"][0]["VALUE_TYPE"] == "MOBILE"
    assert result(client.crm.contact.update(bitrix_id=number, fields={"NAME": "Оля"})) is True
    item = result(client.crm.item.get(bitrix_id=number, entity_type_id=3))["item"]
    assert item["name"] == "Оля"
    with pytest.raises(BitrixAPIBadRequest):
        result(client.crm.contact.get(bitrix_id=999))
    with pytest.raises(BitrixAPIError):
        result(client.crm.item.list(entity_type_id=3, filter={"pigeon": 1}))


def test_long_lists_are_read_by_pages_and_by_chained_batches(client: Client) -> None:
    methods = [("crm.contact.add", {"fields": {"NAME": f"N{number}"}}) for number in range(130)]
    client._bitrix_token.call_batches(methods)
    assert len(result(client.crm.contact.list(select=["ID"]).as_list())) == 132
    fast = list(result(client.crm.contact.list(select=["ID"]).as_list_fast()))
    assert [int(row["ID"]) for row in fast] == list(range(1, 133))


def test_a_moved_portal_is_followed(at_home: Portal, token: BitrixToken, client: Client) -> None:
    new = at_home.control("move")["domain"]
    assert result(client.profile())["ID"] == "1"
    assert token.domain == new


def test_an_incoming_webhook_is_called(at_home: Portal) -> None:
    code = at_home.control("webhook", user=2)["code"]
    hook = BitrixWebhook(domain=at_home.bitrix.portal.domain, webhook_token=f"2/{code}")
    assert result(Client(hook).crm.deal.get(bitrix_id=1))["ID"] == "1"
