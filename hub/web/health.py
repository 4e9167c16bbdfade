"""`/healthz`: this process answers. `/readyz`: it can do its work. `/metrics`: figures read from the database."""

import json

from flask import Blueprint, Response, current_app

from hub.clock import SECOND, now_us
from hub.core import Hub
from hub.errors import StorageUnavailable
from hub.upkeep.metrics import figures, prometheus

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
    """For Prometheus; of all portals together, without a name of anybody."""
    hub: Hub = current_app.extensions["hub"]
    with hub.db.sql() as sql:
        found = figures(sql, now=now_us(), lease_s=hub.settings.lease_s)
    return Response(prometheus(found), content_type="text/plain; version=0.0.4; charset=utf-8")
