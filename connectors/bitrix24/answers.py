"""From an HTTP answer to a JSON object, or to the error it stands for."""

from typing import Any

from connectors.bitrix24.errors import NotTaken, moved, refusal, unreadable
from connectors.bitrix24.php import as_map
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


def check_taken(result: Any) -> None:
    """Look into a result of the connectors' methods, which tell with status 200 that a message was not taken:
    `{"SUCCESS": false, "ERRORS": [...]}`, of all or of one in `DATA.RESULT`. Raises NotTaken."""
    whole = as_map(result)
    parts = [whole, *(as_map(part) for part in as_map(as_map(whole.get("DATA")).get("RESULT")).values())]
    for part in parts:
        if part.get("SUCCESS") is False:
            said = "; ".join(str(error) for error in as_map(part.get("ERRORS")).values())
            message = f"Bitrix24 did not take the message: {said or 'no reason given'}"[:500]
            raise NotTaken(message, code="not_taken", status=200)
