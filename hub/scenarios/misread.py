"""What keeps a text from being YAML or JSON, in sentences of ours: the parsers say it in words for programmers."""

from collections.abc import Sequence

_YAML: Sequence[tuple[str, str]] = (
    ("found character '\\t'", "The line begins with a tab; use spaces."),
    ("found character", "A text that begins with this character must be in quotes."),
    (
        "mapping values are not allowed",
        "There is an extra colon: put the text in quotes, or check the indentation.",
    ),
    ("could not find expected ':'", "A colon is missing after a name."),
    ("expected <block end>", "The line is indented differently from its neighbours."),
    ("expected ',' or ']'", "A list in brackets is not closed, or a comma is missing in it."),
    ("expected ',' or '}'", "An object in braces is not closed, or a comma is missing in it."),
    ("found unexpected end of stream", "A quotation mark is not closed."),
    (
        "found unknown escape character",
        "This character cannot follow a backslash; write two backslashes, or use single quotes.",
    ),
    ("expected the node content", "A value is missing."),
    ("expected chomping or indentation", "A new line has to follow | or >."),
    ("expected '<document start>'", "There is something before or after the document."),
)
_JSON: Sequence[tuple[str, str]] = (
    ("Expecting property name", "A name in straight double quotes is missing, or there is an extra comma."),
    ("Expecting ':'", "A colon is missing after a name."),
    ("Expecting ','", "A comma is missing, or a bracket is not closed."),
    ("Expecting value", "A value is missing, or a text is not in quotes."),
    ("Unterminated string", "A quotation mark is not closed."),
    ("Invalid control character", "A text contains a line break or a tab; write it as \\n or \\t."),
    ("Invalid \\", "This character cannot follow a backslash; write two backslashes."),
    ("Extra data", "There is something after the end."),
)


def yaml_reason(said: str | None) -> str:
    """Why a text is no YAML, by what the parser has said."""
    return _reason(said, _YAML)


def json_reason(said: str) -> str:
    """Why a text is no JSON, by what the parser has said."""
    return _reason(said, _JSON)


def _reason(said: str | None, known: Sequence[tuple[str, str]]) -> str:
    return next((ours for theirs, ours in known if (said or "").startswith(theirs)), "It cannot be read from here on.")
