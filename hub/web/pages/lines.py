"""Lines: how each stands, connecting one, trying it, holding it, and what waits on it after an outage."""

from typing import Any

from flask import Response, redirect, render_template, request
from flask_babel import gettext, ngettext
from sqlmodel import Session
from werkzeug.wrappers import Response as AnyResponse

from connectors.channel import secret_fields
from connectors.registry import channels
from hub.clock import SECOND, now_us
from hub.delivery import journal, lines, probing, waiting
from hub.delivery.lines import LineSettings
from hub.errors import Conflict, HubError, Invalid, NotFound
from hub.web.pages import line_cards, line_words, schema_form
from hub.web.pages.shell import hub, me, needs, page, screens
from hub.web.sentences import said

blueprint = screens("lines")
SHOWN_WAITING = 100
Errors = list[dict[str, Any]]


@blueprint.get("/lines")
def index() -> Response:
    """A card for each."""
    with hub().db.read() as session:
        standing = waiting.standings(session, me().portal_id)
        cards = [line_cards.card(line, standing[line.id]) for line in lines.all_of(session, me().portal_id)]
    gone = request.args.get("done") == "gone"
    return page(render_template("lines/index.html", cards=cards, gone=gone, seconds_since=_seconds_since))


@blueprint.get("/lines/new")
@needs("admin")
def new() -> Response:
    """First the messenger, then its form."""
    return _new(request.args.get("channel", ""))


@blueprint.post("/lines/new")
@needs("admin")
def create() -> AnyResponse:
    """Keep the line and ask its messenger who we are there."""
    channel = request.form.get("channel", "")
    if channel not in channels():
        raise NotFound("There is no such channel.")
    try:
        settings = lines.parse_settings(_given_settings())
        with hub().db.write() as session:
            line = lines.create(
                session,
                hub(),
                me().portal_id,
                name=request.form.get("name", ""),
                channel=channel,
                config=_given_config(channel),
                settings=settings,
            )
            line_id = line.id
    except Invalid as error:
        return _new(channel, error)
    made = _page(line_id, checked=probing.check(hub(), me().portal_id, line_id))
    made.headers["HX-Push-Url"] = f"/lines/{line_id}"
    return made


@blueprint.get("/lines/<line_id>")
def show(line_id: str) -> Response:
    """One line, whole."""
    return _page(line_id)


@blueprint.post("/lines/<line_id>")
@needs("admin")
def change(line_id: str) -> AnyResponse:
    """Keep what was changed, and ask the messenger again. What waits is not let go by that."""
    portal_id = me().portal_id
    try:
        with hub().db.write() as session:
            line = lines.get(session, portal_id, line_id)
            name, config, settings = request.form.get("name"), _given_config(line.channel), _given_settings()
            lines.update(session, hub(), line, name=name, config=config, settings=settings, retry=False)
    except Invalid as error:
        return _page(line_id, error=error)
    return _page(line_id, checked=_checked(line_id), done=gettext("Saved."))


@blueprint.post("/lines/<line_id>/check")
@needs("editor")
def check(line_id: str) -> AnyResponse:
    """Ask the messenger whether the line works, and let it go on; one that was refused only as far as nothing waits."""
    return _page(line_id, checked=_checked(line_id))


@blueprint.post("/lines/<line_id>/pause")
@needs("editor")
def pause(line_id: str) -> AnyResponse:
    """Hold everything on it."""
    with hub().db.write() as session:
        lines.pause(session, lines.get(session, me().portal_id, line_id))
    return redirect(f"/lines/{line_id}", 303)


@blueprint.post("/lines/<line_id>/resume")
@needs("editor")
def resume(line_id: str) -> AnyResponse:
    """Let it go on, once it works; messages that were shown and not ticked are cancelled."""
    portal_id = me().portal_id
    with hub().db.read() as session:
        broken = lines.get(session, portal_id, line_id).state in lines.OUT_OF_ORDER
    if broken:
        checked = probing.check(hub(), portal_id, line_id, hold=True)
        if not checked["ok"]:
            return _page(line_id, checked=checked)
    kept = set(request.form.getlist("keep"))
    dropped = [one for one in request.form.getlist("shown")[:SHOWN_WAITING] if one not in kept]
    count = waiting.release(hub(), portal_id, line_id, dropped=dropped)
    return redirect(f"/lines/{line_id}?done=resumed&count={count}", 303)


@blueprint.post("/lines/<line_id>/test")
@needs("editor")
def send_test(line_id: str) -> AnyResponse:
    """Send a text to a recipient that was typed in, by the same way that all messages go."""
    chat, text = (request.form.get(name, "").strip() for name in ("chat", "text"))
    try:
        message_id = waiting.send_test(hub(), me().portal_id, line_id, chat, text or gettext("A test message"))
    except Invalid as error:
        return _page(line_id, error=error)
    return redirect(f"/lines/{line_id}?test={message_id}#test", 303)


@blueprint.post("/lines/<line_id>/delete")
@needs("admin")
def delete(line_id: str) -> AnyResponse:
    """Take it away; refused while messages wait on it."""
    try:
        with hub().db.write() as session:
            lines.delete(session, lines.get(session, me().portal_id, line_id))
    except Conflict as error:
        return _page(line_id, error=error)
    return redirect("/lines?done=gone", 303)


def _checked(line_id: str) -> dict[str, Any]:
    """What the messenger says. A refused line may have waited for days: what does is let go by whoever has seen it."""
    with hub().db.read() as session:
        refused = lines.get(session, me().portal_id, line_id).state not in ("active", "unreachable")
        waits = bool(lines.queues(session, me().portal_id).get(line_id))
    return probing.check(hub(), me().portal_id, line_id, hold=refused and waits)


def _new(channel: str, error: Invalid | None = None) -> Response:
    known = channels()
    kind = known.get(channel)
    html = render_template(
        "lines/new.html",
        kinds={name: line_words.CHANNELS.get(name, (one.title, "")) for name, one in known.items()},
        channel=channel if kind else "",
        name=request.form.get("name", ""),
        config=_config_fields(channel, request.form, error) if kind else [],
        settings=_settings_fields(request.form, error),
        error=_error_of(error),
        name_error=_error_at(error, "/name"),
    )
    return page(html, 422 if error else 200)


def _page(
    line_id: str, *, checked: dict[str, Any] | None = None, error: HubError | None = None, done: str = ""
) -> Response:
    person = me()
    with hub().db.read() as session:
        line = lines.get(session, person.portal_id, line_id)
        standing = waiting.standings(session, person.portal_id)[line_id]
        card = line_cards.card(line, standing)
        shown = lines.to_dict(hub(), line, standing.queue)
        held = line.state != "active"
        queue = waiting.queued(session, person.portal_id, line_id, limit=SHOWN_WAITING) if held else []
        stale = waiting.count_stale(session, person.portal_id, line_id, now=now_us()) if held else 0
        rows = [
            {
                "id": one.id,
                "chat": one.chat_id_raw,
                "text": one.text,
                "at": one.created_at,
                "stale": line_cards.is_stale(one),
            }
            for one in queue
        ]
        test = _test(session, request.args.get("test", ""))
    prefixed = request.form if isinstance(error, Invalid) and "config.token" in request.form else None
    html = render_template(
        "lines/show.html",
        line=card,
        rows=rows,
        fresh=standing.queue - stale,
        stale=stale,
        more=max(0, standing.queue - len(rows)),
        checked=checked,
        refused=None if checked is None or checked["ok"] else line_cards.refused(card, checked["error"]),
        config=_config_fields(card["channel"], prefixed or shown["config"], error),
        settings=_settings_fields(prefixed or shown["settings"], error),
        name_error=_error_at(error, "/name"),
        webhook=shown["webhook_url"] if person.may("editor") else "",
        how_to=line_words.WEBHOOKS.get(card["channel"], ""),
        test=test,
        error=_error_of(error),
        done=done or _done(),
        seconds_since=_seconds_since,
    )
    return page(html, 200 if error is None else error.status)


def _test(session: Session, message_id: str) -> dict[str, Any] | None:
    if not message_id:
        return None
    message = journal.get(session, me().portal_id, message_id[:32])
    (shown,) = journal.shown(session, [message])
    return shown | {"moving": message.state in ("queued", "sending")}


def _config_fields(channel: str, values: Any, error: HubError | None) -> list[schema_form.Field]:
    kind = channels()[channel].Config
    return schema_form.fields(
        kind.model_json_schema(),
        _unprefixed(values, "config."),
        words=line_words.CONFIG.get(channel, {}),
        secrets=secret_fields(kind),
        errors=_errors_at(error, "/config/"),
    )


def _settings_fields(values: Any, error: HubError | None) -> list[schema_form.Field]:
    return schema_form.fields(
        LineSettings.model_json_schema(),
        _unprefixed(values, "settings."),
        words=line_words.SETTINGS,
        choices=line_words.CHOICES,
        errors=_errors_at(error, "/settings/"),
    )


def _unprefixed(values: Any, prefix: str) -> dict[str, Any]:
    return {key.removeprefix(prefix): value for key, value in values.items()}


def _given_config(channel: str) -> dict[str, Any]:
    return schema_form.given(channels()[channel].Config.model_json_schema(), request.form, "config.")


def _given_settings() -> dict[str, Any]:
    return schema_form.given(LineSettings.model_json_schema(), request.form, "settings.")


def _errors_at(error: HubError | None, start: str) -> dict[str, str]:
    return schema_form.errors_at(error.members.get("errors", []), start) if error else {}


def _error_at(error: HubError | None, pointer: str) -> str:
    return said(_errors_at(error, pointer).get("", ""))


def _error_of(error: HubError | None) -> str:
    return said(error.message) if error else ""


def _seconds_since(moment: int) -> float:
    return max(0, (now_us() - moment) / SECOND)


def _done() -> str:
    if request.args.get("done") != "resumed":
        return ""
    count = request.args.get("count", 0, type=int)
    told = gettext("The line is working again.")
    if count:
        told += " " + ngettext("%(num)d message was cancelled.", "%(num)d messages were cancelled.", count)
    return str(told)
