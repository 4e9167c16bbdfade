"""Which names are taken, and which a person may give to a field or a variable."""

import re
import unicodedata

SYSTEM_NAMES: tuple[str, ...] = (
    "company_id",
    "email",
    "license_id",
    "message",
    "messenger_type",
    "name",
    "phone",
    "responsible",
    "username",
    "date",
    "day_of_week",
    "time",
)
ROOT_NAMES: tuple[str, ...] = (
    "system",
    "local",
    "global",
    "const",
    "body",
    "query",
    "bitrix",
    "blocks",
    "request",
    "run",
)
LINK_NAMES: tuple[str, ...] = ("token", "template_id")

NAME_PATTERN = r"[^\W\d](?:[\w-]*\w)?"
MAX_NAME = 64

_name = re.compile(NAME_PATTERN)
_taken = frozenset((*SYSTEM_NAMES, *ROOT_NAMES, *LINK_NAMES))


def is_name(text: str) -> bool:
    """Whether a text can stand in a path without quotes."""
    return _name.fullmatch(text) is not None


def field_problem(name: str) -> str | None:
    """Why a field or variable may not be called so: `empty_name`, `reserved_name`, `too_long` or `bad_name`.

    None when it may. A reserved name stays reserved in other letter case and with spaces around it.
    """
    name = unicodedata.normalize("NFC", name)
    bare = name.strip()
    if not bare:
        return "empty_name"
    if bare.casefold() in _taken:
        return "reserved_name"
    if len(name) > MAX_NAME:
        return "too_long"
    return None if is_name(name) else "bad_name"
