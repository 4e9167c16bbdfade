"""The request that an event of a CRM's card leaves: written when its runs begin, read when they go on or are replayed.

Its body is JSON: `{"event", "entity", "id", "user_id", "recovered", "variables", "empty", "bitrix", "chain", "depth"}`.
What the card was like is kept there, so that a replay sees the same values, old ones included.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from hub.endpoints.parse import Inputs, Refused, parse_query
from hub.language import SYSTEM_NAMES
from hub.values import Value, dumps, loads

METHOD = "EVENT"
SOURCE = "bitrix24"
CONTENT_TYPE = "application/json"
OUTCOMES = ("unchanged", "ignored")
"""What becomes of an event that starts nothing: nothing that is watched has changed, or there is nothing to look at."""


@dataclass(frozen=True)
class CardEvent:
    """What an event came to. `variables`: the mapped ones; `empty`: why some have nothing in them; `bitrix`: the cards,
    `old` and `new`; `chain`: the scenarios whose own writes led here, `depth` how many in a row."""

    event: str
    entity: str
    id: int
    user_id: int = 0
    recovered: bool = False
    variables: Mapping[str, Value] = field(default_factory=dict)
    empty: Mapping[str, str] = field(default_factory=dict)
    bitrix: Mapping[str, Value] = field(default_factory=dict)
    chain: tuple[int, ...] = ()
    depth: int = 0

    @property
    def raw(self) -> bytes:
        """The body."""
        shown = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return dumps(shown | {"chain": list(self.chain)}).encode()

    @property
    def query(self) -> bytes:
        """What a list of requests shows without reading bodies."""
        told = {"entity": self.entity, "id": self.id, "recovered": int(self.recovered)}
        return urlencode(told).encode()


def inputs(variables: Mapping[str, Value], empty: Mapping[str, str], bitrix: Mapping[str, Value]) -> Inputs:
    """What a run of such an event begins with. System variables that are mapped are set as such."""
    system = {name: value for name, value in variables.items() if name in SYSTEM_NAMES}
    local = {name: value for name, value in variables.items() if name not in system}
    return Inputs(local, None, {}, [], (), dict(bitrix), system, dict(empty))


def inputs_of(raw: bytes | None) -> Inputs:
    """The inputs of a kept event. Raises Refused where it has no card to run with."""
    kept = loads(raw) if raw else None
    if not isinstance(kept, dict) or not kept.get("bitrix"):
        raise Refused("no_card", 422, "This event was kept without a card, so there is nothing to run it with.")
    return inputs(_map(kept, "variables"), _map(kept, "empty"), _map(kept, "bitrix"))


def summary(method: str, query: str) -> dict[str, Value] | None:
    """`{"entity", "id", "recovered"}` of a kept event, None for any other request."""
    if method != METHOD:
        return None
    told = parse_query(query.encode("latin-1", "replace"))
    number = str(told.get("id") or "")
    return {
        "entity": str(told.get("entity") or ""),
        "id": int(number) if number.isdecimal() else None,
        "recovered": told.get("recovered") == "1",
    }


def _map(kept: Mapping[str, Value], name: str) -> dict[str, Value]:
    found = kept.get(name)
    return found if isinstance(found, dict) else {}
