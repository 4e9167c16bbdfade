"""Chats of open lines: what customers write through a connector, and what operators answer."""

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hub.sandbox.bitrix24.events import Hit
from hub.sandbox.bitrix24.model import Connector, Installation, Portal
from hub.sandbox.bitrix24.refusals import Refusal

if TYPE_CHECKING:
    from hub.sandbox.bitrix24.cloud import Cloud

LINES = {107: "Открытая линия", 108: "Вторая линия"}


@dataclass
class Chat:
    """A customer's chat: `messages` as (who, id, text, state), who being `customer` or `operator`."""

    number: int
    session: int
    user: int
    name: str
    messages: list[dict[str, Any]] = field(default_factory=list)


class OpenLines:
    """The chats of all portals by portal, connector, line and the connector's own chat id."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self._numbers = itertools.count(912)
        self._messages = itertools.count(44051)
        self.chats: dict[tuple[str, str, int, str], Chat] = {}

    def chat(self, portal: Portal, connector: str, line: int, chat: str, name: str = "") -> Chat:
        """A chat, made when it is new."""
        key = (portal.member_id, connector, line, chat)
        if key not in self.chats:
            number = next(self._numbers)
            self.chats[key] = Chat(number, number - 841, number - 611, name or chat)
        return self.chats[key]

    def say(self, portal: Portal, hit: Hit, connector: str, line: int, chat: str, text: str) -> dict[str, Any]:
        """An operator's answer, which goes to the applications as an event. Raises Refusal for an unknown chat."""
        known = self.chats.get((portal.member_id, connector, line, chat))
        if known is None:
            raise Refusal("NOT_FOUND", "There is no such chat")
        person = portal.users[hit.user_id or 1]
        number = next(self._messages)
        known.messages.append({"who": "operator", "id": number, "text": text, "state": "sent"})
        message = {"user_id": person.id, "text": f"[b]{person.name} {person.last_name}:[/b] [br]{text}"}
        data = {
            "CONNECTOR": connector,
            "LINE": line,
            "MESSAGES": [
                {
                    "im": {"chat_id": known.number, "message_id": number},
                    "message": message,
                    "chat": {"id": chat},
                }
            ],
        }
        hit.fire("ONIMCONNECTORMESSAGEADD", data)
        hit.flush()
        return {"chat_id": known.number, "message_id": number}

    def mark(self, portal: Portal, chat_id: int, message_id: int, state: str) -> bool:
        """Note that an operator's message was delivered or read; False when there is none."""
        for (member_id, *_), chat in self.chats.items():
            for message in chat.messages:
                if (member_id, chat.number, message["id"]) == (portal.member_id, chat_id, message_id):
                    message["state"] = state
                    return True
        return False


def settings_page(installation: Installation, connector: str, line: int) -> tuple[str, dict[str, Any]]:
    """The address of a connector's page for a line and what its frame is told. Raises Refusal for an unknown one."""
    known = installation.connectors.get(connector)
    if known is None:
        raise Refusal("NOT_FOUND", "There is no such connector")
    done = ready(known, line)
    return known.placement_handler, {
        "CONNECTOR": known.id,
        "LINE": str(line),
        "ACTIVE_STATUS": line in known.active,
        "CONNECTION_STATUS": line in known.data,
        "REGISTER_STATUS": line in known.data,
        "ERROR_STATUS": False,
        "STATUS": done,
    }


def ready(connector: Connector, line: int) -> bool:
    """Whether messages may pass: active, and its data set."""
    return line in connector.active and line in connector.data
