"""Routes about lines and the channels they can stand on."""

from dataclasses import asdict
from typing import Any

from flask_babel import gettext
from pydantic import Field

from connectors.registry import channels
from hub.delivery import lines, probing
from hub.delivery.models import Line
from hub.values import Value
from hub.web.api.base import Call, Input, route


class NewLine(Input):
    """A line as it is made; what `config` takes depends on the channel."""

    name: str
    channel: str = Field(max_length=32)
    config: dict[str, Any]
    settings: dict[str, Any] = Field(default_factory=dict)


class LineChange(Input):
    """What may change of a line; fields that are left out stay."""

    name: str | None = None
    config: dict[str, Any] | None = None
    settings: dict[str, Any] | None = None


@route("GET", "/channels", summary="The channels that exist", shape="Channel", page=True)
def list_channels(call: Call) -> Value:
    """Kind, title, JSON Schema of the config and what the channel carries."""
    shown = [
        {
            "kind": kind,
            "title": gettext(channel.title),
            "config": channel.Config.model_json_schema(),
            "capabilities": asdict(channel.carries),
        }
        for kind, channel in channels().items()
    ]
    return {"items": shown, "next": None}


@route("GET", "/lines", summary="All lines", shape="Line", page=True)
def list_lines(call: Call) -> Value:
    """By name; a portal has few, so they come on one page."""
    with call.hub.db.read() as session:
        waiting = lines.queues(session, call.portal_id)
        found = lines.all_of(session, call.portal_id)
        shown = [lines.to_dict(call.hub, line, waiting.get(line.id, 0)) for line in found]
    return {"items": shown, "next": None}


@route("POST", "/lines", summary="Add a line", body=NewLine, status=201, shape="Line", role="admin")
def create_line(call: Call) -> Value:
    """422 for an unknown channel, a config it does not take, a name in use."""
    given: NewLine = call.body
    settings = lines.parse_settings(given.settings)
    with call.hub.db.write() as session:
        line = lines.create(
            session,
            call.hub,
            call.portal_id,
            name=given.name,
            channel=given.channel,
            config=given.config,
            settings=settings,
        )
    return lines.to_dict(call.hub, line, 0)


@route("GET", "/lines/{line_id}", summary="One line", shape="Line")
def read_line(call: Call, line_id: str) -> Value:
    """Secrets come as •••."""
    return _shown(call, line_id)


@route("PATCH", "/lines/{line_id}", summary="Change a line", body=LineChange, shape="Line", role="admin")
def change_line(call: Call, line_id: str) -> Value:
    """A secret that comes back as ••• stays as it was."""
    given: LineChange = call.body
    with call.hub.db.write() as session:
        line = lines.get(session, call.portal_id, line_id)
        lines.update(session, call.hub, line, name=given.name, config=given.config, settings=given.settings)
    call.hub.ring()
    return _shown(call, line_id)


@route("DELETE", "/lines/{line_id}", summary="Take a line away", status=204, role="admin")
def delete_line(call: Call, line_id: str) -> Value:
    """409 while messages wait on it."""
    with call.hub.db.write() as session:
        lines.delete(session, lines.get(session, call.portal_id, line_id))


@route("POST", "/lines/{line_id}/check", summary="Ask the messenger whether the line works", shape="LineCheck")
def check_line(call: Call, line_id: str) -> Value:
    """200 either way; `ok` says how it went."""
    return probing.check(call.hub, call.portal_id, line_id)


@route("POST", "/lines/{line_id}/pause", summary="Hold the messages of a line", shape="Line")
def pause_line(call: Call, line_id: str) -> Value:
    """They stay queued until the line is resumed."""
    with call.hub.db.write() as session:
        lines.pause(session, lines.get(session, call.portal_id, line_id))
    return _shown(call, line_id)


@route("POST", "/lines/{line_id}/resume", summary="Let a line send again", shape="Line")
def resume_line(call: Call, line_id: str) -> Value:
    """Whatever stopped it."""
    with call.hub.db.write() as session:
        lines.resume(session, lines.get(session, call.portal_id, line_id))
    call.hub.ring()
    return _shown(call, line_id)


def _shown(call: Call, line_id: str) -> Value:
    with call.hub.db.read() as session:
        line: Line = lines.get(session, call.portal_id, line_id)
        return lines.to_dict(call.hub, line, lines.queues(session, call.portal_id).get(line.id, 0))
