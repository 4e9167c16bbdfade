"""The addresses that Bitrix24 calls: the pages in its frame, and what it posts to handlers. No cookie is used here."""

from flask import Blueprint, Flask, Response, request

from hub.web.bitrix24 import handlers, pages, session


def register(app: Flask) -> None:
    """Add the addresses under /bitrix24."""
    blueprint = Blueprint("bitrix24", __name__, url_prefix="/bitrix24")
    blueprint.before_request(_head_starts_nothing)
    for part in (pages, session, handlers):
        part.register(blueprint)
    app.register_blueprint(blueprint)


def _head_starts_nothing() -> Response | None:
    """Bitrix24 asks with HEAD whether an address is there; Flask would take it for GET."""
    return Response(status=200) if request.method == "HEAD" else None
