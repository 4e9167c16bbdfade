"""Cards that changed: read, compared with how they were, and handed to the scenarios that wait for such a change.

One transaction holds the runs, the requests they come from, the card as it is now, and the end of the change. Before
it nothing is stored, so a process that dies leaves the change to the next one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from connectors.bitrix24.errors import AWAY
from connectors.errors import ConnectorError, LineDown, RateLimited
from hub.bitrix24 import change_rows as rows
from hub.bitrix24 import own_writes, reading, starting, watching, writes
from hub.bitrix24.change_rows import Change
from hub.bitrix24.client import Bitrix24
from hub.bitrix24.entities import kind_of
from hub.bitrix24.fields import catalogue
from hub.bitrix24.reading import Reading
from hub.bitrix24.starting import Portal, Start
from hub.bitrix24.watching import Look, Watcher
from hub.clock import now_us
from hub.errors import StorageUnavailable
from hub.scenarios.library import STALE_TRIES, Library, is_current
from hub.scenarios.runner import Runner, lines_of
from hub.sql import Sql
from hub.values import Value

log = structlog.get_logger(__name__)
RETRY_S = (2.0, 10.0, 30.0, 60.0, 120.0, 300.0)
REFUSED_S = 60.0
"""How long a change waits whose portal does not let the application in; the desk passes it over until it does."""


@dataclass(frozen=True)
class Executing:
    """What looking at changes needs of a process."""

    bitrix24: Bitrix24
    library: Library
    runner: Runner


@dataclass
class _Decided:
    """What a change comes to: the runs it starts, or why there is none. `loop`: it was ended as one."""

    starts: list[Start] = field(default_factory=list)
    note: starting.Reason = starting.UNCHANGED
    loop: bool = False


def look(executing: Executing, portal_id: int, entity: str, claimed: Sequence[Change]) -> None:
    """Look at cards of one kind that this process has claimed. Raises StorageUnavailable; then the claims stay, and
    whoever recovers them looks again."""
    try:
        _look(executing, portal_id, entity, claimed)
    except AWAY as error:
        _put_off(executing, claimed, error)
    except LineDown as error:
        # The portal has to be opened by a person; its changes wait and are claimed again when it is active.
        log.warning("changes_wait", portal_id=portal_id, entity=entity, code=error.code, count=len(claimed))
        _back(executing, claimed, delay_s=REFUSED_S, error=error)
    except ConnectorError as error:
        log.warning("changes_not_read", portal_id=portal_id, entity=entity, code=error.code)
        for change in claimed:
            _ignore(executing, change, error)


def _look(executing: Executing, portal_id: int, entity: str, claimed: Sequence[Change]) -> None:
    bitrix24, library = executing.bitrix24, executing.library
    client = bitrix24.client(portal_id)
    names = catalogue(bitrix24, portal_id, entity).names if kind_of(entity).smart else None
    read = reading.read(client, entity, [change.entity_id for change in claimed], names)
    with bitrix24.hub.db.sql() as sql:
        before = rows.snapshots(sql, portal_id, entity, list(read.cards))
    view = library.portal(portal_id)
    watched = watching.watchers(library, view, entity)
    seen = {
        change.entity_id: Look(
            read.kind, read.cards[change.entity_id], before.get(change.entity_id), change.created, change.first_at
        )
        for change in claimed
        if change.entity_id in read.cards
    }
    likely = [number for number, one in seen.items() if any(watching.wanted(w.config, one) for w in watched)]
    reading.complete(client, read, likely)
    for change in claimed:
        if change.entity_id in seen:
            _settle_alone(executing, change, read, seen[change.entity_id])
        else:
            _ignore(executing, change, read.errors[change.entity_id])


def _settle_alone(executing: Executing, change: Change, read: Reading, seen: Look) -> None:
    """Settle one change; what is wrong with it and with no other puts it off alone."""
    try:
        _settle(executing, change, read, seen)
    except (ConnectorError, StorageUnavailable):
        raise
    except Exception:
        log.exception("change_broke", portal_id=change.portal_id, entity=change.entity, entity_id=change.entity_id)
        hub, delay_s = executing.bitrix24.hub, RETRY_S[min(change.attempts, len(RETRY_S) - 1)]
        hub.db.writer.run(
            lambda sql: rows.put_all_back(sql, [change], owner=hub.owner, delay_s=delay_s, error="internal")
        )


def _settle(executing: Executing, change: Change, read: Reading, seen: Look) -> None:
    """Decide and store what one change comes to, anew when the portal's settings change meanwhile."""
    hub, library = executing.bitrix24.hub, executing.library
    for attempt in range(STALE_TRIES):
        view = library.portal(change.portal_id, fresh=attempt > 0)
        watched = watching.watchers(library, view, change.entity) if view.active else []
        with hub.db.sql() as sql:
            led = writes.led_to(sql, change.portal_id, change.entity, change.entity_id, seen, now=now_us())
        portal = starting.Portal.of(executing.bitrix24, executing.runner, view)
        decided = _decide(portal, change, read, seen, watched, led)
        decided.starts = starting.in_turn(decided.starts)
        lines = {line for start in decided.starts for line in lines_of(start.begun.made, view)}

        def job(
            sql: Sql, portal: Portal = portal, decided: _Decided = decided, watched: list[Watcher] = watched
        ) -> str:
            if not all(is_current(sql, portal.view, start.begun.env.globals) for start in decided.starts):
                return "stale"
            if not is_current(sql, portal.view):
                return "stale"
            held = rows.hold(sql, change, owner=hub.owner)
            if held != "held":
                return held
            now = now_us()
            started = [start for start in decided.starts if starting.insert(sql, portal, change, start, now=now)]
            if watched and not started:
                reason = starting.ALREADY if decided.starts else decided.note
                starting.insert_reason(sql, portal, change, read, watched[0].scenario.id, reason, now=now)
            rows.keep_snapshot(sql, change, seen.fields, now=now)
            rows.finish(sql, change)
            return f"{len(started)} started"

        stored = hub.db.writer.run(job, lines=lines, rings=bool(decided.starts))
        if stored != "stale":
            log.info(
                "change_seen",
                portal_id=change.portal_id,
                entity=change.entity,
                entity_id=change.entity_id,
                became=stored,
                recovered=change.recovered,
            )
            return
    raise StorageUnavailable("The portal's settings change all the time; try again.")


def _decide(
    portal: Portal, change: Change, read: Reading, seen: Look, watched: Iterable[Watcher], led: writes.Chain
) -> _Decided:
    """Which scenarios start, after their filters and the rule about own changes."""
    decided = _Decided(note=starting.UNCHANGED if seen.before is not None else starting.FIRST_LOOK)
    for watcher in watched:
        if not watching.wanted(watcher.config, seen):
            continue
        if watcher.scenario.id in led.scenarios:
            decided.note = starting.OWN_CHANGE
            continue
        if led.depth >= own_writes.DEEPEST:
            decided.note, decided.loop = starting.LOOP, True
            log.warning("loop_ended", portal_id=portal.view.id, scenario_id=watcher.scenario.id, depth=led.depth)
            continue
        start = starting.prepare(portal, change, read, seen, watcher, led)
        if isinstance(start, Start):
            decided.starts.append(start)
        else:
            decided.note = start
    return decided


# ---------------------------------------------------------------- putting off


def _put_off(executing: Executing, claimed: Sequence[Change], error: ConnectorError) -> None:
    """The portal is away or busy: look again, later each time."""
    attempts = min(max(change.attempts for change in claimed), len(RETRY_S) - 1)
    delay_s = RETRY_S[attempts]
    if isinstance(error, RateLimited):
        delay_s = max(error.retry_after_s, 1.0)
    log.warning("changes_put_off", portal_id=claimed[0].portal_id, code=error.code, seconds=round(delay_s))
    _back(executing, claimed, delay_s=delay_s, error=error)


def _back(executing: Executing, claimed: Sequence[Change], *, delay_s: float, error: ConnectorError) -> None:
    hub = executing.bitrix24.hub
    told = f"{error.code or error.outcome}: {error.message}"[:500]
    hub.db.writer.run(lambda sql: rows.put_all_back(sql, claimed, owner=hub.owner, delay_s=delay_s, error=told))


def _ignore(executing: Executing, change: Change, error: ConnectorError) -> None:
    """The card cannot be looked at: it is gone, or this user may not see it. That is said, and nothing started."""
    hub, library = executing.bitrix24.hub, executing.library
    view = library.portal(change.portal_id)
    watched: list[Watcher] = watching.watchers(library, view, change.entity)
    portal = starting.Portal.of(executing.bitrix24, executing.runner, view)
    reason = starting.reason_of(error)

    def job(sql: Sql) -> Value:
        if rows.hold(sql, change, owner=hub.owner) == "held":
            if watched:
                starting.insert_reason(sql, portal, change, None, watched[0].scenario.id, reason, now=now_us())
            rows.finish(sql, change)
            if reason is starting.GONE:
                rows.forget_snapshot(sql, change)

    hub.db.writer.run(job)
