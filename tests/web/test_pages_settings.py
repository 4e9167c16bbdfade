"""Settings as pages: people, keys, values, and what every portal may set for itself."""

import io
import re
import zipfile
from typing import Any

import pytest

from hub.accounts import users
from hub.core import Hub
from hub.portals.models import Portal
from hub.portals.service import by_id, own_numbers

PASSWORD = "correct horse"
OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def admin(app: Any, hub: Hub, portal: Portal) -> Any:
    """A browser of the only administrator."""
    return signed_in(app, hub, portal, "admin@shop.test", "admin")


def signed_in(app: Any, hub: Hub, portal: Portal, email: str, role: str) -> Any:
    assert portal.id is not None
    with hub.db.write() as session:
        users.create_user(session, portal.id, email=email, password=PASSWORD, role=role)
    return sign_in(app, email, PASSWORD)


def sign_in(app: Any, email: str, password: str) -> Any:
    client = app.test_client()
    assert client.post("/login", data={"email": email, "password": password}, headers=OWN).status_code == 303
    return client


def post(client: Any, address: str, **fields: str) -> Any:
    return client.post(address, data=fields, headers=OWN)


def one_time(shown: Any) -> str:
    found = re.search(r'value="([^"]+)"[^>]*data-testid="(?:one-time-password|api-key)"', shown.get_data(as_text=True))
    assert found is not None
    return found[1]


def number_of(client: Any, hub: Hub, portal: Portal, email: str) -> int:
    assert portal.id is not None
    with hub.db.read() as session:
        return next(user.id or 0 for user in users.all_of(session, portal.id) if user.email == email)


def test_an_invited_person_signs_in_with_the_password_that_was_shown_once(app: Any, admin: Any) -> None:
    invited = post(admin, "/settings/people", email="olga@shop.test", role="editor")
    password = one_time(invited)
    assert password not in admin.get("/settings/people").get_data(as_text=True)
    assert sign_in(app, "olga@shop.test", password).get("/settings").status_code == 200
    again = post(admin, "/settings/people", email="olga@shop.test", role="viewer")
    assert again.status_code == 422


def test_the_last_administrator_can_neither_go_nor_become_less(admin: Any, hub: Hub, portal: Portal) -> None:
    own = number_of(admin, hub, portal, "admin@shop.test")
    assert post(admin, f"/settings/people/{own}/remove").status_code == 422
    assert post(admin, f"/settings/people/{own}/role", role="viewer").status_code == 422
    post(admin, "/settings/people", email="second@shop.test", role="admin")
    assert post(admin, f"/settings/people/{own}/role", role="editor").status_code == 303
    assert admin.get("/settings/people").status_code == 200
    assert post(admin, "/settings/people", email="third@shop.test", role="admin").status_code == 403


def test_a_removed_person_is_out_at_once(app: Any, admin: Any, hub: Hub, portal: Portal) -> None:
    editor = signed_in(app, hub, portal, "editor@shop.test", "editor")
    assert post(editor, "/settings/people", email="x@shop.test", role="admin").status_code == 403
    number = number_of(admin, hub, portal, "editor@shop.test")
    assert post(admin, f"/settings/people/{number}/remove").status_code == 303
    assert editor.get("/settings").status_code == 302


def test_a_person_changes_the_own_password_and_stays_signed_in_here_only(
    app: Any, admin: Any, hub: Hub, portal: Portal
) -> None:
    elsewhere = sign_in(app, "admin@shop.test", PASSWORD)
    assert post(admin, "/settings/people/password", old="not this one", new="another password").status_code == 422
    assert post(admin, "/settings/people/password", old=PASSWORD, new="short").status_code == 422
    assert post(admin, "/settings/people/password", old=PASSWORD, new="another password").status_code == 303
    assert admin.get("/settings").status_code == 200
    assert elsewhere.get("/settings").status_code == 302
    sign_in(app, "admin@shop.test", "another password")


def test_a_key_is_shown_once_says_when_it_was_used_and_opens_nothing_after_it_was_revoked(
    client: Any, admin: Any
) -> None:
    key = one_time(post(admin, "/settings/keys", name="shop"))
    listed = admin.get("/settings/keys?lang=en").get_data(as_text=True)
    assert key not in listed
    assert "not used yet" in listed
    proof = {"Authorization": f"Bearer {key}"}
    assert client.get("/api/v1/scenarios", headers=proof).status_code == 200
    listed = admin.get("/settings/keys?lang=en").get_data(as_text=True)
    assert "not used yet" not in listed
    number = re.search(r"/settings/keys/(\d+)/revoke", listed)
    assert number is not None
    assert post(admin, f"/settings/keys/{number[1]}/revoke").status_code == 303
    assert client.get("/api/v1/scenarios", headers=proof).status_code == 401


def test_only_administrators_see_keys(app: Any, hub: Hub, portal: Portal) -> None:
    editor = signed_in(app, hub, portal, "editor@shop.test", "editor")
    assert editor.get("/settings/keys").status_code == 403
    assert post(editor, "/settings/keys", name="mine").status_code == 403


def test_settings_are_kept_together_or_not_at_all(admin: Any, hub: Hub, portal: Portal) -> None:
    wanted = {"language": "en", "time_zone": "Asia/Omsk", "retention_days": "14", "own_numbers": "79990000001\n\n42"}
    assert post(admin, "/settings", **wanted).status_code == 303
    refused = post(admin, "/settings?lang=en", **(wanted | {"time_zone": "Mars/Olympus", "retention_days": "20"}))
    assert refused.status_code == 422
    assert "This is not the name of a time zone." in refused.get_data(as_text=True)
    assert portal.id is not None
    with hub.db.read() as session:
        kept = by_id(session, portal.id)
        assert (kept.language, kept.time_zone, kept.retention_days) == ("en", "Asia/Omsk", 14)
        assert own_numbers(kept) == ["79990000001", "42"]


def test_an_emptied_number_of_days_means_the_usual_one_again(admin: Any, hub: Hub, portal: Portal) -> None:
    wanted = {"language": "ru", "time_zone": "Europe/Moscow", "retention_days": "14"}
    assert post(admin, "/settings", **wanted).status_code == 303
    assert post(admin, "/settings", **(wanted | {"retention_days": ""})).status_code == 303
    assert portal.id is not None
    with hub.db.read() as session:
        assert by_id(session, portal.id).retention_days is None


def test_a_value_comes_back_as_it_was_typed(admin: Any, api: Any) -> None:
    assert post(admin, "/settings/values/constants", name="address", value="Невский, 1").status_code == 303
    assert post(admin, "/settings/values/variables", name="counter", value="007.50").status_code == 303
    assert post(admin, "/settings/values/variables", name="rate", value="1e5").status_code == 303
    assert post(admin, "/settings/values/variables", name="1st", value="1").status_code == 422
    shown = admin.get("/settings/values").get_data(as_text=True)
    assert ">Невский, 1</textarea>" in shown
    assert ">007.50</textarea>" in shown
    assert ">1e5</textarea>" in shown
    assert api.get("/variables/counter").json["value"] == "007.50"
    assert b'"value":1e5' in api.get("/variables/rate").data
    assert post(admin, "/settings/values/variables/remove", name="rate").status_code == 303
    assert api.get("/variables/rate").status_code == 404


def test_the_operator_enters_a_local_application_and_its_secret_is_not_shown(admin: Any) -> None:
    pair = {"client_id": "local.0a1b2c3d4e5f60.71829305", "client_secret": "a secret of its own", "title": "Shop"}
    assert post(admin, "/settings/bitrix24", **pair).status_code == 303
    shown = admin.get("/settings/bitrix24").get_data(as_text=True)
    assert pair["client_id"] in shown
    assert pair["client_secret"] not in shown
    refused = post(admin, "/settings/bitrix24?lang=en", **(pair | {"client_id": "nothing"}))
    assert refused.status_code == 422
    assert "The id of an application looks like" in refused.get_data(as_text=True)
    assert post(admin, "/settings/bitrix24/forget", client_id=pair["client_id"]).status_code == 303
    assert pair["client_id"] not in admin.get("/settings/bitrix24").get_data(as_text=True)


def test_everything_of_the_portal_is_exported_for_administrators_only(
    app: Any, admin: Any, hub: Hub, portal: Portal
) -> None:
    post(admin, "/settings/values/constants", name="address", value="Невский, 1")
    given = admin.get("/settings/export", buffered=True)
    assert given.status_code == 200
    with zipfile.ZipFile(io.BytesIO(given.data)) as archive:
        assert "Невский, 1" in archive.read("constant.ndjson").decode()
    editor = signed_in(app, hub, portal, "editor@shop.test", "editor")
    assert editor.get("/settings/export").status_code == 403


def test_whoever_only_looks_sees_which_constants_there_are_and_not_what_is_in_them(
    app: Any, hub: Hub, portal: Portal, api: Any
) -> None:
    assert api.put("/constants/delivery_key", {"value": "very-secret-value"}).status_code == 200
    viewer = signed_in(app, hub, portal, "viewer@shop.test", "viewer")
    shown = viewer.get("/settings/values").text
    assert "delivery_key" in shown
    assert "very-secret-value" not in shown
    assert viewer.get("/api/v1/constants", headers=OWN).status_code == 403
    assert viewer.get("/api/v1/constants/delivery_key", headers=OWN).status_code == 403
    editor = signed_in(app, hub, portal, "editor@shop.test", "editor")
    assert "very-secret-value" in editor.get("/settings/values").text
