"""What every page shares: its headers, its blueprint's guard, and the shell that signs in inside Bitrix24's frame."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, Response, current_app, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from hub.core import Hub
from hub.errors import Forbidden
from hub.runtime import Runtime
from hub.web import forms, i18n
from hub.web.access import csrf
from hub.web.access.identity import Identity, Role, asking

View = TypeVar("View", bound=Callable[..., Any])
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
)


def page(html: str, status: int = 200) -> Response:
    """A page with its headers. Only the portal that it is shown in may frame it."""
    made = make_response(html, status)
    made.headers["Content-Security-Policy"] = _POLICY.format(ancestors=g.get("frame_ancestors", "'none'"))
    made.headers["Cache-Control"] = "no-store"
    return i18n.remember(made)


def framed(wanted: str, *, token: str | None = None, portal: str | None = None) -> Response:
    """The page that Bitrix24's frame opens first: it keeps the person's token, or asks the portal who is looking, and
    then fetches `wanted`, an address of ours.

    `portal`: origin of the verified portal, which alone may frame it. Without one it may stand in any frame: it holds
    nothing then, and whoever frames it must still prove to be a portal of ours.
    """
    g.frame_ancestors = portal or "*"
    script = hub().settings.bitrix24_js_url
    made = page(render_template("frame.html", wanted=wanted, token=token, portal_script=script))
    policy = made.headers["Content-Security-Policy"]
    made.headers["Content-Security-Policy"] = policy.replace("script-src 'self'", f"script-src 'self' {script}")
    return made


def screens(name: str) -> Blueprint:
    """A blueprint of pages: nobody gets at them without having signed in, and only with the role a view needs."""
    made = Blueprint(name, f"hub.web.pages.{name}")
    made.before_request(csrf.check)
    made.before_request(_admit)
    made.before_request(forms.check)
    return made


def needs(role: Role) -> Callable[[View], View]:
    """Say which role a view needs; one that does not say so may be read by everybody who has signed in."""

    def mark(view: View) -> View:
        view.needs = role  # type: ignore[attr-defined]
        return view

    return mark


def me() -> Identity:
    """The person behind the current request to a page, whom the guard has let in."""
    person = asking()
    assert person is not None
    return person


def hub() -> Hub:
    """This process's Hub."""
    found: Hub = current_app.extensions["hub"]
    return found


def runtime() -> Runtime:
    """This process's parts, wired together."""
    found: Runtime = current_app.extensions["hub.runtime"]
    return found


def _admit() -> AnyResponse | None:
    person = asking()
    if person is None:
        return _stranger()
    role: Role | None = getattr(current_app.view_functions[request.endpoint or ""], "needs", None)
    if role is None:
        role = "viewer" if request.method in csrf.SAFE else "admin"
    if not person.may(role):
        raise Forbidden("Your role does not allow this.")
    return None


def _stranger() -> AnyResponse:
    """Inside the frame the page that was asked for is fetched again once the portal has said who is looking."""
    if request.method in csrf.SAFE and request.headers.get("Sec-Fetch-Dest") == "iframe":
        return framed(request.full_path.rstrip("?"))
    if request.headers.get("HX-Request"):
        made = Response(status=401)
        made.headers["HX-Redirect"] = url_for("signin.form")
        return made
    if request.method in csrf.SAFE:
        wanted = request.full_path.rstrip("?")
        return redirect(url_for("signin.form", next=None if wanted == "/" else wanted))
    return redirect(url_for("signin.form"), 303)
