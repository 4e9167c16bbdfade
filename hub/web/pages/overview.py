"""The first page: four numbers of today, what is out of order, the last runs, and one next step."""

from datetime import datetime
from typing import Literal

from flask import Response, render_template

from hub.clock import to_us
from hub.delivery import journal, lines
from hub.delivery.journal import Filter
from hub.scenarios import failed_runs, queries
from hub.web.i18n import zone
from hub.web.pages import health, outcomes
from hub.web.pages.shell import hub, me, page, screens

blueprint = screens("overview")
LAST = 10
Step = Literal["line", "scenario", "run", ""]


@blueprint.get("/")
def show() -> Response:
    """The overview of the portal of whoever is asking."""
    portal_id = me().portal_id
    midnight = datetime.now(zone()).replace(hour=0, minute=0, second=0, microsecond=0)
    since = to_us(midnight)
    with hub().db.read() as session:
        runs = queries.count_by_status(session, portal_id, since=since)
        states = journal.count_by_state(session, portal_id, Filter(after=since))
        queues = lines.queues(session, portal_id)
        undelivered = failed_runs.count_undelivered(session, portal_id)
        all_lines = lines.all_of(session, portal_id)
        latest = queries.latest(session, portal_id, limit=LAST)
        became = outcomes.of_runs(session, portal_id, latest)
        notices = health.open_notices(session, portal_id)
        known = {one.notice.subject for group in notices.values() for one in group}
        next_step: Step = ""
        if not all_lines:
            next_step = "line"
        elif not queries.any_scenario(session, portal_id):
            next_step = "scenario"
        elif not latest:
            next_step = "run"
        html = render_template(
            "overview/show.html",
            runs=sum(runs.values()),
            sent=sum(states.get(name, 0) for name in ("sent", "delivered", "read")),
            waiting=sum(queues.values()),
            undelivered=undelivered,
            notices=notices,
            broken=[line for line in all_lines if line.state in lines.OUT_OF_ORDER and line.id not in known],
            asking=[(line, queues[line.id]) for line in all_lines if lines.asks(line) and queues.get(line.id)],
            latest=latest,
            became=became,
            today=midnight.date().isoformat(),
            next_step=next_step,
        )
    return page(html)
