"""What can go wrong with a call to a provider, one class for each thing the sender does next.

None of these may hold a token: the words are our own, and `scrub` takes known secrets out of what a provider said.
"""

from collections.abc import Iterable
from typing import ClassVar, Literal

body_limit = 500
hold_limit_s = 3600.0


class ConnectorError(Exception):
    """A call that did not end well. `sent` holds the provider's ids of parts that went out before it."""

    outcome: ClassVar[str] = "rejected"

    def __init__(
        self, message: str, *, code: str = "", status: int | None = None, body: str = "", sent: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.body = body[:body_limit]
        self.sent = sent

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.message!r}, code={self.code!r}, status={self.status})"

    def scrub(self, secrets: Iterable[str]) -> None:
        """Replace each secret by *** in everything this error can show."""
        for secret in secrets:
            if secret:
                self.message = self.message.replace(secret, "***")
                self.code = self.code.replace(secret, "***")
                self.body = self.body.replace(secret, "***")
        self.args = (self.message,)


class Temporary(ConnectorError):
    """Nothing was delivered; a later try may work."""

    outcome = "temporary"


class RateLimited(ConnectorError):
    """The provider asks to wait `retry_after_s` seconds (1 to 3600) before the next call of this line or chat."""

    outcome = "rate_limited"

    def __init__(
        self,
        message: str,
        *,
        retry_after_s: float,
        scope: Literal["line", "chat"] = "line",
        code: str = "",
        status: int | None = None,
        body: str = "",
    ) -> None:
        super().__init__(message, code=code, status=status, body=body)
        self.retry_after_s = min(max(retry_after_s, 1.0), hold_limit_s)
        self.scope = scope


class Unconfirmed(ConnectorError):
    """The request may have left and no usable answer came: the message may have arrived."""

    outcome = "unconfirmed"


class Rejected(ConnectorError):
    """This message will never go to this recipient."""

    outcome = "rejected"


class Moved(ConnectorError):
    """The recipient answers at another address now."""

    outcome = "moved"

    def __init__(
        self, message: str, *, address: str, code: str = "moved", status: int | None = None, body: str = ""
    ) -> None:
        super().__init__(message, code=code, status=status, body=body)
        self.address = address


class LineDown(ConnectorError):
    """The provider refuses the line itself: credentials, plan or account."""

    outcome = "line_down"


class Unsupported(ConnectorError):
    """The channel cannot carry this message; no call was made."""

    outcome = "unsupported"


class EgressRefused(Rejected):
    """The address is one this installation does not call. Nothing was sent."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="address_refused")


class CallbackRefused(Exception):
    """A callback that does not prove it comes from the provider, or is not in the provider's form."""
