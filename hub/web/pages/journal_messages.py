"""The journal of messages: the way of each, and what a person may do: send again, take back, say what became of it."""

from flask import Response, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from hub.clock import now_us
from hub.delivery import interventions, journal, lines, quieting, why_waiting
from hub.delivery.journal import STATES, Filter
from hub.errors import HubError
from hub.scenarios import queries
from hub.web.pages import filters
from hub.web.pages.shell import hub, me, needs, page, screens
from hub.web.pages.words import state
from hub.web.sentences import said

blueprint = screens("journal_messages")
WAY = ("queued", "sending", "sent", "delivered", "read")


@blueprint.get("/journal/messages")
def index() -> Response:
    """The newest messages, by the filters of the address."""
    days = filters.span()
    wanted = _wanted(filters.several_of("state", STATES), days.after, days.before)
    with hub().db.read() as session:
        found = journal.find(session, me().portal_id, wanted, below=filters.number("below"), limit=filters.PAGE + 1)
        items = journal.shown(session, found[: filters.PAGE])
        all_lines = lines.all_of(session, me().portal_id)
        names = queries.names(session, me().portal_id)
        following = filters.here(below=found[filters.PAGE - 1].seq) if len(found) > filters.PAGE else None
        html = render_template(
            "journal/messages.html",
            items=items,
            times={one.id: one.created_at for one in found},
            wanted=wanted,
            days=days,
            states=STATES,
            lines=all_lines,
            names=names,
            following=following,
            filtered=filters.is_filtered(),
        )
    return page(html)


@blueprint.get("/journal/messages/<message_id>")
def show(message_id: str) -> Response:
    """One message: its way, its attempts, and what can be done about it."""
    return _page(message_id)


@blueprint.post("/journal/messages/<message_id>/<any(send, now, cancel, arrived, lost):act>")
@needs("editor")
def act_on(message_id: str, act: str) -> AnyResponse:
    """`send`, perhaps to another recipient or over another line; `now` in quiet hours; `cancel`; `arrived` or
    `lost` of one that nobody knows of."""
    given = request.form
    portal_id = me().portal_id
    try:
        if act == "send":
            interventions.redeliver(
                hub(),
                portal_id,
                message_id,
                line_id=given.get("line") or None,
                chat_id=given.get("chat_id", "").strip() or None,
            )
        elif act == "now":
            quieting.send_now(hub(), portal_id, message_id)
        elif act == "cancel":
            interventions.cancel(hub(), portal_id, message_id)
        else:
            interventions.settle(hub(), portal_id, message_id, "sent" if act == "arrived" else "failed")
    except HubError as error:
        return _page(message_id, said(error.message), error.status)
    return redirect(f"/journal/messages/{message_id}?done={act}", 303)


def _wanted(states: tuple[str, ...], after: int | None, before: int | None) -> Filter:
    return Filter(
        states=states,
        line=request.args.get("line", "")[:32] or None,
        scenario=filters.number("scenario"),
        reason=request.args.get("reason", "")[:64] or None,
        chat=request.args.get("chat", "").strip()[:255] or None,
        after=after,
        before=before,
    )


def _way(now: str) -> list[tuple[str, str]]:
    """The states of a message's way, and the tones of those that it has reached; one that ends elsewhere ends there."""
    if now in WAY:
        return [(name, "ok" if at <= WAY.index(now) else "") for at, name in enumerate(WAY)]
    began = WAY[: {"undelivered": 3, "failed": 2, "unconfirmed": 2}.get(now, 1)]
    return [*((name, "ok") for name in began), (now, state("message", now).tone)]


def _page(message_id: str, error: str = "", status: int = 200) -> Response:
    told: dict[str, str] = {
        "send": gettext("The message was queued again."),
        "now": gettext("It goes now."),
        "cancel": gettext("The message was cancelled."),
        "arrived": gettext("It counts as sent now."),
        "lost": gettext("It counts as not sent now."),
    }
    with hub().db.read() as session:
        message = journal.get(session, me().portal_id, message_id)
        (shown,) = journal.shown(session, [message])
        all_lines = lines.all_of(session, me().portal_id)
        names = queries.names(session, me().portal_id)
        moments = (message.created_at, message.due_at, message.sent_at, message.ended_at)
        scenario_id = message.scenario_id
        html = render_template(
            "journal/message.html",
            one=shown,
            moments=moments,
            way=_way(shown["state"]),
            lines=all_lines,
            waits=why_waiting.why(session, message, now=now_us()),
            scenario_id=scenario_id,
            names=names,
            can_send=shown["state"] in interventions.REDELIVERABLE,
            done=told.get(request.args.get("done", ""), ""),
            error=error,
        )
    return page(html, status)
