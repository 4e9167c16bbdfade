"""The one way out: every call to a stranger's server goes through `Http.call`, guarded, bounded and classed.

An error tells what is known: `Temporary` when nothing of the request left, `Unconfirmed` when it may have.
No error holds the URL, which may carry a token.
"""

import json as jsonlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from requests.exceptions import RequestException
from tenacity import Retrying, retry_if_exception, stop_after_attempt, stop_after_delay, wait_random
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError, SSLError
from urllib3.util import Timeout

from connectors.egress import Egress, Target, parse
from connectors.errors import ConnectorError, EgressRefused, Rejected, Temporary, Unconfirmed
from connectors.wire import Call, Pools, current
from connectors.written import Written, write

# These loggers print paths, at DEBUG or of answers with broken headers at WARNING, and Telegram's hold the token.
for _name in ("urllib3.connectionpool", "urllib3.connection", "requests"):
    logging.getLogger(_name).setLevel(logging.ERROR)

connect_tries = 3
connect_tries_s = 2.0


@dataclass(frozen=True)
class Response:
    """An answer: `body` has at most `max_bytes` bytes, decompressed; `ms` is the whole call in milliseconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    ms: int
    truncated: bool = False

    def json(self) -> Any:
        """The body as JSON. Raises ValueError when it is not JSON."""
        try:
            return jsonlib.loads(self.body)
        except RecursionError:
            raise ValueError("the JSON is nested too deeply") from None

    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 become U+FFFD."""
        return self.body.decode("utf-8", "replace")


class Http:
    """Calls with kept connections. Safe for threads and greenlets; `close` ends the idle connections.

    `more_ca` are certificates (PEM) of authorities that those calls trust which ask for it.
    """

    def __init__(
        self, egress: Egress, connect_s: float = 5, total_s: float = 15, max_bytes: int = 1 << 20, more_ca: str = ""
    ) -> None:
        self.egress = egress
        self.connect_s = connect_s
        self.total_s = total_s
        self.max_bytes = max_bytes
        self._pools = Pools(more_ca)

    def close(self) -> None:
        """Close the idle connections."""
        self._pools.close()

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: Any = None,
        proxy_url: str | None = None,
        total_s: float | None = None,
        service: str = "server",
        more_ca: bool = False,
    ) -> Response:
        """Make one call and read its answer, whatever its status; redirects are answers too. With `more_ca` the
        certificate may also be of one of the further authorities.

        Raises EgressRefused, Rejected (the request cannot be written), Temporary (nothing was sent) or Unconfirmed
        (no whole answer within `total_s` seconds, though the request may have arrived).
        """
        target = parse(url)
        if proxy_url:
            parse(proxy_url, userinfo=True)
            self.egress.check_behind_proxy(target)
        request = self._written(method, url, headers=headers, params=params, json=json, data=data)
        if request.url != url:
            target = parse(request.url)
        begun = time.monotonic()
        deadline = begun + (self.total_s if total_s is None else total_s)
        failed: list[ConnectorError] = []
        try:
            return self._once(request, target, proxy_url, deadline, begun, service, more_ca)
        except Temporary as error:
            failed.append(error)

        def again() -> Response:
            # What failed above counts as the first try; calls that need no second one do without this machinery.
            if failed:
                raise _without_context(failed.pop())
            return self._once(request, target, proxy_url, deadline, begun, service, more_ca)

        retrying = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, Temporary) and error.code == "connect_failed"),
            stop=stop_after_attempt(connect_tries) | stop_after_delay(connect_tries_s),
            wait=wait_random(0.1, 0.4),
            reraise=True,
        )
        return retrying(again)

    def _written(self, method: str, url: str, **parts: Any) -> Written:
        try:
            return write(method, url, **parts)
        except (RequestException, ValueError, TypeError):
            problem = Rejected("The request cannot be written: check its method, headers and body.", code="bad_request")
        raise problem

    def _once(
        self,
        request: Written,
        target: Target,
        proxy_url: str | None,
        deadline: float,
        begun: float,
        service: str,
        more_ca: bool,
    ) -> Response:
        call = Call(self.egress, self.connect_s, deadline)
        token = current.set(call)
        problem: ConnectorError
        try:
            left = call.left()
            answer = self._pools.send(
                target,
                request.method,
                request.url,
                request.headers,
                request.body,
                proxy_url=proxy_url,
                timeout=Timeout(connect=min(self.connect_s, left), read=left),
                more_ca=more_ca,
            )
            body, whole, truncated = self._read(answer)
            if whole or answer.status >= 400:
                ms = round((time.monotonic() - begun) * 1000)
                return Response(answer.status, answer.headers, body, ms, truncated or not whole)
            problem = Unconfirmed(
                f"The answer of {service} broke off or took too long.", code="answer_cut", status=answer.status
            )
        except ConnectorError as error:
            problem = _without_context(error)
        except (HTTPError, OSError) as error:
            problem = _classed(error, call, service)
        finally:
            current.reset(token)
        raise problem

    def _read(self, answer: BaseHTTPResponse) -> tuple[bytes, bool, bool]:
        """The body, whether it came to its end (or to our limit), and whether it was cut at our limit."""
        try:
            body = answer.read(self.max_bytes + 1, decode_content=True)
        except (HTTPError, OSError):
            answer.close()
            return b"", False, False
        if len(body) > self.max_bytes:
            answer.close()
            return body[: self.max_bytes], True, True
        answer.release_conn()
        return body, True, False


def _without_context(error: ConnectorError) -> ConnectorError:
    error.__context__ = error.__cause__ = None
    return error


def _classed(error: Exception, call: Call, service: str) -> ConnectorError:
    if call.sent:
        slow = "timed out" in str(error).lower() or time.monotonic() >= call.deadline
        if slow:
            return Unconfirmed(f"No answer from {service} in time.", code="read_timeout")
        return Unconfirmed(f"{service} hung up without an answer.", code="hung_up")
    if isinstance(error, SSLError):
        return Temporary(f"No secure connection to {service}: TLS failed.", code="tls_error")
    return Temporary(f"No connection to {service}.", code="connect_failed")


__all__ = ["EgressRefused", "Http", "Response"]
