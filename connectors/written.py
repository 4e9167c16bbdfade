"""A request as it is written: its address encoded, its body as bytes, its headers checked.

requests does that for all there is, at a third of what a whole call costs. What connectors send again and again is of
the simplest kind: a plain address, and JSON or a form of texts. That is written here, exactly as requests would.
"""

import json as jsonlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import requests

_plain_url = re.compile(r"https?://[a-z0-9.-]+(?::[1-9][0-9]{0,4})?(?:/[A-Za-z0-9_:-][A-Za-z0-9_:.-]*)+", re.ASCII)
_plain_value = re.compile(r"[!-~](?:[ -~]*[!-~])?", re.ASCII)
_to_json = jsonlib.JSONEncoder(allow_nan=False).encode
_usual = {"User-Agent": "Hubline", "Accept": "*/*", "Accept-Encoding": "gzip"}
_ours = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"})


@dataclass(frozen=True)
class Written:
    """What goes over the wire. It holds secrets: `repr` shows none of it."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(repr=False)


def write(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, Any] | None = None,
    json: Any = None,
    data: Any = None,
) -> Written:
    """Write a request; headers that are the connection's own are left out. Raises ValueError, TypeError, or one of
    requests' errors when it cannot be written."""
    if not (method.isascii() and method.isalpha()):
        raise ValueError("method")
    if method == "POST" and not params and _plain_url.fullmatch(url):
        body = _plain_body(json, data)
        if body is not None and all(map(_plain, (headers or {}).items())):
            return Written(method, url, {**_usual, **(headers or {}), **body[1]}, body[0])
    wanted = {name: text for name, text in (headers or {}).items() if name.lower() not in _ours}
    made = requests.Request(
        method.upper(), url, headers={**_usual, **wanted}, params=params, json=json, data=data
    ).prepare()
    return Written(made.method or "", made.url or "", made.headers, made.body)


def _plain(header: tuple[str, str]) -> bool:
    return header[0] == "Authorization" and _plain_value.fullmatch(header[1]) is not None


def _plain_body(json: Any, data: Any) -> tuple[bytes, dict[str, str]] | None:
    if isinstance(json, dict) and data is None:
        body, kind = _to_json(json), "application/json"
    elif json is None and isinstance(data, dict) and data and all(type(value) is str for value in data.values()):
        body, kind = urlencode(data), "application/x-www-form-urlencoded"
    else:
        return None
    sent = body.encode()
    return sent, {"Content-Length": str(len(sent)), "Content-Type": kind}
