"""`/channels/<line token>`: where messengers report to, one address per line whatever the channel."""

from collections.abc import Sequence

from flask import Blueprint, Response, current_app, request

from connectors.channel import Callback, ChannelEvent
from connectors.errors import CallbackRefused
from hub.bitrix24 import openlines
from hub.clock import now_us
from hub.core import Hub
from hub.delivery import receipts
from hub.ids import token_hash
from hub.runtime import Runtime
from hub.secrets import SecretError
from hub.sql import Sql
from hub.web.body import read_body
from hub.web.problems import problem

BODY_LIMIT = 3 << 20
blueprint = Blueprint("channels", __name__)


@blueprint.route("/channels/<token>", methods=("GET", "POST"))
def report(token: str) -> Response:
    """Verify, note, and answer as the provider wants it: 200 also for what is not ours or not known."""
    hub: Hub = current_app.extensions["hub"]
    runtime: Runtime = current_app.extensions["hub.runtime"]
    with hub.db.sql() as sql:
        row = sql.one("SELECT id, deleted_at FROM line WHERE token_hash = ?", (token_hash(token),))
    if row is None:
        return problem(404, "not_found", "There is no such line.")
    if row[1] is not None:
        # Its portal is gone; a messenger that were refused would call again and again.
        return Response("ok", content_type="text/plain; charset=utf-8")
    body = read_body(BODY_LIMIT) if request.method == "POST" else b""
    if len(body) > BODY_LIMIT:
        return problem(413, "body_too_large", "The report is larger than 3 MiB.")
    try:
        channel = runtime.postman.line(row[0]).channel
    except (SecretError, ValueError):
        return problem(
            503, "line_unusable", "The config of this line cannot be read; report again later.", retry_after=60
        )
    callback = Callback(dict(request.headers.items()), request.args.to_dict(), body)
    try:
        events = channel.read(callback)
    except CallbackRefused as refused:
        return problem(403, "callback_refused", str(refused))
    try:
        changed = hub.db.writer.run(lambda sql: _note(sql, row[0], events), lines=(row[0],))
    except receipts.TooEarly:
        return problem(503, "too_early", "The message is being sent; report again in a moment.", retry_after=1)
    if changed:
        hub.ring()
    return Response(channel.answer(callback), content_type="text/plain; charset=utf-8")


def _note(sql: Sql, line_id: str, events: Sequence[ChannelEvent]) -> int:
    now = now_us()
    return receipts.record(sql, line_id, events, now=now) + openlines.pass_on(sql, line_id, events, now=now)
