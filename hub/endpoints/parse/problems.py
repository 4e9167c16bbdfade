"""The two things parsing can say besides a value: why a request is refused, and what was odd about an accepted one."""

from dataclasses import dataclass


class Refused(Exception):
    """A request that cannot be taken.

    `code` is snake_case, `status` the HTTP status, `message` one sentence that never quotes what was sent.
    `line` and `column` count characters from 1 and are set where the place is known.
    """

    def __init__(
        self, code: str, status: int, message: str, line: int | None = None, column: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message
        self.line = line
        self.column = column


@dataclass(frozen=True)
class Note:
    """A warning that travels with the request; `path` names the value (or the repair), `block` a block of the run."""

    code: str
    message: str
    path: str = ""
    block: str | None = None
