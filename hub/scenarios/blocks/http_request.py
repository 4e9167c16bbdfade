"""Calls another service. The engine makes the call; this block says what to send and judges the answer."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal
from urllib.parse import quote, urlsplit

from pydantic import Field, model_validator

from hub.scenarios.block import (
    Block,
    BlockConfig,
    CheckContext,
    Fail,
    Go,
    JsonType,
    Outcome,
    Perform,
    Problem,
    RunContext,
    Summary,
    TextTemplate,
    ValueTemplate,
)
from hub.scenarios.form import _, hint
from hub.scenarios.reading import Unreadable, read_json
from hub.values import Number, Value, as_number, dumps

MAX_URL = 2_048
MAX_BODY = 256 * 1024
MAX_KEPT = 64 * 1024
SAFE_METHODS = frozenset({"GET", "HEAD"})
FORBIDDEN_HEADERS = frozenset(
    (
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "accept-encoding",
    )
)
_header_name = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}\Z")
_control = re.compile(r"[\x00-\x1f\x7f]")
_secret_headers = re.compile(r"authorization|api-?key|token|secret|cookie", re.IGNORECASE)


class HttpRequest(Block):
    """HTTP request."""

    type: ClassVar[str] = "http_request"
    title: ClassVar[str] = _("HTTP request")
    about: ClassVar[str] = _("Calls another service and uses its response.")
    icon: ClassVar[str] = "world"
    group: ClassVar[Literal["data"]] = "data"
    ports: ClassVar[tuple[str, ...]] = ("next", "error")
    outputs: ClassVar[Mapping[str, JsonType]] = {
        "status": "number",
        "body": "any",
        "headers": "object",
        "ms": "number",
    }
    output_titles: ClassVar[Mapping[str, str]] = {
        "status": _("status code"),
        "body": _("answer"),
        "headers": _("headers of the answer"),
        "ms": _("milliseconds"),
    }
    first: ClassVar[Mapping[str, Value]] = {"method": "POST", "url": "https://"}

    class Config(BlockConfig):
        """At most one of json, form and text. `expect`: the status codes that are right, or `json` for an answer that
        must be JSON; without it every status below 400 is right. `timeout_s` is for the whole call."""

        method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = Field(title=_("Method"))
        url: TextTemplate = Field(min_length=1, max_length=MAX_URL, title=_("Address"))
        headers: dict[str, TextTemplate] = Field(
            default_factory=dict,
            max_length=32,
            title=_("Headers"),
            description=_("Keep secrets in constants and write {{const.name}} here."),
        )
        json_: ValueTemplate = Field(default=None, alias="json", title=_("JSON"), json_schema_extra=hint("json"))
        query: dict[str, TextTemplate] = Field(
            default_factory=dict,
            max_length=100,
            title=_("Parameters of the address"),
            json_schema_extra=hint(more=True),
        )
        form: dict[str, TextTemplate] | None = Field(
            default=None, max_length=200, title=_("Form in place of JSON"), json_schema_extra=hint(more=True)
        )
        text: TextTemplate | None = Field(
            default=None, title=_("Text in place of JSON"), json_schema_extra=hint("template_multiline", more=True)
        )
        expect: Literal["json"] | int | list[int] | None = Field(
            default=None,
            title=_("Successful response"),
            description=_("A status code, a list of codes, or “json”. Otherwise anything below 400 counts as success."),
            json_schema_extra=hint("json", more=True),
        )
        timeout_s: float = Field(
            default=15,
            ge=1,
            le=15,
            allow_inf_nan=False,
            title=_("Wait at most"),
            json_schema_extra=hint("duration_s", more=True),
        )
        retries: int = Field(default=0, ge=0, le=3, title=_("Repeats"), json_schema_extra=hint(more=True))

        @model_validator(mode="after")
        def _fits_together(self) -> "HttpRequest.Config":
            bodies = (self.has_json, self.form is not None, self.text is not None)
            if sum(bodies) > 1:
                raise ValueError("A request has at most one of json, form and text.")
            if any(bodies) and self.method in SAFE_METHODS:
                raise ValueError(f"A {self.method} request has no body.")
            for name in self.headers:
                if not _header_name.match(name):
                    raise ValueError(f"“{name[:64]}” cannot be the name of a header.")
                if name.lower() in FORBIDDEN_HEADERS or name.lower().startswith("proxy-"):
                    raise ValueError(f"The header {name} cannot be set here.")
            return self

        @property
        def has_json(self) -> bool:
            """Whether there is a JSON body, be it null."""
            return "json_" in self.model_fields_set

    def summary(self, config: Config) -> Summary:
        """Whom it calls."""
        return "%(method)s %(url)s", {"method": config.method, "url": config.url}

    def problems(self, config: Config, check: CheckContext) -> Iterator[Problem]:
        """An address that is none, secrets written into the document, and retries that could do a thing twice."""
        block = check.block_id
        if not config.url.startswith(("http://", "https://", "{{")):
            yield Problem("bad_url", "The address must begin with https:// or http://.", block, "url")
        for name, value in config.headers.items():
            if _secret_headers.search(name) and value and "{{" not in value:
                message = (
                    f"The header {name} looks like a secret; keep it in a constant and write {{{{const.…}}}} here."
                )
                yield Problem("secret_in_document", message, block, f"headers.{name}", "warning")
        has_key = any(name.lower() == "idempotency-key" for name in config.headers)
        if config.retries and config.method in ("POST", "PATCH") and not has_key:
            message = "Without an Idempotency-Key header a repeated call may do its work twice."
            yield Problem("unsafe_retries", message, block, "retries", "warning")

    def run(self, config: Config, context: RunContext) -> Outcome:
        """Ask for the call, then judge the answer."""
        if context.resumed is not None:
            return _after(config, context.resumed)
        try:
            spec: dict[str, Value] = {
                "method": config.method,
                "url": address(context.text(config.url)),
                "headers": {name: _header(context.text(value)) for name, value in config.headers.items()},
                "params": {name: context.text(value) for name, value in config.query.items()},
                "timeout_s": Number(str(config.timeout_s)),
                "retries": Number(str(config.retries)),
            }
            spec |= _body(config, context)
        except _Refused as refused:
            return Fail(refused.code, str(refused))
        return Perform("http", spec, repeatable=config.method in SAFE_METHODS)


class _Refused(ValueError):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def address(text: str) -> str:
    """A rendered address with what may not stand in one percent-encoded. Raises a ValueError."""
    text = text.strip()
    if _control.search(text) or len(text) > MAX_URL:
        raise _Refused("bad_url", f"The address holds control characters or more than {MAX_URL} characters.")
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc or "@" in parts.netloc:
        raise _Refused("bad_url", "The address must begin with https:// or http:// and hold no password.")
    begin = len(parts.scheme) + 3 + len(parts.netloc)
    encoded = text[:begin] + quote(text[begin:], safe="/?#[]@!$&'()*+,;=:%~-._")
    if len(encoded) > MAX_URL:
        raise _Refused("bad_url", f"The address has more than {MAX_URL} characters.")
    return encoded


def _header(value: str) -> str:
    value = value.strip()
    if _control.search(value) or len(value) > 8_000 or not value.isascii():
        raise _Refused("bad_header", "A header may hold only one line of ASCII characters.")
    return value


def _body(config: HttpRequest.Config, context: RunContext) -> dict[str, Value]:
    if config.has_json:
        body = dumps(context.value(config.json_))
        kind = "application/json"
    elif config.text is not None:
        body, kind = context.text(config.text), "text/plain; charset=utf-8"
    elif config.form is not None:
        pairs = {name: context.text(value) for name, value in config.form.items()}
        body = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs.items())
        kind = "application/x-www-form-urlencoded"
    else:
        return {"body": None}
    if len(body.encode(errors="replace")) > MAX_BODY:
        raise _Refused("body_too_large", f"The body has more than {MAX_BODY} bytes.")
    return {"body": body, "content_type": kind}


def _after(config: HttpRequest.Config, resumed: Mapping[str, Value]) -> Outcome:
    if resumed["kind"] == "interrupted":
        return Fail("interrupted", "The call was interrupted, and nobody knows whether it arrived.")
    error = resumed.get("error")
    if error:
        return Fail(error.get("code") or "http_failed", error.get("message") or "The call failed.")
    response = resumed["response"]
    status = int(as_number(response["status"]) or 0)
    body, is_json = _read(response.get("body"))
    output = {
        "status": Number(str(status)),
        "body": body,
        "headers": response.get("headers") or {},
        "ms": response.get("ms"),
    }
    expected = [config.expect] if isinstance(config.expect, int) else config.expect
    if isinstance(expected, list):
        if status not in expected:
            code = f"http_{status // 100}xx" if status >= 400 else "http_unexpected"
            return Fail(code, f"The service answered {status}, which is not expected.", output)
    elif status >= 400 or status == 0:
        return Fail(f"http_{'4xx' if 400 <= status < 500 else '5xx'}", f"The service answered {status}.", output)
    if expected == "json" and not is_json:
        return Fail("not_json", "The answer is not JSON.", output)
    return Go(output=output)


def _read(body: Any) -> tuple[Value, bool]:
    """The body as JSON when it is JSON, else as a text that is not too long to keep."""
    if not isinstance(body, str):
        return body, body is not None
    try:
        return read_json(body), True
    except Unreadable:
        kept = body.encode(errors="replace")[:MAX_KEPT].decode(errors="ignore")
        return kept.replace("\0", "\ufffd"), False
