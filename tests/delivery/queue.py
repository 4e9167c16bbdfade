"""What a test of the outbox needs: a line, messages in it, and a look at what the tables hold."""

from typing import Any

from hub.clock import SECOND
from hub.core import Hub
from hub.delivery import claiming, lines, outbox
from hub.delivery.lines import LineSettings
from hub.delivery.outbox import Claimed, Entry, Settlement
from hub.ids import new_id

NOW = 1_800_000_000 * SECOND
ME = "host:1:me"
NO_RATES = LineSettings(rate_per_s=0, rate_per_chat_per_s=0)


class Queue:
    """One line and its chats; every call is one job of the writer."""

    def __init__(self, hub: Hub, portal_id: int, name: str = "Sales", settings: LineSettings = NO_RATES) -> None:
        self.hub, self.portal_id = hub, portal_id
        with hub.db.write() as session:
            line = lines.create(
                session, hub, portal_id, name=name, channel="telegram", config={"token": "1:A"}, settings=settings
            )
            self.line = line.id

    def entry(self, chat: str = "a", **changes: Any) -> Entry:
        """A message that is due now."""
        usual = {
            "id": new_id(),
            "portal_id": self.portal_id,
            "line_id": self.line,
            "run_id": None,
            "block": "greet",
            "iteration": 1,
            "messenger": "telegram",
            "chat_id": chat,
            "chat_id_raw": chat,
            "text": "Hello",
            "extra": {},
            "due_at": NOW,
            "expires_at": NOW + 3600 * SECOND,
        }
        return Entry(**(usual | changes))

    def put(self, chat: str = "a", **changes: Any) -> str:
        """Enqueue a message; gives its id."""
        entry = self.entry(chat, **changes)
        self.hub.db.writer.run(lambda sql: outbox.enqueue(sql, entry, now=NOW), lines=[self.line])
        return entry.id

    def claim(self, limit: int = 10, *, now: int = NOW, owner: str = ME) -> list[Claimed]:
        """Claim what is due, in the order of the chats' names."""
        found = self.hub.db.writer.run(
            lambda sql: claiming.claim(sql, [self.line], owner=owner, limit=limit, now=now), lines=[self.line]
        )
        return sorted(found, key=lambda one: one.chat_id)

    def settle(self, claimed: Claimed, state: str, outcome: str = "sent", *, owner: str = ME, **more: Any) -> bool:
        """Settle an attempt."""
        settlement = Settlement(state=state, outcome=outcome, **more)
        return self.hub.db.writer.run(
            lambda sql: outbox.settle(sql, claimed, settlement, owner=owner, now=NOW), lines=[self.line]
        )

    def column(self, message_id: str, name: str) -> Any:
        """A column of a message."""
        with self.hub.db.sql() as sql:
            row = sql.one(f"SELECT {name} FROM message WHERE id = ?", (message_id,))
        assert row is not None
        return row[0]

    def heads(self) -> dict[str, list[str]]:
        """By chat that has open messages, the ids of its heads."""
        with self.hub.db.sql() as sql:
            rows = sql.all("SELECT chat_id, id, head FROM message WHERE state IN ('queued', 'sending') ORDER BY seq")
        found: dict[str, list[str]] = {chat: [] for chat, _, _ in rows}
        for chat, message, head in rows:
            if head:
                found[chat].append(message)
        return found
