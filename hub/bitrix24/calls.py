"""The outbox of calls to portals: what must reach one although it is away, suspended or busy just now.

A call is put in by the transaction that decides it, so it is made if and only if that was stored. It is made at least
once; one that is not `repeatable` and may have been carried out is left as `unconfirmed`. Calls with the same order
key go one after the other, and stay behind one that waits.

A parameter that is an object with one key out of REFERENCES is filled in when the call is made: `{"$result": key}` by
what the earlier call with that key gave, so that a comment can be changed by whoever asked for it.
"""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.bitrix24.errors import NotTaken, Refused
from connectors.errors import ConnectorError, LineDown, RateLimited, Temporary, Unconfirmed
from hub.clock import SECOND
from hub.core import Hub
from hub.sql import Sql, marks
from hub.values import Value, as_text, dumps

SCHEDULE_S = (2, 10, 60, 300, 1800, 3600, 7200, 14400, 28800)
"""Seconds after the first failure, the second, …; the tenth is the last. A process that waits for an answer hangs as
long as it does not come, so the first ones follow quickly."""
NOT_TAKEN_TRIES = 4
"""What a portal did not take is tried again so often only: it may be at fault itself, and its order waits behind it."""
JITTER = 1.2
LIFE_S = 86_400
HELD_S = 60
"""A call that a dead token or an unpaid subscription stops is looked at again after so long, once the portal works."""
RESULT_CHARS = 2_000
"""What a call gives is kept for those that build on it; they need ids, so what is longer is not kept."""


@dataclass(frozen=True)
class NewCall:
    """A call to be made. `key` names it within the portal: asked for twice it is still one call."""

    key: str
    method: str
    params: Mapping[str, Value]
    order_key: str = ""
    repeatable: bool = True
    life_s: float = LIFE_S


@dataclass(frozen=True)
class Claimed:
    """A call that this process may make now."""

    id: int
    portal_id: int
    key: str
    method: str
    params: str
    attempts: int
    repeatable: bool


@dataclass(frozen=True)
class Settlement:
    """What came of a call. `counts`: it used up one of the tries."""

    state: str
    due_at: int | None = None
    counts: bool = True
    result: Value = None
    error: Mapping[str, Value] | None = None


Reference = Callable[[Hub, Sql, int, str], Value]
"""Gives what a reference stands for: `(hub, sql, portal_id, name)`. Raises ConnectorError when there is nothing."""


def enqueue(sql: Sql, portal_id: int, call: NewCall, *, now: int, due_at: int | None = None) -> bool:
    """Inside a job: have a call made. False when it was asked for before."""
    return bool(
        sql.run(
            "INSERT INTO bitrix24_call (portal_id, key, method, params, order_key, repeatable, state, due_at,"
            " expires_at, attempts, created_at) VALUES (?, ?, ?, ?, ?, ?, 'queued', ?, ?, 0, ?)"
            " ON CONFLICT (portal_id, key) DO NOTHING",
            (
                portal_id,
                call.key,
                call.method,
                dumps(dict(call.params)),
                call.order_key,
                call.repeatable,
                now if due_at is None else due_at,
                now + int(call.life_s * SECOND),
                now,
            ),
        )
    )


def revise(sql: Sql, portal_id: int, order_key: str, change: Callable[[dict[str, Value]], None]) -> bool:
    """Inside a job: let `change` alter the parameters of the newest call of this order, if nobody has begun to make
    it; False when there is none. So news that overtake each other cost the portal one call."""
    row = sql.one(
        "SELECT id, params FROM bitrix24_call WHERE portal_id = ? AND order_key = ? AND state = 'queued'"
        " AND owner IS NULL AND attempts = 0 ORDER BY id DESC LIMIT 1",
        (portal_id, order_key),
    )
    if row is None:
        return False
    params = json.loads(row[1])
    change(params)
    return bool(
        sql.run(
            "UPDATE bitrix24_call SET params = ? WHERE id = ? AND state = 'queued' AND owner IS NULL",
            (dumps(params), row[0]),
        )
    )


def portals_with_due(sql: Sql, *, now: int) -> list[int]:
    """The portals that can be called and have a call to be made now."""
    due = "state = 'queued' AND owner IS NULL AND due_at <= ?"
    if sql.one(f"SELECT 1 FROM bitrix24_call WHERE {due} LIMIT 1", (now,)) is None:  # noqa: S608
        return []
    rows = sql.all(
        "SELECT id FROM portal WHERE state = 'active' AND EXISTS (SELECT 1 FROM bitrix24_call"  # noqa: S608
        f" WHERE portal_id = portal.id AND {due}) ORDER BY id",
        (now,),
    )
    return [int(portal_id) for (portal_id,) in rows]


def claim(sql: Sql, portal_id: int, *, owner: str, limit: int, now: int) -> list[Claimed]:
    """Inside a job: take calls of one portal that are due and first in their order."""
    rows = sql.all(
        "UPDATE bitrix24_call SET owner = ? WHERE id IN (SELECT id FROM bitrix24_call AS due WHERE portal_id = ?"
        " AND state = 'queued' AND owner IS NULL AND due_at <= ? AND expires_at > ? AND (order_key = ''"
        " OR NOT EXISTS (SELECT 1 FROM bitrix24_call AS earlier WHERE earlier.portal_id = due.portal_id"
        " AND earlier.order_key = due.order_key AND earlier.state = 'queued' AND earlier.id < due.id))"
        " ORDER BY due_at, id LIMIT ? /*skip locked*/)"
        " RETURNING id, portal_id, key, method, params, attempts, repeatable",
        (owner, portal_id, now, now, limit),
    )
    return sorted((Claimed(*row) for row in rows), key=lambda call: call.id)


def settle(sql: Sql, call: Claimed, settlement: Settlement, *, owner: str, now: int) -> bool:
    """Inside a job: write down what came of a call; False when the claim was lost, or the portal is gone."""
    over = settlement.state != "queued"
    result = None if settlement.result is None else dumps(settlement.result)
    return bool(
        sql.run(
            "UPDATE bitrix24_call SET state = ?, owner = NULL, due_at = COALESCE(?, due_at), attempts = attempts + ?,"
            " result = ?, error = ?, done_at = ? WHERE id = ? AND owner = ? AND state = 'queued'",
            (
                settlement.state,
                settlement.due_at,
                int(settlement.counts),
                result if result is not None and len(result) <= RESULT_CHARS else None,
                None if settlement.error is None else dumps(dict(settlement.error)),
                now if over else None,
                call.id,
                owner,
            ),
        )
    )


def after(call: Claimed, error: ConnectorError, *, now: int) -> Settlement:
    """What follows from an error: another try, or the end of it."""
    said = {"code": error.code or error.outcome, "message": error.message[:500]}
    if isinstance(error, RateLimited):
        return Settlement("queued", now + int(error.retry_after_s * SECOND), counts=False, error=said)
    if isinstance(error, LineDown):
        return Settlement("queued", now + HELD_S * SECOND, counts=False, error=said)
    if isinstance(error, Unconfirmed) and not call.repeatable:
        return Settlement("unconfirmed", error=said)
    tries = NOT_TAKEN_TRIES if isinstance(error, NotTaken) else len(SCHEDULE_S)
    if isinstance(error, Temporary | Unconfirmed) and call.attempts < tries:
        # Never early, and not all at once when a portal comes back.
        delay_s = SCHEDULE_S[call.attempts] * random.uniform(1.0, JITTER)
        return Settlement("queued", now + int(delay_s * SECOND), error=said)
    return Settlement("failed", error=said)


def expire(sql: Sql, *, now: int) -> int:
    """Inside a job: end calls whose time is over; nobody waits for them any more."""
    error = dumps({"code": "expired", "message": "The portal could not be called in time."})
    return sql.run(
        "UPDATE bitrix24_call SET state = 'expired', error = COALESCE(error, ?), done_at = ?"
        " WHERE state = 'queued' AND owner IS NULL AND expires_at <= ?",
        (error, now, now),
    )


def free(sql: Sql, owners: Sequence[str], *, now: int) -> int:
    """Inside a job: end the claims of dead processes, which may have made their calls; how many they were."""
    held = f"owner IN ({marks(len(owners))}) AND state = 'queued'"
    error = dumps({"code": "interrupted", "message": "The process died while it made this call."})
    ended = sql.run(
        "UPDATE bitrix24_call SET owner = NULL, state = 'unconfirmed', error = ?, done_at = ?"  # noqa: S608
        f" WHERE {held} AND NOT repeatable",
        (error, now, *owners),
    )
    again = sql.run(
        # What dies with every process that makes it must not be tried for ever.
        "UPDATE bitrix24_call SET owner = NULL, attempts = attempts + 1,"  # noqa: S608
        f" state = CASE WHEN attempts >= ? THEN 'failed' ELSE state END, error = ? WHERE {held}",
        (len(SCHEDULE_S), error, *owners),
    )
    return ended + again


def owned(sql: Sql, owner: str) -> set[int]:
    """The calls that this process has claimed by the database."""
    return {int(number) for (number,) in sql.all("SELECT id FROM bitrix24_call WHERE owner = ?", (owner,))}


def release(sql: Sql, numbers: Sequence[int], *, owner: str) -> None:
    """Inside a job: give back claims of which this process did not learn; it made none of these calls."""
    sql.run(
        f"UPDATE bitrix24_call SET owner = NULL WHERE owner = ? AND id IN ({marks(len(numbers))})",  # noqa: S608
        (owner, *numbers),
    )


# ---------------------------------------------------------------- references


def filled(hub: Hub, portal_id: int, params: str) -> dict[str, Value]:
    """The parameters with every reference filled in. Raises ConnectorError when one of them stands for nothing."""
    with hub.db.sql() as sql:

        def give(kind: str, name: str) -> Value:
            return REFERENCES[kind](hub, sql, portal_id, name)

        # Plain numbers, not the ones that remember their spelling: this is to be written as JSON by others.
        made: dict[str, Value] = _fill(json.loads(params), give)
    return made


def _fill(value: Value, give: Callable[[str, str], Value]) -> Any:
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)) in REFERENCES:
            ((kind, name),) = value.items()
            return give(kind, as_text(name))
        return {key: _fill(item, give) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, give) for item in value]
    return value


def _result(_hub: Hub, sql: Sql, portal_id: int, key: str) -> Value:
    row = sql.one("SELECT result FROM bitrix24_call WHERE portal_id = ? AND key = ?", (portal_id, key))
    if row is None or row[0] is None:
        raise Refused("The call that this one builds on gave nothing.", code="no_result")
    return json.loads(row[0])


REFERENCES: dict[str, Reference] = {"$result": _result}
