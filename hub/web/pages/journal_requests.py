"""The journal of requests: what arrived at the links and from cards, what became of it, and running it again."""

from typing import Any, Literal

from flask import Response, redirect, render_template, request
from flask_babel import ngettext
from sqlmodel import Session
from werkzeug.wrappers import Response as AnyResponse

from hub.endpoints import queries, replay
from hub.endpoints.queries import RequestFilter
from hub.errors import HubError
from hub.scenarios import queries as scenarios
from hub.scenarios import versions
from hub.scenarios.listing import OUTCOMES
from hub.web.access.identity import only_looks
from hub.web.api import requests as shapes
from hub.web.i18n import language
from hub.web.pages import filters, outcomes
from hub.web.pages.shell import hub, me, needs, page, runtime, screens
from hub.web.sentences import said

blueprint = screens("journal_requests")
Which = Literal["current", "same", "draft"]
VERSIONS: tuple[Which, ...] = ("current", "same", "draft")


@blueprint.get("/journal")
def index() -> Response:
    """The newest requests, by the filters of the address."""
    days = filters.span()
    wanted = RequestFilter(filters.number("scenario"), filters.one_of("outcome", OUTCOMES), days.after, days.before)
    below = request.args.get("below", "")[:32] or None
    with hub().db.read() as session:
        found = queries.find(session, me().portal_id, wanted, below=below, limit=filters.PAGE + 1)
        items = [shapes.summary(one, language()) for one in found[: filters.PAGE]]
        names = scenarios.names(session, me().portal_id)
        link = _a_link(session) if not found and not filters.is_filtered() else None
        following = filters.here(below=items[-1]["id"]) if len(found) > filters.PAGE else None
        became = outcomes.of_requests(session, me().portal_id, found[: filters.PAGE])
        times = {one.id: one.received_at for one in found}
        html = render_template(
            "journal/requests.html",
            items=items,
            times=times,
            became=became,
            names=names,
            wanted=wanted,
            days=days,
            outcomes=OUTCOMES,
            following=following,
            filtered=filters.is_filtered(),
            link=link,
        )
    return page(html)


@blueprint.get("/journal/requests/<request_id>")
def show(request_id: str) -> Response:
    """One request, whole; what is called like a secret is hidden."""
    return _page(request_id)


@blueprint.post("/journal/requests/<request_id>/replay")
@needs("editor")
def again(request_id: str) -> AnyResponse:
    """Run it again. Asked first when messages would go out a second time."""
    given = request.form
    version: Which = next((one for one in VERSIONS if one == given.get("version")), "current")
    only_undelivered = given.get("messages") == "undelivered"
    try:
        made = replay.replay(
            runtime(),
            me().portal_id,
            request_id,
            version=version,
            dry=given.get("sure") != "yes",
            only_undelivered=only_undelivered,
        )
        if given.get("sure") != "yes":
            if made["would_repeat"] or given.get("look") == "yes":
                return _page(request_id, trial=made, version=version, only_undelivered=only_undelivered)
            made = replay.replay(
                runtime(),
                me().portal_id,
                request_id,
                version=version,
                dry=False,
                only_undelivered=only_undelivered,
            )
    except HubError as error:
        return _page(request_id, error=said(error.message), status=error.status)
    return redirect(f"/journal/runs/{made['run']}?done=runs-again", 303)


def _a_link(session: Session) -> str | None:
    """A link to try, of the newest scenario that has one; none for people who may only look on."""
    if only_looks():
        return None
    for scenario in versions.all_of(session, me().portal_id):
        links = versions.to_dict(session, hub(), scenario)["links"]
        if links:
            return str(links["token_only"])
    return None


def _page(request_id: str, status: int = 200, **more: Any) -> Response:
    with hub().db.read() as session:
        found = queries.get(session, me().portal_id, request_id)
        shown = shapes.shown(session, found, language())
        received_at = found.received_at
        names = scenarios.names(session, me().portal_id)
        runs = scenarios.of_request(session, me().portal_id, request_id)
        became = outcomes.of_runs(session, me().portal_id, runs)
        came = outcomes.of_requests(session, me().portal_id, [found])[request_id]
    readable = shown["outcome"] != "refused" or replay.is_readable(runtime(), request_id)
    trial = more.get("trial")
    twice = trial["would_repeat"] if trial else 0
    warning = (
        ngettext("%(num)d message would go out a second time.", "%(num)d messages would go out a second time.", twice)
        if twice
        else ""
    )
    html = render_template(
        "journal/request.html",
        one=shown,
        received_at=received_at,
        names=names,
        runs=runs,
        became=became,
        came=came,
        readable=readable,
        warning=warning,
        trial=trial,
        version=more.get("version", "current"),
        only_undelivered=more.get("only_undelivered", False),
        error=more.get("error", ""),
    )
    return page(html, status)
