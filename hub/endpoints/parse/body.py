"""What a request carries below its headers, by content type: JSON, a form, a multipart form or plain text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder

from hub.endpoints.parse import limits
from hub.endpoints.parse.json_text import parse_json
from hub.endpoints.parse.pairs import brackets, urlencoded
from hub.endpoints.parse.problems import Note, Refused
from hub.endpoints.parse.text import decode, sanitized
from hub.values import Value, clean

link_parts = frozenset({"token", "template_id"})
_utf8_names = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


@dataclass(frozen=True)
class Body:
    """A parsed body. `value` is None for kind `none`, an object for forms, a string for text."""

    kind: Literal["none", "json", "form", "multipart", "text"]
    value: Value | None = None
    notes: tuple[Note, ...] = ()


def parse_body(raw: bytes, content_type: str | None, *, tolerant: bool) -> Body:
    """The body of a request; an empty or blank one is none, whatever its type says.

    Text and bodies without a type are read as JSON where they are that, and kept as a string otherwise. Files of
    multipart forms are left out. Raises Refused: 413 `body_too_large`, 415 `unsupported_media_type`,
    400 `invalid_encoding`, `invalid_form`, and what `parse_json` and `brackets` raise.
    """
    if len(raw) > limits.body_bytes:
        raise Refused("body_too_large", 413, "The body is larger than 1 MiB.")
    if not raw or raw.isspace():
        return Body("none")
    media, options = _media_type(content_type)
    if options.get("charset", "utf-8").lower() not in _utf8_names:
        raise Refused("invalid_encoding", 400, "The body must be encoded as UTF-8.")
    if media == "application/json" or (media.endswith("+json") and "/" in media):
        value, notes = parse_json(raw, tolerant=tolerant)
        return Body("json", value, notes)
    if media == "application/x-www-form-urlencoded":
        mislabelled = _json_object(raw, tolerant)
        if mislabelled is not None:
            return mislabelled
        return _form("form", urlencoded(raw.strip(b"\r\n"), limits.form_fields))
    if media == "multipart/form-data":
        return _form("multipart", _multipart(raw, options.get("boundary", "")))
    if media in ("", "text/plain"):
        return _text(raw, tolerant)
    raise Refused("unsupported_media_type", 415, "The body's content type is not one that is read here.")


def is_check(query: Mapping[str, Value], body: Body | None) -> bool:
    """Whether the request only tries the connection: `test=test` as the body, or, without a body, as the only
    parameter beside the link's own."""
    probe = {"test": "test"}
    if body is None or body.kind == "none":
        return {name: value for name, value in query.items() if name not in link_parts} == probe
    if body.kind == "text":
        return isinstance(body.value, str) and body.value.strip() == "test=test"
    return body.kind in ("form", "multipart") and body.value == probe


def _json_object(raw: bytes, tolerant: bool) -> Body | None:
    """A body that says it is a form but is one JSON object, as `curl -d '{…}'` sends it. None for a form."""
    stripped = raw.strip()
    if not (stripped.startswith(b"{") and stripped.endswith(b"}")):
        return None
    try:
        value, notes = parse_json(raw, tolerant=tolerant)
    except Refused:
        return None
    note = Note("type_mismatch", "The content type says form, but the body is JSON; it was read as JSON.")
    return Body("json", value, (*notes, note))


def _media_type(content_type: str | None) -> tuple[str, dict[str, str]]:
    media, options = parse_options_header((content_type or "")[:1024])
    return media.strip().lower(), options


def _form(kind: Literal["form", "multipart"], pairs: list[tuple[str, str]]) -> Body:
    notes: tuple[Note, ...] = ()
    for name, value in pairs:
        if clean(name) is not name or clean(value) is not value:
            notes = (sanitized(clean(name)[: limits.field_name_length]),)
            break
    return Body(kind, brackets(pairs), notes)


def _text(raw: bytes, tolerant: bool) -> Body:
    text = decode(raw)
    try:
        value, notes = parse_json(raw, tolerant=tolerant)
    except Refused:
        value, notes = None, ()
    else:
        repaired = any(note.code == "json_repaired" for note in notes)
        # A sentence in quotation marks is a text with its marks, not a JSON string in need of repair.
        if isinstance(value, dict | list) or not repaired:
            return Body("json", value, notes)
    text = text.removeprefix("\ufeff")
    cleaned = clean(text)
    return Body("text", cleaned, () if cleaned is text else (sanitized(),))


def _multipart(raw: bytes, boundary: str) -> list[tuple[str, str]]:
    """The fields of a multipart form; the contents of files are passed over."""
    if not boundary or len(boundary) > limits.boundary_length or not boundary.isascii():
        raise Refused("invalid_form", 400, "The multipart form has no usable boundary.")
    decoder = MultipartDecoder(boundary.encode(), max_parts=limits.multipart_parts)
    try:
        decoder.receive_data(raw)
        decoder.receive_data(None)
        return _fields(decoder)
    except RequestEntityTooLarge:
        message = f"The multipart form has more than {limits.multipart_parts} parts."
        raise Refused("too_many_fields", 400, message) from None
    except UnicodeDecodeError:
        raise Refused("invalid_encoding", 400, "The multipart form must be encoded as UTF-8.") from None
    except ValueError:
        raise Refused("invalid_form", 400, "The multipart form is damaged or incomplete.") from None


def _fields(decoder: MultipartDecoder) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    name: str | None = None
    content: list[bytes] = []
    size = 0
    while not isinstance(event := decoder.next_event(), Epilogue):
        if isinstance(event, File):
            name = None
        elif isinstance(event, Field):
            name, content = event.name or None, []
        elif isinstance(event, Data) and name is not None:
            content.append(event.data)
            size += len(event.data)
            if size > limits.multipart_field_bytes:
                raise Refused("body_too_large", 413, "The fields of the multipart form are larger than 500 kB.")
            if not event.more_data:
                pairs.append((name, b"".join(content).decode("utf-8")))
    return pairs
