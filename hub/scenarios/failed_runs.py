"""Runs that somebody should look at: they failed, and no message says so in their place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from hub.core import Hub
from hub.delivery import journal
from hub.delivery.journal import UNDELIVERED, Filter
from hub.delivery.models import Message
from hub.delivery.undelivered import code_of, message_of
from hub.scenarios.models import Run
from hub.scenarios.store import REASON_CHARS
from hub.sql import Sql
from hub.values import dumps

CHUNK = 500


@dataclass(frozen=True)
class Failed:
    """Which of them. `reason` is an error's code, `ids` names them one by one; `before`: those that failed earlier
    than this, µs."""

    scenario: int | None = None
    reason: str | None = None
    ids: tuple[str, ...] = ()
    before: int | None = None


@dataclass(frozen=True)
class FailedGroup:
    """Runs of one scenario with the same reason. `said` is what the one that began first was told, `oldest` when it
    failed, µs."""

    scenario_id: int
    reason: str
    count: int
    oldest: int
    said: str


def groups(session: Session, portal_id: int) -> list[FailedGroup]:
    """All of a portal, by scenario and reason, the largest group first."""
    counted = (
        columns(col(Run.scenario_id), col(Run.reason), func.count().label("many"), func.min(col(Run.id)).label("first"))
        .where(col(Run.portal_id) == portal_id, col(Run.reason).is_not(None))
        .group_by(col(Run.scenario_id), col(Run.reason))
        .subquery()
    )
    query = columns(counted.c.scenario_id, counted.c.reason, counted.c.many, col(Run.ended_at), col(Run.error))
    query = query.select_from(counted).join(Run, col(Run.id) == counted.c.first)
    query = query.order_by(counted.c.many.desc(), counted.c.scenario_id, counted.c.reason)
    rows = session.connection().execute(query).all()
    return [FailedGroup(number, code, many, since or 0, message_of(error)) for number, code, many, since, error in rows]


def find(session: Session, portal_id: int, wanted: Failed, *, below: str | None, limit: int) -> list[Run]:
    """The newest first, those with ids below `below`."""
    query = select(Run).where(*_conditions(portal_id, wanted))
    if below is not None:
        query = query.where(Run.id < below)
    return list(session.exec(query.order_by(col(Run.id).desc()).limit(limit)))


def oldest(session: Session, portal_id: int, wanted: Failed, *, limit: int) -> list[str]:
    """Ids, the oldest first: the order in which they are taken up again."""
    query = select(Run.id).where(*_conditions(portal_id, wanted))
    return list(session.exec(query.order_by(col(Run.id)).limit(limit)))


def count(session: Session, portal_id: int, wanted: Failed) -> int:
    """How many there are."""
    return session.exec(select(func.count()).where(*_conditions(portal_id, wanted))).one()


def count_undelivered(session: Session, portal_id: int) -> int:
    """How much stands under Undelivered: messages, and runs that made none."""
    messages = select(func.count(col(Message.seq))).where(
        *journal.conditions(session, portal_id, Filter(states=UNDELIVERED))
    )
    runs = select(func.count(col(Run.id))).where(*_conditions(portal_id, Failed()))
    return int(session.exec(select(messages.scalar_subquery() + runs.scalar_subquery())).one())


def alike(session: Session, portal_id: int, run_id: str, *, limit: int) -> list[str]:
    """Ids of the others of the same scenario that failed with the same error as this run, the oldest first; none when
    this one did not fail."""
    run = session.get(Run, run_id)
    if run is None or run.portal_id != portal_id or run.status != "failed":
        return []
    wanted = Failed(run.scenario_id, code_of(run.error)[:REASON_CHARS])
    return [other for other in oldest(session, portal_id, wanted, limit=limit + 1) if other != run_id][:limit]


def put_aside(hub: Hub, portal_id: int, wanted: Failed) -> int:
    """Nobody has to look at these any more; they stay in the journal as failed. Gives their number."""
    done = 0
    while True:
        with hub.db.read() as session:
            ids = oldest(session, portal_id, wanted, limit=CHUNK)
        if not ids:
            return done

        def job(sql: Sql, chunk: Sequence[str] = ids) -> int:
            return sql.run(
                "UPDATE run SET reason = NULL WHERE portal_id = ? AND id IN (SELECT key FROM json_each(?))"
                " AND reason IS NOT NULL",
                (portal_id, dumps(dict.fromkeys(chunk))),
            )

        done += hub.db.writer.run(job)


def _conditions(portal_id: int, wanted: Failed) -> list[Any]:
    found: list[Any] = [Run.portal_id == portal_id, col(Run.reason).is_not(None)]
    if wanted.scenario is not None:
        found.append(Run.scenario_id == wanted.scenario)
    if wanted.reason is not None:
        found.append(Run.reason == wanted.reason)
    if wanted.ids:
        found.append(col(Run.id).in_(wanted.ids))
    if wanted.before is not None:
        found.append(col(Run.ended_at) < wanted.before)
    return found
