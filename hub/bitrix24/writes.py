"""Whether a change of a card is one that scenarios made themselves, and which of them led to it.

A change whose fields all are as scenarios marked them (`own_writes`) is their own: those that led to it do not start,
others do, one deeper each time.
"""

from dataclasses import dataclass

from hub.bitrix24 import own_writes
from hub.bitrix24.card_values import same_value
from hub.bitrix24.watching import Look
from hub.sql import Sql


@dataclass(frozen=True)
class Chain:
    """The scenarios that led to a change, and how many changes in a row they made."""

    scenarios: frozenset[int] = frozenset()
    depth: int = 0


def led_to(sql: Sql, portal_id: int, entity: str, entity_id: int, look: Look, *, now: int) -> Chain:
    """The chain behind a change that scenarios made; an empty one for a change by somebody else.

    Every field that was changed has to be as one of the marks says. For a card that was never seen before, all that a
    mark says has to be so.
    """
    scenarios: set[int] = set()
    depth, left = 0, look.chosen
    for mark in own_writes.live(sql, portal_id, entity, entity_id, now=now):
        holding = {name for name, value in mark.fields.items() if same_value(value, look.fields.get(name))}
        if left is None:
            led = bool(mark.fields) and len(holding) == len(mark.fields)
        else:
            led = bool(holding & (look.chosen or set()))
            left = left - holding
        if led:
            scenarios.update(mark.chain)
            depth = max(depth, mark.depth)
    if left or not scenarios:
        return Chain()
    return Chain(frozenset(scenarios), depth)
