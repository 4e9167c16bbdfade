"""What the senders of SMS share: how a phone is dialled, how a callback's form is read, and what an answer means that
is not the provider's own."""

import re
from urllib.parse import parse_qsl

from connectors.channel import Callback
from connectors.errors import CallbackRefused, ConnectorError, LineDown, RateLimited, Rejected, Temporary, Unconfirmed
from connectors.http import Response

form_fields = 500


def dialled(raw: str) -> str:
    """A phone number's digits with the country code first, else empty.

    Numbers come here with their country code; only 8 before a Russian mobile number is still put right, which is no
    country's code.
    """
    if not re.fullmatch(r"\+?[0-9\s().-]+", raw.strip(), re.ASCII):
        return ""
    digits = re.sub(r"[^0-9]", "", raw)
    return f"7{digits[1:]}" if len(digits) == 11 and digits.startswith("89") else digits


def form_of(callback: Callback) -> list[tuple[str, str]]:
    """The fields of a callback in their order, from its body or else from its address."""
    if not callback.body:
        return list(callback.query.items())
    try:
        return parse_qsl(callback.body.decode(), keep_blank_values=True, max_num_fields=form_fields)
    except ValueError:
        raise CallbackRefused("The callback is not a form.") from None


def unreadable(status: int = 200, body: str = "") -> Unconfirmed:
    """The error of an answer that does not say whether the message was taken."""
    return Unconfirmed("The answer of the SMS provider cannot be read.", code="bad_answer", status=status, body=body)


def plain_refusal(response: Response, title: str) -> ConnectorError:
    """The error of an answer that is not the provider's own: a gateway's page, or another server's."""
    status, body = response.status, response.text()
    words = f"The SMS provider answered {status}."
    if status == 503:
        return Temporary(words, code="provider_down", status=status, body=body)
    if status >= 500:
        return Unconfirmed(words, code="provider_down", status=status, body=body)
    if status == 429:
        return RateLimited(words, retry_after_s=60, code="too_many_requests", status=status, body=body)
    if status in (401, 403, 404, 405):
        words = f"The API address does not answer like {title}."
        return LineDown(words, code="api_address", status=status, body=body)
    if 300 <= status < 400:
        return LineDown("The API address leads elsewhere.", code="redirect", status=status, body=body)
    if status < 300:
        return unreadable(status, body)
    return Rejected(words, code=str(status), status=status, body=body)
