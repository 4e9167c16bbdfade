"""From bytes to text: UTF-8 and nothing else, and no character that a database or a messenger would choke on."""

from hub.endpoints.parse.problems import Note, Refused


def decode(raw: bytes) -> str:
    """UTF-8 bytes as text. Raises Refused 400 `invalid_encoding` for anything else, UTF-16 included."""
    if b"\x00" in raw[:4]:
        raise Refused("invalid_encoding", 400, "The request must be encoded as UTF-8, not UTF-16 or UTF-32.")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("invalid_encoding", 400, "The request must be encoded as UTF-8.") from None


def sanitized(path: str = "") -> Note:
    """The note that `clean` changed something, first seen at `path`."""
    return Note("sanitized", "Characters that cannot be stored were replaced by the replacement character.", path)
