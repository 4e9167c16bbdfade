"""What keeps a text from being YAML or JSON, in sentences of ours: the parsers say it in words for programmers."""

from collections.abc import Sequence

_YAML: Sequence[tuple[str, str]] = (
    ("found character '\\t'", "A tab stands where the line begins; use spaces."),
    ("found character", "A text that begins with a sign like this stands in quotes."),
    (
        "mapping values are not allowed",
        "A colon too many: put the text in quotes, or see how far the line is indented.",
    ),
    ("could not find expected ':'", "A name has no colon behind it."),
    ("expected <block end>", "The line is indented in another way than those it belongs to."),
    ("expected ',' or ']'", "A list in brackets has no end, or a comma is missing in it."),
    ("expected ',' or '}'", "An object in braces has no end, or a comma is missing in it."),
    ("found unexpected end of stream", "A text in quotes has no end."),
    (
        "found unknown escape character",
        "There is no such sign after a backslash; write two of them, or use single quotes.",
    ),
    ("expected the node content", "A value is missing."),
    ("expected chomping or indentation", "Behind | or > begins a new line."),
    ("expected '<document start>'", "Something stands before or behind the document."),
)
_JSON: Sequence[tuple[str, str]] = (
    ("Expecting property name", "A name in straight double quotes is missing, or a comma is one too many."),
    ("Expecting ':'", "A colon is missing behind a name."),
    ("Expecting ','", "A comma is missing, or a bracket has no end."),
    ("Expecting value", "A value is missing, or a text has no quotes."),
    ("Unterminated string", "A text in quotes has no end."),
    ("Invalid control character", "A text holds a line break or a tab; write it as \\n or \\t."),
    ("Invalid \\", "There is no such sign after a backslash; write two of them."),
    ("Extra data", "Something stands behind the end."),
)


def yaml_reason(said: str | None) -> str:
    """Why a text is no YAML, by what the parser has said."""
    return _reason(said, _YAML)


def json_reason(said: str) -> str:
    """Why a text is no JSON, by what the parser has said."""
    return _reason(said, _JSON)


def _reason(said: str | None, known: Sequence[tuple[str, str]]) -> str:
    return next((ours for theirs, ours in known if (said or "").startswith(theirs)), "It cannot be read from here on.")
