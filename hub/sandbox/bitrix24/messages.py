"""Messages that people and robots send through message providers."""

import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub.sandbox.bitrix24.events import auth_block
from hub.sandbox.bitrix24.model import Installation, Portal, User
from hub.sandbox.bitrix24.refusals import Refusal

if TYPE_CHECKING:
    from hub.sandbox.bitrix24.cloud import Cloud

KEPT = 2000
STATUSES = ("queued", "sent", "delivered", "undelivered", "failed")


@dataclass
class Sms:
    """A message given to a provider. `author` is None for a robot's."""

    id: str
    member_id: str
    client_id: str
    code: str
    to: str
    text: str
    author: int | None
    status: str = "sent"
    history: list[str] = field(default_factory=list)


@dataclass
class Outbox:
    """The messages of all portals, newest last."""

    messages: deque[Sms] = field(default_factory=lambda: deque(maxlen=KEPT))

    def find(self, portal: Portal, client_id: str, number: str) -> Sms | None:
        """A message of an application by its id."""
        wanted = (portal.member_id, client_id, number)
        return next((sms for sms in self.messages if (sms.member_id, sms.client_id, sms.id) == wanted), None)


def send(
    cloud: "Cloud",
    portal: Portal,
    installation: Installation,
    code: str,
    to: str,
    text: str,
    author: User | None,
    place: dict[str, Any],
) -> Sms:
    """Give a text to a provider; it counts as sent as soon as it is queued. `place` is where it was sent from:
    `bindings` of a card, or `workflow_id`, `document_id` and `document_type` of a process. Raises Refusal.
    """
    sender = installation.senders.get(code)
    if sender is None:
        raise Refusal("ERROR_SENDER_NOT_FOUND", "Sender not found")
    author_id = None if author is None else author.id
    sms = Sms(secrets.token_hex(16), portal.member_id, installation.app.client_id, code, to, text, author_id)
    cloud.outbox.messages.append(sms)

    def build() -> dict[str, Any]:
        auth = auth_block(cloud, portal, installation, author_id)
        if author_id is None:
            auth = {key: value for key, value in auth.items() if key not in ("scope", "status")}
        return {
            "module_id": "bizproc" if "workflow_id" in place else "crm",
            **place,
            "properties": {"phone_number": to, "message_text": text},
            "type": "SMS",
            "code": code,
            "message_id": sms.id,
            "message_to": to,
            "message_body": text,
            "ts": int(cloud.now()),
            "auth": auth,
        }

    cloud.queue.put("sms", code, sender.handler, portal.member_id, build)
    return sms
