"""From an HTTP answer to a JSON object, or to the error it stands for."""

from typing import Any

from connectors.bitrix24.errors import moved, refusal, unreadable
from connectors.http import Response


def read(response: Response) -> dict[str, Any]:
    """The body of an answer that is not a refusal. Raises ConnectorError."""
    if 300 <= response.status < 400:
        raise moved(response.headers.get("Location", ""), response.status)
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise unreadable(response.status)
    if "error" in body:
        raise refusal(body, response.status)
    if response.status >= 400:
        raise unreadable(response.status)
    return body
