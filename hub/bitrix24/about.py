"""What a run that a portal started is about: which card, and which of our own changes led to it."""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.bitrix24.entities import is_entity
from hub.endpoints import card_event, replay
from hub.endpoints.records import Stored
from hub.sql import Sql
from hub.values import as_number, dumps, loads


@dataclass(frozen=True)
class About:
    """A card, `chain` the scenarios whose own changes led to this run, and how many changes that were."""

    entity: str
    entity_id: int
    chain: Sequence[int] = ()
    depth: int = 0


def keep(sql: Sql, portal_id: int, run_id: str, about: About) -> None:
    """Inside the job that stores a run: note what it is about. What becomes of its messages is told in the portal."""
    sql.run(
        "INSERT INTO bitrix24_run (run_id, portal_id, entity, entity_id, chain, depth) VALUES (?, ?, ?, ?, ?, ?)",
        (run_id, portal_id, about.entity, about.entity_id, dumps(list(about.chain)), about.depth),
    )
    if sql.one("SELECT 1 FROM bitrix24_connection WHERE portal_id = ? AND timeline", (portal_id,)) is not None:
        sql.run("UPDATE run SET tells = TRUE WHERE id = ?", (run_id,))
        # Those that its first advance has made; later ones look at the run.
        sql.run("UPDATE message SET told = 'queued' WHERE run_id = ?", (run_id,))


def of_run(sql: Sql, run_id: str) -> About | None:
    """What a run is about; None for one that no card of a portal started."""
    row = sql.one("SELECT entity, entity_id, chain, depth FROM bitrix24_run WHERE run_id = ?", (run_id,))
    if row is None:
        return None
    return About(row[0], int(row[1]), [int(str(scenario)) for scenario in loads(row[2])], int(row[3]))


def keep_replayed(sql: Sql, request: Stored, run_id: str) -> None:
    """Inside the job that stores a run of a kept request: it is about the same card as the first one."""
    kept = loads(request.raw) if request.raw else None
    if not isinstance(kept, dict):
        return
    entity, number = kept.get("entity"), as_number(kept.get("entity_id", kept.get("id")))
    if not isinstance(entity, str) or not is_entity(entity) or number is None:
        return
    chain = [int(str(scenario)) for scenario in kept.get("chain") or ()]
    keep(sql, request.portal_id, run_id, About(entity, int(number), chain, int(str(kept.get("depth") or 0))))


replay.NOTED[card_event.SOURCE] = keep_replayed
