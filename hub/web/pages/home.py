"""The page at `/`: what this is, and where to go on."""

from flask import Blueprint, Response, make_response, render_template

CONTENT_POLICY = "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'"
blueprint = Blueprint("home", __name__)


@blueprint.get("/")
def home() -> Response:
    """Says that the service runs, and links to what there is."""
    page = make_response(render_template("home.html"))
    page.headers["Content-Security-Policy"] = CONTENT_POLICY
    return page
