"""Addresses that somebody else names for us to open."""


def is_own(address: str) -> bool:
    """Whether it leads to a page of ours, never to somebody else's. Browsers take `/\\` for `//`, and leave out tabs
    and line ends before they look at it."""
    return address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
