"""Undelivered: what did not arrive, by reasons, and what to do about it, one by one or many at once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from flask import Response, redirect, render_template, request
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response as AnyResponse

from connectors.registry import channels
from hub.bitrix24 import repaired
from hub.clock import SECOND, now_us
from hub.delivery import interventions, journal, lines, undelivered
from hub.delivery.interventions import USUAL, Beside
from hub.delivery.journal import UNDELIVERED, Filter
from hub.errors import Conflict, HubError, Invalid
from hub.scenarios import failed_runs, queries
from hub.web.pages import filters, undelivered_runs
from hub.web.pages.shell import hub, me, needs, page, screens
from hub.web.sentences import said

blueprint = screens("undelivered")
STATES = {"unconfirmed": ("unconfirmed",), "failed": USUAL}
"""What `?state=` may ask for; without it, all that somebody should look at."""


@blueprint.get("/undelivered")
def index() -> Response:
    """Groups by reason, and below them the messages of one group or of all."""
    return _page()


@blueprint.get("/undelivered/plan")
def plan() -> Response:
    """What would happen to the chosen messages, before it happens."""
    return page(_planned())


def _planned(*, problem: str = "") -> str:
    now, chosen = now_us(), _chosen()
    with hub().db.read() as session:
        parts = undelivered.count_parts(session, me().portal_id, chosen, now=now)
        states = journal.count_by_state(session, me().portal_id, chosen)
    return render_template(
        "undelivered/plan.html",
        problem=problem,
        parts=parts,
        whole=sum(states.values()),
        lineless=sum(states.values()) - sum(parts.values()),
        kept=_kept(),
        until=now,
        back=_address(_kept_query()),
    )


@blueprint.post("/undelivered/send")
@needs("editor")
def send() -> AnyResponse:
    """Send the ticked parts of the chosen messages again."""
    parts = [part for part in undelivered.PARTS if part in request.form.getlist("part")]
    if not parts:
        return page(
            _planned(problem=gettext("Nothing is selected, so nothing was sent. Select what to send again.")), 422
        )
    chosen, until = _chosen(), filters.number("until", request.form) or now_us()
    count = undelivered.send_again(hub(), me().portal_id, chosen, parts, until=until)
    return redirect(_address([("done", "sent"), ("count", str(count))]), 303)


@blueprint.post("/undelivered/discard")
@needs("editor")
def discard_many() -> AnyResponse:
    """Put all the chosen messages aside."""
    until = filters.number("until", request.form) or now_us()
    count = undelivered.discard(hub(), me().portal_id, replace(_chosen(), before=until))
    return redirect(_address([("done", "discarded"), ("count", str(count))]), 303)


@blueprint.post("/undelivered/settle")
@needs("editor")
def settle_many() -> AnyResponse:
    """Say of all the chosen messages of which nobody knew whether they arrived."""
    until, arrived = filters.number("until", request.form) or now_us(), request.form.get("as") == "sent"
    chosen = replace(_chosen(), before=until)
    count = undelivered.settle(hub(), me().portal_id, chosen, "sent" if arrived else "failed")
    return redirect(_address([("done", "arrived" if arrived else "lost"), ("count", str(count))]), 303)


@blueprint.post("/undelivered/<message_id>/send")
@needs("editor")
def send_one(message_id: str) -> AnyResponse:
    """Send one again, to another number or by another line if given; the number may be written to its contact, too."""
    given, portal_id = request.form, me().portal_id
    chat, line_id = given.get("chat_id", "").strip(), given.get("line") or None
    writes = "write_back" in given

    def act() -> None:
        beside = _writing_back(message_id, line_id) if writes else None
        interventions.redeliver(hub(), portal_id, message_id, line_id=line_id, chat_id=chat or None, beside=beside)

    return _do(act, "repaired" if writes else "sent")


@blueprint.post("/undelivered/<message_id>/settle")
@needs("editor")
def settle(message_id: str) -> AnyResponse:
    """Say what became of one of which nobody knew."""
    arrived = request.form.get("as") == "sent"

    def act() -> None:
        interventions.settle(hub(), me().portal_id, message_id, "sent" if arrived else "failed")

    return _do(act, "arrived" if arrived else "lost")


@blueprint.post("/undelivered/<message_id>/discard")
@needs("editor")
def discard(message_id: str) -> AnyResponse:
    """Put one aside."""

    def act() -> None:
        undelivered.discard(hub(), me().portal_id, Filter(ids=(message_id,)))

    return _do(act, "discarded")


def _writing_back(message_id: str, line_id: str | None) -> Beside:
    """What writes the number that a message goes to now to the contact that its first one came from. Raises Conflict,
    Invalid."""
    portal_id = me().portal_id
    with hub().db.sql() as sql:
        origin = repaired.origins(sql, portal_id, [message_id]).get(message_id)
    if origin is None:
        raise Conflict("The number of this message is no longer known to be a contact's. Nothing was sent.")
    if line_id is not None:
        with hub().db.read() as session:
            line = lines.get(session, portal_id, line_id)
            if channels()[line.channel].carries.recipients != "phone":
                raise Invalid("This line writes to chats; only a phone number can go to the contact. Nothing was sent.")
    return lambda sql, number: repaired.write_back(sql, portal_id, message_id, origin, number)


def _do(act: Callable[[], None], done: str) -> AnyResponse:
    try:
        act()
    except HubError as error:
        return _page(said(error.message), error.status)
    return redirect(_address([*_kept_query(), ("done", done), ("count", "1")]), 303)


def _page(problem: str = "", status: int = 200) -> Response:
    portal_id, wanted = me().portal_id, replace(_chosen(), ids=())
    with hub().db.read() as session:
        below = filters.number("below")
        found = journal.find(session, portal_id, wanted, below=below, limit=filters.PAGE + 1)
        rows = [_row(one) for one in found[: filters.PAGE]]
        groups = undelivered.groups(session, portal_id)
        run_groups = failed_runs.groups(session, portal_id)
        wanted_runs, older = undelivered_runs.chosen(), request.args.get("older", "")[:32] or None
        failed = failed_runs.find(session, portal_id, wanted_runs, below=older, limit=filters.PAGE + 1)
        runs = undelivered_runs.rows(session, portal_id, failed[: filters.PAGE])
        with hub().db.sql() as sql:
            of_contacts = repaired.origins(sql, portal_id, [row["id"] for row in rows])
        every, queues = lines.all_of(session, portal_id), lines.queues(session, portal_id)
        broken = [line for line in every if line.state in lines.OUT_OF_ORDER]
        html = render_template(
            "undelivered/show.html",
            rows=rows,
            of_contacts=of_contacts,
            groups=groups,
            total=sum(group.count for group in groups) + sum(group.count for group in run_groups),
            some_messages=bool(groups),
            runs=runs,
            run_groups=run_groups,
            wanted_runs=wanted_runs,
            names=queries.names(session, portal_id),
            following_runs=filters.here(older=runs[-1].id) if len(failed) > filters.PAGE else None,
            kept=_kept(),
            chosen=next((one for one in groups if wanted == undelivered.of_group(one.reason, one.unconfirmed)), None),
            query=urlencode(_kept_query()),
            lines={line.id: line for line in every},
            held=[(line, queues[line.id]) for line in broken if queues.get(line.id)],
            problem=problem,
            done=_done() or undelivered_runs.done(),
            seconds_since=lambda moment: max(0, (now_us() - moment) / SECOND),
            following=_address([*_kept_query(), ("below", str(rows[-1]["seq"]))])
            if len(found) > filters.PAGE
            else None,
        )
    return page(html, status)


def _row(message: Any) -> dict[str, Any]:
    return {
        "id": message.id,
        "seq": message.seq,
        "line": message.line_id,
        "chat": message.chat_id_raw or message.chat_id,
        "text": message.text,
        "state": message.state,
        "since": message.ended_at or message.created_at,
        "tries": message.attempts,
        "code": undelivered.code_of(message.error) or message.state,
        "said": undelivered.message_of(message.error),
        "run": message.run_id,
    }


def _chosen() -> Filter:
    """The messages that the address or the form means: those ticked, or those of a reason."""
    given = request.values
    ids = tuple(one[:32] for one in given.getlist("id"))[: filters.PAGE]
    states = STATES.get(given.get("state", ""), UNDELIVERED)
    return Filter(states=states, reason=given.get("reason", "")[:64] or None, ids=ids)


def _kept() -> dict[str, Any]:
    given = request.values
    return {
        "state": given.get("state", "") if given.get("state") in STATES else "",
        "reason": given.get("reason", "")[:64],
        "ids": [one[:32] for one in given.getlist("id")][: filters.PAGE],
    }


def _kept_query() -> list[tuple[str, str]]:
    kept = _kept()
    return [(name, kept[name]) for name in ("state", "reason") if kept[name]]


def _address(query: list[tuple[str, str]]) -> str:
    return f"/undelivered?{urlencode(query)}" if query else "/undelivered"


def _done() -> str:
    count = min(filters.number("count") or 0, 1_000_000_000)
    match request.args.get("done", ""):
        case "sent":
            return str(
                ngettext("%(num)d message is on its way again.", "%(num)d messages are on their way again.", count)
            )
        case "repaired":
            return str(gettext("The message is on its way again. Bitrix24 is being told its contact's new number."))
        case "discarded":
            return str(ngettext("%(num)d message was dismissed.", "%(num)d messages were dismissed.", count))
        case "arrived":
            return str(
                ngettext("%(num)d message is noted as arrived.", "%(num)d messages are noted as arrived.", count)
            )
        case "lost":
            return str(
                ngettext(
                    "%(num)d message is noted as not arrived. It can be sent again.",
                    "%(num)d messages are noted as not arrived. They can be sent again.",
                    count,
                )
            )
    return ""
