"""Robots on stages and the processes they run in, as values."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

KINDS = ("robot", "webhook", "sms", "update")


@dataclass
class Step:
    """A robot on a stage. `kind`: `robot` (an application's, by `code`), `webhook` (`url`), `sms` (sender `code`,
    `properties` message_to and message_body), `update` (`properties` are fields; `{=result:status}` puts in what the
    robot before returned).

    `wait` is the template author's choice where the application left it open; `timeout_s` 0 waits for ever.
    """

    kind: str
    client_id: str = ""
    code: str = ""
    url: str = ""
    properties: dict[str, Any] = field(default_factory=dict)
    wait: bool = False
    timeout_s: int = 0


@dataclass
class Process:
    """One run of the robots of a stage over a card. `state`: running, waiting, completed or terminated.

    `deadline` is Unix seconds, 0 without one. `results` are the answers by step; `log` tells what happened.
    """

    id: str
    member_id: str
    entity_type: int
    item_id: int
    steps: list[Step]
    state: str = "running"
    place: int = 0
    event_token: str = ""
    deadline: float = 0.0
    results: dict[int, dict[str, Any]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    ignored: int = 0


def property_rows(value: Any) -> dict[str, dict[str, Any]]:
    """A map of properties as registered."""
    rows = value if isinstance(value, dict) else {}
    return {str(key): row if isinstance(row, dict) else {} for key, row in rows.items()}


def filled_in(value: Any, card: dict[str, Any], process: Process, *, escape: bool = False) -> Any:
    """A property with `{=Document:FIELD}` and `{=result:NAME}` replaced."""
    if isinstance(value, list):
        return [filled_in(part, card, process, escape=escape) for part in value]
    if not isinstance(value, str):
        return value
    known = {f"{{=Document:{name}}}": _plain(found) for name, found in card.items()}
    known |= {f"{{=result:{name}}}": _plain(found) for row in process.results.values() for name, found in row.items()}
    for place, found in known.items():
        value = value.replace(place, quote(found, safe="") if escape else found)
    return value


def _plain(found: Any) -> str:
    if isinstance(found, list):
        found = found[0] if found else ""
    if isinstance(found, dict):
        found = found.get("VALUE", "")
    return "" if found is None else str(found)
