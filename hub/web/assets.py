"""Addresses of the front end's files: each carries a mark of its content, so that browsers may keep it for ever."""

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, has_request_context, request, url_for

STATIC = Path(__file__).resolve().parent / "static"
YEAR_S = 31_536_000


def register(app: Flask) -> None:
    """Offer `asset("css/app.css")` to templates."""
    app.jinja_env.globals.update(asset=asset)
    app.get_send_file_max_age = _max_age  # type: ignore[method-assign, assignment]


def asset(name: str) -> str:
    """The address of a file under `static/`."""
    return url_for("static", filename=name, v=_mark(name, (STATIC / name).stat().st_mtime_ns))


@lru_cache(maxsize=256)
def _mark(name: str, _changed: int) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def _max_age(_filename: str | None) -> int:
    return YEAR_S if has_request_context() and "v" in request.args else 0
