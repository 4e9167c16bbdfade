"""The sender of one process: opens lines, keeps them open, and delivers claimed messages through them."""

import json
from dataclasses import dataclass

from connectors.errors import Unconfirmed
from connectors.registry import channel as channel_class
from hub.clock import now_us
from hub.core import Hub
from hub.delivery import outbox
from hub.delivery.outbox import Claimed, Settlement
from hub.delivery.retry import Policy
from hub.delivery.send import OpenLine, deliver, settlement_of
from hub.sql import Sql
from hub.values import loads


@dataclass(frozen=True)
class _Opened:
    stored: tuple[str, str]
    line: OpenLine


class Postman:
    """Delivers for one process."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._open: dict[str, _Opened] = {}

    def deliver(self, claimed: Claimed) -> Settlement:
        """Make the attempt, store its outcome, and wake whoever waits for it."""
        line = self.line(claimed.line_id)
        settlement = deliver(claimed, line, owner=self._hub.owner, run=self._hub.db.writer.run)
        self._hub.bell.ring()
        return settlement

    def line(self, line_id: str) -> OpenLine:
        """A line ready to send; opened anew only when its config or settings changed."""
        with self._hub.db.sql() as sql:
            row = sql.one("SELECT channel, config_sealed, settings FROM line WHERE id = ?", (line_id,))
        if row is None:
            raise LookupError(line_id)
        kind, sealed, settings = row
        opened = self._open.get(line_id)
        if opened is None or opened.stored != (sealed, settings):
            opened = _Opened((sealed, settings), self._open_line(line_id, kind, sealed, settings))
            self._open[line_id] = opened
        return opened.line

    def settle_abandoned(self, sql: Sql, dead: list[str]) -> int:
        """Inside a job: what dead processes were sending may have arrived; each line's rule decides what follows."""
        left = outbox.abandoned(sql, dead=dead)
        for claimed in left:
            owner = sql.one("SELECT owner FROM message WHERE id = ?", (claimed.id,))
            error = Unconfirmed(
                "The sending process ended before the messenger's answer was noted.", code="interrupted"
            )
            settlement = settlement_of(
                error, claimed, self._policy(sql, claimed.line_id), sent=tuple(loads(claimed.sent_parts))
            )
            outbox.settle(sql, claimed, settlement, owner=owner[0] if owner else "", now=now_us())
        return len(left)

    def _policy(self, sql: Sql, line_id: str) -> Policy:
        row = sql.one("SELECT channel, settings FROM line WHERE id = ?", (line_id,))
        kind, settings = row if row is not None else ("", "{}")
        return self._rules(kind, settings)

    def _rules(self, kind: str, settings: str) -> Policy:
        return Policy(
            schedule_s=self._hub.settings.retry_schedule_s,
            on_unconfirmed=json.loads(settings).get("on_unconfirmed", "hold"),
            idempotent=channel_class(kind).carries.idempotent,
        )

    def _open_line(self, line_id: str, kind: str, sealed: str, settings: str) -> OpenLine:
        made = channel_class(kind)
        config = made.Config.model_validate_json(self._hub.box.open(sealed, table="line", column="config", row=line_id))
        return OpenLine(made(config, self._hub.http), self._rules(kind, settings))
