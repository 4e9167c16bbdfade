"""The journal of runs: which blocks a run went through, with what, what it sent, and taking it up again."""

from dataclasses import dataclass

from flask import Response, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from hub.delivery import journal
from hub.endpoints import replay, taking_up
from hub.endpoints.taking_up import Start, Which
from hub.errors import HubError
from hub.scenarios import failed_runs, queries, versions
from hub.scenarios.models import Scenario
from hub.scenarios.queries import IN_TROUBLE, STATUSES, RunFilter
from hub.web.api.runs import shown
from hub.web.pages import filters, outcomes
from hub.web.pages.run_steps import step_lines
from hub.web.pages.running_again import going_on, second_time
from hub.web.pages.shell import hub, me, needs, page, runtime, screens
from hub.web.sentences import said

blueprint = screens("journal_runs")
MOST_ALIKE = 200


@dataclass(frozen=True)
class Asked:
    """What somebody is asked before runs begin anew: how many messages would go out twice, and what was chosen."""

    twice: int
    version: Which
    alike: bool


@blueprint.get("/journal/runs")
def index() -> Response:
    """The newest runs, by the filters of the address."""
    days = filters.span()
    wanted = RunFilter(filters.number("scenario"), filters.several_of("status", STATUSES), days.after, days.before)
    below = request.args.get("below", "")[:32] or None
    with hub().db.read() as session:
        found = queries.find(session, me().portal_id, wanted, below=below, limit=filters.PAGE + 1)
        items = queries.of_ids(session, me().portal_id, [run.id for run in found[: filters.PAGE]])
        became = outcomes.of_runs(session, me().portal_id, items)
        names = queries.names(session, me().portal_id)
        following = filters.here(below=items[-1].id) if len(found) > filters.PAGE else None
        html = render_template(
            "journal/runs.html",
            items=items,
            became=became,
            names=names,
            wanted=wanted,
            days=days,
            statuses=STATUSES,
            following=following,
            filtered=filters.is_filtered(),
        )
    return page(html)


@blueprint.get("/journal/runs/<run_id>")
def show(run_id: str) -> Response:
    """One run: its blocks in order, its messages, and what can be done about it."""
    return _page(run_id)


@blueprint.post("/journal/runs/<run_id>/retry")
@needs("editor")
def retry(run_id: str) -> AnyResponse:
    """Take it up again, and with `alike` all runs of the scenario that failed with the same error. Asked first when
    messages would go out a second time."""
    given = request.form
    start: Start = "start" if given.get("from") == "start" else "failed"
    version: Which = "current" if given.get("version") == "current" else "same"
    alike, only_undelivered = given.get("alike") == "yes", given.get("messages") == "undelivered"
    ids = [run_id, *(_alike(run_id) if alike else [])]
    if start == "start" and given.get("sure") != "yes":
        with hub().db.sql() as sql:
            twice = replay.would_repeat(sql, me().portal_id, ids)
        if twice:
            return _page(run_id, asked=Asked(twice, version, alike))
    if alike:
        count, refused = taking_up.retry_all(
            runtime(), me().portal_id, ids, start=start, version=version, only_undelivered=only_undelivered
        )
        if refused:
            went = going_on(count)
            return _page(run_id, " ".join([went, *(said(one) for one in refused)]), 409)
        return redirect(f"/journal/runs/{run_id}?done=alike&count={count}", 303)
    try:
        made = taking_up.retry(
            runtime(), me().portal_id, run_id, start=start, version=version, only_undelivered=only_undelivered
        )
    except HubError as error:
        return _page(run_id, said(error.message), error.status)
    return redirect(f"/journal/runs/{made['run']}?done=goes-on", 303)


@blueprint.post("/journal/runs/<run_id>/bring-back")
@needs("editor")
def bring_back(run_id: str) -> AnyResponse:
    """Let the version before that of this run, which went wrong, run again."""
    wanted = request.form.get("version", 0, type=int)
    try:
        with hub().db.write() as session:
            run = shown(session, me().portal_id, run_id)
            scenario = versions.get(session, me().portal_id, run["scenario"], lock=True)
            versions.restore(session, hub(), scenario, wanted, by=me().name)
    except HubError as error:
        return _page(run_id, said(error.message), error.status)
    return redirect(f"/journal/runs/{run_id}?done=brought-back&count={wanted}", 303)


@blueprint.post("/journal/runs/<run_id>/cancel")
@needs("editor")
def cancel(run_id: str) -> AnyResponse:
    """Stop it; its messages that still wait are cancelled."""
    try:
        taking_up.cancel(runtime(), me().portal_id, run_id)
    except HubError as error:
        return _page(run_id, said(error.message), error.status)
    return redirect(f"/journal/runs/{run_id}?done=stopped", 303)


def _done() -> str:
    """What has just happened, told by the address."""
    said_by: dict[str, str] = {
        "runs-again": gettext("The request runs again."),
        "goes-on": gettext("The run goes on."),
        "stopped": gettext("The run was stopped."),
        "brought-back": gettext("New requests run version %(n)s again.", n=filters.number("count") or 0),
        "alike": going_on(filters.number("count") or 0),
    }
    return said_by.get(request.args.get("done", ""), "")


def _alike(run_id: str) -> list[str]:
    with hub().db.read() as session:
        return failed_runs.alike(session, me().portal_id, run_id, limit=MOST_ALIKE)


def _page(run_id: str, error: str = "", status: int = 200, *, asked: Asked | None = None) -> Response:
    with hub().db.read() as session:
        run = shown(session, me().portal_id, run_id)
        kept = queries.version_at(session, me().portal_id, run["scenario"], run["version"])
        nodes = {block.id: block for block in versions.document_of(kept).blocks} if kept else {}
        steps = step_lines(run["steps"], nodes)
        written = journal.addressed(session, me().portal_id, [run_id]).get(run_id)
        messages = journal.shown(session, journal.of_run(session, me().portal_id, run_id))
        names = queries.names(session, me().portal_id)
        alike = failed_runs.alike(session, me().portal_id, run_id, limit=MOST_ALIKE)
        scenario = session.get(Scenario, run["scenario"])
        current = scenario.published if scenario is not None and scenario.deleted_at is None else None
        before = None
        if current is not None and run["version"] == current:
            before = queries.version_before(session, me().portal_id, run["scenario"], current)
    failed_again = run["status"] == "failed" and request.args.get("done") == "goes-on"
    again = gettext("The run went on and has failed again.") if failed_again else ""
    can_retry = run["status"] in IN_TROUBLE and run["status"] != "partial"
    html = render_template(
        "journal/run.html",
        done="" if again else _done(),
        run=run,
        steps=steps,
        failed_at=max((at for at, line in enumerate(steps) if line.step["status"] == "failed"), default=None),
        messages=messages,
        written=written,
        names=names,
        alike=len(alike),
        current=current,
        before=before,
        can_retry=can_retry,
        asked=asked,
        warning=second_time(asked.twice) if asked else "",
        can_cancel=run["status"] in queries.NOT_OVER,
        error=error or again,
    )
    return page(html, status)
