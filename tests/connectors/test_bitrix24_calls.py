"""Calls to a portal and to its OAuth server: the simulated ones, and a server that answers what a test tells it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, Response, request

from connectors.bitrix24 import errors
from connectors.bitrix24.oauth import OAuthServer, Pair, split_scopes
from connectors.bitrix24.rest import Rest
from connectors.errors import ConnectorError, EgressRefused, Temporary, Unconfirmed
from connectors.http import Http
from hub.sandbox.bitrix24 import lifecycle
from hub.sandbox.bitrix24.server import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET, Bitrix24
from hub.sandbox.listening import Listener

PAIR = Pair(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET)


class Scripted:
    """Answers the next of the given answers, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.answers: list[tuple[int, str | bytes, dict[str, str]]] = []
        self._listener = Listener()
        app = Flask("scripted", static_folder=None)

        @app.route("/<path:path>", methods=["GET", "POST"])
        def take(path: str) -> Response:
            self.asked.append((request.full_path, request.get_data()))
            status, body, headers = self.answers.pop(0)
            return Response(body, status, headers)

        self._listener.open(app)
        self._listener.start("scripted")
        self.spot = f"127.0.0.1:{self._listener.port}"
        self.url = f"http://{self.spot}"
        self.stop = self._listener.stop

    def answer(self, body: Any, status: int = 200, **headers: str) -> None:
        self.answers.append((status, body if isinstance(body, str) else json.dumps(body), headers))


@pytest.fixture
def server() -> Iterator[Scripted]:
    running = Scripted()
    yield running
    running.stop()


@pytest.fixture
def rest(server: Scripted, opened: Callable[..., Http]) -> Rest:
    return Rest(opened(server.spot))


@pytest.fixture(scope="module")
def bitrix() -> Iterator[Bitrix24]:
    running = Bitrix24().start()
    running.portal.burst = 0
    lifecycle.install(running.cloud, running.portal, running.app, running.portal.users[1])
    yield running
    running.stop()


def minted(bitrix: Bitrix24) -> Any:
    return bitrix.cloud.tokens.mint(DEMO_CLIENT_ID, bitrix.portal.member_id, 1, bitrix.cloud.now())


# ---------------------------------------------------------------- a portal's methods


def test_a_method_is_called_with_the_token_in_the_body_and_not_in_the_address(server: Scripted, rest: Rest) -> None:
    server.answer(
        {
            "result": [1],
            "next": 50,
            "total": "137",
            "time": {"operating": 0.5, "operating_reset_at": 1790000600},
        }
    )
    answer = rest.call(f"{server.url}/rest/", "AT1", "crm.deal.list", {"start": 0})
    assert (answer.result, answer.next, answer.total) == ([1], 50, 137)
    assert (answer.operating, answer.reset_at) == (0.5, 1790000600)
    path, body = server.asked[0]
    assert path == "/rest/crm.deal.list?"
    assert json.loads(body) == {"start": 0, "auth": "AT1"}


def test_missing_optional_keys_are_nothing_special(server: Scripted, rest: Rest) -> None:
    server.answer({"result": True})
    answer = rest.call(f"{server.url}/rest/", "AT1", "event.test")
    assert (answer.result, answer.next, answer.total, answer.operating) == (True, None, None, None)


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"error": "expired_token"}, 200, errors.TokenExpired),
        ({"error": "", "error_description": "Not found"}, 200, errors.Missing),
        ({"error": "ERROR_ARGUMENT", "argument": "PLACEMENT"}, 200, errors.Refused),
        ("<html>maintenance</html>", 200, Unconfirmed),
        ("<html>maintenance</html>", 503, Temporary),
        ("<html>bad gateway</html>", 502, Unconfirmed),
        ("[1, 2]", 200, Unconfirmed),
        ('{"result": ', 200, Unconfirmed),
        ({"result": {}}, 500, Unconfirmed),
    ],
)
def test_an_answer_that_is_no_result_is_an_error_of_its_kind(
    server: Scripted, rest: Rest, body: Any, status: int, kind: type[ConnectorError]
) -> None:
    server.answer(body, status)
    with pytest.raises(kind):
        rest.call(f"{server.url}/rest/", "AT1", "crm.deal.get", {"id": 1})


def test_a_redirect_is_told_and_never_followed(server: Scripted, rest: Rest) -> None:
    evil = Scripted()
    try:
        server.answer("", 302, Location=f"{evil.url}/rest/crm.deal.get")
        with pytest.raises(errors.PortalMoved) as raised:
            rest.call(f"{server.url}/rest/", "AT1", "crm.deal.get", {"id": 1})
        assert raised.value.host == evil.spot
        assert evil.asked == []
    finally:
        evil.stop()


def test_no_error_shows_the_token(server: Scripted, rest: Rest) -> None:
    server.answer({"error": "X", "error_description": "the token AT-secret is bad"}, 400)
    with pytest.raises(ConnectorError) as raised:
        rest.call(f"{server.url}/rest/", "AT-secret", "crm.deal.get")
    assert "AT-secret" not in repr(raised.value) + str(raised.value)


def test_a_batch_refers_to_earlier_results_and_keeps_errors_apart(
    bitrix: Bitrix24, opened: Callable[..., Http]
) -> None:
    rest, token = Rest(opened(*bitrix.spots)), minted(bitrix).access
    deals = rest.call(bitrix.portal.client_endpoint, token, "crm.deal.list", {"select": ["ID", "CONTACT_ID"]}).result
    deal = next(row for row in deals if row["CONTACT_ID"])
    answer = rest.batch(
        bitrix.portal.client_endpoint,
        token,
        {
            "deal": ("crm.deal.get", {"id": deal["ID"]}),
            "contact": ("crm.contact.get", {"id": "$result[deal][CONTACT_ID]"}),
            "gone": ("crm.deal.get", {"id": 999_999}),
            "list": ("crm.deal.list", {"filter": {">ID": 0}}),
        },
    )
    assert answer["deal"]["ID"] == deal["ID"]
    assert answer["contact"]["ID"] == deal["CONTACT_ID"]
    with pytest.raises(errors.Missing):
        answer["gone"]
    assert answer.total["list"] == len(deals)


def test_a_batch_without_errors_has_none_although_php_writes_lists(server: Scripted, rest: Rest) -> None:
    empty: list[Any] = []
    result = {"result": {"a": 1}, "result_error": empty, "result_total": empty, "result_next": empty}
    server.answer({"result": result})
    answer = rest.batch(f"{server.url}/rest/", "AT1", {"a": ("x.y", {})})
    assert (answer["a"], answer.errors, answer.total) == (1, {}, {})


def test_a_batch_of_more_than_fifty_is_a_mistake_of_the_caller(rest: Rest) -> None:
    with pytest.raises(ValueError, match="50"):
        rest.batch("http://127.0.0.1:1/rest/", "AT1", {str(n): ("x.y", {}) for n in range(51)})


# ---------------------------------------------------------------- the OAuth server


def test_a_refresh_gives_a_new_pair_and_kills_the_old_refresh_token(
    bitrix: Bitrix24, opened: Callable[..., Http]
) -> None:
    oauth = OAuthServer(opened(*bitrix.spots), [bitrix.cloud.oauth_url])
    old = minted(bitrix)
    grant = oauth.refresh(PAIR, old.refresh, oauth.urls[0])
    assert grant.refresh != old.refresh
    assert grant.access != old.access
    assert (grant.member_id, grant.user_id) == (bitrix.portal.member_id, 1)
    assert grant.client_endpoint == bitrix.portal.client_endpoint
    assert 3500 < grant.expires_in <= 3600
    with pytest.raises(errors.Disconnected):
        oauth.refresh(PAIR, old.refresh, oauth.urls[0])
    with pytest.raises(errors.Disconnected):
        oauth.refresh(Pair("local.nobody", "x"), grant.refresh, oauth.urls[0])


def test_the_server_says_whose_a_token_is(bitrix: Bitrix24, opened: Callable[..., Http]) -> None:
    oauth = OAuthServer(opened(*bitrix.spots), [bitrix.cloud.oauth_url])
    info = oauth.app_info(minted(bitrix).access, oauth.urls[0])
    assert (info.client_id, info.member_id) == (DEMO_CLIENT_ID, bitrix.portal.member_id)
    assert (info.domain, info.client_endpoint) == (bitrix.portal.domain, bitrix.portal.client_endpoint)
    assert info.user_id == 1
    assert "crm" in info.scopes
    with pytest.raises(errors.Disconnected):
        oauth.app_info("nobody's token", oauth.urls[0])


def test_the_secret_goes_to_the_constant_servers_only(server: Scripted, opened: Callable[..., Http]) -> None:
    evil = Scripted()
    try:
        oauth = OAuthServer(opened(server.spot, evil.spot), [server.url])
        for asked in (evil.url, f"{server.url}.evil.example", f"{server.url}@{evil.spot}", ""):
            server.answer({"error": "invalid_grant"}, 400)
            with pytest.raises(errors.Disconnected):
                oauth.refresh(Pair("c", "the secret"), "RT1", asked)
        assert evil.asked == []
        assert len(server.asked) == 4
        assert all(b"the+secret" in body for _, body in server.asked)
        assert all("secret" not in path for path, _ in server.asked)
    finally:
        evil.stop()


@pytest.mark.parametrize(
    ("named", "chosen"),
    [
        ("https://oauth.bitrix24.tech/rest/", "https://oauth.bitrix24.tech"),
        ("https://oauth.bitrix.info/rest/", "https://oauth.bitrix.info"),
        ("http://OAUTH.BITRIX24.TECH/rest/", "https://oauth.bitrix24.tech"),
        ("https://oauth.bitrix24.tech.evil.example/rest/", "https://oauth.bitrix.info"),
        ("https://oauth.bitrix24.tech:444/rest/", "https://oauth.bitrix.info"),
        ("https://u@oauth.bitrix24.tech/rest/", "https://oauth.bitrix.info"),
        ("https://[broken", "https://oauth.bitrix.info"),
        ("", "https://oauth.bitrix.info"),
        (None, "https://oauth.bitrix.info"),
    ],
)
def test_what_a_portal_names_only_chooses_among_the_constant_servers(
    opened: Callable[..., Http], named: str | None, chosen: str
) -> None:
    oauth = OAuthServer(opened(), ["https://oauth.bitrix.info", "https://oauth.bitrix24.tech/"])
    assert oauth.url_for(named) == chosen


def test_a_private_address_that_nobody_allowed_is_not_called(opened: Callable[..., Http]) -> None:
    with pytest.raises(EgressRefused):
        Rest(opened()).call("http://127.0.0.1:9/rest/", "AT1", "profile")


def test_scopes_are_separated_by_commas_or_spaces() -> None:
    assert split_scopes("crm,placement, im  bizproc") == ("crm", "placement", "im", "bizproc")
    assert split_scopes(None) == ()
