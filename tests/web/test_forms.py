"""What pages are given by people who mean no good: bodies without an end, and values that no database takes."""

import io
from typing import Any

import pytest

from hub.accounts import users
from hub.core import Hub
from hub.portals.models import Portal

OWN = {"Sec-Fetch-Site": "same-origin"}
PASSWORD = "correct horse"
FORM = "application/x-www-form-urlencoded"
TOO_MUCH = "9223372036854775808"
ENDLESS = "9" * 5_000


class Counted(io.BytesIO):
    """A chunked body of the web server that never ends."""

    read_bytes = 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert 0 < size <= 2 << 20, "the whole of it is asked for"
        self.read_bytes += size
        return b"x" * size


@pytest.fixture
def editor(client: Any, hub: Hub, portal: Portal) -> Any:
    """The browser of an administrator."""
    assert portal.id is not None
    with hub.db.write() as session:
        users.create_user(session, portal.id, email="a@shop.test", password=PASSWORD, role="admin")
    assert client.post("/login", data={"email": "a@shop.test", "password": PASSWORD}, headers=OWN).status_code == 303
    return client


@pytest.mark.parametrize("kind", [FORM, "multipart/form-data; boundary=b"])
@pytest.mark.parametrize("address", ["/login", "/setup"])
def test_of_a_form_without_an_end_a_stranger_has_one_mebibyte_read(client: Any, address: str, kind: str) -> None:
    body = Counted()
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    answer = client.post(
        address, input_stream=body, content_type=kind, headers=OWN, environ_overrides={**chunked, "CONTENT_LENGTH": ""}
    )
    assert answer.status_code == 413
    assert body.read_bytes <= 2 << 20


def test_a_file_larger_than_a_form_may_be_is_refused_before_it_is_kept(editor: Any) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="scenario.yaml"\r\n\r\n'
    body, kind = head + b"a: 1\n" * 300_000 + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"
    assert editor.post("/scenarios/import", data=body, content_type=kind, headers=OWN).status_code == 413


def test_a_form_that_comes_in_chunks_is_read_whole(client: Any, hub: Hub, portal: Portal) -> None:
    assert portal.id is not None
    with hub.db.write() as session:
        users.create_user(session, portal.id, email="a@shop.test", password=PASSWORD, role="admin")
    answer = client.post(
        "/login",
        input_stream=io.BytesIO(b"email=a%40shop.test&password=correct+horse"),
        content_type=FORM,
        headers=OWN,
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""},
    )
    assert (answer.status_code, answer.location) == (303, "/")


@pytest.mark.parametrize(
    "address",
    ["/search?q=a%00", "/journal/messages?chat=%00", "/undelivered?reason=%00", "/lines/%00", "/journal?%00=1"],
)
def test_a_zero_byte_in_an_address_is_refused(editor: Any, address: str) -> None:
    assert editor.get(address).status_code == 400


def test_a_zero_byte_in_a_form_is_refused_to_strangers_and_to_people(client: Any, editor: Any) -> None:
    for address, field in (("/login", "email"), ("/settings/people", "email"), ("/settings/values/constants", "name")):
        assert editor.post(address, data={field: "a\0@shop.test"}, headers=OWN).status_code == 400


@pytest.mark.parametrize("number", [TOO_MUCH, ENDLESS])
def test_a_number_that_no_database_takes_is_nobodys_number(editor: Any, number: str) -> None:
    for address in (f"/scenarios?deleted={number}", f"/journal?scenario={number}", f"/undelivered?below={number}"):
        assert editor.get(address).status_code == 200
    assert editor.post("/undelivered/discard", data={"until": number}, headers=OWN).status_code == 303
    for address in (
        f"/scenarios/{number}/delete",
        f"/settings/keys/{number}/revoke",
        f"/settings/people/{number}/role",
    ):
        assert editor.post(address, headers=OWN).status_code == 404
    assert editor.get(f"/scenarios/{number}").status_code == 404


def test_a_line_end_in_a_name_does_not_get_into_a_header(editor: Any) -> None:
    answer = editor.post("/fields/deal/variables/nobody", data={"variable": "a\r\nX-Own: 1"}, headers=OWN)
    assert (answer.status_code, answer.location) == (303, "/fields/deal#row-a%0D%0AX-Own%3A%201")


@pytest.mark.parametrize("proof", ["Basic dTpw", "Negotiate abc", "Bearerx"])
def test_a_password_that_the_browser_sends_for_a_proxy_is_no_proof_against_foreign_pages(
    editor: Any, proof: str
) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site", "Authorization": proof}
    assert editor.post("/settings/keys", data={"name": "x"}, headers=foreign).status_code == 403
    assert editor.put("/api/v1/constants/shop", json={"value": "x"}, headers=foreign).status_code == 403
    assert editor.post("/settings/keys", data={"name": "x"}, headers={**OWN, "Authorization": proof}).status_code == 200


def test_one_address_that_tries_too_often_cannot_make_accounts_wait_that_it_did_not_try(
    client: Any, hub: Hub, portal: Portal
) -> None:
    assert portal.id is not None
    with hub.db.write() as session:
        users.create_user(session, portal.id, email="a@shop.test", password=PASSWORD, role="admin")
    for number in range(25):
        last = client.post("/login", data={"email": f"{number}@shop.test", "password": "x"}, headers=OWN)
    for _ in range(6):
        last = client.post("/login", data={"email": "a@shop.test", "password": "x"}, headers=OWN)
    assert last.status_code == 429
    other = {"REMOTE_ADDR": "203.0.113.9"}
    data = {"email": "a@shop.test", "password": PASSWORD}
    assert client.post("/login", data=data, headers=OWN, environ_overrides=other).status_code == 303
