"""Undelivered runs: those that failed before there was a message, by reasons, and running them again or not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from flask import Response, redirect, render_template, request
from flask_babel import gettext, ngettext
from sqlmodel import Session
from werkzeug.wrappers import Response as AnyResponse

from hub.clock import SECOND, now_us
from hub.delivery.undelivered import OLD_AFTER_S, message_of
from hub.endpoints import customers, replay, taking_up
from hub.endpoints.customers import NOBODY, Customer
from hub.endpoints.taking_up import Start, Which
from hub.scenarios import failed_runs, queries
from hub.scenarios.failed_runs import Failed
from hub.scenarios.models import Run
from hub.scenarios.registry import blocks
from hub.values import loads
from hub.web.pages import filters
from hub.web.pages.running_again import going_on, second_time
from hub.web.pages.shell import hub, me, needs, page, runtime, screens
from hub.web.sentences import said

blueprint = screens("undelivered_runs")
AT_ONCE = 200
"""How many are run again by one press; each is a run of its own, and the person waits for all of them."""


@dataclass(frozen=True)
class FailedRow:
    """A run as its row shows it; `block` is what the block that failed is called, `since` when it failed, µs."""

    id: str
    scenario_id: int
    customer: Customer
    block: str
    reason: str
    said: str
    since: int


def rows(session: Session, portal_id: int, found: Sequence[Run]) -> list[FailedRow]:
    """These runs with their customers and blocks."""
    known = customers.of_requests(session, portal_id, [run.request_id for run in found])
    drawn = queries.blocks_of(session, {run.version_id for run in found})
    return [_row(run, known, drawn.get(run.version_id, {})) for run in found]


def chosen() -> Failed:
    """The runs that the address or the form means: those ticked, or those of a scenario and a reason."""
    given = request.values
    ids = tuple(one[:32] for one in given.getlist("run"))[: filters.PAGE]
    return Failed(filters.number("scenario", given), given.get("failed", "")[:64] or None, ids)


def done() -> str:
    """What has just happened, told by the address."""
    count = filters.number("count") or 0
    match request.args.get("done", ""):
        case "runs":
            return going_on(count)
        case "runs-discarded":
            return str(ngettext("%(num)d run was dismissed.", "%(num)d runs were dismissed.", count))
    return ""


@blueprint.get("/undelivered/runs")
def plan() -> Response:
    """What running the chosen ones again would do, before it happens."""
    return _planned()


@blueprint.post("/undelivered/runs/again")
@needs("editor")
def again() -> AnyResponse:
    """Run the chosen ones again, the oldest first."""
    given = request.form
    start: Start = "start" if given.get("from") == "start" else "failed"
    version: Which = "same" if given.get("version") == "same" else "current"
    with hub().db.read() as session:
        ids = failed_runs.oldest(session, me().portal_id, _until(), limit=AT_ONCE)
    count, refused = taking_up.retry_all(
        runtime(),
        me().portal_id,
        ids,
        start=start,
        version=version,
        only_undelivered=given.get("messages") != "all",
    )
    if refused:
        went = going_on(count)
        return _planned(" ".join([went, *(said(one) for one in refused)]), 409)
    return redirect(f"/undelivered?done=runs&count={count}", 303)


@blueprint.post("/undelivered/runs/discard")
@needs("editor")
def discard() -> AnyResponse:
    """Put the chosen ones aside."""
    count = failed_runs.put_aside(hub(), me().portal_id, _until())
    return redirect(f"/undelivered?done=runs-discarded&count={count}", 303)


def _until() -> Failed:
    return replace(chosen(), before=filters.number("until", request.form) or now_us())


def _planned(problem: str = "", status: int = 200) -> Response:
    portal_id, wanted, until = me().portal_id, chosen(), now_us()
    with hub().db.read() as session:
        count = failed_runs.count(session, portal_id, wanted)
        old = failed_runs.count(session, portal_id, replace(wanted, before=until - OLD_AFTER_S * SECOND))
        ids = failed_runs.oldest(session, portal_id, wanted, limit=AT_ONCE)
        names = queries.names(session, portal_id)
        with hub().db.sql() as sql:
            repeated = replay.would_repeat(sql, portal_id, ids) if ids else 0
        warning = second_time(repeated)
        html = render_template(
            "undelivered/runs.html",
            problem=problem,
            count=count,
            old=old,
            now=len(ids),
            warning=warning if repeated else "",
            wanted=wanted,
            scenario=names.get(wanted.scenario or 0, ""),
            until=until,
            back=f"/undelivered?{urlencode(_kept(wanted))}" if wanted.reason else "/undelivered",
        )
    return page(html, status)


def _kept(wanted: Failed) -> list[tuple[str, str]]:
    return [("scenario", str(wanted.scenario or "")), ("failed", wanted.reason or "")]


def _row(run: Run, known: dict[str, Customer], drawn: dict[str, tuple[str, str]]) -> FailedRow:
    block = str((loads(run.error) or {}).get("block") or "") if run.error else ""
    title, kind = drawn.get(block, ("", ""))
    known_kind = blocks().get(kind)
    return FailedRow(
        run.id,
        run.scenario_id,
        known.get(run.request_id or "", NOBODY),
        title or (str(gettext(known_kind.title)) if known_kind else block),
        run.reason or "",
        message_of(run.error),
        run.ended_at or run.created_at,
    )
