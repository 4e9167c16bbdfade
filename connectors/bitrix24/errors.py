"""What a portal or its OAuth server refuses, one class for each thing that is done next.

The code decides, not the status: the portal sends refusals with 200, and codes that are empty. `Temporary` says that
nothing was done there. A 5xx without a clear word may come after the work was done, so it is `Unconfirmed`: who only
reads may repeat on `AWAY`, who writes has to look first.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from connectors.errors import ConnectorError, LineDown, RateLimited, Rejected, Temporary, Unconfirmed

AWAY = (Temporary, RateLimited, Unconfirmed)
"""The portal could not be reached, was busy, or gave no clear answer: for calls that change nothing, try later."""

BUSY_S = 1.0
OVERLOADED_S = 600.0
BLOCKED_S = 60.0


class TokenExpired(Temporary):
    """The access token is not taken: refresh it, and repeat once."""


class Disconnected(LineDown):
    """The application is not on the portal any more, or its tokens are dead: somebody has to open it there."""


class UserRefused(Disconnected):
    """The user whose token it is may not use the application any more; another user's may serve."""


class PaymentRequired(LineDown):
    """The subscription of the application has ended."""


class Busy(RateLimited):
    """Too many requests at once."""


class MethodBlocked(RateLimited):
    """The method has used up its time on this portal. `until` is Unix time in seconds, None when it was not told."""

    until: float | None = None


class Denied(Rejected):
    """The user, the scopes or the plan do not allow it."""


class Missing(Rejected):
    """There is no such element."""


class NoSuchMethod(Rejected):
    """The portal does not know the method: an older build, or a module that it lacks."""


class PortalMoved(Temporary):
    """The portal answers at another host, which is only a hint: the OAuth server knows where."""

    def __init__(self, message: str, *, host: str, status: int | None = None) -> None:
        super().__init__(message, code="moved", status=status)
        self.host = host


class NotTaken(Temporary):
    """The call was carried out, but the portal did not take what was in it; it may another time."""


class Refused(Rejected):
    """The call is wrong in itself: an argument, a value, a state."""


_kinds: dict[str, type[ConnectorError]] = {
    "expired_token": TokenExpired,
    "invalid_token": TokenExpired,
    "no_auth_found": TokenExpired,
    "invalid_grant": Disconnected,
    "invalid_client": Disconnected,
    "wrong_client": Disconnected,
    "bad_verification_code": Disconnected,
    "not_installed": Disconnected,
    "error_oauth": Disconnected,
    "application_not_found": Disconnected,
    "portal_deleted": Disconnected,
    "authorization_error": UserRefused,
    "user_access_error": UserRefused,
    "payment_required": PaymentRequired,
    "access_denied": Denied,
    "insufficient_scope": Denied,
    "invalid_scope": Denied,
    "invalid_credentials": Denied,
    "wrong_auth_type": Denied,
    "wrong_license": Denied,
    "allowed_only_intranet_user": Denied,
    "method_confirm_waiting": Denied,
    "method_confirm_denied": Denied,
    "not_found": Missing,
    "owner_not_found": Missing,
    "error_method_not_found": NoSuchMethod,
    "error_manifest_is_not_available": NoSuchMethod,
    "internal_server_error": Unconfirmed,
    "error_unexpected_answer": Unconfirmed,
}


def refusal(body: Mapping[str, Any], status: int) -> ConnectorError:
    """The error that a body with the key `error` stands for, whatever the status."""
    code = body.get("error")
    if isinstance(code, Mapping):
        code = code.get("code")
    code = code if isinstance(code, str) else ""
    said = body.get("error_description")
    said = said if isinstance(said, str) else ""
    message = f"Bitrix24 refused: {said or code or 'no reason given'}"[:500]
    match code.lower():
        case "query_limit_exceeded":
            return Busy(message, retry_after_s=BUSY_S, code=code, status=status)
        case "overload_limit":
            return Busy(message, retry_after_s=OVERLOADED_S, code=code, status=status)
        case "operation_time_limit":
            return _blocked(body, message, code, status)
        case "":
            return _worded(said, status)(message, code="", status=status)
        case known if known in _kinds:
            return _kinds[known](message, code=code, status=status)
    kind = Unconfirmed if status >= 500 else Refused
    return kind(message, code=code, status=status)


def unreadable(status: int) -> ConnectorError:
    """The error for an answer that is not JSON: a page of maintenance, a gateway's words, a login form."""
    if status in (429, 503):
        return Temporary("Bitrix24 is not available right now.", code="unavailable", status=status)
    return Unconfirmed("Bitrix24 gave no answer that can be read.", code="unreadable", status=status)


def moved(location: str, status: int) -> ConnectorError:
    """The error for a redirect."""
    try:
        host = urlsplit(location).netloc
    except ValueError:
        host = ""
    if not host:
        return unreadable(status)
    return PortalMoved("The portal answers at another address now.", host=host, status=status)


def _blocked(body: Mapping[str, Any], message: str, code: str, status: int) -> MethodBlocked:
    error = MethodBlocked(message, retry_after_s=BLOCKED_S, code=code, status=status)
    time = body.get("time")
    until = time.get("operating_reset_at") if isinstance(time, Mapping) else None
    error.until = float(until) if isinstance(until, int | float) else None
    return error


def _worded(said: str, status: int) -> type[ConnectorError]:
    """Older methods leave the code empty and say it in words only."""
    words = said.lower()
    if "not found" in words:
        return Missing
    if "access denied" in words:
        return Denied
    return Unconfirmed if status >= 500 else Refused
