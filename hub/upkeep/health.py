"""The ten checks: is everything there that an event needs on its way to a message? Each with what to do if not."""

from dataclasses import dataclass

from sqlmodel import Session

from hub.clock import SECOND, now_us, rfc3339
from hub.core import Hub
from hub.delivery import lines
from hub.errors import StorageUnavailable
from hub.portals import service
from hub.sql import Sql
from hub.upkeep import chores, health_bitrix24, retention, watch
from hub.upkeep.address import reach
from hub.upkeep.checks import Check, State
from hub.values import Value

LATE_S = 60
OVERDUE_S = 120


@dataclass(frozen=True)
class PortalHealth:
    """How a portal stands among those of the server. `domain` is empty for the one that has none."""

    member_id: str
    domain: str
    checks: list[Check]

    @property
    def name(self) -> str:
        """What people call it."""
        return self.domain or self.member_id


def checks_of(hub: Hub, portal_id: int) -> list[Check]:
    """All ten, in the order of an event's way; the database and the disk alone while the database is away. The public
    address is called, which takes 10 seconds at most."""
    now = now_us()
    try:
        with hub.db.named(), hub.db.sql() as sql:
            stored = [_worker(sql, hub, now), _oldest(sql, portal_id, now)]
            swept = health_bitrix24.late_search(sql, hub, portal_id, now) or _sweep(sql, now)
            bitrix24, pruned = health_bitrix24.checks_of(sql, hub, portal_id), chores.last(sql, retention.NAME)[0]
        with hub.db.read() as session:
            portal = service.by_id(session, portal_id)
            days = portal.retention_days or hub.settings.retention_days
            broken = _lines(session, portal_id, now)
    except StorageUnavailable as error:
        action = "Start the database, or correct HUB_DATABASE_URL."
        return [Check("database", "failed", error.message, action), _disk(hub, hub.settings.retention_days, None)]
    database = Check("database", "ok", "The database answers.", more={"kind": hub.db.dialect}, good_at=now)
    return [database, *stored, broken, _address(hub), *bitrix24, swept, _disk(hub, days, pruned)]


def portals_of(hub: Hub) -> list[PortalHealth]:
    """Every portal of this server that has not removed the application, with what is its own of the ten: what waits,
    its lines, its Bitrix24. Raises StorageUnavailable."""
    now = now_us()
    with hub.db.read() as session:
        found = {
            service.key_of(portal): PortalHealth(
                portal.member_id, portal.domain or "", [_lines(session, service.key_of(portal), now)]
            )
            for portal in service.every(session)
            if portal.state != "uninstalled"
        }
    with hub.db.named(), hub.db.sql() as sql:
        for portal_id, portal in found.items():
            late = health_bitrix24.late_search(sql, hub, portal_id, now)
            portal.checks.insert(0, _oldest(sql, portal_id, now))
            portal.checks.extend(health_bitrix24.checks_of(sql, hub, portal_id))
            portal.checks.extend([] if late is None else [late])
    return list(found.values())


def _worker(sql: Sql, hub: Hub, now: int) -> Check:
    row = sql.one("SELECT max(beat_at) FROM process WHERE kind = 'worker'")
    beat_at = None if row is None else row[0]
    more: dict[str, Value] = {"beat_at": rfc3339(beat_at)}
    if beat_at is not None and beat_at > now - hub.settings.lease_s * SECOND:
        return Check("worker", "ok", "A worker is running.", more=more, good_at=beat_at)
    detail, action = "No worker is running; waiting messages are not sent.", "Start one: hub worker."
    return Check("worker", "failed", detail, action, more, beat_at)


def _oldest(sql: Sql, portal_id: int, now: int) -> Check:
    """Of the messages on lines that may send, the one that should have gone out first."""
    row = sql.one(
        "SELECT min(oldest) FROM (SELECT (SELECT min(due_at) FROM message WHERE line_id = line.id AND head"
        " AND state = 'queued') AS oldest FROM line WHERE portal_id = ? AND deleted_at IS NULL AND state = 'active')"
        " AS waiting",
        (portal_id,),
    )
    due_at = None if row is None or row[0] is None or row[0] > now else row[0]
    late_s = 0.0 if due_at is None else (now - due_at) / SECOND
    more: dict[str, Value] = {"due_at": rfc3339(due_at)}
    if late_s <= LATE_S:
        return Check("oldest_due_message", "ok", "No message is late.", more=more, good_at=now)
    detail = f"A message has been due for {late_s:.0f} s."
    action = "Start another worker or give it more threads; a line with a low rate only needs patience."
    return Check("oldest_due_message", "failed", detail, action, more=more)


def _lines(session: Session, portal_id: int, now: int) -> Check:
    found = lines.all_of(session, portal_id)
    down: list[Value] = [
        {
            "id": line.id,
            "name": line.name,
            "channel": line.channel,
            "state": line.state,
            "code": line.state_code,
            "reason": line.state_reason,
            "since": rfc3339(line.state_since),
        }
        for line in found
        if line.state in lines.OUT_OF_ORDER
    ]
    if not down:
        return Check("lines", "ok", "No line is out of order.", more={"lines": down}, good_at=now)
    detail = f"{len(down)} of {len(found)} lines are out of order."
    action = "Check each line: its reason says what the messenger wants. What waits there is sent afterwards."
    return Check("lines", "failed", detail, action, more={"lines": down})


def _address(hub: Hub) -> Check:
    reached = reach(hub.settings.base_url)
    state: State = "warning" if reached.local else "ok" if reached.ok else "failed"
    action = "" if state == "ok" else "Set HUB_PUBLIC_URL to the https address that leads here from outside."
    more: dict[str, Value] = {"url": hub.settings.base_url, "reason": reached.reason}
    good_at = now_us() if state == "ok" else None
    return Check("public_address", state, reached.detail, action, more, good_at)


def _sweep(sql: Sql, now: int) -> Check:
    """The last look over the whole installation, whichever process made it."""
    at, _ = chores.last(sql, watch.NAME)
    more: dict[str, Value] = {"at": rfc3339(at)}
    if at is None:
        return Check("last_sweep", "warning", "There has been no full check yet.", "Start web and worker.", more)
    ago_s = (now - at) / SECOND
    if ago_s <= OVERDUE_S:
        return Check("last_sweep", "ok", f"The last full check was {ago_s:.0f} s ago.", more=more, good_at=at)
    detail = f"The last full check was {ago_s:.0f} s ago, which is too long."
    return Check("last_sweep", "failed", detail, "Look into the logs of web and worker.", more, at)


def _disk(hub: Hub, days: int, pruned: int | None) -> Check:
    free, total = watch.disk(hub.settings.instance_dir)
    last = rfc3339(pruned)
    more: dict[str, Value] = {"free_bytes": free, "retention_days": days, "last_pruned": last}
    detail = f"{free >> 20} MiB are free; texts are kept for {days} days."
    if free >= total * watch.FREE_SHARE:
        return Check("disk", "ok", detail, more=more, good_at=now_us())
    return Check("disk", "failed", detail, "Make room on the disk, or keep less: HUB_RETENTION_DAYS.", more=more)
