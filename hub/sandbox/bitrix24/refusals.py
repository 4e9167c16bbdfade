"""An error as the portal or its OAuth server words it."""

from typing import Any


class Refusal(Exception):
    """A call that is refused: `code` and words in the body, the HTTP status, and more keys of the body."""

    def __init__(self, code: str, said: str = "", status: int = 400, **more: Any) -> None:
        super().__init__(said or code)
        self.code, self.said, self.status, self.more = code, said, status, more

    def body(self) -> dict[str, Any]:
        """The JSON object of the answer."""
        body: dict[str, Any] = {"error": self.code}
        if self.said:
            body["error_description"] = self.said
        return body | self.more


def access_denied(said: str = "Access denied!") -> Refusal:
    """The refusal of what only an administrator or only an application may do."""
    return Refusal("ACCESS_DENIED", said, 403)


def missing(name: str) -> Refusal:
    """The refusal of a call without one of its arguments."""
    return Refusal("ERROR_ARGUMENT", f"Argument '{name}' is null or empty", argument=name)


def wrong_value(said: str) -> Refusal:
    """The refusal of an argument that is there but cannot be used."""
    return Refusal("INVALID_ARG_VALUE", said)
