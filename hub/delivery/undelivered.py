"""Messages that somebody should look at: why they did not arrive, what sending them again would do, putting aside."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import case, func
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.delivery import interventions, journal
from hub.delivery.journal import LASTING, UNDELIVERED, Filter
from hub.delivery.models import Message
from hub.delivery.outbox import wake_runs
from hub.errors import Invalid
from hub.sql import Sql, marks
from hub.values import loads

OLD_AFTER_S = 24 * 3600
"""A message older than this may say what is no longer true, so it is sent again only on demand."""
Part = Literal["fresh", "old", "lasting", "unconfirmed"]
PARTS: tuple[Part, ...] = ("fresh", "old", "lasting", "unconfirmed")


@dataclass(frozen=True)
class Group:
    """Messages with the same reason. `unconfirmed`: nobody knows whether they arrived. `said` is what one of them was
    told, in English or the messenger's words; `oldest` is when the first of them ended, µs."""

    reason: str
    unconfirmed: bool
    count: int
    oldest: int
    said: str


def of_group(reason: str, unconfirmed: bool) -> Filter:
    """The messages of one group."""
    return Filter(states=("unconfirmed",) if unconfirmed else interventions.USUAL, reason=reason)


def groups(session: Session, portal_id: int) -> list[Group]:
    """Everything that somebody should look at, by reason, the largest group first."""
    why, unconfirmed = journal.reason(session), col(Message.state) == "unconfirmed"
    count, oldest = func.count(), func.min(func.coalesce(Message.ended_at, Message.created_at))
    query = columns(why, unconfirmed, count, oldest, func.max(Message.error)).where(
        *journal.conditions(session, portal_id, Filter(states=UNDELIVERED))
    )
    rows = session.connection().execute(query.group_by(why, unconfirmed).order_by(count.desc(), why)).all()
    return [Group(str(code), bool(unsure), many, since, message_of(error)) for code, unsure, many, since, error in rows]


def code_of(error: str | None) -> str:
    """The code of a stored error, empty for none."""
    return str((loads(error) or {}).get("code") or "") if error else ""


def message_of(error: str | None) -> str:
    """What a stored error says, empty for none."""
    return str((loads(error) or {}).get("message") or "") if error else ""


def count_parts(session: Session, portal_id: int, wanted: Filter, *, now: int) -> dict[Part, int]:
    """How many of these messages were made lately, long ago, whose reason a repeat does not mend, and how many may have
    arrived; every part is there."""
    part = case(
        (col(Message.state) == "unconfirmed", "unconfirmed"),
        (journal.reason(session).in_(LASTING), "lasting"),
        (col(Message.created_at) < _old_before(now), "old"),
        else_="fresh",
    )
    query = select(part, func.count()).where(
        *journal.conditions(session, portal_id, _narrowed(wanted)), interventions.line_is_there(portal_id)
    )
    found = dict(session.exec(query.group_by(part)).all())
    return {name: found.get(name, 0) for name in PARTS}


def send_again(hub: Hub, portal_id: int, wanted: Filter, parts: Sequence[Part], *, until: int) -> int:
    """Queue these parts of what matches once more, whatever bounds in time `wanted` has; gives their number. `until`:
    messages made later were not counted when somebody decided, and stay."""
    wanted, old_before = replace(_narrowed(wanted), before=until), _old_before(until)
    usual = tuple(state for state in wanted.states if state != "unconfirmed")
    count = 0
    for part in PARTS:
        states = ("unconfirmed",) if part == "unconfirmed" else usual
        if part not in parts or not set(states) & set(wanted.states):
            continue
        chosen = replace(wanted, states=states, lasting=None if part == "unconfirmed" else part == "lasting")
        if part == "old":
            chosen = replace(chosen, before=old_before)
        elif part == "fresh":
            chosen = replace(chosen, after=old_before)
        count += interventions.redeliver_many(hub, portal_id, chosen)
    return count


def discard(hub: Hub, portal_id: int, wanted: Filter) -> int:
    """Put what matches aside: it is cancelled, and can still be sent again from the journal. Gives the number."""

    def change(sql: Sql, ids: Sequence[str]) -> list[Any]:
        return sql.all(
            "UPDATE message SET state = 'cancelled', ended_at = ? WHERE portal_id = ?"  # noqa: S608
            f" AND state IN ({marks(len(UNDELIVERED))}) AND id IN ({marks(len(ids))}) RETURNING id",
            (now_us(), portal_id, *UNDELIVERED, *ids),
        )

    return _in_chunks(hub, portal_id, _narrowed(wanted), change)


def settle(hub: Hub, portal_id: int, wanted: Filter, outcome: Literal["sent", "failed"]) -> int:
    """Say of all that match and are unconfirmed what became of them. Gives the number."""
    arrived = outcome == "sent"

    def change(sql: Sql, ids: Sequence[str]) -> list[Any]:
        now = now_us()
        return sql.all(
            "UPDATE message SET state = ?, sent_at = COALESCE(sent_at, ?), ended_at = ?,"  # noqa: S608
            " error = CASE WHEN ? THEN NULL ELSE error END"
            f" WHERE portal_id = ? AND state = 'unconfirmed' AND id IN ({marks(len(ids))}) RETURNING id",
            (outcome, now if arrived else None, now, arrived, portal_id, *ids),
        )

    return _in_chunks(hub, portal_id, replace(wanted, states=("unconfirmed",)), change)


def _in_chunks(hub: Hub, portal_id: int, wanted: Filter, change: Callable[[Sql, Sequence[str]], list[Any]]) -> int:
    """Change what matches, some at a time, and wake the runs that wait for it; `change` gives the rows it changed,
    which no longer match."""
    count = 0
    while True:
        with hub.db.read() as session:
            query = select(Message.id, Message.line_id).where(*journal.conditions(session, portal_id, wanted))
            found = session.exec(query.order_by(col(Message.seq)).limit(interventions.CHUNK)).all()
        if not found:
            return count
        ids = [message_id for message_id, _ in found]

        def job(sql: Sql, chunk: Sequence[str] = ids) -> int:
            rows = change(sql, chunk)
            for (message_id,) in rows:
                wake_runs(sql, message_id, now_us())
            return len(rows)

        count += hub.db.writer.run(job, lines={line_id for _, line_id in found})
        hub.ring()


def _old_before(now: int) -> int:
    return now - OLD_AFTER_S * SECOND


def _narrowed(wanted: Filter) -> Filter:
    """Never anything but what somebody should look at. Raises Invalid for other states."""
    if any(state not in UNDELIVERED for state in wanted.states):
        raise Invalid(f"Only these are undelivered: {', '.join(UNDELIVERED)}.")
    return wanted if wanted.states else replace(wanted, states=UNDELIVERED)
