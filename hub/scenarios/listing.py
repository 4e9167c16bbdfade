"""The scenarios of a portal as a list shows them, and how one is doing right now."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from hub.clock import SECOND, now_us
from hub.ids import id_at
from hub.scenarios.block import Block, BlockConfig
from hub.scenarios.document import BlockNode, parse_document
from hub.scenarios.models import Run, Scenario, Version
from hub.scenarios.registry import blocks
from hub.values import loads

DAY_S = 86_400
FAILED = "failed"
_LAST_REQUEST = text(
    "SELECT id, received_at, outcome FROM request WHERE portal_id = :portal AND scenario_id = :scenario"
    " AND outcome = :outcome ORDER BY id DESC LIMIT 1"
)
_ACCEPTED = text(
    "SELECT COUNT(*) FROM request WHERE scenario_id = :scenario AND outcome IN ('run', 'captured') AND id >= :since"
)
OUTCOMES = ("run", "duplicate", "check", "captured", "refused", "unchanged", "ignored")
"""What became of a request, in one word."""


@dataclass(frozen=True)
class Line:
    """One scenario. `start` and `config` are those of its start block, None where there is none or it cannot be read;
    `runs` and `failed` are of the last 24 hours; `updated_at` is in µs; `by` saved last, empty for a program."""

    id: int
    name: str
    enabled: bool
    latest: int
    published: int | None
    problems: int
    start: Block | None
    config: BlockConfig | None
    runs: int
    failed: int
    updated_at: int
    by: str


def lines(session: Session, portal_id: int) -> list[Line]:
    """Every scenario, the one changed last first."""
    counts = _counts(session, portal_id)
    query = (
        select(Scenario, Version)
        .join(Version, (col(Version.scenario_id) == Scenario.id) & (col(Version.n) == Scenario.latest))
        .where(Scenario.portal_id == portal_id, col(Scenario.deleted_at).is_(None))
        .order_by(col(Scenario.updated_at).desc(), col(Scenario.id).desc())
    )
    return [_line(scenario, newest, counts.get(scenario.id or 0, {})) for scenario, newest in session.exec(query)]


def live(session: Session, scenario: Scenario) -> dict[str, Any]:
    """`{"accepted_24h", "failed_24h", "last_request": {"id", "at" (µs), "outcome"} | None}`."""
    since = id_at(now_us() - DAY_S * SECOND)
    connection = session.connection()
    accepted = connection.execute(_ACCEPTED, {"scenario": scenario.id, "since": since}).scalar_one()
    failed = select(func.count()).where(
        Run.scenario_id == scenario.id, Run.status == FAILED, col(Run.id) >= since, col(Run.dry).is_(False)
    )
    # One question for each outcome, since the index begins with it: so none of them reads more than a row.
    asked = {"portal": scenario.portal_id, "scenario": scenario.id}
    found = [connection.execute(_LAST_REQUEST, asked | {"outcome": outcome}).first() for outcome in OUTCOMES]
    last = max((row for row in found if row is not None), key=lambda row: str(row[0]), default=None)
    return {
        "accepted_24h": accepted,
        "failed_24h": session.exec(failed).one(),
        "last_request": None if last is None else {"id": last[0], "at": last[1], "outcome": last[2]},
    }


def _counts(session: Session, portal_id: int) -> dict[int, dict[str, int]]:
    since = id_at(now_us() - DAY_S * SECOND)
    query = (
        select(Run.scenario_id, Run.status, func.count())
        .where(Run.portal_id == portal_id, col(Run.id) >= since, col(Run.dry).is_(False))
        .group_by(col(Run.scenario_id), col(Run.status))
    )
    counts: dict[int, dict[str, int]] = {}
    for scenario_id, status, number in session.exec(query):
        counts.setdefault(scenario_id, {})[status] = number
    return counts


def _line(scenario: Scenario, newest: Version, counts: dict[str, int]) -> Line:
    assert scenario.id is not None
    start, config = _start(newest)
    problems = sum(1 for problem in loads(newest.problems) if problem["severity"] == "error")
    return Line(
        id=scenario.id,
        name=scenario.name,
        enabled=scenario.enabled,
        latest=scenario.latest,
        published=scenario.published,
        problems=problems,
        start=start,
        config=config,
        runs=sum(counts.values()),
        failed=counts.get(FAILED, 0),
        updated_at=scenario.updated_at,
        by=newest.saved_by,
    )


def _start(newest: Version) -> tuple[Block | None, BlockConfig | None]:
    known = blocks()
    for node in parse_document(loads(newest.document)).blocks:
        block = known.get(node.type)
        if block is not None and block.start:
            return block, _config(block, node)
    return None, None


def _config(block: Block, node: BlockNode) -> BlockConfig | None:
    try:
        return block.Config.model_validate(block.upgrade(dict(node.config), node.version))
    except ValueError:
        return None  # its problems are counted beside it
