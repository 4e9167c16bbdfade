"""The route about health: is everything there that a message needs on its way?"""

import shutil
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from hub.clock import SECOND, now_us, rfc3339
from hub.core import Hub
from hub.delivery import lines
from hub.delivery.models import Line, Message, Process
from hub.errors import StorageUnavailable
from hub.portals import service
from hub.values import Value
from hub.web.api.base import Call, route

LATE_S = 60
FREE_SHARE = 0.05


@route("GET", "/health", summary="What works and what does not", shape="Health")
def read_health(call: Call) -> Value:
    """200 either way; `ok` is true only when every check is."""
    checks = checks_of(call.hub, call.portal_id)
    return {"ok": all(check["ok"] for check in checks), "checks": checks}


def checks_of(hub: Hub, portal_id: int) -> list[dict[str, Any]]:
    """The checks: `{"name", "ok", "detail", …}` each, `detail` one sentence."""
    try:
        with hub.db.read() as session:
            found = [
                _check("database", True, "The database answers.", kind=hub.db.dialect),
                _worker(session, hub),
                _oldest(session, portal_id),
                _lines(session, portal_id),
            ]
            days = service.by_id(session, portal_id).retention_days or hub.settings.retention_days
    except StorageUnavailable:
        return [_check("database", False, "The database cannot be used."), _disk(hub, hub.settings.retention_days)]
    return [*found, _disk(hub, days)]


def _worker(session: Session, hub: Hub) -> dict[str, Any]:
    beat = session.exec(select(func.max(col(Process.beat_at))).where(Process.kind == "worker")).one()
    alive = beat is not None and beat > now_us() - hub.settings.lease_s * SECOND
    detail = "A worker is at work." if alive else "No worker is at work; nothing waiting is sent."
    return _check("worker", alive, detail, beat_at=rfc3339(beat))


def _oldest(session: Session, portal_id: int) -> dict[str, Any]:
    """The message that should have gone out longest ago, on lines that may send."""
    now = now_us()
    sending = select(Line.id).where(Line.portal_id == portal_id, Line.state == "active")
    query = select(func.min(col(Message.due_at))).where(
        Message.portal_id == portal_id,
        Message.state == "queued",
        col(Message.head).is_(True),
        Message.due_at <= now,
        col(Message.line_id).in_(sending),
    )
    oldest = session.exec(query).one()
    late_s = 0.0 if oldest is None else (now - oldest) / SECOND
    detail = "No message is late." if late_s <= LATE_S else f"A message has been due for {late_s:.0f} s."
    return _check("oldest_due_message", late_s <= LATE_S, detail, due_at=rfc3339(oldest))


def _lines(session: Session, portal_id: int) -> dict[str, Any]:
    found = lines.all_of(session, portal_id)
    down = [
        {"id": line.id, "name": line.name, "state": line.state, "reason": line.state_reason}
        for line in found
        if line.state in ("auth_failed", "unreachable")
    ]
    detail = f"{len(down)} of {len(found)} lines are out of order." if down else "No line is out of order."
    return _check("lines", not down, detail, lines=down)


def _disk(hub: Hub, days: int) -> dict[str, Any]:
    folder = hub.settings.instance_dir
    usage = shutil.disk_usage(folder if folder.exists() else ".")
    enough = usage.free >= usage.total * FREE_SHARE
    detail = f"{usage.free // 2**20} MiB are free; texts are kept for {days} days."
    return _check("disk", enough, detail, free_bytes=usage.free, retention_days=days)


def _check(name: str, ok: bool, detail: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "ok": ok, "detail": detail, **more}
