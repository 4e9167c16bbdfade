"""Which names the last requests of a scenario have brought: a template that uses one of them is not mistaken."""

import re
from urllib.parse import parse_qsl

from sqlalchemy import text
from sqlmodel import Session

from hub.scenarios.reading import Unreadable, read_json

LAST = 20
"""Requests that ran, and as many of those that were only kept."""
MAX_BYTES = 64 * 1024
# The table is kept by a layer above; what is read here of its shape is told in hub.endpoints.models. In one condition
# beside that about the portal, SQLite would go through the portal's whole journal for a scenario that is seldom called.
_BODIES = text(
    "SELECT substr(raw, 1, :bytes), content_type FROM request WHERE portal_id = :portal AND raw IS NOT NULL AND id IN ("
    "SELECT id FROM (SELECT id FROM request WHERE scenario_id = :scenario AND outcome = 'run'"
    " ORDER BY id DESC LIMIT :most) AS ran UNION ALL "
    "SELECT id FROM (SELECT id FROM request WHERE scenario_id = :scenario AND outcome = 'captured'"
    " ORDER BY id DESC LIMIT :most) AS kept)"
)
_key = re.compile(r"""["“”«»']([^\W\d][\w-]{0,63})["“”«»']\s*:""")
_part = re.compile(r"""\bname="([^"\[]{1,64})""")


def names(session: Session, portal_id: int, scenario_id: int) -> frozenset[str]:
    """The names at the top of the bodies of the scenario's last requests."""
    asked = {"scenario": scenario_id, "portal": portal_id, "most": LAST, "bytes": MAX_BYTES}
    rows = session.connection().execute(_BODIES, asked).all()
    return frozenset(name for raw, content_type in rows for name in _names_in(bytes(raw), content_type))


def _names_in(raw: bytes, content_type: str) -> list[str]:
    body = raw.decode("utf-8", "replace")
    if "urlencoded" in content_type:
        return [name.partition("[")[0] for name, _value in parse_qsl(body, keep_blank_values=True)]
    if "multipart" in content_type:
        return _part.findall(body)
    try:
        found = read_json(body)
    except Unreadable:
        return _key.findall(body)  # it has mistakes that the link mends, or is longer than what is read here
    return list(found) if isinstance(found, dict) else []
