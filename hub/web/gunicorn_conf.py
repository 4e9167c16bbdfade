"""gunicorn's configuration, for `hub serve` and the Procfile alike.

It runs in the master before any worker has patched the standard library, so it imports nothing of ours.
"""

import os

bind = f"0.0.0.0:{os.environ.get('PORT') or os.environ.get('HUB_PORT') or 8000}"
workers = int(os.environ.get("HUB_WEB_WORKERS") or os.cpu_count() or 1)
worker_class = "hub.web.gunicorn_worker.Worker"
worker_connections = 2000
logger_class = "hub.web.gunicorn_log.Logger"
loglevel = "warning"
accesslog = None
errorlog = "-"
timeout = 60
graceful_timeout = 30
keepalive = 15
limit_request_line = 8190
limit_request_fields = 64
limit_request_field_size = 8190
control_socket_disable = True
# The heartbeat file in memory: a slow disk must not look like a hung worker.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
