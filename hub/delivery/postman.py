"""The sender of one process: opens lines, keeps them open, and delivers claimed messages through them."""

import contextlib
import json
from dataclasses import dataclass, replace

import structlog

from connectors.errors import LineDown, Unconfirmed
from connectors.registry import channel as channel_class
from hub import failpoints
from hub.clock import now_us
from hub.core import Hub
from hub.delivery import lines, outbox, sweep
from hub.delivery.claiming import ALONE_AFTER
from hub.delivery.outbox import Claimed, Settlement
from hub.delivery.retry import Policy
from hub.delivery.send import OpenLine, attempt, settlement_of, store
from hub.errors import StorageUnavailable
from hub.secrets import SecretError
from hub.sql import Sql
from hub.values import loads

log = structlog.get_logger(__name__)
INTERRUPTED = Unconfirmed("The sending process ended before the messenger's answer was noted.", code="interrupted")
POISONED = Unconfirmed(
    "Three times in a row the sending process ended while it sent this message, the last time this one alone."
    " It is not tried again, and may have arrived.",
    code="poisoned",
)


@dataclass(frozen=True)
class _Opened:
    stored: tuple[str, str]
    line: OpenLine


class Postman:
    """Delivers for one process."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._open: dict[str, _Opened] = {}
        self._unsaved: list[tuple[Claimed, Settlement]] = []

    def deliver(self, claimed: Claimed) -> Settlement:
        """Make the attempt, store its outcome, and wake whoever waits for it.

        Raises StorageUnavailable when the outcome cannot be stored now; it is kept for `store_unsaved`.
        """
        try:
            line = self.line(claimed.line_id)
        except (SecretError, LookupError, ValueError) as error:
            settlement = self._line_unusable(claimed, error)
        else:
            failpoints.reach(self._hub.settings, "after_claim", claimed.text)
            settlement = attempt(claimed, line)
            failpoints.reach(self._hub.settings, "after_send", claimed.text)
        try:
            self._settle(claimed, settlement)
        except StorageUnavailable:
            self._unsaved.append((claimed, settlement))
            raise
        self._hub.ring()
        return settlement

    def _line_unusable(self, claimed: Claimed, error: Exception) -> Settlement:
        """No call was made: the line is put out of order with a reason, and the message waits for its repair."""
        log.error("line_unusable", line_id=claimed.line_id, reason=type(error).__name__)
        down = LineDown(lines.UNUSABLE["message"], code=lines.UNUSABLE["code"])
        return settlement_of(down, claimed, Policy(schedule_s=self._hub.settings.retry_schedule_s))

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
        """Inside a job that has named `sweep.abandoned_lines`: what dead processes were sending may have arrived;
        each line's rule decides what follows."""
        left = sweep.abandoned(sql, dead=dead)
        for claimed, owner in left:
            error = INTERRUPTED if claimed.interruptions < ALONE_AFTER else POISONED
            settlement = settlement_of(
                error, claimed, self._policy(sql, claimed.line_id), sent=tuple(loads(claimed.sent_parts))
            )
            if error is POISONED:
                settlement = replace(settlement, state="failed", due_at=None)
            outbox.settle(sql, claimed, replace(settlement, interrupted=True), owner=owner, now=now_us())
        return len(left)

    def store_unsaved(self) -> int:
        """Write down the outcomes that could not be stored when they came. Raises StorageUnavailable."""
        count = 0
        while self._unsaved:
            claimed, settlement = self._unsaved[0]
            self._settle(claimed, settlement)
            with contextlib.suppress(ValueError):  # another thread may have stored it too, which changes nothing
                self._unsaved.remove((claimed, settlement))
            count += 1
        return count

    def _settle(self, claimed: Claimed, settlement: Settlement) -> None:
        store(claimed, settlement, owner=self._hub.owner, run=self._hub.db.writer.run)

    def _policy(self, sql: Sql, line_id: str) -> Policy:
        row = sql.one("SELECT channel, settings FROM line WHERE id = ?", (line_id,))
        kind, settings = row if row is not None else ("", "{}")
        return self._rules(kind, settings)

    def _rules(self, kind: str, settings: str) -> Policy:
        return Policy(
            schedule_s=self._hub.settings.retry_schedule_s,
            on_unconfirmed=json.loads(settings).get("on_unconfirmed", "hold"),
            idempotent=channel_class(kind).carries.idempotent,
            idempotent_s=channel_class(kind).carries.idempotent_s,
        )

    def _open_line(self, line_id: str, kind: str, sealed: str, settings: str) -> OpenLine:
        made = channel_class(kind)
        config = made.Config.model_validate_json(self._hub.box.open(sealed, table="line", column="config", row=line_id))
        return OpenLine(made(config, self._hub.http), self._rules(kind, settings))
