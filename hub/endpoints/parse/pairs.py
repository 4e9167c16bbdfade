"""Name and value pairs, from the link or from a form, and the PHP brackets that nest them."""

import re
from collections.abc import Iterable

from hub.endpoints.parse import limits
from hub.endpoints.parse.problems import Refused
from hub.values import Value, clean

_bracketed = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")
_encoded = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
_token = re.compile(rb"auth\[(?:access|refresh|application)_token\]", re.IGNORECASE)
_index = re.compile(r"0|[1-9][0-9]*")


class _Node(dict[str, Value]):
    """A list or an object in the making; `next` is the index that `[]` takes."""

    __slots__ = ("next",)

    def __init__(self) -> None:
        super().__init__()
        self.next = 0


def parse_query(raw: bytes) -> dict[str, Value]:
    """The parameters of a link, its query string given as bytes without the question mark.

    Percent-encoded UTF-8, `+` is a space, the last of equal names wins, `a[b]` and `a[]` nest. Raises Refused:
    414 `query_too_long`; 400 `too_many_fields`, `invalid_encoding`, `conflicting_field`, `too_deep`, `key_too_long`.
    """
    if len(raw) > limits.query_bytes:
        raise Refused("query_too_long", 414, f"The query string is longer than {limits.query_bytes} bytes.")
    return brackets(urlencoded(raw, limits.query_parameters))


def find_parameter(raw: bytes, name: str) -> str | None:
    """The last value of one plain parameter of a link, whatever is wrong with the others; None without it.

    Never raises, so that a link's token can be read even where the rest of the query is refused.
    """
    found = None
    for piece in raw[: limits.query_bytes].split(b"&"):
        key, _, value = piece.partition(b"=")
        if _unquote(key) == name.encode():
            found = clean(_unquote(value).decode("utf-8", "replace"))
    return found


def masked(raw: bytes, name: str) -> bytes:
    """A link's parameters with the values of one of them replaced by `***`; the rest byte for byte."""
    pieces = raw.split(b"&")
    return b"&".join(
        piece.partition(b"=")[0] + b"=***" if _unquote(piece.partition(b"=")[0]) == name.encode() else piece
        for piece in pieces
    )


def without_tokens(form: bytes) -> bytes:
    """A form with the tokens that Bitrix24 puts into its `auth` replaced by `***`; the rest byte for byte."""
    if b"auth" not in form:
        return form
    return b"&".join(
        piece.partition(b"=")[0] + b"=***" if _token.fullmatch(_unquote(piece.partition(b"=")[0])) else piece
        for piece in form.split(b"&")
    )


def urlencoded(raw: bytes, most: int) -> list[tuple[str, str]]:
    """The pairs of a urlencoded text, in order; a pair without a name is left out.

    Raises Refused 400 `too_many_fields` above `most` pairs, `invalid_encoding` for anything but UTF-8.
    """
    if raw.count(b"&") >= most:
        raise Refused("too_many_fields", 400, f"There are more than {most} parameters.")
    pairs = []
    for piece in raw.split(b"&"):
        name, _, value = piece.partition(b"=")
        if name:
            pairs.append((_text(name), _text(value)))
    return pairs


def brackets(pairs: Iterable[tuple[str, str]]) -> dict[str, Value]:
    """The object that pairs spell: `a[b]=1` nests, `a[]=1` appends, the last of equal names wins.

    Indices that are exactly 0…n-1 make a list, all others an object with string keys. A name whose brackets do not
    balance is taken literally. Raises Refused 400 `conflicting_field`, `too_deep`, `key_too_long`.
    """
    root = _Node()
    for name, value in pairs:
        node = root
        *outer, last = _segments(name)
        for segment in outer:
            node = _enter(node, segment)
        segment = _claim(node, last)
        if isinstance(node.get(segment), _Node):
            raise _conflict()
        node[segment] = value
    return {name: _settle(value) for name, value in root.items()}


def _unquote(raw: bytes) -> bytes:
    """`+` and percent-encoded bytes decoded; a percent sign that begins no code stays as it is."""
    return _encoded.sub(_decoded, raw.replace(b"+", b" "))


def _decoded(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[0].replace(b"%", b"").decode())


def _text(raw: bytes) -> str:
    try:
        return _unquote(raw).decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("invalid_encoding", 400, "The parameters must be percent-encoded UTF-8.") from None


def _segments(name: str) -> list[str]:
    """`a[b][]` as `a`, `b` and an empty text."""
    if len(name) > limits.field_name_length:
        message = f"The name of a parameter is longer than {limits.field_name_length} characters."
        raise Refused("key_too_long", 400, message)
    name = clean(name)
    match = _bracketed.fullmatch(name)
    if match is None:
        return [name]
    segments = match[2][1:-1].split("][")
    if len(segments) > limits.bracket_depth:
        raise Refused("too_deep", 400, f"A parameter has more than {limits.bracket_depth} pairs of brackets.")
    if any(len(segment) > limits.bracket_length for segment in segments):
        message = f"A name between brackets is longer than {limits.bracket_length} characters."
        raise Refused("key_too_long", 400, message)
    return [match[1], *segments]


def _claim(node: _Node, segment: str) -> str:
    """The key that a segment means in this node; an empty one means the next index."""
    if segment == "":
        segment = str(node.next)
        node.next += 1
    elif _index.fullmatch(segment):
        node.next = max(node.next, int(segment) + 1)
    return segment


def _enter(node: _Node, segment: str) -> _Node:
    """The node below, made where it is missing."""
    below = node.setdefault(_claim(node, segment), _Node())
    if not isinstance(below, _Node):
        raise _conflict()
    return below


def _settle(value: Value) -> Value:
    """A finished node as a list or an object."""
    if not isinstance(value, _Node):
        return clean(value)
    if len(value) == value.next and all(_index.fullmatch(key) for key in value):
        return [_settle(value[str(index)]) for index in range(value.next)]
    return {key: _settle(item) for key, item in value.items()}


def _conflict() -> Refused:
    return Refused("conflicting_field", 400, "A parameter is sent both as a plain value and with brackets.")
