"""The management API of portals and of the applications they install."""

from typing import Any

from hub.accounts.keys import create_key
from hub.sandbox.bitrix24.model import App
from tests.bitrix24.conftest import Connected, Visitor, token_in
from tests.conftest import Api

PAIR = {"client_id": "local.0a1b2c3d4e5f60.71829305", "client_secret": "a secret of its own", "title": "Shop"}


def test_the_operator_sees_every_portal_and_a_portals_key_only_its_own(connected: Connected, api: Api) -> None:
    shown = {row["member_id"]: row for row in api.get("/portals").json["items"]}
    assert set(shown) == {"local", connected.portal.member_id}
    theirs_shown = shown[connected.portal.member_id]
    assert theirs_shown["domain"] == connected.portal.domain
    assert theirs_shown["state"] == "active"
    assert "crm" in theirs_shown["scopes"]
    assert api.get(f"/portals/{connected.portal.member_id}").status_code == 200
    with connected.hub.db.write() as session:
        theirs = Api(api.client, create_key(session, connected.portal_id, "theirs"))
    assert [row["member_id"] for row in theirs.get("/portals").json["items"]] == [connected.portal.member_id]
    assert theirs.get("/portals/local").status_code == 404
    assert theirs.get("/bitrix24/apps").status_code == 403
    assert theirs.post("/bitrix24/apps", PAIR).status_code == 403


def test_a_pair_is_entered_and_its_secret_is_never_shown_again(api: Api, hub: Any) -> None:
    made = api.post("/bitrix24/apps", PAIR)
    assert made.status_code == 201
    assert made.json["client_secret"] == "•••"
    assert PAIR["client_secret"] not in api.get("/bitrix24/apps").get_data(as_text=True)
    with hub.db.sql() as sql:
        stored = sql.one("SELECT client_secret_sealed FROM bitrix24_app")
    assert PAIR["client_secret"] not in stored[0]
    renamed = api.post("/bitrix24/apps", PAIR | {"title": "Other", "client_secret": "another secret"})
    assert renamed.json["title"] == "Other"
    assert len(api.get("/bitrix24/apps").json["items"]) == 1
    assert api.delete(f"/bitrix24/apps/{PAIR['client_id']}").status_code == 204
    assert api.delete(f"/bitrix24/apps/{PAIR['client_id']}").status_code == 404


def test_what_cannot_be_a_pair_is_refused_with_its_place(api: Api, hub: Any) -> None:
    wrong = api.post("/bitrix24/apps", {"client_id": "https://acme.bitrix24.com", "client_secret": "short"})
    assert wrong.status_code == 422
    assert [error["pointer"] for error in wrong.json["errors"]] == ["/client_id", "/client_secret"]
    taken = api.post("/bitrix24/apps", PAIR | {"client_id": hub.settings.bitrix24_client_id})
    assert (taken.status_code, taken.json["code"]) == (409, "app_taken")


def test_a_portal_installs_a_local_application_that_was_entered(visitor: Visitor, api: Api) -> None:
    assert api.post("/bitrix24/apps", PAIR).status_code == 201
    cloud = visitor.simulator.cloud
    demo = visitor.simulator.app
    cloud.add_app(
        App(
            client_id=PAIR["client_id"],
            client_secret=PAIR["client_secret"],
            app_url="https://hub.test/bitrix24/app",
            install_url="https://hub.test/bitrix24/install",
            scope=list(demo.scope),
        )
    )
    try:
        frame = visitor.install(client_id=PAIR["client_id"])
        shown = visitor.take_all(token_in(visitor.open(frame)))
        assert shown["may_finish"]
        (app,) = api.get("/bitrix24/apps").json["items"]
        assert app["portal"] == visitor.simulator.portal.member_id
        refused = api.delete(f"/bitrix24/apps/{PAIR['client_id']}")
        assert (refused.status_code, refused.json["code"]) == (409, "app_in_use")
    finally:
        del cloud.apps[PAIR["client_id"]]
