"""People who sign in with a password, and what they see."""

import json
import re
from typing import Any

from hub.accounts import users
from hub.core import Hub
from hub.portals.models import Portal

OWN = {"Sec-Fetch-Site": "same-origin"}
PASSWORD = "correct horse"


def sign_in(hub: Hub, portal: Portal, client: Any, role: str) -> Any:
    """The client, as a new person of this role."""
    assert portal.id is not None
    with hub.db.write() as session:
        users.create_user(session, portal.id, email=f"{role}@shop.test", password=PASSWORD, role=role)
    answer = client.post("/login", data={"email": f"{role}@shop.test", "password": PASSWORD}, headers=OWN)
    assert answer.status_code == 303
    return client


class Person:
    """Somebody who is signed in."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def see(self, address: str, language: str = "ru") -> str:
        """A page, its white space folded."""
        answer = self.client.get(address, headers={"Accept-Language": language})
        assert answer.status_code == 200, answer.text
        return re.sub(r"\s+", " ", answer.text)

    def send(self, address: str, language: str = "ru", **fields: Any) -> Any:
        """A form."""
        return self.client.post(address, data=fields, headers={**OWN, "Accept-Language": language})

    def drawn(self, address: str, language: str = "ru") -> dict[str, Any]:
        """What the editor's script begins with."""
        page = self.client.get(address, headers={"Accept-Language": language}).text
        found = re.search(r'id="editor-data">(.*?)</script>', page, re.DOTALL)
        assert found is not None
        data: dict[str, Any] = json.loads(found[1])
        return data
