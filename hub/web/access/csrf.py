"""No foreign page may act in a signed-in person's name.

A browser says where a request comes from (`Sec-Fetch-Site`, older ones `Origin`), and a page cannot forge either.
Whatever changes something and is proven by the cookie must come from our own pages. The frame's token and API keys
in `Authorization: Bearer` cannot be borrowed and need no guard (a name and a password can: a browser keeps sending
them to a server whose proxy asks for some); neither do addresses that take no cookie at all: links,
messengers' callbacks, Bitrix24's calls.
"""

from urllib.parse import urlsplit

from flask import request

from hub.errors import Forbidden

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def check() -> None:
    """Raises Forbidden for a request that would change something and does not come from one of our pages."""
    bearer = request.headers.get("Authorization", "").partition(" ")[0].lower() == "bearer"
    if request.method in SAFE or bearer:
        return
    site = request.headers.get("Sec-Fetch-Site")
    own = site == "same-origin" if site is not None else _host_of(request.headers.get("Origin")) == request.host
    if not own:
        raise Forbidden("This request does not come from a page of Hubline.", code="foreign_page")


def _host_of(origin: str | None) -> str | None:
    return urlsplit(origin).netloc if origin else None
