"""Addresses that somebody else names for us to open."""

from urllib.parse import urlsplit

from flask import current_app
from werkzeug.exceptions import HTTPException


def is_own(address: str) -> bool:
    """Whether it leads to a page of ours, never to somebody else's. Browsers take `/\\` for `//`, and leave out tabs
    and line ends before they look at it."""
    return address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()


def is_page(address: str, of: str) -> bool:
    """Whether it is one of our own that is shown within the frame: a page of a blueprint below the package `of`. All
    else that answers, the API with names of parameters in its errors, is not made to be put into a page."""
    if not is_own(address):
        return False
    try:
        endpoint, _ = current_app.url_map.bind("").match(urlsplit(address).path, method="GET")
    except (HTTPException, ValueError):
        return False
    blueprint = current_app.blueprints.get(str(endpoint).partition(".")[0])
    return blueprint is not None and blueprint.import_name.startswith(f"{of}.")
