"""What a person or a program may be told when something cannot be done; turned into problem+json in one place."""

from collections.abc import Sequence
from typing import Any


class HubError(Exception):
    """Base: an HTTP status, a code in snake_case, one clear sentence, and further members of the answer."""

    status = 500
    code = "internal"

    def __init__(self, message: str, *, code: str | None = None, **members: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.members = members

    @property
    def sentences(self) -> list[str]:
        """What is wrong: a sentence for each value where `errors` says more than the message, else the message."""
        return [str(one["message"]) for one in self.members.get("errors", ())] or [self.message]


class NotFound(HubError):
    """There is no such thing here, or it belongs to somebody else: the answer is the same."""

    status, code = 404, "not_found"


class Unauthorized(HubError):
    """No proof of who is asking."""

    status, code = 401, "unauthorized"


class Forbidden(HubError):
    """Known, but not allowed."""

    status, code = 403, "forbidden"


class Invalid(HubError):
    """Understood, but cannot be kept. `errors`: `{pointer, code, message}` each."""

    status, code = 422, "validation"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        errors: Sequence[dict[str, Any]] = (),
        **members: Any,
    ) -> None:
        super().__init__(message, code=code, **members)
        if errors:
            self.members["errors"] = list(errors)


class Conflict(HubError):
    """The thing is not in a state that allows this."""

    status, code = 409, "conflict"


class StorageUnavailable(HubError):
    """The database cannot be reached or is full: nothing was stored, try again."""

    status, code = 503, "storage_unavailable"


class ConfigurationError(Exception):
    """A setting is wrong; the message is one line that names it."""
