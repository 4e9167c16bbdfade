"""Rotation of the encryption key reaches secrets whose rows have a key of several parts."""

from dataclasses import replace

from sqlmodel import select

from hub.bitrix24.models import Token
from hub.clock import now_us
from hub.core import Hub
from hub.portals.models import Portal
from hub.rotation import rotate
from hub.secrets import SecretBox

NEW = "the new key of this installation"


def test_tokens_of_portals_are_sealed_with_the_new_key(hub: Hub, portal: Portal) -> None:
    assert portal.id is not None
    places = {
        name: {"table": "bitrix24_token", "column": name, "row": f"{portal.id}:17"} for name in ("access", "refresh")
    }
    with hub.db.write() as session:
        sealed = {f"{name}_sealed": hub.box.seal(f"the {name} token", **place) for name, place in places.items()}
        session.add(Token(portal_id=portal.id, user_id=17, expires_at=now_us(), updated_at=now_us(), **sealed))
    rotated = replace(hub, box=SecretBox([NEW, *hub.settings.encryption_keys]))
    assert rotate(rotated).sealed == 2
    only_new = SecretBox([NEW])
    with hub.db.read() as session:
        token = session.exec(select(Token)).one()
        assert only_new.open(token.access_sealed, **places["access"]) == "the access token"
        assert only_new.open(token.refresh_sealed, **places["refresh"]) == "the refresh token"
    again = rotate(rotated)
    assert (again.sealed, again.kept, again.unreadable) == (0, 2, 0)
