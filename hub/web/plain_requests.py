"""Requests of gunicorn's that need none of what WSGI would make of them: HTTP/1, nothing odd in their headers, a body
of known length. What gunicorn refuses has been refused by then: its own parser has read them.

It is imported by gunicorn's master, so it imports nothing of ours.
"""

import time
from dataclasses import dataclass
from typing import Any

from gunicorn import SERVER, util

_WATCHED = (
    "accesslog",
    "logconfig",
    "logconfig_dict",
    "logconfig_json",
    "syslog",
    "statsd_host",
    "pre_request",
    "post_request",
)
_dates: dict[int, str] = {}


def is_default(cfg: Any) -> bool:
    """Whether nothing is set that gunicorn would do for each request beside answering it."""
    return all(cfg.settings[name].get() == cfg.settings[name].default for name in _WATCHED)


@dataclass(slots=True)
class PlainRequest:
    """`fields`: headers by lower-case name; `announced`: bytes of the body; `is_here`: all of it has arrived."""

    fields: dict[str, str]
    announced: int
    is_here: bool

    @classmethod
    def of(cls, req: Any, addr: Any) -> "PlainRequest | None":
        """What is plain about a request; None for one that is not."""
        if not isinstance(addr, tuple) or req._expected_100_continue or req.proxy_protocol_info:
            return None
        fields: dict[str, str] = {}
        for name, value in req.headers:
            if "_" in name:
                return None
            name = name.lower()
            fields[name] = f"{fields[name]},{value}" if name in fields else value
        if "transfer-encoding" in fields:
            return None
        announced = int(fields.get("content-length", "0"))
        return cls(fields, announced, announced <= req.unreader.buf.getbuffer().nbytes)


def head(version: tuple[int, int], status: str, *, closes: bool) -> str:
    """The lines with which every answer of gunicorn's begins."""
    now = int(time.time())
    date = _dates.get(now)
    if date is None:
        _dates.clear()
        _dates[now] = date = util.http_date(now)
    connection = "close" if closes else "keep-alive"
    return (
        f"HTTP/{version[0]}.{version[1]} {status}\r\nServer: {SERVER}\r\nDate: {date}\r\nConnection: {connection}\r\n"
    )
