"""What every page shares: its headers, its blueprint's guard, and the shell that signs in inside Bitrix24's frame."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint, Response, current_app, g, make_response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from hub.core import Hub
from hub.errors import Forbidden
from hub.web import i18n
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


def screens(name: str) -> Blueprint:
    """A blueprint of pages: nobody gets at them without having signed in, and only with the role a view needs."""
    made = Blueprint(name, f"hub.web.pages.{name}")
    made.before_request(csrf.check)
    made.before_request(_admit)
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
    if request.headers.get("HX-Request"):
        made = Response(status=401)
        made.headers["HX-Redirect"] = url_for("signin.form")
        return made
    if request.method in csrf.SAFE:
        wanted = request.full_path.rstrip("?")
        return redirect(url_for("signin.form", next=None if wanted == "/" else wanted))
    return redirect(url_for("signin.form"), 303)
