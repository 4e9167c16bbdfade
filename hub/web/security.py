"""The headers that every answer carries unless its page has reasons for others."""

from flask import Response

HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)


def secured(response: Response) -> Response:
    """The answer with those headers that it has not set itself."""
    for name, value in HEADERS:
        response.headers.setdefault(name, value)
    return response
