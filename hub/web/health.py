"""`/healthz`: this process answers. `/readyz`: it can do its work. `/metrics`: figures read from the database."""

import json

from flask import Blueprint, Response, current_app

from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.errors import StorageUnavailable

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """Alive."""
    return Response('{"status":"ok"}', content_type="application/json")


@blueprint.get("/readyz")
def readyz() -> Response:
    """Ready when the database answers and a worker has beaten within its lease."""
    hub: Hub = current_app.extensions["hub"]
    checks = {"database": False, "worker": False}
    try:
        with hub.db.sql() as sql:
            row = sql.one("SELECT max(beat_at) FROM process WHERE kind = 'worker'")
        checks["database"] = True
        beat_at = row[0] if row else None
        checks["worker"] = beat_at is not None and beat_at > now_us() - hub.settings.lease_s * SECOND
    except StorageUnavailable:
        checks["database"] = False
    ready = all(checks.values())
    body = json.dumps({"status": "ready" if ready else "not_ready", "checks": checks})
    return Response(body, status=200 if ready else 503, content_type="application/json")


@blueprint.get("/metrics")
def metrics() -> Response:
    """Queue by state, the age of the oldest due message, runs by status."""
    hub: Hub = current_app.extensions["hub"]
    now = now_us()
    with hub.db.sql() as sql:
        states = sql.all("SELECT state, count(*) FROM message GROUP BY state")
        oldest = sql.one("SELECT min(due_at) FROM message WHERE head AND state = 'queued' AND due_at <= ?", (now,))
        runs = sql.all("SELECT status, count(*) FROM run GROUP BY status")
    age = 0.0 if oldest is None or oldest[0] is None else (now - oldest[0]) / SECOND
    lines = [
        "# TYPE hub_messages gauge",
        *(f'hub_messages{{state="{state}"}} {count}' for state, count in states),
        "# TYPE hub_runs gauge",
        *(f'hub_runs{{status="{status}"}} {count}' for status, count in runs),
        "# TYPE hub_oldest_due_message_seconds gauge",
        f"hub_oldest_due_message_seconds {age:.3f}",
    ]
    return Response("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4")
