"""The sender of one process: opens lines, keeps them open, and delivers claimed messages through them."""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import structlog

from connectors.errors import LineDown, Unconfirmed
from connectors.registry import channel as channel_class
from hub import failpoints
from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.delivery import lines, outbox, sweep
from hub.delivery.claiming import ALONE_AFTER
from hub.delivery.outbox import Claimed, Settlement
from hub.delivery.retry import Policy
from hub.delivery.send import OpenLine, attempt, settlement_of
from hub.delivery.settling import Outcome, settle_all
from hub.errors import StorageUnavailable
from hub.secrets import SecretError
from hub.sql import Sql
from hub.values import dumps, loads

log = structlog.get_logger(__name__)
T = TypeVar("T")
INTERRUPTED = Unconfirmed("The sending process ended before the messenger's answer was noted.", code="interrupted")
POISONED = Unconfirmed(
    "Three times in a row the sending process ended while it sent this message, the last time this one alone."
    " It is not tried again, and may have arrived.",
    code="poisoned",
)


@dataclass(frozen=True)
class StoredLine:
    """What is kept of a line that concerns its sending."""

    kind: str
    config_sealed: str
    settings: str


@dataclass(frozen=True)
class _Opened:
    stored: StoredLine
    line: OpenLine


@dataclass(frozen=True)
class _Settling:
    """Outcomes to be stored, and what is to be done in the same commit."""

    outcomes: Sequence[Outcome]
    more: Callable[[Sql], Any]
    now: int


def stored_lines(sql: Sql, line_ids: Collection[str]) -> dict[str, StoredLine]:
    """The lines with these ids, those that are there."""
    rows = sql.all(
        "SELECT id, channel, config_sealed, settings FROM line WHERE id IN (SELECT key FROM json_each(?))",
        (dumps(dict.fromkeys(line_ids)),),
    )
    return {line_id: StoredLine(*row) for line_id, *row in rows}


class Postman:
    """Delivers for one process."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._open: dict[str, _Opened] = {}
        self._unsaved: list[Outcome] = []
        self._in_hand: set[tuple[str, int]] = set()
        self._called: set[tuple[str, int]] = set()

    def hold(self, messages: Iterable[Claimed]) -> None:
        """Take claimed messages in hand: they are about to be sent here."""
        self._in_hand.update((claimed.id, claimed.attempt) for claimed in messages)

    def drop(self, messages: Iterable[Claimed]) -> None:
        """Let them go, sent or not. What is still this process's then is found by `recover`."""
        self._in_hand.difference_update((claimed.id, claimed.attempt) for claimed in messages)

    def deliver(self, claimed: Claimed) -> Settlement:
        """Make the attempt, store its outcome, and wake whoever waits for it.

        Raises StorageUnavailable when the outcome cannot be stored now; it is kept for `store_unsaved`.
        """
        settlement = self.call(claimed)
        self.settle([(claimed, settlement)])
        return settlement

    def call(self, claimed: Claimed) -> Settlement:
        """Make the attempt; what came of it is not stored yet."""
        with self._hub.db.sql() as sql:
            stored = stored_lines(sql, [claimed.line_id])
        return self.attempt(claimed, stored[claimed.line_id])

    def attempt(self, claimed: Claimed, stored: StoredLine) -> Settlement:
        """Make the attempt over the line as it was when the message was claimed."""
        try:
            line = self._opened(claimed.line_id, stored)
        except (SecretError, LookupError, ValueError) as error:
            return self._line_unusable(claimed, error)
        failpoints.reach(self._hub.settings, "after_claim", claimed.text)
        self._called.add((claimed.id, claimed.attempt))
        settlement = attempt(claimed, line)
        failpoints.reach(self._hub.settings, "after_send", claimed.text)
        return settlement

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Store these outcomes in one commit, and wake whoever waits for them.

        Raises StorageUnavailable when that cannot be done now; they are kept for `store_unsaved`.
        """
        try:
            self.settle_with(outcomes, _nothing_more, (), now=now_us())
        except StorageUnavailable:
            raise
        except Exception:
            if len(outcomes) == 1:
                raise
            log.exception("settling_broke", messages=len(outcomes))
            self._settle_apart(outcomes)

    def _settle_apart(self, outcomes: Sequence[Outcome]) -> None:
        """One that breaks the statements must not take the others with it. Its own claim is left to `recover`."""
        for n, (claimed, settlement) in enumerate(outcomes):
            try:
                self._settle([(claimed, settlement)], _nothing_more, (), now=now_us())
            except StorageUnavailable:
                self._unsaved += outcomes[n:]
                raise
            except Exception:
                log.exception("outcome_lost", message_id=claimed.id, attempt=claimed.attempt)

    def settle_with(
        self, outcomes: Sequence[Outcome], more: Callable[[Sql], T], lines: Iterable[str], *, now: int
    ) -> T:
        """The same, and one thing more in the same commit, which touches the queues of `lines`; gives its result."""
        try:
            return self._settle(outcomes, more, lines, now=now)
        except StorageUnavailable:
            self._unsaved += outcomes
            raise

    def _line_unusable(self, claimed: Claimed, error: Exception) -> Settlement:
        """No call was made: the line is put out of order with a reason, and the message waits for its repair."""
        log.error("line_unusable", line_id=claimed.line_id, reason=type(error).__name__)
        down = LineDown(lines.UNUSABLE["message"], code=lines.UNUSABLE["code"])
        return settlement_of(down, claimed, Policy(schedule_s=self._hub.settings.retry_schedule_s))

    def line(self, line_id: str) -> OpenLine:
        """A line ready to send. Raises LookupError when there is none, SecretError when its config does not open."""
        with self._hub.db.sql() as sql:
            return self._opened(line_id, stored_lines(sql, [line_id])[line_id])

    def _opened(self, line_id: str, stored: StoredLine) -> OpenLine:
        """Opened anew only when its config or settings changed."""
        known = self._open.get(line_id)
        if known is None or known.stored != stored:
            known = self._open[line_id] = _Opened(stored, self._open_line(line_id, stored))
        return known.line

    def settle_abandoned(self, sql: Sql, dead: list[str]) -> int:
        """Inside a job that has named `sweep.abandoned_lines`: what dead processes were sending may have arrived;
        each line's rule decides what follows."""
        left = sweep.abandoned(sql, dead=dead)
        for claimed, owner in left:
            self._interrupted(sql, claimed, owner)
        return len(left)

    def recover(self, *, older_than_s: float) -> int:
        """Go on with messages that are this process's by the database but are in nobody's hands here, since the answer
        to a commit was lost: those whose sending was begun may have arrived, the others are given back. `older_than_s`:
        how long after a claim its maker may take to hold what he claimed. Raises StorageUnavailable."""
        owner, now = self._hub.owner, now_us()
        known = self._in_hand | {(claimed.id, claimed.attempt) for claimed, _ in self._unsaved}
        with self._hub.db.sql() as sql:
            held = sweep.held(sql, owner=owner, before=now - int(older_than_s * SECOND))
        known |= self._in_hand | {(claimed.id, claimed.attempt) for claimed, _ in self._unsaved}
        lost = {(message, attempt): line for message, attempt, line in held if (message, attempt) not in known}
        if not lost:
            return 0

        def job(sql: Sql) -> None:
            for claimed, _ in sweep.abandoned(sql, dead=[owner]):
                if (claimed.id, claimed.attempt) not in lost:
                    continue
                if (claimed.id, claimed.attempt) in self._called:
                    self._interrupted(sql, claimed, owner)
                else:
                    sweep.give_back(sql, claimed, owner=owner, now=now)

        self._hub.db.writer.run(job, lines=set(lost.values()))
        self._called.difference_update(lost)
        log.warning("claims_recovered", messages=len(lost))
        return len(lost)

    def _interrupted(self, sql: Sql, claimed: Claimed, owner: str) -> None:
        error = INTERRUPTED if claimed.interruptions < ALONE_AFTER else POISONED
        settlement = settlement_of(
            error, claimed, self._policy(sql, claimed.line_id), sent=tuple(loads(claimed.sent_parts))
        )
        if error is POISONED:
            settlement = replace(settlement, state="failed", due_at=None)
        outbox.settle(sql, claimed, replace(settlement, interrupted=True), owner=owner, now=now_us())

    def store_unsaved(self) -> int:
        """Write down the outcomes that could not be stored when they came. Raises StorageUnavailable."""
        outcomes = list(self._unsaved)
        if not outcomes:
            return 0
        try:
            self._settle(outcomes, _nothing_more, (), now=now_us())
            # In place: a hand may add one meanwhile, and adds it at the end.
            del self._unsaved[: len(outcomes)]
        except StorageUnavailable:
            raise
        except Exception:
            log.exception("settling_broke", messages=len(outcomes))
            del self._unsaved[: len(outcomes)]
            self._settle_apart(outcomes)
        return len(outcomes)

    def _settle(self, outcomes: Sequence[Outcome], more: Callable[[Sql], T], lines: Iterable[str], *, now: int) -> T:
        touched = {claimed.line_id for claimed, _ in outcomes}.union(lines)
        item = _Settling(outcomes, more, now)
        settled: tuple[list[Claimed], T]
        settled = self._hub.db.writer.run_many(self._settle_many, item, lines=touched, rings=True)
        self._called.difference_update((claimed.id, claimed.attempt) for claimed, _ in outcomes)
        for claimed in settled[0]:
            log.warning("claim_lost", message_id=claimed.id, attempt=claimed.attempt)
        return settled[1]

    def _settle_many(self, sql: Sql, given: Sequence[_Settling]) -> list[tuple[list[Claimed], Any]]:
        outcomes = [outcome for one in given for outcome in one.outcomes]
        lost = settle_all(sql, outcomes, owner=self._hub.owner, now=max(one.now for one in given))
        return [([claimed for claimed, _ in one.outcomes if claimed in lost], one.more(sql)) for one in given]

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

    def _open_line(self, line_id: str, stored: StoredLine) -> OpenLine:
        made = channel_class(stored.kind)
        config = self._hub.box.open(stored.config_sealed, table="line", column="config", row=line_id)
        channel = made(made.Config.model_validate_json(config), self._hub.http)
        return OpenLine(channel, self._rules(stored.kind, stored.settings))


def _nothing_more(_sql: Sql) -> None:
    """What `settle` stores beside the outcomes."""
