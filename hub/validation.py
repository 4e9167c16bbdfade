"""What all services check alike: names that people give to things, and pydantic's findings as our list of errors."""

import unicodedata
from collections.abc import Collection, Iterable

from pydantic import ValidationError

from hub.errors import Invalid

MAX_NAME = 100
SECRET_MESSAGE = "This value cannot be used."  # noqa: S105  a sentence, not a secret
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_name(name: str, pointer: str = "/name") -> str:
    """A name as it is kept: NFC, trimmed, 1–100 characters, nothing invisible. Raises Invalid (`bad_name`)."""
    name = unicodedata.normalize("NFC", name).strip()
    if not name:
        problem = "A name is needed."
    elif len(name) > MAX_NAME or len(unicodedata.normalize("NFKC", name)) > 4 * MAX_NAME:
        problem = f"A name has at most {MAX_NAME} characters."
    elif any(unicodedata.category(letter) in ("Cc", "Cs") or letter in _BIDI for letter in name):
        problem = "A name cannot hold control characters."
    else:
        return name
    raise Invalid(problem, errors=[{"pointer": pointer, "code": "bad_name", "message": problem}])


def name_taken(what: str) -> Invalid:
    """The refusal of a name that something else of the portal has."""
    message = f"There is already {what} with this name."
    return Invalid(message, code="name_taken", errors=[{"pointer": "/name", "code": "name_taken", "message": message}])


def errors_of(error: ValidationError, root: str = "", secret: Collection[str] = ()) -> list[dict[str, str]]:
    """Pydantic's findings as `{pointer, code, message}`; never a value, and for fields in `secret` no detail either."""
    found = []
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        hidden = bool(secret) and str(item["loc"][0] if item["loc"] else "") in secret
        message = SECRET_MESSAGE if hidden and item["type"] == "value_error" else _sentence(item["msg"])
        found.append({"pointer": root + pointer(item["loc"]), "code": item["type"], "message": message})
    return found


def pointer(path: Iterable[str | int]) -> str:
    """A JSON Pointer (RFC 6901) of the steps of a path."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _sentence(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message if message.endswith(".") else message + "."
