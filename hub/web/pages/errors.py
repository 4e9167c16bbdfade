"""Refusals as people see them: what happened, and where to go on."""

import json

from flask import Flask, Response, render_template
from flask_babel import lazy_gettext as _

from hub.web.pages.shell import page

_TITLES = {
    403: _("You have no access"),
    404: _("There is nothing here"),
    405: _("This cannot be done here"),
    409: _("Not now"),
    429: _("Too often"),
    500: _("Something went wrong here"),
    503: _("The database does not answer"),
}
_DETAILS = {
    403: _("Your role does not allow this. Ask whoever gave you access."),
    404: _("The address is wrong, or what stood here has been deleted."),
    500: _("It has been noted. Please try again."),
    503: _("Nothing is lost. Try again in a few seconds."),
}


def register(app: Flask) -> None:
    """Let the application show its problems as pages."""
    app.extensions["hub.error_page"] = show


def show(problem: Response) -> Response:
    """The page of a problem; what is retried, and when, stays in the headers."""
    told = json.loads(problem.get_data())
    status = problem.status_code
    html = render_template(
        "errors/error.html",
        title=_TITLES.get(status, _("This did not work")),
        detail=_DETAILS.get(status, told["detail"]),
        trace_id=told["trace_id"],
    )
    made = page(html, status)
    for name in ("Retry-After", "Allow"):
        if name in problem.headers:
            made.headers[name] = problem.headers[name]
    return made
