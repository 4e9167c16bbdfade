"""Where a portal posts: every event that is bound, by an address with a token of the portal's own."""

import structlog
from flask import Blueprint, Response

from hub.bitrix24 import connections, events, lifecycle, operators, robot_posts, senders
from hub.bitrix24.connections import Connection
from hub.bitrix24.verify import Forged
from hub.values import Value
from hub.web.bitrix24 import received

log = structlog.get_logger(__name__)


def register(blueprint: Blueprint) -> None:
    """Add the addresses."""
    blueprint.add_url_rule("/event/<token>", view_func=event, methods=["HEAD", "POST"])
    blueprint.add_url_rule("/robot/<token>", view_func=robot, methods=["HEAD", "POST"])
    blueprint.add_url_rule("/sms/<token>", view_func=sms, methods=["HEAD", "POST"])
    blueprint.add_url_rule("/openlines/<token>", view_func=open_line, methods=["HEAD", "POST"])


def event(token: str) -> Response:
    """Take an event: proven, stored, answered. 403, and nothing else is said, for one that is not proven."""
    posted, connection = posted_to(token)
    proven = lifecycle.is_genuine(received.hub(), connection, posted)
    name = posted.get("event")
    name = name.upper() if isinstance(name, str) else ""
    if name in lifecycle.EVENTS:
        if connection is None or connection.uninstalled_at is not None:
            raise Forged
        lifecycle.handle(received.bitrix24(), connection, name, posted, proven=proven)
        became = name.lower()
    elif not proven or connection is None:
        raise Forged
    else:
        became = events.accept(received.hub(), received.runtime().library, connection, posted)
    log.info("bitrix24_event", portal_id=connection.portal_id, event_name=name[:64], became=became)
    return done()


def robot(token: str) -> Response:
    """A process has come to one of our robots. It does not read what it is told here; the result is sent to it."""
    posted, connection = genuine(token)
    became = robot_posts.accept(received.runtime(), connection, posted)
    log.info("bitrix24_robot", portal_id=connection.portal_id, became=became)
    return done()


def sms(token: str) -> Response:
    """Somebody in the portal sends a text through one of our lines."""
    posted, connection = genuine(token)
    became = senders.accept(received.hub(), connection, posted)
    log.info("bitrix24_sms", portal_id=connection.portal_id, became=became)
    return done()


def open_line(token: str) -> Response:
    """An operator answers a customer who wrote to one of our lines."""
    posted, connection = genuine(token)
    became = operators.accept(received.hub(), connection, posted)
    log.info("bitrix24_open_line", portal_id=connection.portal_id, became=became)
    return done()


def genuine(token: str) -> tuple[dict[str, Value], Connection]:
    """What a portal posted to its handler's address, with the proof that it is the portal. Raises Forged."""
    posted, connection = posted_to(token)
    if connection is None or not lifecycle.is_genuine(received.hub(), connection, posted):
        raise Forged
    return posted, connection


def posted_to(token: str) -> tuple[dict[str, Value], Connection | None]:
    """What was posted to a handler's address, and whose address it is; None for a token that nobody has."""
    posted = received.fields()
    with received.hub().db.sql() as sql:
        return posted, connections.by_handler(sql, token)


def done() -> Response:
    """What a portal is told when it need not post again; it never reads more than the status."""
    return Response("ok", content_type="text/plain; charset=utf-8")
